//! Whose key signs what: the resident team key file, or gpg with an agent or a card.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One signer.
#[derive(Debug, Clone, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "lowercase", tag = "with")]
pub enum SignerChoice {
    /// The team key file in the data directory.
    #[default]
    Resident,
    /// `gpg --local-user FINGERPRINT`: agent or smartcard.
    Gpg {
        /// Full fingerprint of the certificate.
        fingerprint: String,
        /// GNUPGHOME; gpg's own default unless said.
        #[serde(default)]
        home: Option<PathBuf>,
    },
}

/// The signer of each purpose.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signing {
    /// Encrypted notices. gpg cannot name intended recipients.
    pub notice: SignerChoice,
    /// Release tags.
    pub tag: SignerChoice,
    /// Mailing-list posts.
    pub post: SignerChoice,
    /// Checksum files and security.txt.
    pub checksums: SignerChoice,
    /// One signature for all copies of a notice, for an RSA key, whose signatures are slow.
    /// What is lost: no copy names its recipient, so any of them can pass it on under another
    /// key as if the team had sent it there; To, Date, Message-ID, receipt code and watermark
    /// are not inside.
    pub shared_body: bool,
}

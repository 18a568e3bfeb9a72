//! A signer whose key lives with GnuPG: in its agent or on a card.
//!
//! gpg is told everything on its command line and reads no options file, so that a line in
//! somebody's `gpg.conf` cannot change what is signed. What it gives back is believed only
//! after its status lines name our key, SHA-512 and the kind asked for, and the signature
//! verifies under the certificate the signer was set up with.
//!
//! Two things GnuPG 2.2 cannot do: it dates signatures by its own clock, so `at` only decides
//! whether the key is valid; and it cannot write Intended Recipients (RFC 9580 section
//! 5.2.3.36), so a notice signed this way does not say for whom it was meant.

mod opener;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::domain::time::{At, Span};
use crate::exec::{ExecError, Output, Process};
use crate::pgp::verify::verify_within;
use crate::pgp::{Certificate, KeyFingerprint, SignError, Signer};

pub use opener::{GpgOpener, GpgOpenerError};

/// How long a person may take to find the card and the PIN.
const PATIENCE: Span = Span::mins(5);

/// What the agent needs to reach a person: a terminal or a screen. Never anything else.
const ENVIRONMENT: [&str; 9] = [
    "HOME",
    "GNUPGHOME",
    "GPG_TTY",
    "TERM",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Why the signer cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GpgSignerError {
    /// The key is not one of the certificate's.
    #[error(
        "the signing key's fingerprint is not in the given certificate; it must be the primary \
         key or a signing subkey of it"
    )]
    ForeignKey,
}

/// Signs with `gpg --local-user`.
pub struct GpgSigner {
    /// The subkey to use; gpg's choice when none was named.
    subkey: Option<KeyFingerprint>,
    homedir: Option<PathBuf>,
    certificate: Certificate,
    clock: Arc<dyn Clock>,
    patience: Span,
}

impl std::fmt::Debug for GpgSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[gpg signer]")
    }
}

/// The three things to be made, and the letter gpg has for each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Detached,
    Clearsigned,
    Message,
}

impl Form {
    const fn letter(self) -> &'static str {
        match self {
            Self::Detached => "D",
            Self::Clearsigned => "C",
            Self::Message => "S",
        }
    }

    const fn args(self) -> &'static [&'static str] {
        match self {
            Self::Detached => &["--armor", "--detach-sign"],
            Self::Clearsigned => &["--clear-sign"],
            // No compression: sizes must not follow content.
            Self::Message => &["--no-armor", "-z", "0", "--set-filename", "", "--sign"],
        }
    }
}

impl GpgSigner {
    /// A signer for `key`, the primary key or a signing subkey of `certificate`. gpg chooses
    /// the newest signing subkey when the primary is given. `homedir` is gpg's folder when it
    /// is not the user's own.
    pub fn new(
        key: &KeyFingerprint,
        homedir: Option<PathBuf>,
        certificate: Certificate,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GpgSignerError> {
        let keys = certificate.key_fingerprints();
        let subkey = match keys.iter().position(|k| k == key) {
            Some(0) => None,
            Some(_) => Some(key.clone()),
            None => return Err(GpgSignerError::ForeignKey),
        };
        Ok(Self { subkey, homedir, certificate, clock, patience: PATIENCE })
    }

    /// The same signer with another bound on how long a person may take.
    #[must_use]
    pub fn patience(mut self, patience: Span) -> Self {
        self.patience = patience;
        self
    }

    async fn sign(&self, form: Form, data: &[u8], at: At) -> Result<Vec<u8>, SignError> {
        let valid = self.certificate.valid_signing_fingerprints(at);
        let can = match &self.subkey {
            Some(subkey) => valid.contains(subkey),
            None => !valid.is_empty(),
        };
        if !can {
            return Err(SignError::NoValidKey);
        }
        let run = self.process(form, data).run(self.clock.as_ref()).await;
        let output = run.map_err(|e| match e {
            ExecError::NotFound { .. } => SignError::NotInstalled,
            ExecError::TooSlow { .. } => SignError::TooSlow,
            ExecError::TooMuch { .. } | ExecError::Io { .. } => SignError::Failed,
        })?;
        if !output.ok() {
            return Err(SignError::Declined);
        }
        let made_at = self.created(form, &output).ok_or(SignError::Untrue)?;
        self.check(form, data, &output.stdout, made_at)?;
        Ok(output.stdout)
    }

    fn process(&self, form: Form, data: &[u8]) -> Process {
        let room = (data.len() as u64).saturating_mul(3).saturating_add(64 * 1024);
        let local_user = match &self.subkey {
            // The mark forbids gpg to choose another subkey.
            Some(subkey) => format!("{subkey}!"),
            None => self.certificate.fingerprint().to_string(),
        };
        let mut process = Process::new("gpg").env("LC_ALL", "C");
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                process = process.env(name, value);
            }
        }
        if let Some(homedir) = &self.homedir {
            process = process.arg("--homedir").arg(homedir);
        }
        process
            .args(["--no-options", "--batch", "--no-tty", "--quiet", "--status-fd", "2"])
            .args(["--no-emit-version", "--no-comments", "--digest-algo", "SHA512"])
            .args(["--local-user", &local_user])
            .args(form.args())
            .stdin(data)
            .allow(self.patience)
            .limit(room)
    }

    /// When the one signature was made, if the status lines say what we asked for:
    /// `SIG_CREATED type pubkey-algorithm hash-algorithm class seconds fingerprint`.
    fn created(&self, form: Form, output: &Output) -> Option<At> {
        let complaint = output.complaint();
        let mut lines = complaint.lines().filter_map(|l| l.strip_prefix("[GNUPG:] SIG_CREATED "));
        let (line, None) = (lines.next()?, lines.next()) else { return None };
        let words: Vec<&str> = line.split(' ').collect();
        let &[letter, _, hash, _, secs, key] = words.as_slice() else { return None };
        let key: KeyFingerprint = key.parse().ok()?;
        let ours = match &self.subkey {
            Some(subkey) => *subkey == key,
            None => self.certificate.key_fingerprints().contains(&key),
        };
        // RFC 9580 section 9.5: 10 is SHA-512.
        let asked_for = letter == form.letter() && hash == "10" && ours;
        secs.parse().ok().filter(|_| asked_for).map(At::from_secs)
    }

    /// A signature that nobody could verify must not be pinned into a plan.
    fn check(&self, form: Form, data: &[u8], made: &[u8], at: At) -> Result<(), SignError> {
        let certs = std::slice::from_ref(&self.certificate);
        let verified = verify_within(made.len().max(data.len()), made, Some(data), certs, at)
            .map_err(|_| SignError::Untrue)?;
        // Clearsigning drops white space at line ends; the others keep every byte.
        let same = form == Form::Clearsigned || verified.text == data;
        if same { Ok(()) } else { Err(SignError::Untrue) }
    }
}

#[async_trait]
impl Signer for GpgSigner {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    async fn detach(&self, data: &[u8], at: At) -> Result<Vec<u8>, SignError> {
        self.sign(Form::Detached, data, at).await
    }

    async fn clearsign(&self, text: &[u8], at: At) -> Result<Vec<u8>, SignError> {
        self.sign(Form::Clearsigned, text, at).await
    }

    async fn sign_message(
        &self,
        data: &[u8],
        _intended: &[Certificate],
        at: At,
    ) -> Result<Vec<u8>, SignError> {
        self.sign(Form::Message, data, at).await
    }
}

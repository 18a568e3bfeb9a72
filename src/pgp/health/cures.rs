//! What the owner of a certificate types to cure it, with gpg and with sq; each ends with a
//! new export for the team.

use super::{Problem, Refusal};
use crate::pgp::certificate::Certificate;

/// What to do when no command on the old key helps.
const NEW_KEY: &str = "the owner makes a new key (`gpg --quick-generate-key ADDRESS`, or with sq: \
                       `sq key generate --own-key --email ADDRESS`), signs it with the old one if \
                       that is still theirs alone, and gives its certificate";

/// Commands for one certificate.
pub(super) struct Cures {
    fingerprint: String,
    subkeys: Vec<String>,
}

impl Cures {
    pub(super) fn new(cert: &Certificate) -> Self {
        let subkeys = cert.key_fingerprints().iter().skip(1).map(ToString::to_string).collect();
        Self { fingerprint: cert.fingerprint().to_string(), subkeys }
    }

    pub(super) fn of(&self, problem: &Problem) -> String {
        let fpr = &self.fingerprint;
        match problem {
            Problem::Revoked { hard: true, .. } => "ask the owner, over another channel than this \
                 mail address, for the certificate of a new key (`gpg --quick-generate-key \
                 ADDRESS`, or with sq: `sq key generate --own-key --email ADDRESS`)"
                .into(),
            Problem::Revoked { hard: false, .. } => format!(
                "ask the owner for the certificate that took its place, signed by this one \
                 (`gpg --local-user {fpr} --quick-sign-key NEW`, or with sq: `sq pki vouch add \
                 --certifier {fpr} --cert NEW --all`)"
            ),
            Problem::MaybeRevoked => {
                "ask the owner, over another channel, whether the key is still good".into()
            }
            Problem::NotYetValid { .. } => {
                "check the clock of this machine and of the machine that made the key".into()
            }
            // A new expiry is a new self-signature, made with a hash of today.
            Problem::NotValid { why: Refusal::Sha1 }
            | Problem::WeakSubkey { why: Refusal::Sha1, .. } => {
                format!(
                    "`{}`, then give the new `gpg --armor --export {fpr}`; with sq: give what \
                     `sq cert lint --fix --cert {fpr}` prints",
                    self.gpg_renews_all()
                )
            }
            Problem::NotValid { why: Refusal::Unbound }
            | Problem::WeakSubkey { why: Refusal::Unbound, .. }
            | Problem::Expired { .. } => self.both(&self.gpg_renews_all(), &self.sq_renews_all()),
            Problem::NotValid { why: Refusal::Weak(_) } => NEW_KEY.into(),
            Problem::SubkeyExpired { key, .. } => self.both(
                &format!("gpg --quick-set-expire {fpr} 2y {key}"),
                &format!("sq key subkey expire --cert {fpr} --key {key} --expiration 2y"),
            ),
            // The key around an ElGamal or RSA-1024 subkey is as old as the subkey.
            Problem::WeakSubkey { why: Refusal::Weak(_), .. } => {
                format!("{NEW_KEY}; if the primary key is good: {}", self.new_subkey())
            }
            Problem::SignOnly | Problem::SubkeyRevoked { .. } | Problem::UnusableSubkey { .. } => {
                self.new_subkey()
            }
        }
    }

    /// One more subkey that mail can be encrypted to.
    pub(super) fn new_subkey(&self) -> String {
        let fpr = &self.fingerprint;
        self.both(
            &format!("gpg --quick-add-key {fpr} cv25519 encr 2y"),
            &format!("sq key subkey add --can-encrypt universal --expiration 2y --cert {fpr}"),
        )
    }

    /// A key of today.
    pub(super) fn new_key(&self) -> String {
        NEW_KEY.to_owned()
    }

    /// The fingerprint, for commands that are not about a problem.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The subkeys by name: `'*'` means only those that have not expired.
    fn gpg_renews_all(&self) -> String {
        let fpr = &self.fingerprint;
        let command = format!("gpg --quick-set-expire {fpr} 2y");
        if self.subkeys.is_empty() {
            return command;
        }
        let subkeys = self.subkeys.join(" ");
        format!("{command} && gpg --quick-set-expire {fpr} 2y {subkeys}")
    }

    fn sq_renews_all(&self) -> String {
        let fpr = &self.fingerprint;
        let mut command = format!("sq key expire --cert {fpr} --expiration 2y");
        if !self.subkeys.is_empty() {
            let keys: Vec<String> = self.subkeys.iter().map(|k| format!("--key {k}")).collect();
            let keys = keys.join(" ");
            command =
                format!("{command} && sq key subkey expire --cert {fpr} {keys} --expiration 2y");
        }
        command
    }

    /// Either command, then the export.
    pub(super) fn both(&self, gpg: &str, sq: &str) -> String {
        let fpr = &self.fingerprint;
        format!(
            "`{gpg}`, then give the new `gpg --armor --export {fpr}`; with sq: `{sq}`, then \
             `sq cert export --cert {fpr}`"
        )
    }
}

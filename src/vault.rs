//! Sealing: the only place that holds the key under which the database is unreadable.
//!
//! What must stay true (DESIGN law 10): a sealed cell opens only in the table, column and
//! row it was made for and only under the key that made it; equality look-ups go by a keyed
//! digest, so that nobody without the key can guess a name and test it; the key is never
//! printed and is wiped from memory when dropped.

mod cell;
mod key;

use std::fmt;

use zeroize::Zeroizing;

pub use key::KeyFileError;

/// Why a sealed cell does not open, or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed under another key.
    #[error("sealed under another vault key: use the key file that belongs to this database")]
    WrongKey,
    /// Its bytes were changed, or it was moved from its table, column or row.
    #[error("a sealed cell was changed, or moved from the place it was sealed for")]
    Altered,
    /// It is no sealed cell.
    #[error("a cell that should be sealed is not")]
    Malformed,
    /// The system has no randomness to give.
    #[error("the system gives no random bytes: nothing can be sealed safely")]
    NoRandomness,
}

/// Bytes of a vault key.
pub const KEY_LEN: usize = 32;

/// The key of one house, split by purpose.
pub struct Vault {
    id: [u8; 8],
    sealing: Zeroizing<[u8; KEY_LEN]>,
    lookup: Zeroizing<[u8; KEY_LEN]>,
}

impl Vault {
    /// Splits a key by purpose: HKDF-SHA256 (RFC 5869) with one block of output each.
    fn split(master: &[u8; KEY_LEN]) -> Self {
        let root = Zeroizing::new(key::hmac(b"daybreak vault 1", &[master]));
        let derive = |purpose: &[u8]| Zeroizing::new(key::hmac(root.as_ref(), &[purpose, &[1]]));
        let mut id = [0; 8];
        id.iter_mut().zip(derive(b"key id").iter()).for_each(|(to, from)| *to = *from);
        Self { id, sealing: derive(b"sealing"), lookup: derive(b"lookup") }
    }

    /// Fresh bytes from the system, to blind what is committed to in clear.
    pub fn random(&self) -> Result<[u8; 32], VaultError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
        Ok(bytes)
    }

    /// The keyed digest under which `value` is found again in `table` and `column`. Equal
    /// values of one column give equal digests; different columns never do.
    pub fn lookup(&self, table: &str, column: &str, value: &str) -> [u8; 32] {
        let place = cell::place(&[table, column, value]);
        key::hmac(self.lookup.as_ref(), &[&place])
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[vault]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_have_different_keys_and_nothing_is_printed() {
        let vault = Vault::split(&[7; 32]);
        assert_ne!(vault.sealing, vault.lookup);
        assert_eq!(format!("{vault:?}"), "[vault]");
    }

    #[test]
    fn lookups_depend_on_key_column_and_value() {
        let (a, b) = (Vault::split(&[1; 32]), Vault::split(&[2; 32]));
        let found = a.lookup("advisories", "lookup", "X-1");
        assert_eq!(found, a.lookup("advisories", "lookup", "X-1"));
        assert_ne!(found, a.lookup("advisories", "lookup", "X-2"));
        assert_ne!(found, a.lookup("blobs", "lookup", "X-1"));
        assert_ne!(found, b.lookup("advisories", "lookup", "X-1"));
        assert_ne!(a.lookup("a", "bc", "d"), a.lookup("ab", "c", "d"));
    }
}

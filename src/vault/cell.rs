//! One sealed cell: `version, key id, nonce, ciphertext`, bound to its table, column and
//! row, so that a cell copied elsewhere does not open.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};

use super::{Vault, VaultError};

/// The only form there is.
const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;

impl Vault {
    /// Seals `plain` for one place, under a fresh random nonce.
    pub fn seal(
        &self,
        table: &str,
        column: &str,
        row: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let aad = place(&[table, column, row]);
        // The cipher refuses only what is longer than 256 GiB.
        let body = XChaCha20Poly1305::new((&*self.sealing).into())
            .encrypt((&nonce).into(), Payload { msg: plain, aad: &aad })
            .map_err(|_| VaultError::Malformed)?;
        let mut sealed = Vec::with_capacity(1 + self.id.len() + nonce.len() + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] made for the same place.
    pub fn open(
        &self,
        table: &str,
        column: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Malformed)?;
        let (id, rest) = rest.split_first_chunk::<8>().ok_or(VaultError::Malformed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Malformed)?;
        if *version != VERSION {
            return Err(VaultError::Malformed);
        }
        if *id != self.id {
            return Err(VaultError::WrongKey);
        }
        let aad = place(&[table, column, row]);
        XChaCha20Poly1305::new((&*self.sealing).into())
            .decrypt(nonce.into(), Payload { msg: body, aad: &aad })
            .map_err(|_| VaultError::Altered)
    }
}

/// Parts joined so that no two different lists of parts look alike: each behind its length.
pub(super) fn place(parts: &[&str]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part.as_bytes());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Vault, Vec<u8>) {
        let vault = Vault::split(&[7; 32]);
        let cell = vault.seal("members", "sealed", "mem_1", b"Ada").unwrap();
        (vault, cell)
    }

    #[test]
    fn opens_where_it_was_made_and_nowhere_else() {
        let (vault, cell) = sealed();
        assert_eq!(vault.open("members", "sealed", "mem_1", &cell).unwrap(), b"Ada");
        for (table, column, row) in [
            ("other", "sealed", "mem_1"),
            ("members", "x", "mem_1"),
            ("members", "sealed", "mem_2"),
        ] {
            assert_eq!(vault.open(table, column, row, &cell), Err(VaultError::Altered));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (vault, cell) = sealed();
        for at in 0..cell.len() {
            let mut changed = cell.clone();
            changed[at] ^= 1;
            assert!(vault.open("members", "sealed", "mem_1", &changed).is_err(), "byte {at}");
        }
        for cut in 0..cell.len() {
            assert!(vault.open("members", "sealed", "mem_1", &cell[..cut]).is_err(), "cut {cut}");
        }
    }

    #[test]
    fn another_key_is_told_apart_from_altered_bytes() {
        let (_, cell) = sealed();
        let other = Vault::split(&[8; 32]);
        assert_eq!(other.open("members", "sealed", "mem_1", &cell), Err(VaultError::WrongKey));
        assert_eq!(other.open("members", "sealed", "mem_1", b"Ada"), Err(VaultError::Malformed));
    }

    #[test]
    fn equal_plain_text_never_looks_equal() {
        let (vault, cell) = sealed();
        assert_ne!(vault.seal("members", "sealed", "mem_1", b"Ada").unwrap(), cell);
        assert!(!cell.windows(3).any(|w| w == b"Ada"));
    }
}

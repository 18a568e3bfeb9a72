//! The key file: 32 random bytes that only their owner may read. Whoever loses it loses the
//! database; whoever copies it can read the database.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KEY_LEN, Vault};

/// Why a key file cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is one already; it is never written over.
    #[error("the vault key {path} exists already and is never written over")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error(
        "the vault key {path} is missing; without it the database cannot be read. Restore it from its backup"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read it.
    #[error("the vault key {path} may be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a key.
    #[error("the vault key {path} must hold exactly {KEY_LEN} bytes; restore it from its backup")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness to give.
    #[error("the system gives no random bytes: no key can be made")]
    NoRandomness,
    /// The disk failed it.
    #[error("the vault key {path} cannot be read or written: {kind}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The kind of failure.
        kind: ErrorKind,
    },
}

impl Vault {
    /// Makes a new key file, mode 0600, durable before this returns; never writes over one.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        let mut master = Zeroizing::new([0; KEY_LEN]);
        getrandom::fill(master.as_mut()).map_err(|_| KeyFileError::NoRandomness)?;
        let failed = |e: std::io::Error| match e.kind() {
            ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
            kind => KeyFileError::Io { path: path.to_owned(), kind },
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        file.write_all(master.as_ref()).and_then(|()| file.sync_all()).map_err(failed)?;
        // The name must be as durable as the bytes: what is sealed next depends on both.
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|f| f.sync_all()).map_err(failed)?;
        Ok(Self::split(&master))
    }

    /// Reads a key file; refuses one that others may read.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |e: std::io::Error| match e.kind() {
            ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
            kind => KeyFileError::Io { path: path.to_owned(), kind },
        };
        let mut file = File::open(path).map_err(failed)?;
        // Judged on the open file, so that it cannot be swapped between the two looks.
        let about = file.metadata().map_err(failed)?;
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Readable { path: path.to_owned(), mode });
        }
        if !about.is_file() || about.len() != KEY_LEN as u64 {
            return Err(KeyFileError::NotAKey { path: path.to_owned() });
        }
        let mut master = Zeroizing::new([0; KEY_LEN]);
        file.read_exact(master.as_mut()).map_err(failed)?;
        Ok(Self::split(&master))
    }
}

/// HMAC-SHA256 over the parts one after another. `key` must not be longer than 64 bytes:
/// what is beyond is not used.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than the block is padded with zeros (RFC 2104 section 2); doing it here
    // leaves the constructor no way to fail.
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_the_published_one() {
        // RFC 4231 section 4.3, test case 2.
        let mac = hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(mac), wanted);
    }

    #[test]
    fn a_key_file_is_private_made_once_and_loads_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        let made = Vault::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(Vault::create(&path), Err(KeyFileError::Exists { .. })));
        let loaded = Vault::load(&path).unwrap();
        assert_eq!(loaded.lookup("t", "c", "v"), made.lookup("t", "c", "v"));
    }

    #[test]
    fn a_key_file_others_may_read_is_refused_with_the_cure() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        Vault::create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = Vault::load(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn missing_and_cut_keys_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        assert!(matches!(Vault::load(&path), Err(KeyFileError::Missing { .. })));
        Vault::create(&path).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(31).unwrap();
        assert!(matches!(Vault::load(&path), Err(KeyFileError::NotAKey { .. })));
    }
}

//! The heartbeat: a text that says that the engine lived at an instant, and nothing else.
//!
//! What must stay true: it has the same length and the same words whatever the house holds, so
//! that whoever watches it learns of no embargo; its time is rounded down to ten seconds; with a
//! secret that both ends have, nobody else can write one.

use hmac::{Hmac, KeyInit as _, Mac as _};

use crate::domain::time::At;

/// What the time is rounded to, in seconds.
const STEP: i64 = 10;
/// Bytes a secret has at least.
const KEY: usize = 32;
/// What a heartbeat without a signature says in its place.
const UNSIGNED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Why a text is no heartbeat of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoHeartbeat {
    /// The secret is too short to sign with.
    #[error("its secret is shorter than 32 bytes")]
    WeakKey,
    /// It is another text.
    #[error("it is no heartbeat")]
    OtherText,
    /// Somebody else wrote it, or it is not signed.
    #[error("it is not signed with the secret")]
    NotOurs,
}

/// Three lines. Signed when there is a secret.
pub fn write(now: At, key: Option<&[u8]>) -> Result<String, NoHeartbeat> {
    let at = At::from_secs(now.secs().div_euclid(STEP).saturating_mul(STEP));
    let said = format!("daybreak-heartbeat 1\nalive {}\n", at.rfc3339());
    let mac = match key {
        None => UNSIGNED.to_owned(),
        Some(key) => hex::encode(mac(key, &said)?.finalize().into_bytes()),
    };
    Ok(format!("{said}mac {mac}\n"))
}

/// When it was written; with a secret only if that signed it.
pub fn read(text: &str, key: Option<&[u8]>) -> Result<At, NoHeartbeat> {
    let (said, signature) = text.split_once("mac ").ok_or(NoHeartbeat::OtherText)?;
    let alive = said.strip_prefix("daybreak-heartbeat 1\nalive ");
    let time = alive.and_then(|rest| rest.strip_suffix('\n')).ok_or(NoHeartbeat::OtherText)?;
    let at = At::parse_rfc3339(time).ok_or(NoHeartbeat::OtherText)?;
    if let Some(key) = key {
        let signature = hex::decode(signature.trim_end()).map_err(|_| NoHeartbeat::NotOurs)?;
        mac(key, said)?.verify_slice(&signature).map_err(|_| NoHeartbeat::NotOurs)?;
    }
    Ok(at)
}

fn mac(key: &[u8], said: &str) -> Result<Hmac<sha2::Sha256>, NoHeartbeat> {
    if key.len() < KEY {
        return Err(NoHeartbeat::WeakKey);
    }
    let mut mac = Hmac::new_from_slice(key).map_err(|_| NoHeartbeat::WeakKey)?;
    mac.update(said.as_bytes());
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_when_and_is_always_as_long() {
        let at = At::parse_rfc3339("2026-11-20T10:00:19Z").unwrap();
        let (plain, signed) = (write(at, None).unwrap(), write(at, Some(&[7; 32])).unwrap());
        assert!(plain.starts_with("daybreak-heartbeat 1\nalive 2026-11-20T10:00:10Z\nmac 0000"));
        assert_eq!(plain.len(), signed.len());
        let rounded = At::parse_rfc3339("2026-11-20T10:00:10Z").unwrap();
        assert_eq!(read(&plain, None), Ok(rounded));
        assert_eq!(read(&signed, Some(&[7; 32])), Ok(rounded));
        assert_eq!(read(&signed, None), Ok(rounded));
    }

    #[test]
    fn what_somebody_else_wrote_is_none_of_ours() {
        let at = At::from_secs(1_000_000);
        let signed = write(at, Some(&[7; 32])).unwrap();
        let later = signed.replace("1970-01-12", "1970-01-13");
        assert_eq!(read(&later, Some(&[7; 32])), Err(NoHeartbeat::NotOurs));
        assert_eq!(read(&write(at, None).unwrap(), Some(&[7; 32])), Err(NoHeartbeat::NotOurs));
        assert_eq!(read(&signed, Some(&[8; 32])), Err(NoHeartbeat::NotOurs));
        assert_eq!(read(&signed, Some(&[7; 31])), Err(NoHeartbeat::WeakKey));
        for other in ["", "mac ", "daybreak-heartbeat 1\nalive now\nmac 00\n", "<html>mac </html>"]
        {
            assert_eq!(read(other, None), Err(NoHeartbeat::OtherText), "{other}");
        }
    }
}

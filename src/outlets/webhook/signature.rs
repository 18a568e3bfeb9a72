//! Signing a call (Standard Webhooks 1.0, signature scheme): HMAC-SHA256 over
//! `id.timestamp.body`, written `v1,` and base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use zeroize::Zeroizing;

use crate::domain::time::At;

/// Bytes a secret has by the standard.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets of one receiver, the newest first: more than one while it is being changed.
pub(super) struct Secrets(Vec<Zeroizing<Vec<u8>>>);

impl Secrets {
    /// One secret a line. The error says what is wrong and nothing of the secret.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
        let secrets = lines.map(one).collect::<Result<Vec<_>, _>>()?;
        if secrets.is_empty() { Err("its secret file is empty") } else { Ok(Self(secrets)) }
    }

    /// The value of `webhook-signature`: one signature for each secret.
    pub(super) fn sign(&self, id: &str, at: At, body: &[u8]) -> String {
        let signed = |secret: &Zeroizing<Vec<u8>>| {
            // HMAC takes keys of any length.
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).ok()?;
            mac.update(format!("{id}.{}.", at.secs()).as_bytes());
            mac.update(body);
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        };
        self.0.iter().filter_map(signed).collect::<Vec<_>>().join(" ")
    }
}

fn one(line: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let text = line.strip_prefix("whsec_").ok_or("a secret does not begin with `whsec_`")?;
    let bytes = STANDARD.decode(text).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| "a secret is not base64 behind `whsec_`")?;
    if LENGTH.contains(&bytes.len()) { Ok(bytes) } else { Err("a secret is not 24 to 64 bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of the standard's own libraries.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let sign = |secrets: &str| {
            let at = At::from_secs(1_614_265_330);
            let body = br#"{"test": 2432232314}"#;
            Secrets::parse(secrets).map(|s| s.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body))
        };
        let published = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(&format!("{SECRET}\n")).unwrap(), published);
        let other = format!("whsec_{}", STANDARD.encode([7; 32]));
        let both = sign(&format!("{other}\r\n\n{SECRET}\r\n")).unwrap();
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!((first.len(), second), (published.len(), published));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_printing_it() {
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for bad in ["", "\n", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_???", &short, &long] {
            let said = Secrets::parse(bad).err().unwrap();
            assert!(!said.contains("MfKQ"), "{said}");
        }
    }
}

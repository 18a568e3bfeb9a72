//! What the bare primitives would cost, by `openssl speed` on this machine in this run, and
//! base64 by our own library. Nothing that makes these messages can be faster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::cpu;
use super::super::ring::{Kind, Ring};
use super::Fanout;
use super::ours::Way;
use crate::clock::SystemClock;
use crate::exec::Process;

/// Operations or bytes a second.
#[derive(Debug, Clone, Copy)]
pub struct Primitives {
    rsa_sign: f64,
    rsa_verify: f64,
    x25519: f64,
    p384: f64,
    ed25519: f64,
    aes_cfb: f64,
    sha1: f64,
    sha512: f64,
    base64: f64,
}

impl Primitives {
    /// Takes about ten seconds; `None` without openssl.
    pub async fn of_this_machine() -> Option<Self> {
        let rsa = speed(&["rsa4096"], "+F2:").await?;
        Some(Self {
            rsa_sign: *rsa.get(2)?,
            rsa_verify: *rsa.get(3)?,
            x25519: *speed(&["ecdhx25519"], "+F5:").await?.get(2)?,
            p384: *speed(&["ecdhp384"], "+F5:").await?.get(2)?,
            ed25519: *speed(&["ed25519"], "+F6:").await?.get(3)?,
            aes_cfb: *speed(&["-evp", "aes-256-cfb"], "+F:").await?.get(2)?,
            sha1: *speed(&["-evp", "sha1"], "+F:").await?.get(2)?,
            sha512: *speed(&["-evp", "sha512"], "+F:").await?.get(2)?,
            base64: base64_speed(),
        })
    }

    /// Milliseconds of one message: its session key to this mix of keys, AES, the SHA-1 of the
    /// integrity check, base64, and its part of the signature.
    pub fn a_message(&self, way: Way, ring: &Ring, args: &Fanout) -> f64 {
        // Encrypting with RSA is what verifying does; ECDH multiplies twice.
        let key = ring.share(Kind::Rsa4096) / self.rsa_verify
            + ring.share(Kind::Cv25519) * 2.0 / self.x25519
            + ring.share(Kind::P384) * 2.0 / self.p384;
        let size = f64::from(args.size);
        let bulk = size / self.aes_cfb + size / self.sha1 + size / self.base64;
        let hashed = size / self.sha512;
        let signature = match way {
            Way::Full => 1.0 / self.ed25519 + hashed,
            Way::Shared => (1.0 / self.rsa_sign + hashed) / f64::from(args.recipients),
        };
        (key + bulk + signature) * 1000.0
    }
}

/// The numbers of the line that begins with `mark` in openssl's machine-readable answer.
async fn speed(what: &[&str], mark: &str) -> Option<Vec<f64>> {
    let ask = Process::new("openssl").args(["speed", "-mr", "-seconds", "1", "-bytes", "16384"]);
    let out = ask.args(what).run(&SystemClock::new()).await.ok().filter(|out| out.ok())?;
    numbers(&out.text(), mark)
}

fn numbers(text: &str, mark: &str) -> Option<Vec<f64>> {
    let line = text.lines().find_map(|l| l.strip_prefix(mark))?;
    // Names of algorithms keep their place.
    Some(line.split(':').map(|word| word.parse().unwrap_or_default()).collect())
}

/// Bytes a second of our base64.
fn base64_speed() -> f64 {
    let bytes = [7_u8; 12_288];
    let mut text = [0_u8; 16_384];
    let before = cpu::own();
    let mut done = 0.0;
    while cpu::own() - before < 100.0 {
        for _ in 0..100 {
            if STANDARD.encode_slice(std::hint::black_box(bytes), &mut text).is_err() {
                return f64::INFINITY;
            }
            done += bytes.len() as f64;
        }
    }
    done * 1000.0 / (cpu::own() - before)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn what_openssl_prints_is_understood() {
        let text = "+H:16384\n+F:25:AES-256-CFB:793552738.46\n+F2:4:4096:306.5:21589.2\n";
        assert_eq!(numbers(text, "+F:").unwrap()[2], 793_552_738.46);
        assert_eq!(numbers(text, "+F2:").unwrap()[2..], [306.5, 21_589.2]);
        assert!(numbers(text, "+F6:").is_none());
    }
}

//! Fingerprints as values of ours, so that no type of the OpenPGP library crosses the wall.
//!
//! Who is on the confidential list is a secret and a fingerprint names a person: `Debug` shows
//! none; whoever means to show one says so with `Display` or `spaced`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a fingerprint: it must be 40 hexadecimal digits (64 for a version 6 key), \
     as `gpg --fingerprint` prints them"
)]
pub struct NotAFingerprint;

/// Upper-case hexadecimal digits without spaces, from text with or without them.
fn normalised(text: &str) -> Result<String, NotAFingerprint> {
    let hex: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    let right = matches!(hex.len(), 40 | 64) && hex.chars().all(|c| c.is_ascii_hexdigit());
    if right { Ok(hex) } else { Err(NotAFingerprint) }
}

macro_rules! fingerprints {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The digits, upper case, without spaces.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The digits in groups of four, as people compare them.
            pub fn spaced(&self) -> String {
                let mut text = String::with_capacity(self.0.len() + self.0.len() / 4);
                for (n, digit) in self.0.chars().enumerate() {
                    if n > 0 && n % 4 == 0 {
                        text.push(' ');
                    }
                    text.push(digit);
                }
                text
            }

            pub(super) fn of(fingerprint: &sequoia_openpgp::Fingerprint) -> Self {
                Self(fingerprint.to_hex())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[fingerprint]")
            }
        }

        impl FromStr for $name {
            type Err = NotAFingerprint;
            fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
                normalised(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAFingerprint;
            fn try_from(text: String) -> Result<Self, NotAFingerprint> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(fingerprint: $name) -> String {
                fingerprint.0
            }
        }
    )*};
}

fingerprints! {
    /// A certificate's name: the fingerprint of its primary key (RFC 9580 section 5.5.4).
    Fingerprint;
    /// One key of a certificate, the primary or a subkey.
    KeyFingerprint;
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACED: &str = "ABCD 0000 1111 2222 3333 4444 5555 6666 7777 8888";

    #[test]
    fn people_may_write_spaces_and_small_letters() {
        let fingerprint: Fingerprint = SPACED.to_lowercase().parse().unwrap();
        assert_eq!(fingerprint.spaced(), SPACED);
        assert_eq!(fingerprint.to_string(), SPACED.replace(' ', ""));
        assert_eq!(format!("{fingerprint:?}"), "[fingerprint]");
    }

    #[test]
    fn short_key_ids_are_refused_from_text_and_from_json() {
        assert!("DEADBEEF".parse::<Fingerprint>().is_err());
        assert!(serde_json::from_str::<Fingerprint>("\"DEADBEEF\"").is_err());
        let whole: Fingerprint = SPACED.parse().unwrap();
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), whole);
    }
}

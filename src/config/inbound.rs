//! How much is kept of mail that belongs to nobody: anybody may write to us as much as they
//! like, and the database is not theirs to fill. What belongs to a delivery, a disclosure or
//! somebody we know is kept whole and is not counted.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::time::Span;

/// Room for mail of nobody.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inbound {
    /// MiB for all of it. When they are used up a mail server is told to try again later.
    pub room_mib: u32,
    /// KiB kept of one such mail in clear: its beginning.
    pub keep_each_kib: u32,
    /// Days after which it is forgotten.
    pub forget_after: u32,
}

impl Default for Inbound {
    fn default() -> Self {
        Self { room_mib: 256, keep_each_kib: 512, forget_after: 90 }
    }
}

impl Inbound {
    /// Bytes for all of it.
    pub fn room(&self) -> u64 {
        u64::from(self.room_mib) << 20
    }

    /// Bytes kept of one.
    pub fn keep_each(&self) -> usize {
        usize::try_from(self.keep_each_kib).unwrap_or(usize::MAX).saturating_mul(1024)
    }

    /// How long it is kept.
    pub fn forget_after(&self) -> Span {
        Span::days(i64::from(self.forget_after))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            ("inbound.room_mib", self.room_mib, 1..=1_048_576),
            ("inbound.keep_each_kib", self.keep_each_kib, 4..=25_600),
            ("inbound.forget_after", self.forget_after, 1..=36_500),
        ];
        for (field, value, range) in bounds {
            if !range.contains(&value) {
                return Err(ConfigError::Wrong {
                    field: field.to_owned(),
                    wrong: format!("is {value}"),
                    right: format!("use {} to {}", range.start(), range.end()),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_some_room_and_never_without_end() {
        let usual = Inbound::default();
        assert!(usual.check().is_ok());
        assert_eq!((usual.room(), usual.keep_each()), (256 << 20, 512 << 10));
        for bad in [
            Inbound { room_mib: 0, ..Inbound::default() },
            Inbound { keep_each_kib: 3, ..Inbound::default() },
            Inbound { forget_after: 0, ..Inbound::default() },
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.contains("`inbound.") && error.contains("use "), "{error}");
        }
    }
}

//! When the nightly round is made. It has nothing to do with any disclosure: what it mails must
//! tell nobody that something is coming.

use std::str::FromStr as _;

use cron::Schedule;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::time::At;

/// The nightly round.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Housekeeping {
    /// Six fields in UTC: second, minute, hour, day of month, month, day of week.
    pub schedule: String,
}

impl Default for Housekeeping {
    fn default() -> Self {
        Self { schedule: "0 23 3 * * *".to_owned() }
    }
}

impl Housekeeping {
    /// The first round after `at`; `None` when there will be none.
    pub fn next_after(&self, at: At) -> Option<At> {
        let schedule = Schedule::from_str(&self.schedule).ok()?;
        schedule.after(&at.utc()).next().map(At::from_utc)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let six = self.schedule.split_whitespace().count() == 6;
        if six && Schedule::from_str(&self.schedule).is_ok() {
            return Ok(());
        }
        Err(ConfigError::Wrong {
            field: "housekeeping.schedule".to_owned(),
            wrong: "is not a schedule of six fields".to_owned(),
            right: "write second, minute, hour, day of month, month and day of week, in UTC: \
                    \"0 23 3 * * *\""
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_every_night_unless_said() {
        let at = At::parse_rfc3339("2026-11-20T10:00:00Z").unwrap();
        let next = Housekeeping::default().next_after(at).unwrap();
        assert_eq!(next.rfc3339(), "2026-11-21T03:23:00Z");
        let again = Housekeeping::default().next_after(next).unwrap();
        assert_eq!(again.rfc3339(), "2026-11-22T03:23:00Z");
        assert!(Housekeeping::default().check().is_ok());
        for bad in ["", "23 3 * * *", "0 99 3 * * *", "nightly", "@daily", "0 23 3 * * * 2030"] {
            let error = Housekeeping { schedule: bad.into() }.check().unwrap_err();
            assert!(error.to_string().contains("six fields"), "{bad}");
        }
    }
}

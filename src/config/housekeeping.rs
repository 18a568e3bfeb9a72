//! When the nightly round is made, and what a month is for cover mails. Neither has anything to
//! do with any disclosure: what they mail must tell nobody that something is coming.

use std::str::FromStr as _;

use cron::Schedule;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::time::{At, Span};

/// The nightly round.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Housekeeping {
    /// Six fields in UTC: second, minute, hour, day of month, month, day of week.
    pub schedule: String,
    /// When a new month of cover mails begins, written like `schedule`; each contact that asked
    /// for them gets one in each, at an hour drawn by lot.
    pub cover: String,
}

impl Default for Housekeeping {
    fn default() -> Self {
        Self { schedule: "0 23 3 * * *".to_owned(), cover: "0 0 0 1 * *".to_owned() }
    }
}

impl Housekeeping {
    /// The first round after `at`; `None` when there will be none.
    pub fn next_after(&self, at: At) -> Option<At> {
        let schedule = Schedule::from_str(&self.schedule).ok()?;
        schedule.after(&at.utc()).next().map(At::from_utc)
    }

    /// The month of cover mails that `at` lies in: when it begins and when the next one does.
    /// `None` outside any.
    pub fn month_of(&self, at: At) -> Option<(At, At)> {
        let schedule = Schedule::from_str(&self.cover).ok()?;
        let ends = schedule.after(&at.utc()).next().map(At::from_utc)?;
        let begins = schedule.after(&ends.utc()).next_back().map(At::from_utc)?;
        Some((begins, ends))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check("housekeeping.schedule", &self.schedule, "0 23 3 * * *")?;
        check("housekeeping.cover", &self.cover, "0 0 0 1 * *")?;
        let mut at = At::from_secs(0);
        for _ in 0..ROUNDS {
            let Some((_, ends)) = self.month_of(at) else { break };
            if self.month_of(ends).is_some_and(|(begins, next)| next.since(begins) < SHORTEST) {
                return Err(ConfigError::Wrong {
                    field: "housekeeping.cover".to_owned(),
                    wrong: "comes round within less than a week".to_owned(),
                    right: "write the beginning of a month: \"0 0 0 1 * *\"".to_owned(),
                });
            }
            at = ends;
        }
        Ok(())
    }
}

/// The shortest month there may be: more mails would be noise to their readers.
const SHORTEST: Span = Span::days(7);
/// How many are looked at.
const ROUNDS: usize = 60;

fn check(field: &str, schedule: &str, example: &str) -> Result<(), ConfigError> {
    let six = schedule.split_whitespace().count() == 6;
    if six && Schedule::from_str(schedule).is_ok() {
        return Ok(());
    }
    Err(ConfigError::Wrong {
        field: field.to_owned(),
        wrong: "is not a schedule of six fields".to_owned(),
        right: format!(
            "write second, minute, hour, day of month, month and day of week, in UTC: \"{example}\""
        ),
    })
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
            let error = Housekeeping { schedule: bad.into(), ..Housekeeping::default() }
                .check()
                .unwrap_err();
            assert!(error.to_string().contains("six fields"), "{bad}");
        }
    }

    #[test]
    fn a_month_of_cover_mails_is_a_month_of_the_calendar_unless_said() {
        let at = |text| At::parse_rfc3339(text).unwrap();
        let house = Housekeeping::default();
        let month = Some((at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")));
        for inside in ["2026-11-01T00:00:00Z", "2026-11-20T10:00:00Z", "2026-11-30T23:59:59Z"] {
            assert_eq!(house.month_of(at(inside)), month, "{inside}");
        }
        let sometime = At::from_millis(at("2026-11-20T10:00:00Z").millis() + 7);
        assert_eq!(house.month_of(sometime), month);
        let next = house.month_of(at("2026-12-01T00:00:00Z")).unwrap();
        assert_eq!(next.1, at("2027-01-01T00:00:00Z"));
        for bad in ["* * * * * *", "0 0 0 * * *", "0 0 0 1,3 * *", "monthly"] {
            let cover = Housekeeping { cover: bad.into(), ..Housekeeping::default() };
            assert!(cover.check().unwrap_err().to_string().contains("housekeeping.cover"), "{bad}");
        }
        assert!(Housekeeping { cover: "0 0 0 1,15 * *".into(), ..house }.check().is_ok());
    }
}

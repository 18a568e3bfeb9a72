//! T0: a UTC instant and the zone it was chosen in. A local time that does not exist is
//! refused; one that exists twice must be chosen.

use std::fmt;

use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDateTime, TimeZone as _, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::time::At;

/// The disclosure instant, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct T0 {
    /// The instant.
    pub at: At,
    /// The zone it was chosen in: what a person reads, and where days are counted.
    pub zone: Tz,
}

/// Text that names no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadT0 {
    /// Not of a known form.
    #[error(
        "`at` is not a date, a time and a zone; write it as \"2026-12-01 16:00 Europe/Berlin\" or \"2026-12-01T15:00:00Z\""
    )]
    Form,
    /// No such zone.
    #[error(
        "`at` names the zone `{0}`, which does not exist; use a name such as Europe/Berlin or UTC"
    )]
    Zone(String),
    /// The clocks skip it.
    #[error(
        "`at`: {local} does not exist in {zone}: the clocks go forward over it; choose another time"
    )]
    Skipped {
        /// The local time.
        local: String,
        /// The zone.
        zone: Tz,
    },
    /// The clocks show it twice.
    #[error(
        "`at`: {local} exists twice in {zone}; choose \"{local}{earlier} {zone}\" or \"{local}{later} {zone}\""
    )]
    Twice {
        /// The local time.
        local: String,
        /// The zone.
        zone: Tz,
        /// Offset of the first.
        earlier: FixedOffset,
        /// Offset of the second.
        later: FixedOffset,
    },
    /// The offset does not hold then and there.
    #[error("`at`: {zone} is not at {offset} at that time; it is at {right}")]
    Offset {
        /// What was written.
        offset: FixedOffset,
        /// The zone.
        zone: Tz,
        /// What holds.
        right: String,
    },
}

impl T0 {
    /// From an instant and a zone; cut to whole seconds.
    pub fn new(at: At, zone: Tz) -> Self {
        Self { at: At::from_secs(at.secs()), zone }
    }

    /// From what a person types: `2026-12-01 16:00 Europe/Berlin`, the same with an offset
    /// after the time (`02:30+01:00`), or RFC 3339.
    pub fn parse(text: &str) -> Result<Self, BadT0> {
        let text = text.trim();
        if let Some(at) = At::parse_rfc3339(text) {
            return Ok(Self::new(at, Tz::UTC));
        }
        let mut words = text.split_whitespace();
        let (Some(date), Some(time), zone, None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(BadT0::Form);
        };
        let zone: Tz = match zone {
            None => return Err(BadT0::Form),
            Some(name) => name.parse().map_err(|_| BadT0::Zone(name.to_owned()))?,
        };
        let (time, offset) = split_offset(time)?;
        let local = format!("{date} {time}");
        let naive = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&local, form).ok())
            .ok_or(BadT0::Form)?;
        let found = match (zone.from_local_datetime(&naive), offset) {
            (LocalResult::None, _) => return Err(BadT0::Skipped { local, zone }),
            (LocalResult::Single(one), None) => one,
            (LocalResult::Single(one), Some(offset)) => pick(&[one], offset, zone)?,
            (LocalResult::Ambiguous(a, b), Some(offset)) => pick(&[a, b], offset, zone)?,
            (LocalResult::Ambiguous(a, b), None) => {
                return Err(BadT0::Twice { local, zone, earlier: fixed(&a), later: fixed(&b) });
            }
        };
        Ok(Self::new(At::from_utc(found.to_utc()), zone))
    }

    /// The local calendar's weekday.
    pub fn weekday(&self) -> Weekday {
        self.local().weekday()
    }

    /// The instant `days` calendar days earlier at the same wall-clock hour in the zone; a
    /// time the clocks skip moves an hour on, one they show twice is the
    /// earlier: distributors hear sooner rather than later.
    pub fn days_before(&self, days: u32) -> At {
        let local = self.local().naive_local();
        let wanted = local - chrono::Duration::days(i64::from(days));
        let found = match self.zone.from_local_datetime(&wanted) {
            LocalResult::Single(one) | LocalResult::Ambiguous(one, _) => Some(one),
            LocalResult::None => {
                let later = wanted + chrono::Duration::hours(1);
                self.zone.from_local_datetime(&later).earliest()
            }
        };
        let fallback = self.at.plus(super::time::Span::days(-i64::from(days)));
        found.map_or(fallback, |t| At::from_utc(t.to_utc()))
    }

    fn local(&self) -> DateTime<Tz> {
        self.at.utc().with_timezone(&self.zone)
    }

    /// `2026-12-01 15:00:00 UTC (Tuesday); 16:00 in Europe/Berlin`.
    pub fn spoken(&self) -> String {
        let utc = self.at.spoken();
        if self.zone == Tz::UTC {
            return utc;
        }
        format!("{utc}; {} in {}", self.local().format("%Y-%m-%d %H:%M"), self.zone)
    }
}

impl fmt::Display for T0 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spoken())
    }
}

fn fixed(t: &DateTime<Tz>) -> FixedOffset {
    use chrono::Offset as _;
    t.offset().fix()
}

fn split_offset(time: &str) -> Result<(&str, Option<FixedOffset>), BadT0> {
    let Some(at) = time.rfind(['+', '-']) else {
        return Ok((time, None));
    };
    let (clock, offset) = time.split_at(at);
    offset.parse().map(|o| (clock, Some(o))).map_err(|_| BadT0::Form)
}

fn pick(found: &[DateTime<Tz>], offset: FixedOffset, zone: Tz) -> Result<DateTime<Tz>, BadT0> {
    found.iter().find(|t| fixed(t) == offset).copied().ok_or_else(|| {
        let right: Vec<_> = found.iter().map(|t| fixed(t).to_string()).collect();
        BadT0::Offset { offset, zone, right: right.join(" or ") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-12-01 16:00 Europe/Berlin", "2026-12-01T15:00:00Z")]
    #[case("2026-12-01T15:00:00Z", "2026-12-01T15:00:00Z")]
    #[case("2026-10-25 02:30+02:00 Europe/Berlin", "2026-10-25T00:30:00Z")]
    #[case("2026-10-25 02:30+01:00 Europe/Berlin", "2026-10-25T01:30:00Z")]
    #[case("2026-07-01 09:00:30 America/Los_Angeles", "2026-07-01T16:00:30Z")]
    fn instants(#[case] text: &str, #[case] utc: &str) {
        assert_eq!(T0::parse(text).unwrap().at.rfc3339(), utc);
    }

    #[rstest]
    #[case("2026-03-29 02:30 Europe/Berlin", "does not exist")]
    #[case("2026-10-25 02:30 Europe/Berlin", "02:30+02:00 Europe/Berlin\" or")]
    #[case("2026-12-01 16:00+05:00 Europe/Berlin", "it is at +01:00")]
    #[case("2026-12-01 16:00 Europe/Atlantis", "Atlantis")]
    #[case("2026-12-01 16:00", "a zone")]
    #[case("tomorrow", "2026-12-01 16:00 Europe/Berlin")]
    #[case("2026-12-01 25:00 UTC", "write it as")]
    fn refusals(#[case] text: &str, #[case] says: &str) {
        let error = T0::parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    #[test]
    fn days_before_keep_the_wall_clock_hour_across_dst() {
        let t0 = T0::parse("2026-04-01 16:00 Europe/Berlin").unwrap();
        assert_eq!(t0.at.rfc3339(), "2026-04-01T14:00:00Z");
        assert_eq!(t0.days_before(7).rfc3339(), "2026-03-25T15:00:00Z");
        let skipped = T0::parse("2026-04-05 02:30 Europe/Berlin").unwrap();
        assert_eq!(skipped.days_before(7).rfc3339(), "2026-03-29T01:30:00Z");
    }
}

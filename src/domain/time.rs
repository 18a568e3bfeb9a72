//! Instants as values. `At` is what the world's clocks show, `Mono` what only ever grows;
//! neither can be made from the system here: time is an argument.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A UTC instant in whole milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At(i64);

impl At {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since 1970-01-01T00:00:00Z.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Hours since 1970-01-01T00:00:00Z, rounded down.
    pub const fn hours(self) -> i64 {
        self.0.div_euclid(3_600_000)
    }

    /// This instant plus `span` (which may be negative), saturating.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// From `earlier` to this instant.
    pub const fn since(self, earlier: At) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The same instant as a chrono value; instants outside chrono's range become 1970.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// From a chrono value, dropping what is finer than a millisecond.
    pub fn from_utc(value: DateTime<Utc>) -> Self {
        Self(value.timestamp_millis())
    }

    /// RFC 3339 with `Z` and whole seconds, 20 characters: `2026-12-01T15:00:00Z`.
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// RFC 5322 section 3.3 date and time in UTC, always 31 characters:
    /// `Tue, 01 Dec 2026 15:00:00 +0000`.
    pub fn rfc5322(self) -> String {
        self.utc().format("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }

    /// What a person reads: `2026-12-01 15:00:00 UTC (Tuesday)`.
    pub fn spoken(self) -> String {
        self.utc().format("%Y-%m-%d %H:%M:%S UTC (%A)").to_string()
    }

    /// From RFC 3339 text with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self::from_utc(t.with_timezone(&Utc)))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A length of time in milliseconds; negative when it points backwards.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// From milliseconds.
    pub const fn millis(millis: i64) -> Self {
        Self(millis)
    }
    /// From seconds.
    pub const fn secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000))
    }
    /// From minutes.
    pub const fn mins(mins: i64) -> Self {
        Self(mins.saturating_mul(60_000))
    }
    /// From hours.
    pub const fn hours(hours: i64) -> Self {
        Self(hours.saturating_mul(3_600_000))
    }
    /// From days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self(days.saturating_mul(86_400_000))
    }
    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// What is left of it; negative when the other is longer.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// In milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    /// In seconds, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// Milliseconds on a clock that only grows, with no meaning between machines or restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    /// From milliseconds since the clock's own start.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }
    /// Milliseconds since the clock's own start.
    pub const fn millis(self) -> u64 {
        self.0
    }
    /// This reading plus `span`; never before the clock's start.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add_signed(span.0))
    }
    /// From `earlier` to this reading.
    pub fn since(self, earlier: Mono) -> Span {
        let millis = i128::from(self.0) - i128::from(earlier.0);
        Span(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        let at = At::parse_rfc3339("2026-12-01T16:00:00+01:00").unwrap();
        assert_eq!(at.rfc3339(), "2026-12-01T15:00:00Z");
        assert_eq!(at.rfc5322(), "Tue, 01 Dec 2026 15:00:00 +0000");
        assert_eq!(at.rfc5322().len(), 31);
        assert_eq!(at.spoken(), "2026-12-01 15:00:00 UTC (Tuesday)");
        assert_eq!(at.plus(Span::days(-7)).rfc3339(), "2026-11-24T15:00:00Z");
    }

    #[test]
    fn monotonic_differences_keep_their_sign() {
        let (a, b) = (Mono::from_millis(5), Mono::from_millis(9));
        assert_eq!(b.since(a), Span::millis(4));
        assert_eq!(a.since(b), Span::millis(-4));
    }
}

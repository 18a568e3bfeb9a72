//! Whether an instant is a good one.

use chrono::Weekday;

use crate::domain::finding::Finding;
use crate::domain::time::{At, Span};
use crate::domain::zone::T0;

/// What the date must respect.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// When the earliest report arrived.
    pub received_at: Option<At>,
    /// Longest embargo, in days, that any list on the confidential list allows.
    pub longest_embargo_days: Option<u32>,
    /// Days before T0 at which distributors hear by default.
    pub lead_days: u32,
}

/// Longest time from report to disclosure before the team must explain itself.
const CAP: Span = Span::days(90);

/// Everything about `t0`, seen from `now`.
pub fn check(t0: &T0, now: At, limits: &Limits) -> Vec<Finding> {
    let mut found = Vec::new();
    let ahead = t0.at.since(now);
    if ahead <= Span::ZERO {
        found.push(
            Finding::stop("t0-past", "at", format!("{} has passed", t0.at.spoken()))
                .cure("choose an instant in the future"),
        );
        return found;
    }
    match t0.weekday() {
        Weekday::Fri => found.push(
            Finding::warn("t0-friday", "at", "it is a Friday: people will patch over the weekend")
                .cure("choose Tuesday to Thursday"),
        ),
        day @ (Weekday::Sat | Weekday::Sun) => found.push(
            Finding::warn(
                "t0-weekend",
                "at",
                format!("it is a {}", if day == Weekday::Sat { "Saturday" } else { "Sunday" }),
            )
            .cure("choose Tuesday to Thursday"),
        ),
        _ => {}
    }
    if t0.days_before(limits.lead_days) < now {
        found.push(
            Finding::warn(
                "lead-short",
                "at",
                format!("distributors get less than {} days", limits.lead_days),
            )
            .cure("choose a later instant, or accept that notices go at once"),
        );
    }
    if let Some(days) = limits.longest_embargo_days
        && ahead > Span::days(i64::from(days))
    {
        found.push(
            Finding::warn(
                "embargo-long-for-list",
                "at",
                format!("a list on the confidential list allows at most {days} days"),
            )
            .cure("its notice goes only when its window opens; check that this is soon enough"),
        );
    }
    if let Some(received) = limits.received_at
        && t0.at.since(received) > CAP
    {
        found.push(
            Finding::warn("past-90-days", "at", "it is more than 90 days after the report")
                .cure("choose an earlier instant, or agree on the delay with the reporter"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-11-24 16:00 UTC", "")]
    #[case("2026-11-01 16:00 UTC", "t0-past")]
    #[case("2026-11-27 16:00 UTC", "t0-friday")]
    #[case("2026-11-28 00:30 Europe/Berlin", "t0-weekend")]
    #[case("2026-11-18 16:00 UTC", "lead-short")]
    #[case("2026-12-01 16:00 UTC", "embargo-long-for-list")]
    #[case("2027-02-02 16:00 UTC", "past-90-days")]
    fn findings(#[case] at: &str, #[case] code: &str) {
        let now = At::parse_rfc3339("2026-11-12T12:00:00Z").unwrap();
        let limits = Limits {
            received_at: At::parse_rfc3339("2026-11-01T00:00:00Z"),
            longest_embargo_days: Some(14),
            lead_days: 7,
        };
        let found = check(&T0::parse(at).unwrap(), now, &limits);
        if code.is_empty() {
            assert_eq!(found, []);
        } else {
            assert!(found.iter().any(|f| f.code == code), "{found:?}");
        }
    }
}

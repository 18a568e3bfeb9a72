//! Whether an instant that others were told may be moved.
//!
//! Earlier is what a leak asks for. Later is another matter: whoever was told the old instant and
//! does not hear of the new one publishes at the old one, while our fix waits.

use crate::domain::finding::{Finding, Severity};
use crate::domain::time::{At, Span};
use crate::domain::zone::T0;

/// Code of the finding that stops a move so shortly before the old instant.
pub const TOO_SHORT: &str = "moved-too-shortly";
/// So long before an instant nobody can count on being heard any more.
pub const SHORTLY: Span = Span::hours(24);
/// What may not be exceeded by a move unless somebody says why.
const CAPS: [&str; 1] = ["past-90-days"];

/// A move as these rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The instant it was, if one was set.
    pub old: Option<&'a T0>,
    /// The instant it shall be.
    pub new: &'a T0,
    /// How many may have been told of it.
    pub told: usize,
}

impl Move<'_> {
    /// Whether it becomes later than it was.
    pub fn is_later(&self) -> bool {
        self.old.is_some_and(|old| self.new.at > old.at)
    }
}

/// Everything about a move at `now`; `dates` is what is said of the new instant by itself.
pub fn check(one: &Move<'_>, now: At, mut dates: Vec<Finding>) -> Vec<Finding> {
    if one.is_later() {
        let cap = |f: &&mut Finding| CAPS.contains(&f.code.as_str());
        dates.iter_mut().filter(cap).for_each(|f| f.severity = Severity::Stop);
    }
    if let Some(old) = one.old.filter(|_| one.told > 0 && one.is_later()) {
        let left = old.at.since(now);
        if left < SHORTLY {
            let when = if left > Span::ZERO { "is less than 24 hours ahead" } else { "has come" };
            dates.push(
                Finding::stop(
                    TOO_SHORT,
                    "at",
                    format!(
                        "the instant that {} may know {when}: those who do not hear of the new \
                         one in time publish at {}, without our fix",
                        people(one.told),
                        old.spoken()
                    ),
                )
                .cure(
                    "keep the instant, or go earlier; if it must be, call them one by one and say \
                     why: --override REASON",
                ),
            );
        }
    }
    dates
}

/// Somebody said why it must be so although a rule stops it: what may be overridden stops it no
/// more, and is said all the same. Which rules that were: each lets through what it stopped, and
/// nothing else.
pub fn override_stops(findings: &mut [Finding]) -> Vec<String> {
    let stops = |f: &&mut Finding| {
        let open = CAPS.contains(&f.code.as_str()) || f.code == TOO_SHORT;
        open && f.severity == Severity::Stop
    };
    let mut overridden = Vec::new();
    for finding in findings.iter_mut().filter(stops) {
        finding.severity = Severity::Warn;
        overridden.push(finding.code.clone());
    }
    overridden
}

/// `1 recipient`, `27 recipients`.
fn people(count: usize) -> String {
    format!("{count} recipient{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::any_stop;
    use rstest::rstest;

    fn t0(text: &str) -> T0 {
        T0::parse(text).unwrap()
    }

    #[rstest]
    #[case::a_day_ahead(Some("2026-12-01 16:00 UTC"), "2026-12-03 16:00 UTC", 3, false)]
    #[case::inside_a_day(Some("2026-11-30 15:00 UTC"), "2026-12-03 16:00 UTC", 3, true)]
    #[case::it_has_come(Some("2026-11-29 15:00 UTC"), "2026-12-03 16:00 UTC", 3, true)]
    #[case::nobody_knows(Some("2026-11-30 15:00 UTC"), "2026-12-03 16:00 UTC", 0, false)]
    #[case::earlier(Some("2026-11-30 15:00 UTC"), "2026-11-30 10:00 UTC", 3, false)]
    #[case::first_time(None, "2026-12-03 16:00 UTC", 0, false)]
    fn later_and_shortly_is_refused(
        #[case] old: Option<&str>,
        #[case] new: &str,
        #[case] told: usize,
        #[case] stops: bool,
    ) {
        let now = At::parse_rfc3339("2026-11-29T16:00:00Z").unwrap();
        let (old, new) = (old.map(t0), t0(new));
        let one = Move { old: old.as_ref(), new: &new, told };
        let mut findings = check(&one, now, Vec::new());
        assert_eq!(any_stop(&findings), stops);
        let codes: &[&str] = if stops { &[TOO_SHORT] } else { &[] };
        assert_eq!(override_stops(&mut findings), codes);
        assert!(!any_stop(&findings));
    }

    #[test]
    fn a_cap_is_exceeded_by_saying_so_only() {
        let now = At::parse_rfc3339("2026-11-29T16:00:00Z").unwrap();
        let (old, new) = (t0("2026-12-10 16:00 UTC"), t0("2026-12-20 16:00 UTC"));
        let dates = || vec![Finding::warn("past-90-days", "at", "long")];
        let one = Move { old: Some(&old), new: &new, told: 3 };
        let mut findings = check(&one, now, dates());
        assert!(any_stop(&findings));
        assert_eq!(override_stops(&mut findings), ["past-90-days"], "and no other rule");
        assert!(!any_stop(&findings));
        let mut first = check(&Move { old: None, ..one }, now, dates());
        assert!(!any_stop(&first));
        assert!(override_stops(&mut first).is_empty(), "nothing stopped it");
    }
}

//! A change of certificate: somebody asks that a contact's mail be sealed to another key. Who
//! can do that unseen reads every notice, so it is an event that people review.
//!
//! What must stay true: until it is in force the new certificate is not used; two different
//! members must have been told its fingerprint by its owner, or one when the old key signed
//! the new one; whoever reads the old address has 72 hours to object, but never beyond the
//! next planned notice, because a notice that misses its reader helps nobody. The history
//! stays.

use serde::{Deserialize, Serialize};

use super::ids::MemberId;
use super::time::{At, Span};

/// How long the old address may object.
pub const COOL_DOWN: Span = Span::hours(72);

/// How the old key stood up for the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vouched {
    /// It certified the new certificate's user id.
    Certified,
    /// It made a detached signature over the new certificate's file.
    Signed,
}

/// One member says that the fingerprint is the one they were told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Who.
    pub member: MemberId,
    /// When.
    pub at: At,
    /// By which other way they were told, in words.
    pub how: String,
}

/// It will never be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Who, as the audit names them.
    pub by: String,
    /// When.
    pub at: At,
    /// Why.
    pub reason: String,
}

/// One change, from the asking to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When it was asked for.
    pub asked_at: At,
    /// By whom, as the audit names them.
    pub asked_by: String,
    /// The fingerprint of the certificate that it replaces; none when it comes beside those
    /// in use.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// How the old key stood up for it, and which.
    #[serde(default)]
    pub vouched: Option<(Vouched, String)>,
    /// What the old address was told to quote.
    pub code: String,
    /// When the old address was told.
    #[serde(default)]
    pub told_at: Option<At>,
    /// How many different members must confirm it.
    pub needed: u32,
    /// Not in force before.
    pub cools_until: At,
    /// Who confirmed it.
    #[serde(default)]
    pub confirmations: Vec<Confirmation>,
    /// If it was turned down.
    #[serde(default)]
    pub rejected: Option<Rejection>,
}

impl Change {
    /// When the last confirmation came that it needed.
    pub fn confirmed_at(&self) -> Option<At> {
        if self.rejected.is_some() {
            return None;
        }
        let last = usize::try_from(self.needed.max(1)).unwrap_or(usize::MAX).saturating_sub(1);
        self.confirmations.get(last).map(|c| c.at)
    }

    /// From when on it is in force, as things stand. What the old key signed has no cool-down.
    pub fn in_force_from(&self) -> Option<At> {
        let confirmed = self.confirmed_at()?;
        Some(if self.vouched.is_some() { confirmed } else { confirmed.max(self.cools_until) })
    }

    /// Whether it is in force.
    pub fn in_force(&self, at: At) -> bool {
        self.in_force_from().is_some_and(|from| from <= at)
    }

    /// The cool-down ends with the next planned notice.
    pub fn end_before(&mut self, planned: impl IntoIterator<Item = At>) {
        let next = planned.into_iter().filter(|at| *at > self.asked_at).min();
        self.cools_until = next.map_or(self.cools_until, |at| self.cools_until.min(at));
    }

    /// The old key stood up for it after all: one member is enough.
    pub fn vouch(&mut self, how: Vouched, by: String) {
        self.vouched = Some((how, by));
        self.needed = 1;
    }

    /// Whether this member confirmed it.
    pub fn confirmed_by(&self, member: MemberId) -> bool {
        self.confirmations.iter().any(|c| c.member == member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: At = At::from_secs(1_795_000_000);

    fn change() -> Change {
        Change {
            asked_at: ASKED,
            asked_by: "operator".into(),
            instead_of: None,
            vouched: None,
            code: String::new(),
            told_at: None,
            needed: 2,
            cools_until: ASKED.plus(COOL_DOWN),
            confirmations: vec![],
            rejected: None,
        }
    }

    fn confirm(change: &mut Change, hours: i64, who: u8) {
        let at = ASKED.plus(Span::hours(hours));
        let member = MemberId::new(ASKED, [who; 10]);
        change.confirmations.push(Confirmation { member, at, how: "call".into() });
    }

    #[test]
    fn it_needs_its_confirmations_and_then_cools_down() {
        let mut change = change();
        confirm(&mut change, 1, 1);
        assert_eq!(change.in_force_from(), None);
        confirm(&mut change, 2, 2);
        assert_eq!(change.in_force_from(), Some(ASKED.plus(Span::hours(72))));
        assert!(!change.in_force(ASKED.plus(Span::hours(71))));
        assert!(change.in_force(ASKED.plus(Span::hours(72))));
        // A notice that is planned earlier ends it, one that was planned before does not.
        change.end_before([ASKED.plus(Span::hours(-1)), ASKED.plus(Span::hours(20))]);
        assert_eq!(change.in_force_from(), Some(ASKED.plus(Span::hours(20))));
        change.end_before([ASKED.plus(Span::hours(100))]);
        assert_eq!(change.in_force_from(), Some(ASKED.plus(Span::hours(20))));
        change.rejected = Some(Rejection { by: String::new(), at: ASKED, reason: String::new() });
        assert_eq!(change.in_force_from(), None);
    }

    #[test]
    fn late_confirmations_and_the_old_key_need_no_cool_down() {
        let mut late = change();
        confirm(&mut late, 80, 1);
        confirm(&mut late, 90, 2);
        assert_eq!(late.in_force_from(), Some(ASKED.plus(Span::hours(90))));
        let mut signed = change();
        signed.vouch(Vouched::Signed, "AB".into());
        assert_eq!(signed.in_force_from(), None);
        confirm(&mut signed, 1, 1);
        assert_eq!(signed.in_force_from(), Some(ASKED.plus(Span::hours(1))));
    }
}

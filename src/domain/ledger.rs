//! Who has which notice: one Delivery for each revision and recipient, folded from the steps of
//! Notice plans and everything that was heard of each mail since.
//!
//! A step is done when the relay took its mail; what happens then comes later, by mail or by a
//! person, also when its plan has long ended. Evidence outranks hearsay: who has read it has it,
//! whatever a relay says; a bounce undoes a hand-over; and that nobody says anything is a state.

mod fold;

use std::collections::BTreeMap;
use std::fmt;

use super::ids::{PlanId, StepId};
use super::time::{At, Span};

pub use fold::{Sent, deliveries};

/// Why a mail of a plan that ended unsent will not go.
pub const PLAN_VOID: &str = "plan-void";
/// Why a mail that was not sent before T0 will not go.
pub const TOO_LATE: &str = "too-late";

/// How long a relay's word is enough. Relays warn after hours and give up after four or five
/// days (RFC 5321 section 4.5.4.1), too late for a week's notice; three days let a weekend pass
/// and leave time for a telephone call.
pub const SILENT_AFTER: Span = Span::days(3);

/// The same for a mail handed over at `since`: never more than half of what was left until T0.
pub fn silent_after(since: At, t0: At) -> Span {
    let half = Span::millis(t0.since(since).as_millis().div_euclid(2));
    if half > Span::ZERO { SILENT_AFTER.min(half) } else { SILENT_AFTER }
}

/// What is known of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// It will go by itself.
    Queued,
    /// It may be on its way; nobody can tell.
    Unknown,
    /// The relay took it.
    HandedOver,
    /// The relay took it, and nothing was heard since for too long.
    Silent,
    /// A relay further on still tries.
    Delayed,
    /// A relay further on gave up.
    Bounced,
    /// It will not go unless a person does something.
    Blocked,
    /// The recipient proved to have read it.
    Acknowledged,
    /// A person told them otherwise.
    ByHand,
    /// A person decided that it shall not go.
    Skipped,
}

impl DeliveryState {
    /// Every state, from the one that needs a person most.
    pub const ALL: [Self; 10] = [
        Self::Blocked,
        Self::Bounced,
        Self::Unknown,
        Self::Silent,
        Self::Delayed,
        Self::Queued,
        Self::HandedOver,
        Self::ByHand,
        Self::Acknowledged,
        Self::Skipped,
    ];

    /// The word for people and programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Unknown => "unknown",
            Self::HandedOver => "handed-over",
            Self::Silent => "silent",
            Self::Delayed => "delayed",
            Self::Bounced => "bounced",
            Self::Blocked => "blocked",
            Self::Acknowledged => "acknowledged",
            Self::ByHand => "by-hand",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the recipient has what it says, as far as anybody can tell.
    pub const fn has_it(self) -> bool {
        matches!(self, Self::HandedOver | Self::Acknowledged | Self::ByHand)
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One notice to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The plan it is a step of.
    pub plan: PlanId,
    /// The plan's number.
    pub number: i64,
    /// Which revision of the notice.
    pub revision: i64,
    /// The step.
    pub step: StepId,
    /// Whose it is: a contact's or reporter's id.
    pub recipient: String,
    /// The address. Confidential.
    pub address: String,
    /// What is known.
    pub state: DeliveryState,
    /// Since when.
    pub since: At,
    /// A stable code where there is one: why it is blocked, the status a relay gave.
    pub code: String,
    /// What a relay or a person said. Confidential.
    pub detail: String,
    /// Primary fingerprints it is sealed to.
    pub fingerprints: Vec<String>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[delivery: {}]", self.state)
    }
}

/// How everybody's newest notice stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The newest revision.
    pub revision: i64,
    /// How many shall have theirs: all but those whom a person skipped.
    pub of: usize,
    /// How many have it.
    pub have: usize,
    /// How many have read it.
    pub read: usize,
    /// Everybody by state.
    pub states: BTreeMap<DeliveryState, usize>,
}

impl Tally {
    /// Whether everybody has it who shall.
    pub const fn is_complete(&self) -> bool {
        self.have == self.of
    }
}

/// All deliveries of one disclosure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    deliveries: Vec<Delivery>,
}

impl Ledger {
    /// From the deliveries of each plan, in the plans' order. A resend takes the place of what
    /// it repeats, unless that proved to have been read, or it never went itself.
    pub fn of(plans: impl IntoIterator<Item = Vec<Delivery>>) -> Self {
        let mut kept: Vec<Delivery> = Vec::new();
        for new in plans.into_iter().flatten() {
            let same =
                |d: &&mut Delivery| d.revision == new.revision && d.recipient == new.recipient;
            match kept.iter_mut().find(same) {
                None => kept.push(new),
                Some(old) if !stands_against(old, &new) => *old = new,
                Some(_) => {}
            }
        }
        kept.sort_by_key(|d| d.revision);
        Self { deliveries: kept }
    }

    /// Every delivery, oldest revision first.
    pub fn all(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// The newest of each recipient: a revision goes only to those who lack something, and
    /// whoever is not in it has what they need only if their own last one arrived.
    pub fn newest(&self) -> impl Iterator<Item = &Delivery> {
        let last: BTreeMap<&str, &Delivery> =
            self.deliveries.iter().map(|d| (d.recipient.as_str(), d)).collect();
        last.into_values()
    }

    /// How everybody's newest stands; `None` when there is none.
    pub fn tally(&self) -> Option<Tally> {
        let revision = self.deliveries.last()?.revision;
        let mut states: BTreeMap<DeliveryState, usize> = BTreeMap::new();
        for delivery in self.newest() {
            let count = states.entry(delivery.state).or_default();
            *count = count.saturating_add(1);
        }
        let count = |fits: fn(DeliveryState) -> bool| {
            states.iter().filter(|(s, _)| fits(**s)).map(|(_, n)| n).sum()
        };
        Some(Tally {
            revision,
            of: count(|s| s != DeliveryState::Skipped),
            have: count(DeliveryState::has_it),
            read: count(|s| s == DeliveryState::Acknowledged),
            states,
        })
    }
}

/// Whether what was known before is worth more than what a later plan says.
fn stands_against(old: &Delivery, new: &Delivery) -> bool {
    let proved =
        |d: &Delivery| matches!(d.state, DeliveryState::Acknowledged | DeliveryState::ByHand);
    let never_went = new.state == DeliveryState::Blocked && new.code == PLAN_VOID;
    never_went || (proved(old) && !proved(new))
}

#[cfg(test)]
mod tests;

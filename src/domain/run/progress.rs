//! How far one step is: the fold of its events.

mod put_off;

use crate::domain::action::Action;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::news::NoticeKind;
use crate::domain::plan::{OnMove, Phase, Step};
use crate::domain::receipt::{Habit, OutletError, Receipt, Repeat, Retry, Seen};
use crate::domain::time::{At, Span};

/// The outlets' code for a branch that no longer stands where the plan pinned it.
pub const BRANCH_MOVED: &str = "branch-moved";

/// The code of a step whose fate stays unknown.
pub const NOBODY_CAN_TELL: &str = "nobody-can-tell";
/// How often it is looked for what may still appear.
const LOOK_AGAIN: Span = Span::secs(10);
/// No world may ask to be left alone for longer.
const LONGEST_WAIT: Span = Span::hours(1);
/// What has not appeared for so long a person must look after.
const LONG: Span = Span::mins(10);

pub use put_off::GAVE_UP;
use put_off::PutOff;

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// Nothing happened yet.
    #[default]
    Waiting,
    /// A look found nothing in the way; the act may follow.
    Clear {
        /// When it was looked.
        at: At,
    },
    /// The act is under way, or the engine died in it.
    Intended {
        /// Since when.
        at: At,
    },
    /// It may have happened.
    Unknown {
        /// Since when.
        since: At,
    },
    /// To be tried again.
    Retry {
        /// Not before.
        at: At,
    },
    /// A person must decide.
    Blocked {
        /// Why, as a stable code.
        code: String,
    },
    /// There is evidence.
    Done,
    /// A person decided against it.
    Skipped,
}

impl Status {
    /// Whether nothing more will happen by itself or needs to.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped)
    }

    /// Whether it may go on by itself after a while.
    pub const fn wakes(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Retry { .. })
    }

    /// The word in the clear column and for people.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Clear { .. } => "clear",
            Self::Intended { .. } => "intended",
            Self::Unknown { .. } => "unknown",
            Self::Retry { .. } => "retry",
            Self::Blocked { .. } => "blocked",
            Self::Done => "done",
            Self::Skipped => "skipped",
        }
    }
}

/// One step's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub status: Status,
    /// Intents so far.
    pub attempts: u32,
    /// Failures since the last success or release.
    pub failures: u32,
    /// Repeats out of `Unknown`.
    pub repeats: u32,
    /// Whether it now pushes beside the branch (`on_move = leave`).
    pub detoured: bool,
    /// Whether the last `Clear` came out of `Unknown`.
    doubtful: bool,
    /// How long a mail is put off, over and over.
    put_off: Option<PutOff>,
    /// The last event that changed it.
    changed_at: Option<At>,
    /// When absence becomes conclusive, once it was looked in doubt.
    settles_at: Option<At>,
    /// Since when it is awaited in vain, where nothing is left to do but to look.
    unseen_since: Option<At>,
    /// The last look.
    pub looked_at: Option<At>,
    /// When it was settled.
    pub settled_at: Option<At>,
    /// The evidence.
    pub receipt: Option<Receipt>,
    /// The last failure.
    pub last_error: Option<OutletError>,
}

impl Progress {
    /// How long a waiting state lasts, from the event that began it.
    pub fn waits(&self, repeat: Repeat) -> Option<Span> {
        match &self.status {
            Status::Retry { at } => Some(at.since(self.changed_at?)),
            Status::Unknown { .. } => Some(self.wakes_at(repeat)?.since(self.changed_at?)),
            _ => None,
        }
    }

    /// Whether it was looked for in vain for so long that a person must know.
    pub(super) fn is_long_unseen(&self) -> bool {
        let long = |since: At| self.changed_at.is_some_and(|at| at.since(since) >= LONG);
        self.unseen_since.is_some_and(long)
    }

    /// When a waiting state ends by itself; `None` when it does not or already has.
    pub fn wakes_at(&self, repeat: Repeat) -> Option<At> {
        match (&self.status, repeat) {
            (Status::Retry { at }, _) => Some(*at),
            // It was looked in vain: again before long, and once more when that is conclusive.
            (Status::Unknown { .. }, _) if self.settles_at.is_some() => {
                let looked = self.changed_at?;
                let again = looked.plus(LOOK_AGAIN);
                let settled = self.settles_at.filter(|at| *at > looked);
                Some(settled.map_or(again, |at| at.min(again)))
            }
            (Status::Unknown { since }, Repeat::SameBytes { after, .. }) => Some(since.plus(after)),
            // At once, but not over and over in the same second.
            (Status::Unknown { since }, Repeat::Safe) if self.failures > 1 => {
                Some(since.plus(backoff(self.failures)))
            }
            _ => None,
        }
    }

    /// `settled` says whether an absence seen by this event proves anything.
    pub(super) fn fold(
        &mut self,
        step: &Step,
        (habit, settled): (Habit, bool),
        t0: At,
        event: &StepEvent,
    ) {
        let at = event.at;
        // A settled step stays settled; late answers of an earlier attempt change nothing.
        if self.status.is_settled() {
            return;
        }
        self.changed_at = Some(at);
        match &event.happened {
            Happened::Looked { seen, .. } => self.looked(step, (habit, settled), at, seen),
            Happened::Intended => {
                self.attempts = self.attempts.saturating_add(1);
                // A log that is read again by a clock set back may not show that it had settled.
                if self.doubtful || matches!(self.status, Status::Unknown { .. }) {
                    self.repeats = self.repeats.saturating_add(1);
                }
                self.status = Status::Intended { at };
            }
            Happened::Acted { receipt } => self.settle(at, receipt.clone()),
            Happened::Failed { error } => self.failed(step, habit, (at, t0), error),
            Happened::Lost => self.doubt(habit, at),
            Happened::ByHand { by, evidence } => {
                self.settle(at, Receipt::by_hand(format!("{by}: {evidence}")));
            }
            Happened::Skipped { by, reason } => {
                self.settle(at, Receipt::by_hand(format!("skipped by {by}: {reason}")));
                self.status = Status::Skipped;
            }
            Happened::Released { .. } => {
                self.failures = 0;
                self.repeats = 0;
                self.doubtful = false;
                self.put_off = None;
                self.unseen_since = None;
                self.status = Status::Waiting;
            }
            // Whoever writes of a mail has had it: that ends a doubt, and starts nothing.
            Happened::Delayed { .. } | Happened::Bounced { .. } | Happened::Acknowledged { .. } => {
                if self.attempts > 0 {
                    self.settle(at, Receipt::handed_over("a later mail shows that it left"));
                }
            }
        }
    }

    fn settle(&mut self, at: At, receipt: Receipt) {
        self.status = Status::Done;
        self.settled_at = Some(at);
        self.receipt = Some(receipt);
    }

    fn doubt(&mut self, habit: Habit, at: At) {
        // Where the same bytes would only go again after a while, and a look may find that they
        // went, it is looked before that.
        let looks = habit.settle > Span::ZERO && matches!(habit.repeat, Repeat::SameBytes { .. });
        self.settles_at = looks.then(|| at.plus(habit.settle));
        self.status = Status::Unknown { since: at };
    }

    fn looked(&mut self, step: &Step, (habit, settled): (Habit, bool), at: At, seen: &Seen) {
        self.looked_at = Some(at);
        let appears = matches!(seen, Seen::Underway(_))
            || (matches!(step.action, Action::Await { .. }) && step.phase == Phase::FollowUp);
        self.unseen_since = if appears { self.unseen_since.or(Some(at)) } else { None };
        match seen {
            Seen::Present(receipt) => self.settle(at, receipt.clone()),
            // A person has already been asked; only a look that shows it done changes that.
            _ if matches!(self.status, Status::Blocked { .. } | Status::Intended { .. }) => {}
            Seen::Conflict(_) => self.status = Status::Blocked { code: "conflict".to_owned() },
            // On its way since an act of ours: the doubt stays, and it is looked again.
            Seen::Underway(_) if matches!(self.status, Status::Unknown { .. }) => {
                self.settles_at = Some(at);
            }
            Seen::Underway(_) => self.status = Status::Retry { at: at.plus(LOOK_AGAIN) },
            Seen::Absent | Seen::CannotTell if matches!(step.action, Action::Await { .. }) => {
                self.failures = self.failures.saturating_add(1);
                self.status = Status::Retry { at: at.plus(LOOK_AGAIN) };
            }
            Seen::Absent | Seen::CannotTell => match self.status {
                // Asking a person again is always harmless.
                Status::Unknown { .. } if matches!(step.action, Action::Ask { .. }) => {
                    self.status = Status::Clear { at };
                }
                // Within that span it may still appear: no second act, and nobody is asked.
                Status::Unknown { since } if !settled => {
                    self.settles_at = Some(since.plus(habit.settle));
                }
                Status::Unknown { .. } => self.out_of_unknown(habit.repeat, at),
                // A look that is repeated because it grew old does not undo a doubt.
                Status::Clear { .. } => self.status = Status::Clear { at },
                _ => {
                    self.doubtful = false;
                    self.status = Status::Clear { at };
                }
            },
        }
    }

    /// Law 4: `Unknown` is left by a look, by a declared repeat or by a person. Whoever decided
    /// to look saw to it that the time for a repeat has come: no clock is asked again here.
    fn out_of_unknown(&mut self, repeat: Repeat, at: At) {
        let again = match repeat {
            Repeat::Safe => true,
            Repeat::SameBytes { max, .. } => self.repeats < max,
            Repeat::AskHuman => false,
        };
        self.doubtful = again;
        self.status = if again {
            Status::Clear { at }
        } else {
            Status::Blocked { code: NOBODY_CAN_TELL.to_owned() }
        };
    }

    fn failed(&mut self, step: &Step, habit: Habit, (at, t0): (At, At), error: &OutletError) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error.clone());
        let leave = step.on_move == Some(OnMove::Leave) && !self.detoured;
        self.status = match error.retry {
            Retry::Later if step.sealing.is_some() => {
                let begun = match self.status {
                    Status::Intended { at } => at,
                    _ => at,
                };
                let put_off = self.put_off.get_or_insert_default();
                put_off.again(begun, at, self.failures, ends(step, t0))
            }
            Retry::Later => {
                let asked = error.wait.unwrap_or(Span::ZERO).min(LONGEST_WAIT);
                Status::Retry { at: at.plus(backoff(self.failures).max(asked)) }
            }
            Retry::Unknown => return self.doubt(habit, at),
            Retry::Never | Retry::AskHuman if error.code == BRANCH_MOVED && leave => {
                self.detoured = true;
                Status::Retry { at }
            }
            Retry::Never | Retry::AskHuman => Status::Blocked { code: error.code.clone() },
        };
    }
}

/// The instant after which a notice is of no use, if there is one.
fn ends(step: &Step, t0: At) -> Option<At> {
    let lasts = step.sealing.as_ref().is_some_and(|s| NoticeKind::outlives_t0(s.notice));
    (!lasts).then_some(t0)
}

/// 1, 2, 5, 10, 20, 40, then every 60 seconds.
fn backoff(failures: u32) -> Span {
    Span::secs(match failures {
        0 | 1 => 1,
        2 => 2,
        3 => 5,
        4 => 10,
        5 => 20,
        6 => 40,
        _ => 60,
    })
}

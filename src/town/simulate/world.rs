//! The imagined world: its own true clock, and an append-only log of what really happened in it,
//! whatever the machines believe.
//!
//! What was sent arrives although the sender died meanwhile; what arrived may stay unseen for up
//! to five minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fate::Fate;
use crate::clock::Clock as _;
use crate::domain::blob::Sha256;
use crate::domain::ids::StepId;
use crate::domain::time::{At, Span};
use crate::town::clock::HandClock;

/// How long looks may lie about what has happened.
const LIE: Span = Span::mins(5);

/// One thing that really happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When, by the true clock.
    pub at: At,
    /// By which step.
    pub step: StepId,
    /// In which way.
    pub way: Way,
    /// What arrived.
    pub bytes: Sha256,
}

/// In which way a thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The refs of a push moved.
    Pushed,
    /// A file lies in the index.
    Uploaded,
    /// A mail lies in a mailbox.
    Mailed,
    /// A page is public.
    Published,
    /// A receiver was called.
    Called,
    /// A person did it with their own hands.
    ByHand,
}

/// How one act will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It happens and is answered.
    Well,
    /// It happens; nobody hears of it.
    AnswerLost,
    /// It does not happen; try later.
    Refused,
    /// It does not happen; nobody can tell.
    Cut,
    /// It does not happen, for good.
    Never,
}

/// What is going to become of one act.
pub struct Course {
    /// Until it arrives.
    pub before: Span,
    /// From there to the answer.
    pub after: Span,
    /// How it ends.
    pub ending: Ending,
}

/// A world.
pub struct World {
    /// The true time.
    pub clock: Arc<HandClock>,
    inner: Mutex<Inner>,
}

struct Inner {
    fate: Fate,
    /// How much goes wrong, in a thousand.
    rough: u64,
    log: Vec<Happening>,
    coming: Vec<Happening>,
    hidden: BTreeMap<StepId, At>,
    acts: BTreeMap<(StepId, i64), u32>,
    bells: u64,
    complaint: Option<String>,
}

impl World {
    /// An empty one in which `rough` of a thousand things go wrong.
    pub fn new(clock: Arc<HandClock>, fate: Fate, rough: u64) -> Self {
        let inner = Inner {
            fate,
            rough,
            log: Vec::new(),
            coming: Vec::new(),
            hidden: BTreeMap::new(),
            acts: BTreeMap::new(),
            bells: 0,
            complaint: None,
        };
        Self { clock, inner: Mutex::new(inner) }
    }

    /// The true time.
    pub fn now(&self) -> At {
        self.clock.wall()
    }

    /// Nothing goes wrong any more, and nothing stays unseen.
    pub fn calm_down(&self) {
        let mut inner = self.inner();
        inner.rough = 0;
        inner.hidden.clear();
    }

    /// What becomes of the next act.
    pub fn course(&self) -> Course {
        let mut inner = self.inner();
        let rough = inner.rough;
        let fate = &mut inner.fate;
        let quick = (Span::millis(5), Span::millis(400));
        let slow = (Span::millis(5), Span::secs(40));
        let mut wait = || {
            let (least, most) = if fate.chance(rough / 4) { slow } else { quick };
            fate.between(least, most)
        };
        let (before, after) = (wait(), wait());
        let ending = if fate.chance(rough) {
            let all = [Ending::AnswerLost, Ending::Refused, Ending::Cut, Ending::Never];
            // For good is rarer than for now.
            let most = if fate.chance(200) { 4 } else { 3 };
            all.get(usize::try_from(fate.below(most)).unwrap_or(0)).copied()
        } else {
            None
        };
        Course { before, after, ending: ending.unwrap_or(Ending::Well) }
    }

    /// Whether a look fails, and how long it takes.
    pub fn glance(&self) -> (Span, bool) {
        let mut inner = self.inner();
        let rough = inner.rough;
        let takes = inner.fate.between(Span::millis(1), Span::millis(200));
        (takes, inner.fate.chance(rough / 2))
    }

    /// Something is on its way and will arrive, whoever dies meanwhile.
    pub fn send(&self, step: StepId, way: Way, bytes: Sha256, in_: Span) {
        let at = self.now().plus(in_);
        self.inner().coming.push(Happening { at, step, way, bytes });
    }

    /// What was to arrive by now has.
    pub fn arrive(&self) {
        let now = self.now();
        let mut guard = self.inner();
        let inner = &mut *guard;
        inner.coming.sort_by_key(|h| h.at);
        while inner.coming.first().is_some_and(|h| h.at <= now) {
            let happening = inner.coming.remove(0);
            // The repository and the index keep one of each.
            let keeps_one = happening.way != Way::Mailed;
            let there = inner.log.iter().find(|h| h.step == happening.step);
            if let (true, Some(there)) = (keeps_one, there) {
                let by_hand = [there.way, happening.way].contains(&Way::ByHand);
                if there.bytes != happening.bytes && !by_hand {
                    let what = format!("{:?} again, with other bytes", happening.way);
                    let _first = inner.complaint.get_or_insert(what);
                }
                continue;
            }
            if inner.fate.chance(inner.rough) {
                let until = now.plus(inner.fate.between(Span::secs(1), LIE));
                inner.hidden.insert(happening.step, until);
            }
            inner.log.push(happening);
        }
    }

    /// When something arrives next.
    pub fn next_arrival(&self) -> Option<At> {
        self.inner().coming.iter().map(|h| h.at).min()
    }

    /// Whether the world shows it to who looks now.
    pub fn shows(&self, step: StepId) -> bool {
        let now = self.now();
        let inner = self.inner();
        let hidden = inner.hidden.get(&step).is_some_and(|until| now < *until);
        !hidden && inner.log.iter().any(|h| h.step == step)
    }

    /// What really happened of a step, seen or not.
    pub fn happened(&self, step: StepId) -> usize {
        self.inner().log.iter().filter(|h| h.step == step).count()
    }

    /// Everything that happened.
    pub fn log(&self) -> Vec<Happening> {
        self.inner().log.clone()
    }

    /// How much happened.
    pub fn len(&self) -> usize {
        self.inner().log.len()
    }

    /// Counts an act of a step in an epoch: how many there were with it.
    pub fn count_act(&self, step: StepId, epoch: i64) -> u32 {
        let mut inner = self.inner();
        let acts = inner.acts.entry((step, epoch)).or_default();
        *acts = acts.saturating_add(1);
        *acts
    }

    /// A bell was rung; whether it was heard.
    pub fn bell(&self) -> bool {
        let mut inner = self.inner();
        inner.bells = inner.bells.saturating_add(1);
        let rough = inner.rough;
        !inner.fate.chance(rough)
    }

    /// How often bells were rung.
    pub fn bells(&self) -> u64 {
        self.inner().bells
    }

    /// Something that must never happen did; the first of it is kept.
    pub fn complain(&self, what: String) {
        let _first = self.inner().complaint.get_or_insert(what);
    }

    /// What must never happen and did.
    pub fn complaint(&self) -> Option<String> {
        self.inner().complaint.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

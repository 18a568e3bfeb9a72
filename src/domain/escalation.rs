//! A call that no person answers is said again: 5, 10 and 20 minutes after the first time, and
//! then no more.
//!
//! What must stay true: what was said stands in the audit, so that an engine that comes back
//! neither forgets a call nor begins it anew; whoever answered is not called again.

use serde::{Deserialize, Serialize};

use super::deed::Subject;
use super::ids::StepId;
use super::time::{At, Span};

/// When a call is said, after the first time.
pub const TIERS: [Span; 4] = [Span::ZERO, Span::mins(5), Span::mins(10), Span::mins(20)];
/// After this long since it was last said, the same call is a new one.
const STALE: Span = Span::mins(30);

/// The audit's word: a call was said.
pub const SAID: &str = "bell-said";
/// The audit's word: what it called for is over.
pub const OVER: &str = "bell-over";
/// The audit's word: a person took it on.
pub const ACK: &str = "bell-ack";

/// The tier that is due, when the next one to say is `next`: what was missed is not made up for.
pub fn due(elapsed: Span, next: usize) -> Option<usize> {
    let come = TIERS.iter().rposition(|tier| elapsed >= *tier)?;
    (come >= next).then_some(come)
}

/// One time that a call was said, as the audit keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The bell's code.
    pub code: String,
    /// Which step, if it is about one.
    pub step: Option<StepId>,
    /// Which of [`TIERS`].
    pub tier: usize,
    /// The random code by which it is answered.
    pub call: String,
    /// When it was said first.
    pub first: At,
}

/// What the audit tells of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It was said.
    Said(Said),
    /// The call of that code is over.
    Over(String),
    /// Somebody took on the call of that code.
    Answered(String),
}

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody answered.
    Open,
    /// A person is at it.
    Answered,
    /// What it called for has passed.
    Over,
}

/// One call, from the first time it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it is about.
    pub subject: Subject,
    /// How it was said last.
    pub said: Said,
    /// The audit's line of the first time.
    pub seq: i64,
    /// When it was said last.
    pub last: At,
    /// How it stands.
    pub state: State,
}

impl Call {
    /// The tier that comes next.
    pub const fn next(&self) -> usize {
        self.said.tier.saturating_add(1)
    }

    /// Whether an engine that finds the same cause goes on with this call.
    pub fn goes_on(&self, now: At) -> bool {
        self.state != State::Over && now.since(self.last) < STALE
    }
}

/// Every call that is told of, oldest first.
pub fn fold(words: impl IntoIterator<Item = (i64, At, Subject, Word)>) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for (seq, at, subject, word) in words {
        let code = match &word {
            Word::Said(said) => &said.call,
            Word::Over(call) | Word::Answered(call) => call,
        };
        let known = calls.iter_mut().find(|c| c.said.call == *code);
        match (word, known) {
            (Word::Said(said), Some(call)) => (call.said, call.last) = (said, at),
            (Word::Said(said), None) => {
                calls.push(Call { subject, said, seq, last: at, state: State::Open });
            }
            (Word::Over(_), Some(call)) => call.state = State::Over,
            (Word::Answered(_), Some(call)) if call.state == State::Open => {
                call.state = State::Answered;
            }
            (Word::Over(_) | Word::Answered(_), _) => {}
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_four_times() {
        let said = |minutes, next| due(Span::mins(minutes), next);
        assert_eq!(
            [said(0, 0), said(0, 1), said(4, 1), said(5, 1)],
            [Some(0), None, None, Some(1)]
        );
        assert_eq!(said(19, 2), Some(2));
        assert_eq!((said(25, 1), said(300, 4)), (Some(3), None), "once for all that was missed");
    }

    #[test]
    fn calls_are_told_apart_and_end() {
        let said = |call: &str, tier| {
            let (code, call) = ("held-at-t0".to_owned(), call.to_owned());
            Word::Said(Said { code, step: None, tier, call, first: At::from_secs(0) })
        };
        let at = |seq: i64| At::from_secs(seq * 60);
        let words = [
            said("a", 0),
            said("a", 1),
            Word::Answered("a".to_owned()),
            said("b", 0),
            Word::Over("a".to_owned()),
            Word::Over("nobody's".to_owned()),
        ];
        let words = words.into_iter().zip(1..).map(|(w, seq)| (seq, at(seq), Subject::house(), w));
        let calls = fold(words);
        let short: Vec<_> = calls.iter().map(|c| (c.seq, c.next(), c.state)).collect();
        assert_eq!(short, [(1, 2, State::Over), (4, 1, State::Open)]);
        assert!(calls[1].goes_on(at(33)) && !calls[1].goes_on(at(34)) && !calls[0].goes_on(at(3)));
    }
}

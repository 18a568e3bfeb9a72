//! Twenty-seven contacts over a real Postfix: the 8th is refused, the 12th put off twice, and
//! the relay is killed during the 20th. Everybody else hears at once, 26 hear in the end, and
//! what is sent again is the same to the byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use daybreak::casework::plans;
use daybreak::clock::{SystemClock, within};
use daybreak::domain::action::Action;
use daybreak::domain::run::Status;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::catcher::Caught;

use super::as_sent;
use super::gate::{Gate, Place};
use super::policy::Policy;
use super::relay::Postfix;
use crate::crowd::{Crowd, address};
use crate::story::TEAM;

const CONTACTS: usize = 27;
const REFUSED: usize = 8;
const PUT_OFF: usize = 12;
const KILLED: usize = 20;

/// Where each contact's mail stands, with the relay's words where it is blocked.
async fn states(crowd: &Crowd) -> BTreeMap<String, String> {
    let standing = plans::standing(&crowd.town.house, &crowd.notice).await.unwrap();
    let mut states = BTreeMap::new();
    for step in &standing.manifest.steps {
        let Action::Mail { to, .. } = &step.action else { continue };
        let progress = standing.run.progress(step.id).unwrap();
        let said = progress.last_error.as_ref().map(|e| e.message.clone()).unwrap_or_default();
        let state = match &progress.status {
            Status::Blocked { code } => format!("blocked {code}: {said}"),
            other => other.word().to_owned(),
        };
        states.insert(to.clone(), state);
    }
    states
}

fn letters(crowd: &Crowd) -> BTreeMap<String, Vec<Caught>> {
    let mut all: BTreeMap<String, Vec<Caught>> = BTreeMap::new();
    for mail in crowd.town.catcher.mails().into_iter().filter(|m| m.to != [TEAM]) {
        assert_eq!(mail.to.len(), 1);
        all.entry(mail.to[0].clone()).or_default().push(mail);
    }
    all
}

async fn pass(crowd: &Crowd, engine: &mut Engine, span: Span) {
    crowd.hand.advance(span);
    engine.settle().await.unwrap();
}

/// Waits, in real time, until the relay has nothing left to hand on.
async fn delivered(postfix: &Postfix) {
    let empty = async {
        while !postfix.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = within(&SystemClock::new(), Span::mins(2), empty).await;
    assert!(in_time.is_some(), "{}", postfix.log());
}

/// The run, and how many copies the 20th got.
async fn run(place: Place) -> Option<usize> {
    let policy = Policy::put_off(address(PUT_OFF), 2).await;
    let mut crowd = Crowd::new(CONTACTS, 20, |_| {}).await;
    let next = crowd.town.catcher.port();
    let postfix = Arc::new(Postfix::start(next, Some(policy.port), &[&address(REFUSED)])?);
    let gate = Gate::before(Arc::clone(&postfix), address(KILLED), place).await;
    crowd.relay_at(gate.port);
    let mut engine = Engine::start(Arc::clone(&crowd.town.house)).await.unwrap();
    engine.settle().await.unwrap();
    let before = states(&crowd).await;
    assert_eq!(before[&address(KILLED)], "unknown", "{before:?}");
    let done = |states: &BTreeMap<String, String>| states.values().filter(|s| *s == "done").count();

    postfix.restart();
    // Ten seconds after: everybody whom the dead relay kept waiting, and nobody for the others.
    pass(&crowd, &mut engine, Span::secs(10)).await;
    pass(&crowd, &mut engine, Span::secs(10)).await;
    let after = states(&crowd).await;
    let blocked = &after[&address(REFUSED)];
    assert!(
        blocked.starts_with("blocked recipient-refused: ") && blocked.contains("550"),
        "{blocked}"
    );
    assert_eq!(after[&address(KILLED)], "unknown", "{after:?}");
    assert!(done(&after) >= CONTACTS - 3, "{after:?}");
    // The 12th is taken at its third attempt; the 20th goes again, after two minutes.
    for span in [30, 60, 60] {
        pass(&crowd, &mut engine, Span::secs(span)).await;
    }
    let end = states(&crowd).await;
    assert_eq!(done(&end), CONTACTS - 1, "{end:?}");
    delivered(&postfix).await;
    let letters = letters(&crowd);
    assert_eq!(letters.len(), CONTACTS - 1);
    assert!(!letters.contains_key(&address(REFUSED)));
    let twice: Vec<_> = letters.iter().filter(|(_, copies)| copies.len() > 1).collect();
    assert!(twice.iter().all(|(to, _)| **to == address(KILLED)), "{:?}", twice.len());
    for (to, copies) in &letters {
        assert!(copies.len() <= 2, "{to}");
        assert!(copies.iter().all(|c| as_sent(c) == as_sent(&copies[0])), "{to}: another mail");
        assert!(copies.iter().all(|c| c.from == copies[0].from), "{to}: another sender");
    }
    // The 12th was put off twice by the relay itself, not by us.
    assert_eq!(postfix.log().matches("451 4.7.1").count(), 2, "{}", postfix.log());
    Some(letters[&address(KILLED)].len())
}

#[tokio::test]
async fn a_relay_that_dies_inside_a_message_costs_nobody_else_theirs() {
    if let Some(copies) = run(Place::InsideTheMessage).await {
        assert_eq!(copies, 1);
    }
}

#[tokio::test]
async fn a_relay_that_dies_before_its_answer_delivers_twice_the_same() {
    if let Some(copies) = run(Place::BeforeTheAnswer).await {
        assert_eq!(copies, 2);
    }
}

//! The relay refuses, defers, hangs up or loses its answer; distributors are late.

use daybreak::domain::action::Action;
use daybreak::domain::ids::StepId;
use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::faults::Fault as OutletFault;

use crate::ground::Db;
use crate::story::{Point, Story};

const FENNEL: &str = "vulns@fennel.example";
const LARCH: &str = "security@larch.example";

fn mail_to(story: &Story, address: &str) -> StepId {
    let to_them = |s: &daybreak::domain::plan::Step| matches!(&s.action, Action::Mail { to, .. } if to == address);
    story.step(&story.notice, to_them).id
}

fn letters_to(story: &Story, address: &str) -> usize {
    story.letters().iter().filter(|m| m.to == [address]).count()
}

fn refuse(story: &Story, address: &str, code: u16, times: Times) {
    story.town.catcher.script(Fault::RefuseRecipient { address: address.to_owned(), code }, times);
}

#[tokio::test]
async fn one_refused_and_one_deferred_recipient_delay_nobody_else() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    refuse(&story, FENNEL, 550, Times::Always);
    refuse(&story, LARCH, 451, Times::Only(2));
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    assert_eq!((letters_to(&story, FENNEL), letters_to(&story, LARCH)), (0, 0));
    assert_eq!(story.letters().len(), 4, "three distributors and the reporter are served at once");
    let fennel = mail_to(&story, FENNEL);
    assert_eq!(story.word(&story.notice, fennel).await, "blocked recipient-refused");
    assert!(story.rang("step-blocked"));
    story.pass(&mut engine, &[Span::secs(10), Span::secs(30)]).await;
    assert_eq!((letters_to(&story, FENNEL), letters_to(&story, LARCH)), (0, 1));
    story.pass(&mut engine, &[Span::hours(1)]).await;
    assert_eq!((letters_to(&story, FENNEL), letters_to(&story, LARCH)), (0, 1));
}

#[tokio::test]
async fn a_relay_that_hangs_up_gets_the_same_bytes_again_once() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let catcher = &story.town.catcher;
    catcher.spare("security@meadow.example");
    catcher.script(Fault::DropInside, Times::Only(1));
    catcher.script(Fault::LoseAnswer, Times::Only(1));
    catcher.script(Fault::AnswerAfterDot(451), Times::Only(1));
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(11)]).await;
    let heard = |story: &Story| -> std::collections::BTreeSet<_> {
        story.letters().into_iter().map(|m| m.to).collect()
    };
    assert_eq!(heard(&story).len(), 5, "one broke off inside; the deferred one came");
    story.pass(&mut engine, &[Span::secs(100)]).await;
    assert_eq!((heard(&story).len(), story.letters().len()), (5, 5), "too early to repeat");
    story.pass(&mut engine, &[Span::secs(20)]).await;
    assert_eq!((heard(&story).len(), story.letters().len()), (6, 7));
    let mails = story.letters();
    let twice: Vec<_> = mails
        .iter()
        .filter(|m| mails.iter().filter(|o| o.to == m.to).count() == 2)
        .map(|m| &m.bytes)
        .collect();
    assert!(twice.len() == 2 && twice[0] == twice[1], "the repeat is another mail");
    story.pass(&mut engine, &[Span::hours(1)]).await;
    assert_eq!(story.letters().len(), 7);
}

#[tokio::test]
async fn a_mail_whose_fate_stays_unknown_waits_for_a_person() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let told = story.letters().len();
    story.town.script("mail").unwrap().then(&OutletFault::LoseAnswer, 2);
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::secs(121), Span::secs(121), Span::hours(1)]).await;
    let posts = story.letters().split_off(told);
    assert_eq!(posts.len(), 3, "twice to one list, then no more; once to the other");
    let words = story.words(story.release()).await;
    assert!(words.values().any(|w| w == "blocked nobody-can-tell"), "{words:?}");
    assert!(story.rang("step-blocked"));
}

/// A distributor who is still deferred at T0 must not stop the disclosure, and is not told of
/// an embargo that has ended.
#[tokio::test]
async fn a_notice_still_waiting_at_t0_stops_nothing() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    refuse(&story, LARCH, 451, Times::Always);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    engine.end().await.unwrap();
    let story = story.told().await;
    let told = story.letters().len();
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(story.stage().await, Stage::Public);
    assert_eq!(story.letters().len(), told + 2, "both lists hear");
    story.town.catcher.behave();
    story.pass(&mut engine, &[Span::mins(2), Span::hours(1)]).await;
    assert_eq!(letters_to(&story, LARCH), 0);
    assert_eq!(story.state(&story.notice).await, PlanState::Void);
    assert_eq!(story.stage().await, Stage::Public);
}

//! The connections to the relay: used again, bounded, replaced while that is harmless; and a
//! second relay for what the first certainly does not have.

use daybreak::config::{Hop, Tls};
use daybreak::domain::ids::PlanId;
use daybreak::domain::time::Span;
use daybreak::outlets::mail::{MailOutlet, Patience};
use daybreak::town::catcher::{Catcher, Fault, Setup, Times};
use daybreak::town::clock::HandClock;

use super::mail::{MESSAGE, config, letter};
use super::*;

const HOST: &str = "127.0.0.1";

async fn catcher() -> Catcher {
    Catcher::start(Setup::default(), clock()).await.unwrap()
}

fn settings(catcher: &Catcher) -> daybreak::config::Relay {
    config(HOST, catcher.port(), Tls::None)
}

fn outlet(relay: daybreak::config::Relay) -> Arc<MailOutlet> {
    let patience = Patience { message: Span::millis(300), ..Patience::default() };
    Arc::new(MailOutlet::new(relay, "meadow.example", clock()).patience(patience))
}

fn to(n: usize) -> String {
    format!("security@vendor{n}.example")
}

async fn send(outlet: &MailOutlet, n: usize) -> Result<Receipt, OutletError> {
    outlet.act(&effect(letter(&to(n), MESSAGE))).await
}

/// Everything that arrived, whole.
fn arrived(catcher: &Catcher) -> Vec<String> {
    let mails = catcher.mails();
    assert!(mails.iter().all(|m| m.bytes == MESSAGE.as_bytes()));
    mails.into_iter().flat_map(|m| m.to).collect()
}

#[tokio::test]
async fn one_connection_carries_many_mails_refusals_between_them_included() {
    let catcher = catcher().await;
    let outlet = outlet(settings(&catcher));
    catcher.script(Fault::RefuseRecipient { address: to(1), code: 550 }, Times::Always);
    catcher.script(Fault::RefuseRecipient { address: to(2), code: 451 }, Times::Always);
    let mut told = Vec::new();
    for n in 0..5 {
        told.push(send(&outlet, n).await.err().map(|e| e.code));
    }
    let [refused, deferred] = ["recipient-refused", "recipient-deferred"].map(|c| Some(c.into()));
    assert_eq!(told, [None, refused, deferred, None, None]);
    assert_eq!(arrived(&catcher), [to(0), to(3), to(4)]);
    assert_eq!(catcher.conversations(), 1);
}

#[tokio::test]
async fn no_more_connections_than_configured_and_nobody_is_lost() {
    let catcher = catcher().await;
    let outlet = outlet(daybreak::config::Relay { connections: 2, ..settings(&catcher) });
    let mut sending = tokio::task::JoinSet::new();
    for n in 0..9 {
        let outlet = Arc::clone(&outlet);
        // A notice's mail: what is public may take one connection more.
        sending.spawn(async move { outlet.act(&noticed(letter(&to(n), MESSAGE))).await });
    }
    while let Some(sent) = sending.join_next().await {
        assert!(sent.unwrap().is_ok());
    }
    let mut all = arrived(&catcher);
    all.sort();
    assert_eq!(all, (0..9).map(to).collect::<Vec<_>>());
    assert!(catcher.conversations() <= 2, "{}", catcher.conversations());
}

pub(super) fn noticed(intended: Intended) -> Effect {
    let plan = PlanId::new(daybreak::domain::time::At::from_secs(0), [0; 10]);
    let approved = daybreak::domain::effect::ApprovedPlan::witnessed(plan, 1);
    Effect::new(intended, true, Permit::Notice(approved)).unwrap()
}

#[tokio::test]
async fn a_post_does_not_wait_for_notices_that_hang() {
    let catcher = catcher().await;
    catcher.spare(&to(9));
    catcher.script(Fault::Hang, Times::Always);
    let relay = daybreak::config::Relay { connections: 1, ..settings(&catcher) };
    let outlet = Arc::new(MailOutlet::new(relay, "meadow.example", clock()));
    let stuck = Arc::clone(&outlet);
    let notice = tokio::spawn(async move { stuck.act(&noticed(letter(&to(0), MESSAGE))).await });
    while catcher.conversations() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(send(&outlet, 9).await.is_ok());
    assert!(!notice.is_finished());
    notice.abort();
}

#[tokio::test]
async fn a_connection_that_went_meanwhile_is_replaced_without_a_word() {
    let refuse = Fault::RefuseRecipient { address: to(1), code: 421 };
    for fault in [Fault::LeaveAfter, refuse] {
        let catcher = catcher().await;
        let outlet = outlet(settings(&catcher));
        catcher.script(fault.clone(), Times::Only(1));
        for n in 0..3 {
            assert!(send(&outlet, n).await.is_ok(), "{fault:?} at mail {n}");
        }
        assert_eq!(arrived(&catcher), [to(0), to(1), to(2)], "{fault:?}");
        assert_eq!(catcher.conversations(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn what_broke_inside_the_message_is_never_sent_again_by_itself() {
    for fault in [Fault::DropInside, Fault::LoseAnswer, Fault::Hang] {
        let catcher = catcher().await;
        let outlet = outlet(settings(&catcher));
        assert!(send(&outlet, 0).await.is_ok());
        catcher.script(fault.clone(), Times::Only(1));
        let error = send(&outlet, 1).await.unwrap_err();
        assert_eq!(
            (error.retry, error.code.as_str()),
            (Retry::Unknown, "answer-lost"),
            "{fault:?}"
        );
        let kept = usize::from(fault == Fault::LoseAnswer);
        assert_eq!(catcher.mails().len(), 1 + kept, "{fault:?}");
        assert!(send(&outlet, 2).await.is_ok(), "the next mail has a connection of its own");
    }
}

#[tokio::test]
async fn a_connection_that_was_idle_for_long_is_not_trusted() {
    let catcher = catcher().await;
    let hand = Arc::new(HandClock::new(daybreak::domain::time::At::from_secs(0)));
    let relay = daybreak::config::Relay { idle: 30, ..settings(&catcher) };
    let outlet = MailOutlet::new(relay, "meadow.example", Arc::clone(&hand) as Arc<dyn Clock>);
    for (wait, conversations) in [(0, 1), (29, 1), (29, 1), (30, 2)] {
        hand.advance(Span::secs(wait));
        assert!(send(&outlet, 0).await.is_ok());
        assert_eq!(catcher.conversations(), conversations, "after {wait} s");
    }
}

/// Waits for something to happen beside us, in real time.
async fn until(so: impl Fn() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_mail_that_hangs_gives_its_place_to_the_next_after_a_while() {
    let catcher = catcher().await;
    catcher.spare(&to(1));
    catcher.script(Fault::Hang, Times::Always);
    let hand = Arc::new(HandClock::new(daybreak::domain::time::At::from_secs(0)));
    let relay = daybreak::config::Relay { connections: 1, ..settings(&catcher) };
    let outlet = MailOutlet::new(relay, "meadow.example", Arc::clone(&hand) as Arc<dyn Clock>);
    let outlet = Arc::new(outlet);
    let sending = |n| {
        let outlet = Arc::clone(&outlet);
        tokio::spawn(async move { outlet.act(&noticed(letter(&to(n), MESSAGE))).await })
    };
    let hangs = sending(0);
    until(|| catcher.hanging() == 1).await;
    let waits = sending(1);
    hand.advance(Span::millis(14_999));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((catcher.conversations(), waits.is_finished()), (1, false));
    // A post takes no place of theirs.
    catcher.spare(&to(2));
    assert!(send(&outlet, 2).await.is_ok());
    catcher.spare(&to(1));
    hand.advance(Span::millis(1));
    assert!(waits.await.unwrap().is_ok());
    assert!(!hangs.is_finished(), "it goes on all the same");
    // And its own fate is told as always.
    hand.advance(Span::mins(5));
    assert_eq!(hangs.await.unwrap().unwrap_err().retry, Retry::Unknown);
}

#[test]
fn a_large_mail_has_longer_before_it_counts_as_hanging() {
    let grace = |bytes| daybreak::outlets::mail::grace(bytes).as_millis() / 1000;
    assert_eq!([0, 1, 2, 11].map(|mib| grace(mib * 1024 * 1024)), [15, 15, 31, 175]);
}

fn hop(catcher: &Catcher) -> Hop {
    settings(catcher).hop()
}

#[tokio::test]
async fn the_second_relay_takes_what_the_first_does_not_take_yet() {
    let (first, second) = (catcher().await, catcher().await);
    let relay = daybreak::config::Relay { fallback: Some(hop(&second)), ..settings(&first) };
    let outlet = outlet(relay);
    let by = |r: Result<Receipt, OutletError>| r.unwrap().detail;
    assert!(by(send(&outlet, 0).await).ends_with(&format!("(by {HOST}:{})", first.port())));
    first.script(Fault::RefuseRecipient { address: to(1), code: 451 }, Times::Always);
    assert!(by(send(&outlet, 1).await).ends_with(&format!("(by {HOST}:{})", second.port())));
    let findings = outlet.check(&letter(&to(2), MESSAGE)).await;
    assert!(findings.is_empty(), "{findings:?}");
    let address = first.address();
    assert_eq!(arrived(&first), [to(0)]);
    drop(first);
    while std::net::TcpListener::bind(address).is_err() {
        tokio::task::yield_now().await;
    }
    assert!(by(send(&outlet, 2).await).ends_with(&format!("(by {HOST}:{})", second.port())));
    assert_eq!(arrived(&second), [to(1), to(2)]);
    let findings = outlet.check(&letter(&to(2), MESSAGE)).await;
    assert_eq!(findings[0].code, "relay-unreachable");
    assert!(!any_stop(&findings), "one relay is enough");
}

#[tokio::test]
async fn the_second_relay_never_gets_what_the_first_refused_or_may_have() {
    for (fault, retry) in [
        (Fault::RefuseRecipient { address: to(1), code: 550 }, Retry::Never),
        (Fault::DropInside, Retry::Unknown),
        (Fault::LoseAnswer, Retry::Unknown),
        (Fault::AnswerAfterDot(451), Retry::Later),
        (Fault::AnswerAfterDot(554), Retry::Never),
    ] {
        let (first, second) = (catcher().await, catcher().await);
        let relay = daybreak::config::Relay { fallback: Some(hop(&second)), ..settings(&first) };
        first.script(fault.clone(), Times::Always);
        let error = send(&outlet(relay), 1).await.unwrap_err();
        assert_eq!(error.retry, retry, "{fault:?}");
        assert_eq!(second.conversations(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn the_second_relay_makes_no_refusal_out_of_a_delay_but_tells_of_a_lost_answer() {
    let refuse = |code| Fault::RefuseRecipient { address: to(1), code };
    for (fault, retry, code) in [
        (refuse(550), Retry::Later, "recipient-deferred"),
        (refuse(451), Retry::Later, "recipient-deferred"),
        (Fault::AnswerAfterDot(554), Retry::Later, "recipient-deferred"),
        (Fault::LoseAnswer, Retry::Unknown, "answer-lost"),
    ] {
        let (first, second) = (catcher().await, catcher().await);
        let relay = daybreak::config::Relay { fallback: Some(hop(&second)), ..settings(&first) };
        first.script(refuse(450), Times::Always);
        second.script(fault.clone(), Times::Always);
        let error = send(&outlet(relay), 1).await.unwrap_err();
        assert_eq!((error.retry, error.code.as_str()), (retry, code), "{fault:?}");
    }
}

#[tokio::test]
async fn under_another_message_id_nothing_is_repeated_without_a_person() {
    let catcher = catcher().await;
    let relay = daybreak::config::Relay { rewrites_message_id: true, ..settings(&catcher) };
    assert_eq!(outlet(relay).repeat(), Repeat::AskHuman);
}

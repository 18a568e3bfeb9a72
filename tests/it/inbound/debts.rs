//! The alarm of an answer in clear reaches the team, whatever the relay does at first.

use daybreak::casework::inbound::{Arrived, receive, ring_owed};
use daybreak::domain::deed::Actor;
use daybreak::domain::time::Span;
use daybreak::town::catcher::{Fault, Times};
use rstest::rstest;

use super::crlf;
use crate::ground::Db;
use crate::story::{Point, Story, TEAM};

const CODE: &str = "plain-text-reply";

fn plain(n: u32) -> Vec<u8> {
    crlf(&format!("From: x@elsewhere.example\nSubject: Re: [...]\n\nanswer {n}\n"))
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn a_bell_that_no_relay_took_is_rung_until_one_does(#[case] db: Db) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let house = &story.town.house;
    let down = Fault::RefuseRecipient { address: TEAM.to_owned(), code: 451 };
    story.town.catcher.script(down, Times::Always);
    let give = async |mail: Vec<u8>| {
        receive(house, Actor::Operator, Arrived { bytes: mail, recipient: None }).await.unwrap()
    };
    let first = give(plain(1)).await;
    assert_eq!((first.known, first.alarm), (false, Some(false)));
    assert_eq!(give(plain(1)).await.alarm, Some(false), "the relay is still down");
    assert_eq!(give(plain(2)).await.alarm, Some(false));
    assert_eq!(story.rings(CODE), 0);
    assert_eq!(house.store.read(|r| r.owed_bells()).await.unwrap().len(), 2);

    // The same mail once more, known as it is, when the relay is back: both are paid.
    story.town.catcher.behave();
    let again = give(plain(1)).await;
    assert_eq!((again.known, again.alarm, again.message.id), (true, Some(true), first.message.id));
    assert_eq!(story.rings(CODE), 2);
    assert_eq!(give(plain(1)).await.alarm, None);
    let paid = ring_owed(house, Actor::Operator).await.unwrap();
    assert!(paid.rung.is_empty() && paid.left.is_empty());

    // Where no further mail comes, the engine rings.
    let down = Fault::RefuseRecipient { address: TEAM.to_owned(), code: 451 };
    story.town.catcher.script(down, Times::Always);
    assert_eq!(give(plain(3)).await.alarm, Some(false));
    let mut engine = story.engine().await;
    story.pass(&mut engine, &[Span::mins(2)]).await;
    assert_eq!(story.rings(CODE), 2);
    story.town.catcher.behave();
    story.pass(&mut engine, &[Span::mins(2), Span::mins(2)]).await;
    assert_eq!(story.rings(CODE), 3);
    story.is_recorded().await;
}

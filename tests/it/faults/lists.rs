//! Rows of the confidential list, or of other cases, that no longer open.

use std::collections::BTreeSet;

use daybreak::casework::advisories;
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::Step;
use daybreak::domain::secret::Reason;
use daybreak::town::story as steps;

use crate::ground::Db;
use crate::story::{Point, Story};

/// A damaged row blocks the letters of its own contacts and no other's (law 6).
#[tokio::test]
async fn a_damaged_distributor_keeps_no_other_from_hearing() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = &story.town.house;
    let mut other = steps::text(&story.town.people, house.now());
    other.public_id = "x_meadow-2020-0001".to_owned();
    let other = advisories::create(house, Actor::Operator, other).await.unwrap().0.id;
    let list = house.store.read(|r| r.distributors()).await.unwrap();
    // One of the list that would hear, and the case of another disclosure.
    let spoiled = story.town.people.distributors.iter().find(|d| d.should_read).unwrap().address;
    let has = |c: &daybreak::domain::party::Contact| c.address == spoiled;
    let row = list.iter().find(|d| d.record.open(Reason::Review).contacts.iter().any(has));
    let row = row.unwrap().id;
    story.meddle(&format!(
        "UPDATE distributors SET sealed = X'00' WHERE id = '{row}'; \
         UPDATE advisories SET sealed = X'00' WHERE id = '{other}'"
    ));
    let mut engine = story.engine().await;
    for days in [7, 3] {
        story.hand.advance_to(story.t0.days_before(days));
        engine.settle().await.unwrap();
    }
    let heard: BTreeSet<String> = story.letters().into_iter().flat_map(|m| m.to).collect();
    let readers = story.town.people.readers().filter(|r| r.should_read);
    let others: BTreeSet<_> =
        readers.map(|r| r.address.to_owned()).filter(|a| a != spoiled).collect();
    assert_eq!(heard, others);
    let theirs = |s: &Step| matches!(&s.action, Action::Mail { to, .. } if to == spoiled);
    let theirs = story.step(&story.notice, theirs).id;
    let words = story.words(&story.notice).await;
    let damaged: Vec<_> =
        words.iter().filter(|(_, word)| *word == "blocked cannot-be-prepared").collect();
    assert_eq!(damaged.len(), 1, "{words:?}");
    assert_eq!(*damaged[0].0, theirs, "others who cannot be written to keep their own reasons");
    assert!(story.rang("step-blocked"), "{:?}", story.bells());
}

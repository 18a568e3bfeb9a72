//! The engine dies before every single write of a day, the GO and the sealing of mails among
//! them, and is started again: nothing is lost, nothing is early, the repository, the index and
//! the site change once, and no mail goes more than once more, with the same bytes.

use std::collections::BTreeMap;

use daybreak::casework::controls;
use daybreak::casework::plans::preview::File;
use daybreak::clock::Clock as _;
use daybreak::domain::blob::equal_outside_slots;
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::{At, Span};
use daybreak::town::faults::Fault;
use daybreak::town::story;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{End, Point, Story, calm, just_before, once_a_step};
use crate::world::WorldView;

/// Long enough for every retry, and for mail whose fate is unknown to be repeated.
const PATIENCE: [Span; 5] =
    [Span::secs(1), Span::secs(5), Span::secs(20), Span::secs(121), Span::secs(121)];

/// Lets a day happen, dying once before the write after the first `n` ones; whether it died.
async fn day(story: &mut Story, instants: &[At], n: Option<u32>) -> bool {
    let mut engine = story.engine().await;
    let mut died = false;
    if let Some(n) = n {
        engine.halt_after(n);
    }
    for at in instants {
        story.hand.advance_to(just_before(*at));
        let before = WorldView::of(&story.town).await;
        engine = story.survive(engine, &mut died).await;
        assert_eq!(WorldView::of(&story.town).await, before, "public too early");
        story.hand.advance_to(*at);
        engine = story.survive(engine, &mut died).await;
        for span in PATIENCE {
            story.hand.advance(span);
            engine = story.survive(engine, &mut died).await;
        }
    }
    engine.end().await.unwrap();
    died
}

/// Nobody got more than one copy more, and copies are the same to the byte, Message-ID and all.
fn at_most_once_more(story: &Story, died: bool, about: &str) {
    let mut copies: BTreeMap<Vec<String>, Vec<Vec<u8>>> = BTreeMap::new();
    for mail in story.letters() {
        copies.entry(mail.to).or_default().push(mail.bytes);
    }
    for (to, bytes) in copies {
        assert!(bytes.len() <= 1 + usize::from(died), "{about}: {to:?} got {}", bytes.len());
        assert!(bytes.iter().all(|b| *b == bytes[0]), "{about}: {to:?} got another copy");
    }
}

/// What the lists got is what was approved.
fn as_approved(story: &Story, preview: &[File], about: &str) {
    let posts = story.letters().into_iter().filter(|m| m.at >= story.t0.at);
    for mail in posts {
        let same = |f: &&File| {
            f.name.starts_with("post-") && equal_outside_slots(&f.bytes, &mail.bytes, &f.slots)
        };
        assert!(preview.iter().any(|f| same(&f)), "{about}: a post is not what was approved");
    }
}

/// Every `stride`th death from `first` on, until a day goes through untouched.
async fn deaths(db: Db, point: Point, first: usize, stride: usize) {
    let Some(undisturbed) = calm(db, point).await else { return };
    for n in (first..).step_by(stride) {
        let about = format!("after {n} writes");
        let mut story = Story::at(db, point).await.unwrap();
        let (plan, instants) = story.next();
        let preview = story::look_through(&story.town, &plan).await.unwrap();
        let died = day(&mut story, &instants, u32::try_from(n).ok()).await;
        at_most_once_more(&story, died, &about);
        as_approved(&story, &preview, &about);
        assert_eq!(End::of(&story, &plan).await, *undisturbed, "{about}");
        story.is_recorded().await;
        if !died {
            assert!(n > 25, "a day has more than {n} writes");
            return;
        }
    }
}

#[tokio::test]
async fn an_undisturbed_day_changes_everything_once() {
    let told = calm(Db::Sqlite, Point::Ready).await.unwrap();
    assert_eq!((told.stage, told.state), (Stage::Embargoed, PlanState::Running));
    assert!(told.ref_writes.is_empty() && told.world.files.is_empty());
    assert_eq!((told.heard.len(), told.world.published.len()), (7, 0));
    let done = calm(Db::Sqlite, Point::Told).await.unwrap();
    assert_eq!((done.stage, done.state), (Stage::Public, PlanState::Finished));
    assert_eq!(done.ref_writes.values().sum::<usize>(), 4, "two branches, two tags");
    assert_eq!((done.world.files.len(), done.world.published.len()), (4, 1));
}

#[rstest]
#[tokio::test]
async fn a_death_before_every_write_changes_nothing(
    #[values(Point::Ready, Point::Told)] point: Point,
    #[values(0, 1)] first: usize,
) {
    deaths(Db::Sqlite, point, first, 2).await;
}

#[tokio::test]
async fn on_postgresql_too() {
    deaths(Db::Postgres, Point::Ready, 3, 11).await;
    deaths(Db::Postgres, Point::Told, 0, 9).await;
}

/// The answer of every first act is lost too: the engine dies knowing even less.
#[tokio::test]
async fn a_death_while_answers_are_lost_changes_nothing_either() {
    let undisturbed = calm(Db::Sqlite, Point::Told).await.unwrap();
    for n in [2, 9, 13, 17, 21, 25, 29, 33, 37] {
        let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
        let t0 = story.t0.at;
        for outlet in ["git", "command:index", "site"] {
            story.town.script(outlet).unwrap().then_for(once_a_step(), &Fault::LoseAnswer, 99);
        }
        story.town.script("mail").unwrap().then(&Fault::LoseAnswer, 1);
        let died = day(&mut story, &[t0], Some(n)).await;
        at_most_once_more(&story, true, &format!("after {n} writes"));
        // A post whose fate was unknown twice waits for a person, who looks into the archive.
        let plan = story.release().clone();
        let blocked = story.standing(&plan).await.run.blocked();
        assert!(died || blocked.is_empty(), "after {n} writes");
        for step in blocked {
            assert_eq!(story.word(&plan, step).await, "blocked nobody-can-tell");
            let house = &story.town.house;
            let evidence = "https://lists.example/1";
            controls::done(house, Actor::Operator, "Ada", &plan, step, evidence).await.unwrap();
        }
        let now = story.hand.wall();
        day(&mut story, &[now], None).await;
        assert_eq!(End::of(&story, &plan).await, *undisturbed, "after {n} writes");
        story.is_recorded().await;
    }
}

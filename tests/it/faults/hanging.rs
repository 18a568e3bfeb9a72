//! What hangs delays nobody else: gates no announcement, a bell no engine that ends.

use daybreak::clock::Clock as _;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::effect::Intended;
use daybreak::domain::plan::Phase;
use daybreak::domain::secret::{Embargoed, Reason};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::catcher::{Fault as MailFault, Times};
use daybreak::town::faults::Fault;

use crate::ground::Db;
use crate::story::{Point, Story, until};

/// More upload commands, so that the day has more gates than there are places.
async fn with_mirrors(story: &mut Story, names: &[&str]) {
    let file = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, section) = text.split_once("[command.index]").unwrap();
    let more: Vec<String> = names.iter().map(|n| format!("[command.{n}]{section}\n")).collect();
    std::fs::write(&file, format!("{text}\n{}", more.join("\n"))).unwrap();
    story.town.reopen().unwrap();
    let now = story.disclosure_now().await;
    let mut case = now.case.open(Reason::Editing).clone();
    for release in &mut case.releases {
        release.upload.extend(names.iter().map(|n| (*n).to_owned()));
    }
    let changed = Disclosure { case: Embargoed::new(case), ..now };
    let house = &story.town.house;
    let deed = house.deed(Actor::Operator, "disclosure-edit", changed.id);
    let saved = house.store.write(&deed, move |tx| tx.save_disclosure(&changed).map(|_| ()));
    saved.await.unwrap();
    story.disclosure = story.disclosure_now().await;
}

#[tokio::test]
async fn eight_gates_that_hang_delay_no_announcement() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    with_mirrors(&mut story, &["second", "third"]).await;
    let story = story.told().await;
    let plan = story.release().clone();
    let steps = daybreak::casework::plans::manifest_of(&plan).unwrap().steps;
    let gates: Vec<_> = steps.iter().filter(|s| s.phase == Phase::Gate).map(|s| s.id).collect();
    assert!(gates.len() > 8, "{}", gates.len());
    let outlets = ["git", "command:index", "command:second", "command:third"];
    let scripts: Vec<_> = outlets.iter().map(|o| story.town.script(o).unwrap().clone()).collect();
    for script in &scripts {
        let gates = gates.clone();
        script.then_for(move |i: &Intended| gates.contains(&i.step), &Fault::Hang, 20);
    }
    let hanging = || scripts.iter().map(|s| s.hanging()).sum::<usize>();
    let told = story.letters().len();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at);
    until(&mut engine, "eight gates hang", || hanging() == 8).await;
    assert_eq!(story.letters().len(), told, "announcements wait for the gates");
    story.hand.advance_to(story.t0.at.plus(Span::mins(15)));
    until(&mut engine, "the lists hear", || story.letters().len() == told + 2).await;
    for _ in 0..1000 {
        engine.turn().await.unwrap();
        if story.stage().await == Stage::Public {
            break;
        }
    }
    assert_eq!((story.stage().await, hanging()), (Stage::Public, 8));
}

/// Bells come again after a restart; a relay that does not answer one must not keep the next
/// engine from the lead.
#[tokio::test]
async fn an_engine_that_ends_waits_five_seconds_for_a_bell_and_no_longer() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.hold(story.release()).await;
    let bells = story.bells().len();
    story.town.catcher.script(MailFault::Hang, Times::Always);
    story.hand.advance_to(story.t0.at);
    until(&mut engine, "a bell hangs", || story.town.catcher.hanging() > 0).await;
    let asleep = story.hand.sleepers();
    let ending = tokio::spawn(engine.end());
    story.hand.wait_for_sleepers(asleep + 1).await;
    story.hand.advance(Span::millis(4_999));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!ending.is_finished(), "a bell that takes a moment is waited for");
    story.hand.advance(Span::millis(1));
    ending.await.unwrap().unwrap();
    assert_eq!(story.bells().len(), bells, "the bell was not taken");
    // The lead was given back: the next one needs no time at all.
    let before = story.hand.mono();
    Engine::start(story.town.house.clone()).await.unwrap();
    assert_eq!(story.hand.mono(), before);
}

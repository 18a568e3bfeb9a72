//! A distributor asks for two more days. The date moves once, for all: everybody who has the old
//! one hears old and new, and nothing is armed for the new one before they did.

use daybreak::casework::controls;
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::{PlanKind, PlanState, Step};
use daybreak::domain::time::Span;
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::story;

use crate::verbs::leaked::{notices, read, to};
use crate::verbs::moved::{shift, told};

#[tokio::test]
async fn the_release_is_armed_only_when_everybody_has_the_new_date() {
    let story = told().await;
    let (town, house) = (&story.town, &story.town.house);
    let (moved, findings) = shift(&story, Span::days(2), None).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "told-old-date"), "{findings:?}");
    let (release, findings) = story::plan(town, &moved, PlanKind::Release).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "old-date-stands"), "{findings:?}");
    let early = story::approve_by_all(town, &release).await.map(|_| ()).unwrap_err().to_string();
    assert!(early.contains("do not have the new one yet"), "{early}");
    assert!(early.contains("daybreak notice status"), "{early}");

    // A new date that is only approved, or that a relay puts off, is not told.
    let notice = story::approved_plan(town, &moved, PlanKind::Notice).await.unwrap();
    story::approve_by_all(town, &release).await.map(|_| ()).unwrap_err();
    let slow = "vulns@fennel.example";
    town.catcher
        .script(Fault::RefuseRecipient { address: slow.to_owned(), code: 451 }, Times::Always);
    let (old, new) = (story.t0.spoken(), moved.t0.unwrap().spoken());
    let before = notices(&story);
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let mails = notices(&story).split_off(before.len());
    let mut told = to(&before);
    assert!(told.remove(slow) && to(&mails).is_superset(&told), "{:?}", to(&mails));
    let letters = mails.iter().zip(read(&story, &mails));
    for (_, letter) in letters.filter(|(mail, _)| told.contains(&mail.to[0])) {
        assert!(letter.text.contains(&old) && letter.text.contains(&new), "{}", letter.text);
    }
    let one = story::approve_by_all(town, &release).await.map(|_| ()).unwrap_err().to_string();
    assert!(one.starts_with("1 of those"), "{one}");

    // They were called: a person says so, and that counts.
    let sealed = |s: &Step| matches!(&s.action, Action::Mail { to, .. } if to == slow);
    let step = story.step(&notice, sealed);
    controls::done(house, Actor::Operator, "Ada", &notice, step.id, "by telephone").await.unwrap();
    let release = story::approve_by_all(town, &release).await.unwrap();
    assert_eq!(release.state, PlanState::Approved);
    story.hand.advance_to(moved.t0.unwrap().at);
    engine.settle().await.unwrap();
    assert_eq!(story.state(&release).await, PlanState::Finished);
}

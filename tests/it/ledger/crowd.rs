//! Recipients that hang delay nobody else for long.

use std::collections::BTreeSet;
use std::sync::Arc;

use daybreak::clock::Clock as _;
use daybreak::domain::action::Action;
use daybreak::domain::effect::Intended;
use daybreak::domain::plan::PlanKind;
use daybreak::domain::time::Span;
use daybreak::town::faults::Fault;
use daybreak::town::story;

use crate::ground::Db;
use crate::story::{Point, Story, until};

#[tokio::test]
async fn eight_who_hang_do_not_keep_others_from_hearing() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    for n in 0..8 {
        story.joins(&format!("Rush {n}"), &format!("s{n}@rush.example")).await;
    }
    let plan =
        story::approved_plan(&story.town, &story.disclosure, PlanKind::Notice).await.unwrap();
    story.notice = plan.clone();
    let due = story.t0.days_before(7);
    // The first eight in the plan's order, of those who can be encrypted to and are due.
    let useless = [super::ground::MOSS, super::ground::BRACKEN];
    let manifest = daybreak::casework::plans::manifest_of(&plan).unwrap();
    let mut everybody = Vec::new();
    for step in manifest.steps.iter().filter(|s| s.sealing.is_some() && s.not_before <= due) {
        let Action::Mail { to, .. } = &step.action else { continue };
        if !useless.contains(&to.as_str()) {
            everybody.push((step.id, to.clone()));
        }
    }
    let (hang, others) = everybody.split_at(8);
    let steps: BTreeSet<_> = hang.iter().map(|(id, _)| *id).collect();
    let script = Arc::clone(story.town.script("mail").unwrap());
    script.then_for(move |i: &Intended| steps.contains(&i.step), &Fault::Hang, 8);
    let mut engine = story.engine().await;
    story.hand.advance_to(due);
    let heard = |n: usize| {
        let story = &story;
        move || story.letters().len() >= n
    };
    until(&mut engine, "four hang", || script.hanging() == 4).await;
    assert_eq!(story.letters().len(), 0, "they came first, and they have all places");
    story.hand.advance(Span::secs(15));
    until(&mut engine, "the other four hang", || script.hanging() == 8).await;
    story.hand.advance(Span::secs(15));
    until(&mut engine, "everybody else hears", heard(others.len())).await;
    let to: BTreeSet<_> = story.letters().into_iter().flat_map(|m| m.to).collect();
    assert_eq!(to, others.iter().map(|(_, to)| to.clone()).collect());
    assert!(story.hand.wall().since(due) <= Span::secs(30));
    script.release();
    engine.settle().await.unwrap();
    assert_eq!(story.letters().len(), everybody.len());
}

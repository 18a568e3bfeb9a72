//! Between the notice and T0 the details are public somewhere. One action makes T0 two hours from
//! now; everybody who knew, and the reporter, hears one text with the old and the new instant; the
//! release goes then, and the record says who decided.

use daybreak::casework::leaks::publish_now;
use daybreak::casework::plans;
use daybreak::clock::Clock as _;
use daybreak::domain::news::NoticeKind;
use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::verbs::leaked::{URL, approve, leak, notices, read, to};
use crate::verbs::record;

#[tokio::test]
async fn one_action_makes_everything_for_two_hours_from_now() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (house, member) = (&story.town.house, story.member().await);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let told = to(&notices(&story));
    story.hand.advance_to(story.t0.days_before(3).plus(Span::hours(-1)));
    let old = story.disclosure_now().await;
    let wish = leak(Some(Span::hours(2)));
    let done = publish_now(house, member, &old, &wish).await.unwrap();
    assert!(done.lifted.is_none());
    let t0 = done.disclosure.t0.unwrap();
    assert_eq!(t0.at.since(story.hand.wall()), Span::hours(2));
    assert_eq!(t0.zone, story.t0.zone);
    let (release, _) = done.release.unwrap().unwrap();
    let (notice, _) = done.notice.unwrap().unwrap();
    let manifest = plans::manifest_of(&release).unwrap();
    assert_eq!(manifest.threshold, house.config.plans.publish_now);
    assert_eq!(manifest.first_effect(), Some(t0.at));
    assert_eq!(plans::manifest_of(&notice).unwrap().notice(), Some(NoticeKind::Broken));
    assert_eq!(story.state(&story.notice).await, PlanState::Void, "nobody hears the old date now");

    let before = notices(&story).len();
    approve(&story, &notice).await;
    approve(&story, &release).await;
    engine.settle().await.unwrap();
    let mails = notices(&story).split_off(before);
    assert!(to(&mails).is_superset(&told));
    let reporter = story.town.people.reporter.address;
    assert!(to(&mails).contains(reporter));
    for letter in read(&story, &mails) {
        assert!(letter.text.contains(&t0.spoken()), "{}", letter.text);
    }
    let known = mails.iter().filter(|m| told.contains(&m.to[0])).cloned().collect::<Vec<_>>();
    for letter in read(&story, &known) {
        assert!(letter.text.contains(&story.t0.spoken()), "old and new: {}", letter.text);
        assert!(letter.text.contains(URL), "{}", letter.text);
    }
    assert_eq!(story.stage().await, Stage::Embargoed);
    story.hand.advance_to(t0.at);
    engine.settle().await.unwrap();
    assert_eq!(story.state(&release).await, PlanState::Finished);
    assert_eq!(story.stage().await, Stage::Public);
    let record = record(&story).await;
    let said = format!("it was posted; T0 becomes {}; public at {URL}", t0.at.rfc3339());
    assert!(record.contains(&format!("{member} | publish-now ")), "{record}");
    assert!(record.contains(&said), "{record}");
}

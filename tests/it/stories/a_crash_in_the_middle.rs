//! The machine dies again and again in the middle of the day. The day goes on where it was, nothing
//! happens twice, and the record shows the order and the times.

use daybreak::casework::audits;
use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;

use crate::ground::Db;
use crate::story::{Point, Story, halted, ref_writes};

#[tokio::test]
async fn the_day_goes_on_where_it_was_and_the_record_shows_it() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let told = story.letters().len();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at);
    let mut deaths = 0;
    loop {
        // Each time a little later: half a day's writes lie in the last one's hands.
        engine.halt_after(3 + deaths);
        if !halted(engine.settle().await) {
            break;
        }
        deaths += 1;
        assert!(deaths < 60, "it makes no progress");
        engine = story.after_crash(engine).await;
    }
    engine.halt_after(u32::MAX);
    story.pass(&mut engine, &[Span::mins(2), Span::mins(2), Span::mins(2)]).await;
    assert!(deaths > 4, "{deaths} deaths");
    assert_eq!(story.stage().await, Stage::Public);
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    assert!(ref_writes(&story.town).values().all(|n| *n == 1), "something was pushed twice");
    assert_eq!(story.town.uploads.files().unwrap().len(), 4);
    let posts = story.letters().split_off(told);
    for list in ["announce@lists.meadow.example", "oss-security@lists.openwall.example"] {
        let mine: Vec<_> = posts.iter().filter(|p| p.to == [list]).collect();
        assert!((1..=2).contains(&mine.len()), "{list}: {} posts", mine.len());
        assert!(mine.iter().all(|p| p.bytes == mine[0].bytes), "{list}: two texts");
    }
    story.is_recorded().await;

    let lines = audits::timeline(&story.town.house, &story.disclosure_now().await).await.unwrap();
    assert!(lines.is_sorted_by_key(|l| l.at));
    let first = |what: &str, how: &dyn Fn(&audits::Line) -> bool| {
        lines.iter().position(|l| l.what.contains(what) && how(l)).unwrap()
    };
    let is_there = |l: &audits::Line| l.what.ends_with(" done") || l.detail.starts_with("there: ");
    let tagged = first("push refs/tags/2.0.1", &is_there);
    let announced = first("mail to announce@", &|l| l.what.ends_with(" began"));
    assert!(tagged < announced, "announced before it was tagged");
    assert!(lines.iter().any(|l| l.what.contains("lost track")), "a death left no trace");
}

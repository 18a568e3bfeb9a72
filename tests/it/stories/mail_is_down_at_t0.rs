//! Commits and packages are out, and the mail server takes no post to a list. The page is public at
//! once, the posts wait and go once each when it is back, and the team hears that nobody was told.

use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::town::catcher::{Fault, Times};

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

#[tokio::test]
async fn the_page_is_public_and_the_posts_go_once_when_it_is_back() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let told = story.letters().len();
    let mut engine = story.engine().await;
    let lists = ["announce@lists.meadow.example", "oss-security@lists.openwall.example"];
    for address in lists {
        let refuse = Fault::RefuseRecipient { address: address.to_owned(), code: 451 };
        story.town.catcher.script(refuse, Times::Always);
    }
    story.at_t0(&mut engine).await;
    let world = WorldView::of(&story.town).await;
    assert_eq!((world.published.len(), world.posts), (1, 0), "{world:?}");
    assert!(world.refs.contains("refs/tags/2.0.1"));

    let quarter = [1, 2, 5, 10, 20, 40, 60, 60, 60, 60].map(Span::secs);
    story.pass(&mut engine, &quarter).await;
    assert!(story.rang("step-keeps-failing"), "{:?}", story.bells());
    assert_eq!(story.letters().len(), told);

    story.town.catcher.behave();
    story.pass(&mut engine, &[Span::mins(1), Span::mins(1), Span::mins(10)]).await;
    let posts: Vec<_> = story.letters().split_off(told);
    for list in lists {
        assert_eq!(posts.iter().filter(|m| m.to == [list]).count(), 1, "{list}");
    }
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    assert_eq!(story.stage().await, Stage::Public);
}

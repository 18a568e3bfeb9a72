//! Rows that a day has nothing to do with are damaged: it goes as if they were not there.

use daybreak::casework::find_step;
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::town::story as steps;

use crate::ground::Db;
use crate::story::{Point, Story};

/// Whoever has not approved cannot keep those who have from counting.
#[tokio::test]
async fn a_member_who_cannot_be_read_keeps_no_release_back() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let house = &story.town.house;
    story.meddle(
        "INSERT INTO members
         SELECT substr(id, 1, length(id) - 1) || CASE substr(id, -1) WHEN '0' THEN '1' ELSE '0' END,
                active, created_at, zeroblob(60)
         FROM members LIMIT 1",
    );
    assert!(house.store.read(|r| r.members()).await.is_err(), "nobody is damaged");
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(story.stage().await, Stage::Public, "{:?}", story.bells());
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

/// A step that waits for a person is settled by its id, whatever became of other plans.
#[tokio::test]
async fn a_step_is_found_beside_a_plan_that_cannot_be_read() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let disclosure = story.disclosure_now().await;
    let (draft, _) = steps::plan(&story.town, &disclosure, PlanKind::Notice).await.unwrap();
    story.meddle(&format!("UPDATE plans SET sealed = zeroblob(60) WHERE id = '{}'", draft.id));
    let wanted = story.step(story.release(), |_| true).id;
    let house = &story.town.house;
    let (plan, step) = find_step(house, &wanted.to_string()).await.unwrap();
    assert_eq!((plan.id, step), (story.release().id, wanted));
    let unknown = draft.id.to_string().replace("pln_", "stp_");
    assert!(find_step(house, &unknown).await.is_err());
}

//! Writes: all or nothing, audited or nothing, and never lost between two writers.

use std::sync::Arc;

use daybreak::domain::ids::{HolderId, MemberId};
use daybreak::store::{Lane, Lease, Options, Store, StoreError, Threads, Tx, Verdict};
use rstest::rstest;

use super::made::{advisory_id, approval, furnish, member, plan, text};
use crate::ground::{Db, Ground, at, deed};

#[rstest]
#[tokio::test]
async fn a_refused_write_leaves_nothing_behind(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let refused = store
        .write(&deed(), |tx| {
            tx.add_member(&member(2))?;
            Err::<(), _>(StoreError::Deposed)
        })
        .await;
    assert_eq!(refused, Err(StoreError::Deposed));
    let counts = ["members", "audit"].map(|table| ground.count(table));
    assert_eq!((counts, store.revision().await), ([1, 1], Ok(1)));
}

#[rstest]
#[tokio::test]
async fn a_swallowed_refusal_spoils_the_whole_write(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let careless = store
        .write(&deed(), |tx| -> Result<(), StoreError> {
            tx.add_member(&member(2))?;
            let _ignored = tx.add_member(&member(1));
            Ok(())
        })
        .await;
    assert!(careless.is_err());
    assert_eq!((ground.count("members"), ground.count("audit")), (1, 1));
}

#[rstest]
#[tokio::test]
async fn a_panic_inside_a_write_leaves_nothing_and_the_store_goes_on(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    let other = store.clone();
    let panicked = tokio::spawn(async move {
        let bug = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            tx.add_member(&member(1))?;
            let found = tx.member(member(9).id).unwrap();
            tx.save_member(&found)
        };
        other.write(&deed(), bug).await
    });
    assert!(panicked.await.is_err());
    furnish(&store).await;
    assert_eq!(store.revision().await, Ok(1));
}

/// Four programs, as four stores, that read before they write: the shape that fails three
/// times in four on SQLite unless the first statement is a write.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_writers_lose_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    furnish(&ground.store()).await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = ground.store();
        writers.spawn(async move {
            for _ in 0..50 {
                let raise = |tx: &mut Tx<'_>| {
                    let seen = tx.distributor(super::made::distributor(1).id)?;
                    tx.save_distributor(&seen)
                };
                store.write(&deed(), raise).await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let store = ground.store();
    let end = store.read(|r| r.distributor(super::made::distributor(1).id)).await.unwrap();
    assert_eq!((end.revision, store.revision().await), (201, Ok(201)));
    assert!(matches!(
        store.read(|r| r.verify_audit()).await,
        Ok(Verdict::Intact { lines: 201, .. })
    ));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_sees_one_state_while_others_write(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    let (seen, wait_seen) = std::sync::mpsc::channel();
    let (wrote, wait_wrote) = std::sync::mpsc::channel();
    let looking = store.clone();
    let look = tokio::spawn(async move {
        looking
            .read(move |r| {
                let before = r.revision()?;
                seen.send(()).unwrap();
                wait_wrote.recv().unwrap();
                Ok::<_, StoreError>((before, r.revision()?, r.members()?.len()))
            })
            .await
    });
    tokio::task::spawn_blocking(move || wait_seen.recv().unwrap()).await.unwrap();
    furnish(&store).await;
    wrote.send(()).unwrap();
    assert_eq!(look.await.unwrap(), Ok((0, 0, 0)));
    assert_eq!(store.revision().await, Ok(1));
}

#[rstest]
#[tokio::test]
async fn whoever_read_an_older_revision_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let id = advisory_id(1);
    let edit = move |tx: &mut Tx<'_>| tx.revise_advisory(id, 1, &text("x-1"));
    assert_eq!(store.write(&deed(), edit).await, Ok(2));
    assert_eq!(store.write(&deed(), edit).await, Err(StoreError::Conflict("advisory")));

    let disclosure = super::made::disclosure(1);
    let save = move |tx: &mut Tx<'_>| tx.save_disclosure(&disclosure);
    assert_eq!(store.write(&deed(), save.clone()).await, Ok(2));
    assert_eq!(store.write(&deed(), save).await, Err(StoreError::Conflict("disclosure")));

    let missing = move |tx: &mut Tx<'_>| tx.revise_advisory(advisory_id(9), 1, &text("x-9"));
    assert_eq!(store.write(&deed(), missing).await, Err(StoreError::NotFound("advisory")));
}

#[rstest]
#[tokio::test]
async fn a_plan_moves_once_from_each_state(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    use daybreak::domain::plan::PlanState::{Approved, Made, Void};
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let id = plan(1).id;
    let moved = store.write(&deed(), move |tx| tx.move_plan(id, Made, Approved)).await;
    assert_eq!(moved, Ok(()));
    let late = store.write(&deed(), move |tx| tx.move_plan(id, Made, Void)).await;
    assert_eq!(late, Err(StoreError::Conflict("plan")));
    store.write(&deed(), move |tx| tx.hold_plan(id, true)).await.unwrap();
    let live = store.read(|r| r.live_plans()).await.unwrap();
    let id = live[0];
    let one = store.read(move |r| r.plan(id)).await.unwrap();
    assert_eq!((live.len(), one.state, one.held), (1, Approved, true));
}

#[rstest]
#[tokio::test]
async fn one_yes_a_person(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let approve = |n: u8, by: MemberId| {
        let store = store.clone();
        async move {
            let yes = approval(n, plan(1).id, by);
            store.write(&deed(), move |tx| tx.add_approval(&yes)).await
        }
    };
    assert_eq!(approve(1, member(1).id).await, Ok(()));
    assert_eq!(approve(2, member(1).id).await, Err(StoreError::AlreadyApproved));
    // A stranger is nobody to refer to.
    assert!(matches!(approve(3, member(9).id).await, Err(StoreError::NotFound(_))));
    let found = store.read(|r| r.approvals(plan(1).id)).await.unwrap();
    assert_eq!(found, [approval(1, plan(1).id, member(1).id)]);
}

#[rstest]
#[tokio::test]
async fn one_engine_leads(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store().lane(Lane::Engine);
    let holder = |n: u8| HolderId::new(at(0), [n; 10]);
    let nobody = store.read(|r| r.lease()).await.unwrap();
    assert_eq!(nobody, Lease { holder: None, epoch: 0, beat: 0 });
    let take = |n: u8, seen: &Lease| {
        let (store, seen) = (store.clone(), seen.clone());
        async move { store.write(&deed(), move |tx| tx.take_lease(holder(n), &seen)).await }
    };
    assert_eq!(take(1, &nobody).await, Ok(1));
    assert_eq!(take(2, &nobody).await, Err(StoreError::Conflict("lease")));

    let seen = store.read(|r| r.lease()).await.unwrap();
    store.beat(1, at(5)).await.unwrap();
    assert_eq!(take(2, &seen).await, Err(StoreError::Conflict("lease")), "it beat meanwhile");
    let seen = store.read(|r| r.lease()).await.unwrap();
    assert_eq!(take(2, &seen).await, Ok(2));
    assert_eq!(store.beat(1, at(6)).await, Err(StoreError::Deposed));
    let late = store.write(&deed(), |tx| tx.still_leads(1)).await;
    assert_eq!(late, Err(StoreError::Deposed));
    assert_eq!(store.write(&deed(), |tx| tx.still_leads(2)).await, Ok(()));

    // Beats are not audited, and the clock's mark never falls.
    store.beat(2, at(3)).await.unwrap();
    assert_eq!(store.read(|r| r.high_water()).await, Ok(at(5)));
    assert_eq!(store.revision().await, Ok(3));
}

#[tokio::test]
async fn people_who_hold_every_connection_do_not_starve_the_engine() {
    let Some(ground) = Ground::new(Db::Postgres) else { return };
    let options = Options { connections: 1, ..ground.options() };
    let store = Store::create(&options, ground.vault()).unwrap();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (inside, wait_inside) = tokio::sync::oneshot::channel();
    let busy = store.clone();
    let people = tokio::spawn(async move {
        busy.read(move |_| {
            inside.send(()).unwrap();
            wait.recv().unwrap();
            Ok::<_, StoreError>(())
        })
        .await
    });
    wait_inside.await.unwrap();
    assert_eq!(store.lane(Lane::Engine).revision().await, Ok(0));
    go_on.send(()).unwrap();
    people.await.unwrap().unwrap();
}

#[rstest]
#[tokio::test]
async fn inline_work_stays_on_the_callers_thread(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let options = Options { threads: Threads::Inline, ..ground.options() };
    let store = Store::create(&options, ground.vault()).unwrap();
    let here = Arc::new(std::thread::current().id());
    let caller = Arc::clone(&here);
    let there = store.read(move |_| Ok::<_, StoreError>(std::thread::current().id())).await;
    assert_eq!(there, Ok(*caller));
}

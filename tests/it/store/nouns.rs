//! What goes in comes out, on both databases.

use daybreak::domain::advisory::AdvisoryText;
use daybreak::domain::approval::Lift;
use daybreak::domain::blob::{Blob, Slot, SlotName};
use daybreak::domain::deed::Actor;
use daybreak::domain::ids::{BlobId, EventId};
use daybreak::domain::secret::{Embargoed, Reason};
use daybreak::domain::time::At;
use daybreak::store::{Decision, StoreError, StoredDocument, Tx};
use rstest::rstest;

use super::made::{WORD, advisory_id, disclosure, distributor, furnish, member, plan, steps, text};
use crate::ground::{Db, Ground, at, deed};

fn public_id(text: &Embargoed<AdvisoryText>) -> &str {
    &text.open(Reason::Review).public_id
}

#[rstest]
#[tokio::test]
async fn parties(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let mut left = member(1);
    left.active = false;
    let saved = left.clone();
    store.write(&deed(), move |tx| tx.save_member(&saved)).await.unwrap();
    assert_eq!(store.read(|r| r.members()).await, Ok(vec![left]));
    let stranger = store.write(&deed(), |tx| tx.save_member(&member(7))).await;
    assert_eq!(stranger, Err(StoreError::NotFound("member")));
    assert_eq!(store.read(|r| r.distributors()).await, Ok(vec![distributor(1)]));
}

#[rstest]
#[tokio::test]
async fn advisories_and_their_history(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    let id = advisory_id(1);
    let mut made = deed();
    store.write(&made, move |tx| tx.add_advisory(id, &text("x-1"))).await.unwrap();
    made.at = at(60);
    store.write(&made, move |tx| tx.revise_advisory(id, 1, &text("x-2"))).await.unwrap();
    let found = store.read(|r| r.advisory_by_public_id("x-2")).await.unwrap();
    assert_eq!((found.id, found.revision), (id, 2));
    assert_eq!((found.created_at, found.updated_at), (at(0), at(60)));
    let old = store.read(|r| r.advisory_by_public_id("x-1")).await;
    assert_eq!(old, Err(StoreError::NotFound("advisory")));
    let history = store.read(move |r| r.advisory_revisions(id)).await.unwrap();
    let told: Vec<_> = history.iter().map(|h| (h.revision, h.at, public_id(&h.text))).collect();
    assert_eq!(told, [(1, at(0), "x-1"), (2, at(60), "x-2")]);
    assert!(history.iter().all(|h| h.actor == Actor::Operator));
}

#[rstest]
#[tokio::test]
async fn a_public_id_belongs_to_one_advisory(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    let add = |n: u8, public_id: &'static str| {
        let store = store.clone();
        async move {
            store.write(&deed(), move |tx| tx.add_advisory(advisory_id(n), &text(public_id))).await
        }
    };
    assert_eq!(add(1, "x-1").await, Ok(()));
    assert_eq!(add(2, "x-1").await, Err(StoreError::PublicIdTaken));
    assert_eq!(add(2, "x-2").await, Ok(()));
    let renamed =
        store.write(&deed(), |tx| tx.revise_advisory(advisory_id(2), 1, &text("x-1"))).await;
    assert_eq!(renamed, Err(StoreError::PublicIdTaken));
}

#[rstest]
#[tokio::test]
async fn disclosures_keep_instant_zone_and_case(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let id = disclosure(1).id;
    assert_eq!(store.read(move |r| r.disclosure(id)).await, Ok(disclosure(1)));
    let mut undated = disclosure(1);
    undated.t0 = None;
    store.write(&deed(), move |tx| tx.save_disclosure(&undated)).await.unwrap();
    let found = store.read(move |r| r.disclosure(id)).await.unwrap();
    assert_eq!((found.t0, found.revision), (None, 2));
}

#[rstest]
#[tokio::test]
async fn plans_keep_their_bytes_and_the_order_of_their_steps(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let of = disclosure(1).id;
    assert_eq!(store.read(move |r| r.next_plan_number(of)).await, Ok(2));
    store.write(&deed(), |tx| tx.add_plan(&plan(2), &[])).await.unwrap();
    assert_eq!(store.read(move |r| r.plans(of)).await, Ok(vec![plan(1), plan(2)]));
    assert_eq!(store.read(move |r| r.plan_numbered(of, 2)).await, Ok(plan(2)));
    let rows = store.read(|r| r.steps(plan(1).id)).await.unwrap();
    let told: Vec<_> = rows.iter().map(|s| (s.id, s.after.clone())).collect();
    let wanted: Vec<_> = steps(1).iter().map(|s| (s.id, s.after.clone())).collect();
    assert_eq!(told, wanted);

    let mut same_number = plan(3);
    same_number.number = 2;
    let taken = store.write(&deed(), move |tx| tx.add_plan(&same_number, &[])).await;
    assert_eq!(taken, Err(StoreError::Conflict("plan")));
    let mut other_bytes = plan(3);
    other_bytes.digest = plan(2).digest;
    let refused = store.write(&deed(), move |tx| tx.add_plan(&other_bytes, &[])).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { column: "digest", .. })));
}

#[rstest]
#[case::empty(0)]
#[case::one_byte(1)]
#[case::a_whole_chunk(1024 * 1024)]
#[case::three_chunks(2 * 1024 * 1024 + 5)]
#[tokio::test]
async fn blobs_of_every_size(#[values(Db::Sqlite, Db::Postgres)] db: Db, #[case] len: usize) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    let slot = Slot { name: SlotName::Date, offset: 0, len: 31 };
    let blob = Blob::new("mail.eml", bytes, vec![slot]);
    let (id, owner, kept) = (BlobId::new(at(0), [1; 10]), plan(1).id, blob.clone());
    store.write(&deed(), move |tx| tx.put_blob(id, owner, &kept)).await.unwrap();
    assert_eq!(store.read(move |r| r.blob(id)).await.as_ref(), Ok(&blob));
    let named = store.read(move |r| r.blob_named(owner, "mail.eml")).await;
    assert_eq!(named.as_ref(), Ok(&blob));
    let listed = store.read(move |r| r.blobs_of(owner)).await;
    assert_eq!(listed, Ok(vec![(id, blob.about.clone())]));

    let (twice, again) = (BlobId::new(at(0), [2; 10]), blob.clone());
    let taken = store.write(&deed(), move |tx| tx.put_blob(twice, owner, &again)).await;
    assert_eq!(taken, Err(StoreError::Conflict("blob")));
    let other = plan(2).id;
    store.write(&deed(), move |tx| tx.put_blob(twice, other, &blob)).await.unwrap();

    assert_eq!(store.write(&deed(), move |tx| tx.delete_blobs(owner)).await, Ok(1));
    let gone = store.read(move |r| r.blob(id)).await;
    assert_eq!(gone, Err(StoreError::NotFound("blob")));
    assert!(store.read(move |r| r.blob(twice)).await.is_ok());
}

#[tokio::test]
async fn bytes_that_are_not_what_their_digest_says_are_not_kept() {
    let ground = Ground::new(Db::Sqlite).unwrap();
    let mut blob = Blob::new("pack", b"abc".to_vec(), vec![]);
    blob.bytes = b"abd".to_vec();
    let id = BlobId::new(at(0), [1; 10]);
    let put = move |tx: &mut Tx<'_>| tx.put_blob(id, plan(1).id, &blob);
    let refused = ground.store().write(&deed(), put).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { column: "sha256", .. })));
    assert_eq!(ground.count("blobs"), 0);
}

#[rstest]
#[case::cut("DELETE FROM chunks WHERE n = 2", "chunks")]
#[case::reordered(
    "UPDATE chunks SET n = 9 WHERE n = 0; UPDATE chunks SET n = 0 WHERE n = 1;
     UPDATE chunks SET n = 1 WHERE n = 9",
    "chunks"
)]
#[tokio::test]
async fn a_blob_with_wrong_chunks_is_never_given_out(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] sql: &str,
    #[case] named: &str,
) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    let blob = Blob::new("pack", vec![7; 3 * 1024 * 1024], vec![]);
    let id = BlobId::new(at(0), [1; 10]);
    store.write(&deed(), move |tx| tx.put_blob(id, plan(1).id, &blob)).await.unwrap();
    ground.meddle(sql);
    match store.read(move |r| r.blob(id)).await {
        Err(StoreError::Inconsistent { table, .. }) => assert_eq!(table, named),
        other => assert!(other.is_err(), "damaged bytes were given out"),
    }
}

#[rstest]
#[tokio::test]
async fn wishes_words_and_publications(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let (plan, advisory) = (plan(1).id, advisory_id(1));
    let why = || Embargoed::new("found in the wild".to_owned());
    let lift = Lift { plan, member: member(1).id, at: at(1), reason: why() };
    let same = lift.clone();
    store.write(&deed(), move |tx| tx.add_lift(&same)).await.unwrap();
    assert_eq!(store.read(move |r| r.lifts(plan)).await, Ok(vec![lift.clone()]));
    let twice = store.write(&deed(), move |tx| tx.add_lift(&lift)).await;
    assert_eq!(twice, Err(StoreError::AlreadyLifted));

    let early = store.write(&deed(), move |tx| tx.publish(advisory, plan)).await;
    assert_eq!(early, Err(StoreError::NotFound("GO")));
    let go = move |tx: &mut Tx<'_>| tx.decide(plan, Decision::Go, 4, &why());
    assert_eq!(store.write(&deed(), go).await, Ok(()));
    let abort = move |tx: &mut Tx<'_>| tx.decide(plan, Decision::Abort, 0, &why());
    assert_eq!(store.write(&deed(), abort).await, Err(StoreError::AlreadyDecided));
    let decided = store.read(move |r| r.decided(plan)).await.unwrap().unwrap();
    assert_eq!((decided.decision, decided.epoch), (Decision::Go, 4));

    let document = StoredDocument {
        name: "osv.json".to_owned(),
        position: 0,
        media_type: "application/json".to_owned(),
        bytes: Embargoed::new(WORD.as_bytes().to_vec()),
    };
    let kept = document.clone();
    store
        .write(&deed(), move |tx| {
            tx.add_document(advisory, &kept)?;
            tx.publish(advisory, plan)
        })
        .await
        .unwrap();
    assert_eq!(store.read(move |r| r.documents(advisory)).await, Ok(vec![document]));
    let public: Vec<(_, At)> = store
        .read(|r| r.publications())
        .await
        .unwrap()
        .iter()
        .map(|p| (p.advisory, p.at))
        .collect();
    assert_eq!(public, [(advisory, at(0))]);
}

/// Cells that were sealed before they were bound to their word: the engine's own words are a GO,
/// a person's never are.
#[tokio::test]
async fn a_go_of_an_older_program_holds_and_its_abort_becomes_none() {
    let ground = Ground::new(Db::Sqlite).unwrap();
    let store = ground.store();
    furnish(&store).await;
    let id = plan(1).id;
    for (value, why, holds) in [
        ("GO", "T0", true),
        ("GO", "lifted early", true),
        ("GO", "headsup", true),
        ("ABORT", "found in the wild", true),
        ("GO", "found in the wild", false),
    ] {
        let json = serde_json::to_vec(why).unwrap();
        let cell = ground.vault().seal("gos", "sealed", &id.to_string(), &json).unwrap();
        let hex: String = cell.iter().map(|b| format!("{b:02x}")).collect();
        ground.meddle(&format!(
            "DELETE FROM gos; INSERT INTO gos (plan, value, at, epoch, sealed)
             VALUES ('{id}', '{value}', 0, 1, x'{hex}')"
        ));
        let decided = store.read(move |r| r.decided(id)).await;
        assert_eq!(decided.is_ok(), holds, "{value} {why}: {decided:?}");
    }
}

#[rstest]
#[tokio::test]
async fn an_aborted_plan_publishes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let publish = |tx: &mut Tx<'_>| {
        let why = Embargoed::new(String::new());
        tx.decide(plan(1).id, Decision::Abort, 0, &why)?;
        tx.publish(advisory_id(1), plan(1).id)
    };
    assert_eq!(store.write(&deed(), publish).await, Err(StoreError::NotFound("GO")));
    assert_eq!((ground.count("gos"), ground.count("publications")), (0, 0));
}

#[rstest]
#[tokio::test]
async fn step_events_are_numbered_within_their_plan(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    let (of, step) = (plan(1).id, steps(1)[0].id);
    for n in 1..=3_u8 {
        let add = move |tx: &mut Tx<'_>| {
            let id = EventId::new(at(n.into()), [n; 10]);
            tx.add_step_event(id, (of, step), 1, "test", &format!("{WORD} {n}"))
        };
        assert_eq!(store.write(&deed(), add).await, Ok(i64::from(n)));
        // Whoever never heard that it was taken says it again.
        assert_eq!(store.write(&deed(), add).await, Ok(i64::from(n)));
    }
    let log = store.read(move |r| r.step_events::<String>(of, 0)).await.unwrap();
    let told: Vec<_> = log.iter().map(|e| (e.number, e.record.as_str())).collect();
    assert_eq!(told, [(1, "zanzibar 1"), (2, "zanzibar 2"), (3, "zanzibar 3")]);
}

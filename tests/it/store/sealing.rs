//! Without the key a database tells nothing, and a cell that was moved tells nobody.

use daybreak::domain::approval::Lift;
use daybreak::domain::blob::Blob;
use daybreak::domain::ids::{BlobId, EventId};
use daybreak::domain::secret::Embargoed;
use daybreak::store::{Decision, StoreError, StoredDocument};
use rstest::rstest;

use super::made::{WORD, advisory_id, approval, furnish, member, plan, steps};
use crate::ground::{Db, Ground, at, deed};

fn finds(haystack: &[u8], word: &str) -> bool {
    haystack.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

#[tokio::test]
async fn no_planted_word_is_in_the_files_of_a_full_house() {
    let ground = Ground::new(Db::Sqlite).unwrap();
    let store = ground.store();
    furnish(&store).await;
    store
        .write(&deed(), |tx| -> Result<(), StoreError> {
            let (plan, member, advisory) = (plan(1).id, member(1).id, advisory_id(1));
            let secret = || Embargoed::new(format!("{WORD} reason"));
            tx.add_approval(&approval(1, plan, member))?;
            tx.add_lift(&Lift { plan, member, at: at(1), reason: secret() })?;
            let blob = Blob::new(format!("{WORD}.patch"), WORD.repeat(9).into_bytes(), vec![]);
            tx.put_blob(BlobId::new(at(0), [1; 10]), plan, &blob)?;
            let step = (plan, steps(1)[0].id);
            tx.add_step_event(EventId::new(at(0), [1; 10]), step, 1, "test", &WORD)?;
            tx.decide(plan, Decision::Go, 1, &secret())?;
            let bytes = Embargoed::new(WORD.as_bytes().to_vec());
            let document = StoredDocument {
                name: "osv.json".to_owned(),
                position: 0,
                media_type: "application/json".to_owned(),
                bytes,
            };
            tx.add_document(advisory, &document)?;
            tx.publish(advisory, plan)
        })
        .await
        .unwrap();
    let with_wal = ground.raw_bytes();
    assert!(finds(&with_wal, &plan(1).id.to_string()), "the search itself works");
    assert!(!finds(&with_wal, WORD));
    assert!(!finds(&with_wal, "Berlin"), "the zone tells where the team lives");
    ground.meddle("PRAGMA wal_checkpoint(TRUNCATE)");
    assert!(!finds(&ground.raw_bytes(), WORD));
}

#[rstest]
#[tokio::test]
async fn a_cell_moved_to_another_row_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    store.write(&deed(), |tx| tx.add_member(&member(2))).await.unwrap();
    let (one, two) = (member(1).id, member(2).id);
    ground.meddle(&format!(
        "UPDATE members SET sealed = (SELECT m.sealed FROM members m WHERE m.id = '{one}')
         WHERE id = '{two}'"
    ));
    assert_eq!(store.read(move |r| r.member(one)).await, Ok(member(1)));
    let moved = store.read(move |r| r.member(two)).await;
    let row = two.to_string();
    let wanted = StoreError::Inconsistent { table: "members", row, column: "sealed" };
    assert_eq!(moved, Err(wanted));
}

/// Clear columns beside a sealed cell must not be able to give it another meaning.
#[rstest]
#[case::yes_in_another_mouth("UPDATE approvals SET member = 'OTHER'", "approvals")]
#[case::another_manifest("UPDATE plans SET digest = sealed", "plans")]
#[case::another_public_id("UPDATE advisories SET lookup = sealed", "advisories")]
#[case::an_unknown_stage("UPDATE disclosures SET stage = 'open'", "disclosures")]
#[case::a_t0_taken_away("UPDATE disclosures SET t0 = NULL", "disclosures")]
#[tokio::test]
async fn a_row_that_contradicts_its_sealed_part_is_refused(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] sql: &str,
    #[case] broken: &str,
) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    furnish(&store).await;
    store
        .write(&deed(), |tx| {
            tx.add_member(&member(2))?;
            tx.add_approval(&approval(1, plan(1).id, member(1).id))
        })
        .await
        .unwrap();
    ground.meddle(&sql.replace("OTHER", &member(2).id.to_string()));
    let errors = [
        store.read(|r| r.approvals(plan(1).id)).await.err(),
        store.read(|r| r.plan(plan(1).id)).await.err(),
        store.read(|r| r.advisory(advisory_id(1))).await.err(),
        store.read(|r| r.disclosures()).await.err(),
    ];
    let tables: Vec<_> = errors
        .into_iter()
        .flatten()
        .map(|e| match e {
            StoreError::Inconsistent { table, .. } => table,
            other => unexpected(&other),
        })
        .collect();
    assert_eq!(tables, [broken]);
}

fn unexpected(error: &StoreError) -> &'static str {
    eprintln!("unexpected: {error}");
    "unexpected"
}

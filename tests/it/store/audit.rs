//! The audit chain: whatever is done to it behind the store's back, the first line that is
//! not as it was written is named, and no key is needed for that.

use daybreak::domain::deed::{Actor, Deed, Subject};
use daybreak::domain::ids::MemberId;
use daybreak::domain::secret::Reason;
use daybreak::store::{Break, Store, StoreError, Verdict, verify_without_key};
use rstest::rstest;

use super::made::WORD;
use crate::ground::{Db, Ground, at};

async fn write_lines(store: &Store, lines: u8) {
    for n in 1..=lines {
        let who = Actor::Member(MemberId::new(at(0), [n; 10]));
        let deed = Deed::new(who, "test", Subject::house(), at(n.into()));
        let deed = deed.detail(format!("{WORD} {n}"));
        store.write(&deed, |_| Ok::<_, StoreError>(())).await.unwrap();
    }
}

#[rstest]
#[tokio::test]
async fn an_honest_chain_verifies_without_the_key_and_reads_with_it(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    write_lines(&store, 3).await;
    let verdict = verify_without_key(&ground.options().place).unwrap();
    assert!(matches!(verdict, Verdict::Intact { lines: 3, .. }));
    assert_eq!(store.read(|r| r.verify_audit()).await, Ok(verdict));
    let lines = store.read(|r| r.audit(1, 10)).await.unwrap();
    let told: Vec<_> =
        lines.iter().map(|l| (l.seq, l.at, l.detail.open(Reason::Review).clone())).collect();
    assert_eq!(told, [(2, at(2), format!("{WORD} 2")), (3, at(3), format!("{WORD} 3"))]);
    let about = store.read(|r| r.audit_of(&Subject::house())).await.unwrap();
    assert_eq!(about.len(), 3);
}

#[rstest]
#[case::altered_actor("UPDATE audit SET actor = 'operator' WHERE seq = 3", 3, Break::Altered)]
#[case::altered_time("UPDATE audit SET at = at + 1 WHERE seq = 1", 1, Break::Altered)]
#[case::altered_verb("UPDATE audit SET verb = 'tset' WHERE seq = 5", 5, Break::Altered)]
#[case::altered_subject("UPDATE audit SET subject = 'x' WHERE seq = 2", 2, Break::Altered)]
#[case::altered_commitment("UPDATE audit SET commitment = line WHERE seq = 4", 4, Break::Altered)]
#[case::words_moved_between_fields(
    "UPDATE audit SET verb = 'tes', subject = 'thouse' WHERE seq = 2",
    2,
    Break::Altered
)]
#[case::deleted_first("DELETE FROM audit WHERE seq = 1", 1, Break::Missing)]
#[case::deleted_in_the_middle("DELETE FROM audit WHERE seq = 3", 3, Break::Missing)]
#[case::deleted_at_the_end("DELETE FROM audit WHERE seq >= 4", 4, Break::Missing)]
#[case::swapped(
    "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
     UPDATE audit SET seq = 3 WHERE seq = 99",
    2,
    Break::Altered
)]
#[case::closed_up(
    "DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3",
    3,
    Break::Altered
)]
#[case::another_chains_line("UPDATE audit SET previous = line WHERE seq = 4", 4, Break::Altered)]
#[tokio::test]
async fn whatever_is_done_to_it_the_first_broken_line_is_named(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] sql: &str,
    #[case] seq: i64,
    #[case] how: Break,
) {
    let Some(ground) = Ground::new(db) else { return };
    write_lines(&ground.store(), 5).await;
    ground.meddle(sql);
    let verdict = verify_without_key(&ground.options().place);
    assert_eq!(verdict, Ok(Verdict::Broken { seq, how }));
}

/// An intruder who can compute digests can rewrite one line; the next one gives it away.
#[rstest]
#[tokio::test]
async fn a_line_written_anew_does_not_fit_its_neighbour(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (Some(ground), Some(other)) = (Ground::new(db), Ground::new(db)) else { return };
    write_lines(&ground.store(), 3).await;
    write_lines(&other.store(), 3).await;
    let hex = match db {
        Db::Sqlite => "hex",
        Db::Postgres => "upper(encode",
    };
    let close = if db == Db::Postgres { ", 'hex'))" } else { ")" };
    // The second chain's second line, true in itself, put in place of the first chain's.
    for column in ["previous", "commitment", "line"] {
        let sql = format!("SELECT {hex}({column}{close} AS v FROM audit WHERE seq = 2");
        let value: String = other.ask(&sql).remove(0);
        let literal = match db {
            Db::Sqlite => format!("x'{value}'"),
            Db::Postgres => format!("'\\x{value}'"),
        };
        ground.meddle(&format!("UPDATE audit SET {column} = {literal} WHERE seq = 2"));
    }
    let verdict = verify_without_key(&ground.options().place);
    assert_eq!(verdict, Ok(Verdict::Broken { seq: 2, how: Break::Unlinked }));
}

#[rstest]
#[tokio::test]
async fn no_line_is_added_to_a_chain_that_lost_its_end(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    write_lines(&store, 3).await;
    ground.meddle("DELETE FROM audit WHERE seq = 3");
    let deed = Deed::new(Actor::Operator, "test", Subject::house(), at(9));
    let refused = store.write(&deed, |_| Ok::<_, StoreError>(())).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "audit", .. })));
}

#[rstest]
#[tokio::test]
async fn particulars_that_were_exchanged_are_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let store = ground.store();
    write_lines(&store, 2).await;
    ground.meddle("UPDATE audit SET sealed = (SELECT a.sealed FROM audit a WHERE a.seq = 1)");
    let read = store.read(|r| r.audit(0, 10)).await;
    let sealed = StoreError::Inconsistent { table: "audit", row: "2".to_owned(), column: "sealed" };
    assert_eq!(read, Err(sealed));
}

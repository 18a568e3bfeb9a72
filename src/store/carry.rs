//! Every row of one database into another one that holds none, whichever kinds they are.
//!
//! What must stay true: it is one state of the one and one transaction of the other; cells are
//! carried as they are, sealed. A table or a column that is missing here would be missing in every
//! backup of a server: `tests/it/twins.rs` compares this file with the schema.

use diesel::prelude::*;

use super::conn::{self, Conn};
use super::schema::{
    advisories, advisory_revisions, approvals, audit, blobs, challenges, chunks, clock,
    disclosures, distributors, documents, draws, gos, house, lease, lifts, members, messages,
    pauses, plans, publications, revision, step_events, steps,
};
use super::{Absent, Place, StoreError, migrate};

/// Rows read at once.
const PAGE: i64 = 500;
/// Rows of a mebibyte each read at once.
const HEAVY: i64 = 8;

/// What is carried.
#[derive(Clone, Copy)]
pub(super) enum Load<'a> {
    /// Everything.
    All,
    /// What one plan stands on: no bytes but those of these owners, of the audit the newest
    /// line, of mail nothing.
    Plan(&'a [String]),
}

/// Rows of one table, page by page, from `$from` into `$into`.
macro_rules! carry {
    ($from:ident, $into:ident, $page:expr, $table:ident by $key:ident $(and $more:ident)?,
        [$($column:ident: $kind:ty),+] $(where $filter:expr)?) => {{
        let mut offset = 0_i64;
        loop {
            let rows: Vec<($($kind,)+)> = $table::table
                .order($table::$key)
                $(.then_order_by($table::$more))?
                .select(($($table::$column,)+))
                $(.filter($filter))?
                .limit($page)
                .offset(offset)
                .load($from)?;
            let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            for ($($column,)+) in rows {
                let row = ($($table::$column.eq($column),)+);
                diesel::insert_into($table::table).values(row).execute($into)?;
            }
            if read < $page {
                break;
            }
            offset = offset.saturating_add(read);
        }
    }};
}

type Bytes = Vec<u8>;

/// Carries `load` into the new database at `place`, which holds the tables and nothing that
/// anybody wrote, else `Conflict`.
pub(super) fn carry_to(from: &mut Conn, place: &Place, load: Load<'_>) -> Result<(), StoreError> {
    let mut into = conn::connect(place, Absent::Make)?;
    migrate::bring_up_to_date(&mut into, Absent::Make)?;
    conn::transact(from, |from| {
        conn::only_read(from)?;
        conn::transact(&mut into, |into| {
            let writes: i64 = revision::table.find(1).select(revision::n).first(into)?;
            let songs: i64 = house::table.count().get_result(into)?;
            if writes > 0 || songs > 0 {
                return Err(StoreError::Conflict("database"));
            }
            // What a new database begins with.
            diesel::delete(revision::table).execute(into)?;
            diesel::delete(lease::table).execute(into)?;
            diesel::delete(clock::table).execute(into)?;
            house_rows(from, into, load)?;
            case_rows(from, into)?;
            byte_rows(from, into, load)?;
            plan_rows(from, into)?;
            public_rows(from, into)?;
            match load {
                Load::All => {
                    pause_rows(from, into)?;
                    mail_rows(from, into)
                }
                Load::Plan(_) => Ok(()),
            }
        })
    })
}

fn house_rows(from: &mut Conn, into: &mut Conn, load: Load<'_>) -> Result<(), StoreError> {
    carry!(from, into, PAGE, revision by id, [id: i32, n: i64]);
    carry!(from, into, PAGE, house by key, [key: String, value: Bytes]);
    carry!(from, into, PAGE, lease by id, [id: i32, holder: String, epoch: i64, beat: i64]);
    carry!(from, into, PAGE, clock by id, [id: i32, high_water: i64]);
    let newest: Option<i64> = match load {
        Load::All => None,
        Load::Plan(_) => audit::table.select(diesel::dsl::max(audit::seq)).first(from)?,
    };
    carry!(from, into, PAGE, audit by seq, [
        seq: i64, at: i64, actor: String, verb: String, subject: String, previous: Bytes,
        commitment: Bytes, line: Bytes, sealed: Bytes
    ] where audit::seq.ge(newest.unwrap_or(0)));
    carry!(from, into, PAGE, members by id, [
        id: String, active: bool, created_at: i64, sealed: Bytes
    ]);
    Ok(())
}

fn case_rows(from: &mut Conn, into: &mut Conn) -> Result<(), StoreError> {
    carry!(from, into, PAGE, distributors by id, [
        id: String, active: bool, revision: i64, created_at: i64, sealed: Bytes
    ]);
    carry!(from, into, PAGE, advisories by id, [
        id: String, revision: i64, created_at: i64, updated_at: i64, withdrawn_at: Option<i64>,
        lookup: Bytes, sealed: Bytes
    ]);
    carry!(from, into, PAGE, advisory_revisions by advisory and revision, [
        advisory: String, revision: i64, at: i64, actor: String, sealed: Bytes
    ]);
    carry!(from, into, PAGE, disclosures by id, [
        id: String, revision: i64, stage: String, t0: Option<i64>, created_at: i64, sealed: Bytes
    ]);
    Ok(())
}

fn byte_rows(from: &mut Conn, into: &mut Conn, load: Load<'_>) -> Result<(), StoreError> {
    let owners = match load {
        Load::All => {
            carry!(from, into, PAGE, blobs by id, [
                id: String, owner: String, lookup: Bytes, made_at: i64, sealed: Bytes
            ]);
            carry!(from, into, HEAVY, chunks by blob and n, [blob: String, n: i32, sealed: Bytes]);
            return Ok(());
        }
        Load::Plan(owners) => owners,
    };
    for owner in owners {
        let kept: Vec<String> =
            blobs::table.filter(blobs::owner.eq(owner)).select(blobs::id).load(from)?;
        for id in &kept {
            carry!(from, into, PAGE, blobs by id, [
                id: String, owner: String, lookup: Bytes, made_at: i64, sealed: Bytes
            ] where blobs::id.eq(id));
            carry!(from, into, HEAVY, chunks by blob and n, [
                blob: String, n: i32, sealed: Bytes
            ] where chunks::blob.eq(id));
        }
    }
    Ok(())
}

fn plan_rows(from: &mut Conn, into: &mut Conn) -> Result<(), StoreError> {
    carry!(from, into, PAGE, plans by id, [
        id: String, disclosure: String, number: i64, kind: String, state: String, held: bool,
        t0: i64, made_at: i64, digest: Bytes, sealed: Bytes
    ]);
    carry!(from, into, PAGE, approvals by id, [
        id: String, plan: String, member: String, at: i64, sealed: Bytes
    ]);
    carry!(from, into, PAGE, lifts by plan and member, [
        plan: String, member: String, at: i64, sealed: Bytes
    ]);
    carry!(from, into, PAGE, steps by id, [
        id: String, plan: String, position: i32, outlet: String, phase: String, not_before: i64,
        after: String, state: String, attempt: i32, next_try: Option<i64>
    ]);
    carry!(from, into, PAGE, step_events by id, [
        id: String, plan: String, step: String, number: i64, at: i64, epoch: i64, kind: String,
        sealed: Bytes
    ]);
    Ok(())
}

fn public_rows(from: &mut Conn, into: &mut Conn) -> Result<(), StoreError> {
    carry!(from, into, PAGE, gos by plan, [
        plan: String, value: String, at: i64, epoch: i64, sealed: Bytes
    ]);
    carry!(from, into, PAGE, publications by advisory, [
        advisory: String, plan: String, at: i64
    ]);
    carry!(from, into, PAGE, documents by advisory and name, [
        advisory: String, name: String, position: i32, media_type: String, sealed: Bytes
    ]);
    Ok(())
}

/// Nobody is asked in a rehearsal.
fn pause_rows(from: &mut Conn, into: &mut Conn) -> Result<(), StoreError> {
    carry!(from, into, PAGE, pauses by plan and phase, [
        plan: String, phase: String, holds: i64, until: Option<i64>, session: Option<String>,
        ended: bool, sealed: Bytes
    ]);
    Ok(())
}

fn mail_rows(from: &mut Conn, into: &mut Conn) -> Result<(), StoreError> {
    carry!(from, into, PAGE, messages by id, [
        id: String, disclosure: Option<String>, received_at: i64, lookup: Bytes, sealed: Bytes,
        counts: i64, owes_bell: bool
    ]);
    carry!(from, into, PAGE, challenges by id, [
        id: String, contact: String, sent_at: i64, answered_at: Option<i64>, lookup: Bytes,
        sealed: Bytes
    ]);
    carry!(from, into, PAGE, draws by contact and begins, [
        contact: String, begins: i64, due_at: i64
    ]);
    Ok(())
}

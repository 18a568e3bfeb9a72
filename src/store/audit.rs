//! The audit chain: one line a write, each bound to the one before (DESIGN law 11).
//!
//! line = SHA-256(previous line, clear fields, commitment), and commitment = SHA-256(32
//! random bytes, particulars), both of which are sealed together: the chain is checked
//! without the key, survives a change of key, and its clear part lets nobody guess the
//! particulars. Lines are numbered by the revision, so a missing one shows at the end too.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256 as Hasher};

use super::conn::{self, Conn};
use super::schema::{audit, revision};
use super::tx::parse;
use super::{Absent, Place, Reader, StoreError};
use crate::domain::blob::Sha256;
use crate::domain::deed::{Actor, Deed};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;
use crate::vault::Vault;

const TABLE: &str = "audit";
/// What the first line follows.
const BEGINNING: [u8; 32] = [0; 32];
/// Lines looked at in one query.
const BATCH: i64 = 1000;

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every line is there and follows the one before.
    Intact {
        /// How many.
        lines: i64,
        /// The newest line; written down elsewhere, it proves that nothing before it changed.
        head: Sha256,
    },
    /// The chain is broken.
    Broken {
        /// The first line that is not as it was written.
        seq: i64,
        /// How.
        how: Break,
    },
}

/// How a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The line is not there.
    Missing,
    /// The line's fields are not the ones it was made from.
    Altered,
    /// The line does not follow the one before it.
    Unlinked,
}

/// One line with its particulars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// 1, 2, …
    pub seq: i64,
    /// When.
    pub at: At,
    /// Who.
    pub actor: Actor,
    /// What.
    pub verb: String,
    /// To what.
    pub subject: String,
    /// Particulars.
    pub detail: Embargoed<String>,
}

#[derive(Queryable)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    verb: String,
    subject: String,
    previous: Vec<u8>,
    commitment: Vec<u8>,
    line: Vec<u8>,
    sealed: Vec<u8>,
}

impl Row {
    /// What the line must be, from everything else in the row.
    fn computed(&self) -> [u8; 32] {
        let mut hasher = Hasher::new();
        hasher.update(b"daybreak-audit 1\n");
        hasher.update(&self.previous);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at.to_be_bytes());
        for text in [&self.actor, &self.verb, &self.subject] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hasher.update(&self.commitment);
        hasher.finalize().into()
    }
}

fn commitment(blind: &[u8], detail: &[u8]) -> [u8; 32] {
    Hasher::new().chain_update(blind).chain_update(detail).finalize().into()
}

/// Adds the line of write number `seq`, in its transaction.
pub(super) fn append(
    conn: &mut Conn,
    vault: &Vault,
    seq: i64,
    deed: &Deed,
) -> Result<(), StoreError> {
    let newest = audit::table.order(audit::seq.desc()).select((audit::seq, audit::line));
    let previous = match newest.first::<(i64, Vec<u8>)>(conn).optional()? {
        None if seq == 1 => BEGINNING.to_vec(),
        Some((last, line)) if last.checked_add(1) == Some(seq) => line,
        // Going on would hide that lines are missing.
        _ => return Err(StoreError::inconsistent(TABLE, seq.saturating_sub(1), "seq")),
    };
    let blind = vault.random()?;
    let detail = deed.detail.open(Reason::Sealing).as_bytes();
    let secret = zeroize::Zeroizing::new([blind.as_slice(), detail].concat());
    let mut row = Row {
        seq,
        at: deed.at.millis(),
        actor: deed.actor.to_string(),
        verb: deed.verb.to_owned(),
        subject: deed.subject.to_string(),
        previous,
        commitment: commitment(&blind, detail).to_vec(),
        line: Vec::new(),
        sealed: vault.seal(TABLE, "sealed", &seq.to_string(), &secret)?,
    };
    row.line = row.computed().to_vec();
    let values = (
        audit::seq.eq(row.seq),
        audit::at.eq(row.at),
        audit::actor.eq(row.actor),
        audit::verb.eq(row.verb),
        audit::subject.eq(row.subject),
        audit::previous.eq(row.previous),
        audit::commitment.eq(row.commitment),
        audit::line.eq(row.line),
        audit::sealed.eq(row.sealed),
    );
    diesel::insert_into(audit::table).values(values).execute(conn)?;
    Ok(())
}

/// Walks the chain of a database nobody has the key of. Blocks.
pub fn verify_without_key(place: &Place) -> Result<Verdict, StoreError> {
    let mut conn = conn::connect(place, Absent::Refuse)?;
    conn::transact(&mut conn, |conn| {
        conn::only_read(conn)?;
        verify(conn)
    })
}

fn verify(conn: &mut Conn) -> Result<Verdict, StoreError> {
    let (mut lines, mut head) = (0_i64, BEGINNING);
    loop {
        let batch = audit::table
            .filter(audit::seq.gt(lines))
            .order(audit::seq)
            .limit(BATCH)
            .load::<Row>(conn)?;
        if batch.is_empty() {
            break;
        }
        for row in batch {
            let seq = lines.saturating_add(1);
            let broken = |how| Ok(Verdict::Broken { seq, how });
            if row.seq != seq {
                return broken(Break::Missing);
            }
            if row.line != row.computed() {
                return broken(Break::Altered);
            }
            if row.previous != head {
                return broken(Break::Unlinked);
            }
            head = row.computed();
            lines = seq;
        }
    }
    let writes: i64 = revision::table.find(1).select(revision::n).first(conn)?;
    if writes == lines {
        return Ok(Verdict::Intact { lines, head: Sha256::from_raw(head) });
    }
    Ok(Verdict::Broken { seq: lines.saturating_add(1), how: Break::Missing })
}

impl Reader<'_> {
    /// Walks the whole chain.
    pub fn verify_audit(&mut self) -> Result<Verdict, StoreError> {
        verify(self.conn)
    }

    /// Up to `limit` lines after line number `after`, oldest first, with their particulars,
    /// each checked against its commitment.
    pub fn audit(&mut self, after: i64, limit: i64) -> Result<Vec<AuditLine>, StoreError> {
        let rows = audit::table
            .filter(audit::seq.gt(after))
            .order(audit::seq)
            .limit(limit)
            .load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_line(row)).collect()
    }

    /// Every line about one subject, oldest first.
    pub fn audit_of(
        &mut self,
        subject: &crate::domain::deed::Subject,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let rows = audit::table
            .filter(audit::subject.eq(subject.as_str()))
            .order(audit::seq)
            .load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_line(row)).collect()
    }

    /// Every line with one of these verbs since then, oldest first.
    pub fn audit_with(&mut self, verbs: &[&str], since: At) -> Result<Vec<AuditLine>, StoreError> {
        let rows = audit::table
            .filter(audit::at.ge(since.millis()))
            .filter(audit::verb.eq_any(verbs.iter().copied()))
            .order(audit::seq)
            .load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_line(row)).collect()
    }

    /// Who did what to which subject after line number `after`: clear columns only.
    pub fn deeds_after(&mut self, after: i64) -> Result<Vec<(Actor, String, String)>, StoreError> {
        let rows = audit::table
            .filter(audit::seq.gt(after))
            .order(audit::seq)
            .select((audit::seq, audit::actor, audit::verb, audit::subject))
            .load::<(i64, String, String, String)>(self.conn)?;
        let read = |(seq, actor, verb, subject): (i64, String, String, String)| {
            Ok((parse(&actor, TABLE, &seq.to_string(), "actor")?, verb, subject))
        };
        rows.into_iter().map(read).collect()
    }

    fn as_line(&self, row: Row) -> Result<AuditLine, StoreError> {
        let wrong = |column| StoreError::inconsistent(TABLE, row.seq, column);
        let secret = self.unseal_bytes(TABLE, row.seq, &row.sealed)?;
        let (blind, detail) = secret.split_first_chunk::<32>().ok_or_else(|| wrong("sealed"))?;
        if row.commitment != commitment(blind, detail) {
            return Err(wrong("commitment"));
        }
        let detail = String::from_utf8(detail.to_vec()).map_err(|_| wrong("sealed"))?;
        Ok(AuditLine {
            actor: parse(&row.actor, TABLE, &row.seq.to_string(), "actor")?,
            seq: row.seq,
            at: At::from_millis(row.at),
            verb: row.verb,
            subject: row.subject,
            detail: Embargoed::new(detail),
        })
    }
}

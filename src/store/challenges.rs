//! Proofs of readability: what was asked, and what came back. Codes are sealed and found by
//! a keyed digest.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::challenges;
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::ids::{ChallengeId, ContactId};
use crate::domain::message::{Challenge, ChallengeRecord, Sending};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

const TABLE: &str = "challenges";

type Row = (String, String, i64, Option<i64>, Vec<u8>);
type Columns = (
    challenges::id,
    challenges::contact,
    challenges::sent_at,
    challenges::answered_at,
    challenges::sealed,
);

const fn columns() -> Columns {
    (
        challenges::id,
        challenges::contact,
        challenges::sent_at,
        challenges::answered_at,
        challenges::sealed,
    )
}

impl Reader<'_> {
    /// Every challenge, oldest first.
    pub fn challenges(&mut self) -> Result<Vec<Challenge>, StoreError> {
        let rows = challenges::table.order(challenges::id).select(columns());
        rows.load::<Row>(self.conn)?.into_iter().map(|row| self.as_challenge(row)).collect()
    }

    /// The challenge with this code.
    pub fn challenge_with(&mut self, code: &str) -> Result<Option<Challenge>, StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", code).to_vec();
        let found = challenges::table.filter(challenges::lookup.eq(lookup)).select(columns());
        let row = found.first::<Row>(self.conn).optional()?;
        row.map(|row| self.as_challenge(row)).transpose()
    }

    /// When each contact last showed that it can read us.
    pub fn proofs(&mut self) -> Result<BTreeMap<ContactId, At>, StoreError> {
        let rows = challenges::table
            .filter(challenges::answered_at.is_not_null())
            .select((challenges::id, challenges::contact, challenges::answered_at))
            .load::<(String, String, Option<i64>)>(self.conn)?;
        let mut newest = BTreeMap::new();
        for (id, contact, at) in rows {
            let contact = parse(&contact, TABLE, &id, "contact")?;
            let at = At::from_millis(at.unwrap_or_default());
            let known = newest.entry(contact).or_insert(at);
            *known = at.max(*known);
        }
        Ok(newest)
    }

    fn as_challenge(
        &self,
        (id, contact, sent, answered, sealed): Row,
    ) -> Result<Challenge, StoreError> {
        Ok(Challenge {
            record: Embargoed::new(self.unseal(TABLE, &id, &sealed)?),
            contact: parse(&contact, TABLE, &id, "contact")?,
            id: parse(&id, TABLE, &id, "id")?,
            sent_at: At::from_millis(sent),
            answered_at: answered.map(At::from_millis),
        })
    }
}

impl Tx<'_> {
    /// Keeps a challenge, or a proof that nobody asked for. The code, or the id where there is
    /// none, is unique.
    pub fn add_challenge(&mut self, new: &Challenge) -> Result<(), StoreError> {
        let record = new.record.open(Reason::Sealing);
        let key = if record.code.is_empty() { new.id.to_string() } else { record.code.clone() };
        let row = (
            challenges::id.eq(new.id.to_string()),
            challenges::contact.eq(new.contact.to_string()),
            challenges::sent_at.eq(new.sent_at.millis()),
            challenges::answered_at.eq(new.answered_at.map(At::millis)),
            challenges::lookup.eq(self.vault.lookup(TABLE, "lookup", &key).to_vec()),
            challenges::sealed.eq(self.seal(TABLE, new.id, record)?),
        );
        match diesel::insert_into(challenges::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("challenge"))),
        }
    }

    /// A challenge was answered, at the deed's time; an answer given twice keeps its first time.
    /// Whatever was answered did arrive.
    pub fn answer_challenge(&mut self, id: ChallengeId, how: &str) -> Result<(), StoreError> {
        let challenge = self.challenge(id)?;
        if challenge.answered_at.is_some() {
            return Ok(());
        }
        let record = challenge.record.into_open(Reason::Editing);
        let record = ChallengeRecord { how: how.to_owned(), sending: Sending::Taken, ..record };
        self.save_challenge(id, Some(self.deed.at), &record)
    }

    /// What became of the sending of a challenge.
    pub fn settle_challenge(
        &mut self,
        id: ChallengeId,
        sending: Sending,
    ) -> Result<(), StoreError> {
        let challenge = self.challenge(id)?;
        let answered_at = challenge.answered_at;
        if answered_at.is_some() {
            return Ok(());
        }
        let record = challenge.record.into_open(Reason::Editing);
        self.save_challenge(id, answered_at, &ChallengeRecord { sending, ..record })
    }

    fn challenge(&mut self, id: ChallengeId) -> Result<Challenge, StoreError> {
        let found = challenges::table.find(id.to_string()).select(columns());
        let row = found.first::<Row>(self.conn).optional()?;
        self.as_challenge(row.ok_or(StoreError::NotFound("challenge"))?)
    }

    fn save_challenge(
        &mut self,
        id: ChallengeId,
        answered_at: Option<At>,
        record: &ChallengeRecord,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(challenges::table.find(id.to_string()))
            .set((
                challenges::answered_at.eq(answered_at.map(At::millis)),
                challenges::sealed.eq(self.seal(TABLE, id, record)?),
            ))
            .execute(self.conn)?;
        one(changed, StoreError::Conflict("challenge"))
    }
}

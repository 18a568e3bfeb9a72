//! Mail that came to us. What it says is sealed; the same mail is kept once. Clear are how much
//! room it takes, when it is nobody's, and whether the team is still to be told of it.

use diesel::prelude::*;

use super::schema::messages;
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::blob::Sha256;
use crate::domain::ids::{DisclosureId, MessageId};
use crate::domain::message::Message;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

const TABLE: &str = "messages";

type Row = (String, Option<String>, i64, Vec<u8>, i64);

impl Reader<'_> {
    /// One message.
    pub fn message(&mut self, id: MessageId) -> Result<Message, StoreError> {
        let found = messages::table.find(id.to_string()).select(columns());
        let row = found.first::<Row>(self.conn).optional()?;
        self.as_message(row.ok_or(StoreError::NotFound("message"))?)
    }

    /// The message that was kept of a mail with this digest.
    pub fn message_of(&mut self, mail: Sha256) -> Result<Option<Message>, StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", &mail.to_string()).to_vec();
        let found = messages::table.filter(messages::lookup.eq(lookup)).select(columns());
        let row = found.first::<Row>(self.conn).optional()?;
        row.map(|row| self.as_message(row)).transpose()
    }

    /// All messages, or those of one disclosure, oldest first.
    pub fn messages(&mut self, of: Option<DisclosureId>) -> Result<Vec<Message>, StoreError> {
        let all = messages::table.order(messages::id).select(columns());
        let rows = match of {
            None => all.load::<Row>(self.conn)?,
            Some(id) => {
                all.filter(messages::disclosure.eq(id.to_string())).load::<Row>(self.conn)?
            }
        };
        rows.into_iter().map(|row| self.as_message(row)).collect()
    }

    /// Bytes taken of the room for mail of nobody.
    pub fn mail_of_nobody(&mut self) -> Result<u64, StoreError> {
        let found = messages::table.filter(messages::counts.gt(0)).select(messages::counts);
        let all = found.load::<i64>(self.conn)?;
        let sum = all.into_iter().fold(0_i64, i64::saturating_add);
        Ok(u64::try_from(sum).unwrap_or(0))
    }

    /// Mail of nobody that came before, oldest first, at most `most`; never what the team is
    /// still to be told of.
    pub fn old_mail_of_nobody(
        &mut self,
        before: At,
        most: i64,
    ) -> Result<Vec<MessageId>, StoreError> {
        let found = messages::table
            .filter(messages::counts.gt(0))
            .filter(messages::owes_bell.eq(false))
            .filter(messages::received_at.lt(before.millis()))
            .order(messages::id)
            .limit(most)
            .select(messages::id);
        let ids = found.load::<String>(self.conn)?;
        ids.into_iter().map(|id| parse(&id, TABLE, &id, "id")).collect()
    }

    /// Messages that the team is still to be told of, oldest first, and their disclosures.
    pub fn owed_bells(&mut self) -> Result<Vec<(MessageId, Option<DisclosureId>)>, StoreError> {
        let rows = messages::table
            .filter(messages::owes_bell.eq(true))
            .order(messages::id)
            .select((messages::id, messages::disclosure))
            .load::<(String, Option<String>)>(self.conn)?;
        let owed = |(id, disclosure): (String, Option<String>)| {
            let disclosure = disclosure.map(|d| parse(&d, TABLE, &id, "disclosure")).transpose()?;
            Ok((parse(&id, TABLE, &id, "id")?, disclosure))
        };
        rows.into_iter().map(owed).collect()
    }

    /// Owners of blobs whose message never came to be: a program died between the parts of a
    /// large mail.
    pub fn lost_mail(&mut self, before: At) -> Result<Vec<MessageId>, StoreError> {
        let mut lost = Vec::new();
        for owner in self.owners_of_blobs("msg_", before)? {
            let found = messages::table.find(&owner).select(messages::id);
            if found.first::<String>(self.conn).optional()?.is_none() {
                lost.push(parse(&owner, "blobs", &owner, "owner")?);
            }
        }
        Ok(lost)
    }

    fn as_message(&self, (id, disclosure, at, sealed, counts): Row) -> Result<Message, StoreError> {
        let disclosure = disclosure.map(|d| parse(&d, TABLE, &id, "disclosure")).transpose()?;
        Ok(Message {
            record: Embargoed::new(self.unseal(TABLE, &id, &sealed)?),
            id: parse(&id, TABLE, &id, "id")?,
            disclosure,
            received_at: At::from_millis(at),
            counts: u64::try_from(counts).unwrap_or(0),
        })
    }
}

type Columns =
    (messages::id, messages::disclosure, messages::received_at, messages::sealed, messages::counts);

const fn columns() -> Columns {
    (messages::id, messages::disclosure, messages::received_at, messages::sealed, messages::counts)
}

impl Tx<'_> {
    /// Keeps a message; `Conflict` when one of the same mail is kept already. With `owes_bell`
    /// the team is to be told of it.
    pub fn add_message(
        &mut self,
        new: &Message,
        mail: Sha256,
        owes_bell: bool,
    ) -> Result<(), StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", &mail.to_string()).to_vec();
        let row = (
            messages::id.eq(new.id.to_string()),
            messages::disclosure.eq(new.disclosure.map(|d| d.to_string())),
            messages::received_at.eq(new.received_at.millis()),
            messages::lookup.eq(lookup),
            messages::sealed.eq(self.seal(TABLE, new.id, new.record.open(Reason::Sealing))?),
            messages::counts.eq(counts(new)),
            messages::owes_bell.eq(owes_bell),
        );
        match diesel::insert_into(messages::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("message"))),
        }
    }

    /// What a message says was found out later: it was closed when it came.
    pub fn save_message(&mut self, changed: &Message) -> Result<(), StoreError> {
        let record = self.seal(TABLE, changed.id, changed.record.open(Reason::Sealing))?;
        let saved = diesel::update(messages::table.find(changed.id.to_string()))
            .set((
                messages::disclosure.eq(changed.disclosure.map(|d| d.to_string())),
                messages::sealed.eq(record),
                messages::counts.eq(counts(changed)),
            ))
            .execute(self.conn)?;
        one(saved, StoreError::NotFound("message"))
    }

    /// The team was told of it.
    pub fn bell_rung(&mut self, id: MessageId) -> Result<(), StoreError> {
        let told = diesel::update(messages::table.find(id.to_string()))
            .set(messages::owes_bell.eq(false))
            .execute(self.conn)?;
        one(told, StoreError::NotFound("message"))
    }

    /// Removes a message of nobody with everything that was kept of it; `NotPermitted` for any
    /// other.
    pub fn forget_message(&mut self, id: MessageId) -> Result<(), StoreError> {
        let nobodys = messages::table.find(id.to_string()).filter(messages::counts.gt(0));
        let gone = diesel::delete(nobodys).execute(self.conn)?;
        one(gone, StoreError::NotPermitted("only mail of nobody may be forgotten"))?;
        self.delete_blobs(id)?;
        Ok(())
    }
}

fn counts(message: &Message) -> i64 {
    i64::try_from(message.counts).unwrap_or(i64::MAX)
}

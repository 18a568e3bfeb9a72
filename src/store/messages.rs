//! Mail that came to us. What it says is sealed; the same mail is kept once.

use diesel::prelude::*;

use super::schema::messages;
use super::tx::parse;
use super::{Reader, StoreError, Tx};
use crate::domain::blob::Sha256;
use crate::domain::ids::{DisclosureId, MessageId};
use crate::domain::message::Message;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

const TABLE: &str = "messages";

type Row = (String, Option<String>, i64, Vec<u8>);

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

    fn as_message(&self, (id, disclosure, at, sealed): Row) -> Result<Message, StoreError> {
        let disclosure = disclosure.map(|d| parse(&d, TABLE, &id, "disclosure")).transpose()?;
        Ok(Message {
            record: Embargoed::new(self.unseal(TABLE, &id, &sealed)?),
            id: parse(&id, TABLE, &id, "id")?,
            disclosure,
            received_at: At::from_millis(at),
        })
    }
}

type Columns = (messages::id, messages::disclosure, messages::received_at, messages::sealed);

const fn columns() -> Columns {
    (messages::id, messages::disclosure, messages::received_at, messages::sealed)
}

impl Tx<'_> {
    /// Keeps a message; `Conflict` when one of the same mail is kept already.
    pub fn add_message(&mut self, new: &Message, mail: Sha256) -> Result<(), StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", &mail.to_string()).to_vec();
        let row = (
            messages::id.eq(new.id.to_string()),
            messages::disclosure.eq(new.disclosure.map(|d| d.to_string())),
            messages::received_at.eq(new.received_at.millis()),
            messages::lookup.eq(lookup),
            messages::sealed.eq(self.seal(TABLE, new.id, new.record.open(Reason::Sealing))?),
        );
        match diesel::insert_into(messages::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("message"))),
        }
    }
}

//! When each contact's cover mail of a month is due: one draw a contact and month, whoever
//! draws first.

use diesel::prelude::*;

use super::schema::draws;
use super::tx::parse;
use super::{Reader, StoreError, Tx};
use crate::domain::message::Draw;
use crate::domain::time::At;

const TABLE: &str = "draws";

impl Reader<'_> {
    /// The draws of the month that begins then.
    pub fn draws(&mut self, begins: At) -> Result<Vec<Draw>, StoreError> {
        let rows = draws::table
            .filter(draws::begins.eq(begins.millis()))
            .order(draws::contact)
            .select((draws::contact, draws::due_at))
            .load::<(String, i64)>(self.conn)?;
        let draw = |(contact, due): (String, i64)| {
            let due_at = At::from_millis(due);
            Ok(Draw { contact: parse(&contact, TABLE, &contact, "contact")?, begins, due_at })
        };
        rows.into_iter().map(draw).collect()
    }
}

impl Tx<'_> {
    /// Keeps a draw; `Conflict` when that contact has one of that month.
    pub fn add_draw(&mut self, draw: &Draw) -> Result<(), StoreError> {
        let row = (
            draws::contact.eq(draw.contact.to_string()),
            draws::begins.eq(draw.begins.millis()),
            draws::due_at.eq(draw.due_at.millis()),
        );
        match diesel::insert_into(draws::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("draw"))),
        }
    }
}

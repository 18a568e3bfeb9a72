//! Weighs a YAML document before it is believed: aliases make small files unfold into
//! gigabytes. The weight counts every scalar as often as it would be copied.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Most bytes of text, plus one a node, that a document may unfold to.
const LARGEST: usize = 8 * 1024 * 1024;

/// Errors when `text` is not one YAML document or unfolds to too much.
pub(super) fn check(text: &str) -> Result<(), serde_norway::Error> {
    let left = Cell::new(LARGEST);
    let line = text.lines().map(str::len).max().unwrap_or_default();
    Weigh { left: &left, line }.deserialize(serde_norway::Deserializer::from_str(text))
}

#[derive(Clone, Copy)]
struct Weigh<'a> {
    left: &'a Cell<usize>,
    /// The longest line: a bare number is never longer.
    line: usize,
}

impl Weigh<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(bytes.saturating_add(1));
        left.map(|left| self.left.set(left)).ok_or_else(|| E::custom("unfolds to too much"))
    }
}

impl<'de> DeserializeSeed<'de> for Weigh<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Weigh<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain YAML without tags")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(text.len())
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.take(5)
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.take(self.line)
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.take(self.line)
    }
    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        self.take(self.line)
    }
    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        self.take(self.line)
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.take(self.line)
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.take(0)
    }
    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.take(0)
    }
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.take(0)?;
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.take(0)?;
        while map.next_key_seed(self)?.is_some() {
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

//! The one place of a group that is filled for each delivery: the code of an individual copy.
//! It lies inside the delivery's own signed part, and its width never changes a size.

use crate::domain::blob::{COPY_BLANK, Slot, SlotName};
use crate::formats::copy_text::LABEL;

/// Where the code stands in a group's body. The last such line is ours: it ends the text, and
/// no attachment can hold one, because all of them are base64.
pub fn slot_in(body: &[u8]) -> Option<Slot> {
    let line = format!("\r\n{LABEL}{COPY_BLANK}\r\n");
    let found = body.windows(line.len()).rposition(|w| w == line.as_bytes())?;
    let offset = found.saturating_add(2).saturating_add(LABEL.len());
    Some(Slot { name: SlotName::Copy, offset, len: COPY_BLANK.len() })
}

/// A group's slots where they stand in the entity composed from it.
pub fn moved(slots: &[Slot], group: &[u8], entity: &[u8]) -> Vec<Slot> {
    if slots.is_empty() {
        return Vec::new();
    }
    let header = entity.windows(group.len()).position(|w| w == group).unwrap_or(0);
    let moved = |slot: &Slot| Slot { offset: slot.offset.saturating_add(header), ..*slot };
    slots.iter().map(moved).collect()
}

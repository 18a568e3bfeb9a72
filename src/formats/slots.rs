//! Finds the places of times that are known only at dispatch.
//!
//! The document is rendered once with blanks and once per slot with another text of the same
//! width; where the two differ is the slot. So no text that happens to look like a blank can
//! be mistaken for one, and a template that cuts a time is refused.

use super::{Document, FormatError};
use crate::domain::blob::{DAY_BLANK, Slot, SlotName, TIME_BLANK};

/// Differs from the blanks at every byte and needs no escaping anywhere.
const PROBE: &str = "XXXXXXXXXXXXXXXXXXXX";
const DAY_PROBE: &str = "XXXXXXXXXX";

/// The texts a renderer puts where times go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Published, 20 characters.
    pub published: &'static str,
    /// The day of it, 10 characters.
    pub published_day: &'static str,
    /// Modified, 20 characters.
    pub modified: &'static str,
    /// The day of it, 10 characters.
    pub modified_day: &'static str,
}

const BLANK: Times = Times {
    published: TIME_BLANK,
    published_day: DAY_BLANK,
    modified: TIME_BLANK,
    modified_day: DAY_BLANK,
};

/// Renders a document with blanks and measures its slots. `render` must be a pure function.
pub fn pin(
    name: &str,
    media_type: &'static str,
    render: impl Fn(Times) -> Result<Vec<u8>, FormatError>,
) -> Result<Document, FormatError> {
    let misfit = || FormatError::Slot { name: name.to_owned() };
    let bytes = render(BLANK)?;
    let probes = [
        (SlotName::Published, Times { published: PROBE, published_day: DAY_PROBE, ..BLANK }),
        (SlotName::Modified, Times { modified: PROBE, modified_day: DAY_PROBE, ..BLANK }),
    ];
    let mut slots = Vec::new();
    for (slot, times) in probes {
        let probed = render(times)?;
        if probed.len() != bytes.len() {
            return Err(misfit());
        }
        for (offset, len) in runs(&bytes, &probed) {
            let there = bytes.get(offset..offset.saturating_add(len)).unwrap_or_default();
            if there != TIME_BLANK.as_bytes() && there != DAY_BLANK.as_bytes() {
                return Err(misfit());
            }
            slots.push(Slot { name: slot, offset, len });
        }
    }
    slots.sort_by_key(|s| s.offset);
    Ok(Document::new(name, media_type, bytes, slots))
}

/// Offset and length of every unbroken run of differing bytes.
fn runs(a: &[u8], b: &[u8]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, _) in a.iter().zip(b).enumerate().filter(|(_, (x, y))| x != y) {
        match found.last_mut() {
            Some((start, len)) if *start + *len == at => *len += 1,
            _ => found.push((at, 1)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_looks_like_a_blank_is_no_slot() {
        let made = pin("x", "text/plain", |t| {
            Ok(format!("{TIME_BLANK} {} {} {DAY_BLANK}", t.modified, t.published_day).into_bytes())
        })
        .unwrap();
        assert_eq!(
            made.slots,
            [
                Slot { name: SlotName::Modified, offset: 21, len: 20 },
                Slot { name: SlotName::Published, offset: 42, len: 10 },
            ]
        );
    }

    #[test]
    fn a_cut_time_is_refused() {
        let cut = pin("x", "text/plain", |t| {
            Ok(t.published.chars().skip(11).collect::<String>().into_bytes())
        });
        assert_eq!(cut, Err(FormatError::Slot { name: "x".into() }));
    }
}

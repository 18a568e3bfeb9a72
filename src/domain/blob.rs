//! Bytes that a plan pins, and the few places inside them that are filled at dispatch.
//!
//! A slot has a fixed width, so that "equal byte for byte outside slots" can be checked by
//! comparing two equally long runs of bytes. The set of slots is closed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256 as Hasher};

use super::time::At;

/// A SHA-256 digest; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Hasher::digest(bytes).into())
    }

    /// From a digest computed elsewhere.
    pub const fn from_raw(raw: [u8; 32]) -> Self {
        Self(raw)
    }

    /// The 32 bytes.
    pub const fn raw(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Text that is not a SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: it must be 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Sha256 {
    type Err = NotADigest;
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut raw = [0; 32];
        hex::decode_to_slice(text, &mut raw).map_err(|_| NotADigest)?;
        Ok(Self(raw))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a slot is filled with at dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotName {
    /// A mail's outer Date, RFC 5322, 31 characters.
    Date,
    /// A document's published time: 20 characters RFC 3339, or 10 for the day alone.
    Published,
    /// A document's modified time, written like `Published`.
    Modified,
    /// The code of an individual copy of a notice, 19 characters. It is no time: only
    /// [`fill_copy`] fills it.
    Copy,
}

impl SlotName {
    /// The word in a MANIFEST.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Published => "published",
            Self::Modified => "modified",
            Self::Copy => "copy",
        }
    }

    /// From the word in a MANIFEST.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Date, Self::Published, Self::Modified, Self::Copy];
        all.into_iter().find(|s| s.word() == word)
    }
}

/// One place to be filled: `len` bytes from `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// What goes in.
    pub name: SlotName,
    /// Bytes before it.
    pub offset: usize,
    /// Its width in bytes.
    pub len: usize,
}

/// The 31 bytes that stand in a pinned mail until its Date is known.
pub const DATE_BLANK: &str = "Thu, 01 Jan 1970 00:00:00 +0000";
/// The 20 bytes that stand in a pinned document until its time is known.
pub const TIME_BLANK: &str = "1970-01-01T00:00:00Z";
/// The 10 bytes that stand in a pinned document until its day is known.
pub const DAY_BLANK: &str = "1970-01-01";

/// The 19 bytes that stand in a pinned notice until a delivery has its code.
pub const COPY_BLANK: &str = "0000-0000-0000-0000";

/// Bytes that cannot take what their slots ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a slot does not fit its bytes")]
pub struct SlotMisfit;

/// Fills every slot with `at`, in place of its blank.
pub fn fill(bytes: &mut [u8], slots: &[Slot], at: At) -> Result<(), SlotMisfit> {
    for slot in slots {
        let text = match (slot.name, slot.len) {
            (SlotName::Date, 31) => at.rfc5322(),
            (SlotName::Published | SlotName::Modified, 20) => at.rfc3339(),
            (SlotName::Published | SlotName::Modified, 10) => {
                at.rfc3339().chars().take(10).collect()
            }
            _ => return Err(SlotMisfit),
        };
        put(bytes, slot, &text)?;
    }
    Ok(())
}

/// Fills the code of an individual copy in place of its blank; the other slots stay.
pub fn fill_copy(bytes: &mut [u8], slots: &[Slot], code: &str) -> Result<(), SlotMisfit> {
    slots.iter().filter(|s| s.name == SlotName::Copy).try_for_each(|slot| put(bytes, slot, code))
}

fn put(bytes: &mut [u8], slot: &Slot, text: &str) -> Result<(), SlotMisfit> {
    let end = slot.offset.checked_add(slot.len).ok_or(SlotMisfit)?;
    let place = bytes.get_mut(slot.offset..end).ok_or(SlotMisfit)?;
    if place.len() != text.len() {
        return Err(SlotMisfit);
    }
    place.copy_from_slice(text.as_bytes());
    Ok(())
}

/// Whether two runs of bytes are equal outside `slots`.
pub fn equal_outside_slots(a: &[u8], b: &[u8], slots: &[Slot]) -> bool {
    let in_slot = |i: usize| slots.iter().any(|s| i >= s.offset && i - s.offset < s.len);
    a.len() == b.len() && a.iter().zip(b).enumerate().all(|(i, (x, y))| x == y || in_slot(i))
}

/// What a plan says of a run of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// Its file name in a preview: unique within the plan, `[A-Za-z0-9._+-]` only.
    pub name: String,
    /// Its digest, with blanks in the slots.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub len: u64,
    /// What is filled at dispatch.
    pub slots: Vec<Slot>,
}

impl BlobRef {
    /// Whether each delivery of it has a code of its own.
    pub fn is_individual(&self) -> bool {
        self.slots.iter().any(|s| s.name == SlotName::Copy)
    }
}

/// A run of bytes with what the plan says of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// What the plan says.
    pub about: BlobRef,
    /// The bytes, slots blank.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// Names and digests `bytes`.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>, slots: Vec<Slot>) -> Self {
        let about = BlobRef {
            name: name.into(),
            sha256: Sha256::of(&bytes),
            len: bytes.len() as u64,
            slots,
        };
        Self { about, bytes }
    }

    /// Whether the bytes are what the plan pinned.
    pub fn is_intact(&self) -> bool {
        self.bytes.len() as u64 == self.about.len && Sha256::of(&self.bytes) == self.about.sha256
    }

    /// The bytes with every slot filled.
    pub fn filled(&self, at: At) -> Result<Vec<u8>, SlotMisfit> {
        let mut bytes = self.bytes.clone();
        fill(&mut bytes, &self.about.slots, at)?;
        Ok(bytes)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[blob of {} bytes]", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_changes_slots_only() {
        let text = format!("From: a\r\nDate: {DATE_BLANK}\r\n\r\nbody");
        let slot = Slot { name: SlotName::Date, offset: 15, len: 31 };
        let blob = Blob::new("mail", text.into_bytes(), vec![slot]);
        let sent = blob.filled(At::from_secs(1_796_137_200)).unwrap();
        assert!(String::from_utf8_lossy(&sent).contains("Date: Tue, 01 Dec 2026"));
        assert!(equal_outside_slots(&blob.bytes, &sent, &blob.about.slots));
        assert!(!equal_outside_slots(&blob.bytes, &sent, &[]));
    }

    #[test]
    fn a_slot_that_does_not_fit_is_refused() {
        let at = At::from_secs(0);
        let past_the_end = Slot { name: SlotName::Date, offset: 1, len: 31 };
        assert_eq!(fill(&mut [0; 31], &[past_the_end], at), Err(SlotMisfit));
        let odd_width = Slot { name: SlotName::Modified, offset: 0, len: 12 };
        assert_eq!(fill(&mut [0; 31], &[odd_width], at), Err(SlotMisfit));
    }

    #[test]
    fn altered_bytes_are_noticed() {
        let mut blob = Blob::new("x", b"abc".to_vec(), vec![]);
        assert!(blob.is_intact());
        blob.bytes = b"abd".to_vec();
        assert!(!blob.is_intact());
    }
}

//! What is searched for, in every encoding in which it might lie about.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How long it is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    T0,
    Ever,
}

/// One encoding of one secret.
struct Needle {
    what: String,
    until: Until,
    bytes: Vec<u8>,
}

/// All of them, by their first two bytes so that one pass over a place finds any.
#[derive(Default)]
pub struct Needles {
    all: BTreeMap<[u8; 2], Vec<Needle>>,
}

fn number(two: &[u8]) -> usize {
    usize::from(two[0]) << 8 | usize::from(two[1])
}

impl Needles {
    /// A word or text, in any case of its letters.
    pub fn word(&mut self, word: &str, until: Until) {
        self.push(word, "plain", until, &word.to_lowercase().into_bytes());
        for text in [word.to_owned(), word.to_lowercase()] {
            self.encoded(word, until, text.as_bytes());
        }
        let wide: Vec<u8> = word.to_lowercase().bytes().flat_map(|b| [b, 0]).collect();
        self.push(word, "UTF-16", until, &wide);
    }

    /// Bytes that are secret for their own sake before T0: digests, fingerprints, object ids.
    pub fn bytes(&mut self, what: &str, bytes: &[u8]) {
        self.push(what, "raw", Until::T0, bytes);
        self.encoded(what, Until::T0, bytes);
    }

    fn encoded(&mut self, what: &str, until: Until, bytes: &[u8]) {
        self.push(what, "hex", until, hex::encode(bytes).as_bytes());
        for shift in 0..3 {
            // Bytes before and after spill into the first and last letters: those are cut off.
            let shifted = [vec![0; shift], bytes.to_vec()].concat();
            let skip = [0, 2, 3][shift];
            let whole = bytes.len().saturating_add(shift) / 3 * 4;
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(&shifted);
                self.push(what, "base64", until, &text.as_bytes()[skip..whole]);
            }
        }
    }

    fn push(&mut self, what: &str, how: &str, until: Until, bytes: &[u8]) {
        assert!(bytes.len() >= 6, "{what} in {how} is too short to be told from chance");
        let place = self.all.entry([bytes[0], bytes[1]]).or_default();
        if place.iter().all(|n| n.bytes != bytes) {
            place.push(Needle { what: format!("{what} ({how})"), until, bytes: bytes.to_vec() });
        }
    }

    /// Everything of that kind that stands in `hay`.
    pub fn found_in(&self, hay: &[u8], until: Until) -> Vec<String> {
        let mut found = Vec::new();
        // As it is, then with small letters, then without what mail and folding put in between.
        let small = hay.to_ascii_lowercase();
        let unfolded = unfolded(hay);
        let mut begins = vec![false; 1 << 16];
        self.all.keys().for_each(|two| begins[number(two)] = true);
        for hay in [hay, &small, &unfolded, &unfolded.to_ascii_lowercase()] {
            for (at, two) in hay.windows(2).enumerate().filter(|(_, two)| begins[number(two)]) {
                let Some(here) = self.all.get(two) else { continue };
                for needle in here.iter().filter(|n| until == Until::T0 || n.until == until) {
                    if hay[at..].starts_with(&needle.bytes) && !found.contains(&needle.what) {
                        found.push(needle.what.clone());
                    }
                }
            }
        }
        found
    }
}

/// Quoted-printable undone, and line ends taken out: base64 and hex are wrapped in mails.
fn unfolded(hay: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(hay.len());
    let mut at = 0;
    while let Some(byte) = hay.get(at) {
        let digits = hay.get(at + 1..at + 3).and_then(|d| hex::decode(d).ok());
        match (byte, digits) {
            (b'=', Some(decoded)) => {
                out.extend(decoded);
                at += 3;
                continue;
            }
            (b'=', None) if hay.get(at + 1) == Some(&b'\r') || hay.get(at + 1) == Some(&b'\n') => {}
            (b'\r' | b'\n', _) => {}
            _ => out.push(*byte),
        }
        at += 1;
    }
    out
}

#[test]
fn the_search_finds_every_encoding() {
    let mut needles = Needles::default();
    needles.word("Strawdog", Until::T0);
    needles.bytes("a digest", &[7; 20]);
    for pad in ["", "x", "xy", "xyz"] {
        let text = format!("{pad}Strawdog and more");
        for hay in [
            text.clone(),
            text.to_uppercase(),
            hex::encode(&text),
            hex::encode_upper(&text),
            STANDARD_NO_PAD.encode(&text),
            STANDARD_NO_PAD.encode(&text).replace("d", "d\r\n"),
            text.replace("aw", "aw=\r\n"),
            text.replace("aw", "=61w"),
            text.encode_utf16().map(|u| char::from_u32(u32::from(u)).unwrap()).collect(),
        ] {
            assert_eq!(needles.found_in(hay.as_bytes(), Until::T0).len(), 1, "{hay}");
        }
        assert!(needles.found_in(text.as_bytes(), Until::Ever).is_empty());
    }
    assert_eq!(needles.found_in(&[7; 30], Until::T0), ["a digest (raw)"]);
    assert!(needles.found_in(b"straw dog and dogstraw", Until::T0).is_empty());
}

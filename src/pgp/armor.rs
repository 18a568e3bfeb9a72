//! ASCII armor as mail wants it: CRLF line ends, no headers, written while the bytes come.
//!
//! The library's own armor ends lines with LF, so that every mail had to be copied once more,
//! and its checksum took longer than the encryption. The form is RFC 9580 section 6.2: 64
//! characters a line, and the CRC-24 of section 6.1, which old programs miss when it is gone.

use std::io::{self, Write};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes that make one line of 64 characters.
const LINE: usize = 48;
/// Armored bytes kept back before they go on, in whole lines.
const KEPT: usize = 66 * 256;

/// How many bytes the armored form of `len` bytes has, at most.
pub(super) const fn armored_len(len: usize) -> usize {
    (len / LINE + 1).saturating_mul(66).saturating_add(128)
}

/// Writes an armored message to `sink`. Without [`MailArmor::finish`] it has no end.
pub(super) struct MailArmor<W: Write> {
    sink: W,
    crc: Crc24,
    /// Bytes of a line that is not full.
    rest: Vec<u8>,
    out: Vec<u8>,
}

impl<W: Write> MailArmor<W> {
    /// Begins the armor of an encrypted message.
    pub(super) fn message(sink: W) -> Self {
        let mut out = Vec::with_capacity(KEPT + 128);
        out.extend_from_slice(b"-----BEGIN PGP MESSAGE-----\r\n\r\n");
        Self { sink, crc: Crc24::new(), rest: Vec::with_capacity(LINE), out }
    }

    /// Ends the armor and gives the sink back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.line(&rest)?;
        }
        let [_, sum @ ..] = self.crc.value().to_be_bytes();
        self.out.push(b'=');
        self.line(&sum)?;
        self.out.extend_from_slice(b"-----END PGP MESSAGE-----\r\n");
        self.sink.write_all(&self.out)?;
        Ok(self.sink)
    }

    /// One line, encoded at the end of `out`.
    fn line(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut text = [0_u8; 64];
        let len = STANDARD.encode_slice(bytes, &mut text).map_err(io::Error::other)?;
        self.out.extend_from_slice(text.get(..len).unwrap_or_default());
        self.out.extend_from_slice(b"\r\n");
        if self.out.len() >= KEPT {
            self.sink.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }
}

impl<W: Write> Write for MailArmor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.add(bytes);
        let mut left = bytes;
        if !self.rest.is_empty() {
            let (now, later) = left.split_at(left.len().min(LINE - self.rest.len()));
            self.rest.extend_from_slice(now);
            left = later;
            if self.rest.len() < LINE {
                return Ok(bytes.len());
            }
            let full = std::mem::take(&mut self.rest);
            self.line(&full)?;
            self.rest = full;
            self.rest.clear();
        }
        let lines = left.chunks_exact(LINE);
        self.rest.extend_from_slice(lines.remainder());
        for line in lines {
            self.line(line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The checksum of RFC 9580 section 6.1, four bytes at a step. The 24 bits stand at the top of
/// the word.
struct Crc24(u32);

/// Row k: what a byte does to the checksum when k bytes follow it in the same step.
static STEPS: LazyLock<[[u32; 256]; 4]> = LazyLock::new(|| {
    const POLYNOMIAL: u32 = 0x0086_4CFB << 8;
    let mut first = [0_u32; 256];
    for (value, byte) in first.iter_mut().zip(0_u32..) {
        *value = (0..8).fold(byte << 24, |crc, _| {
            if crc >> 31 == 1 { (crc << 1) ^ POLYNOMIAL } else { crc << 1 }
        });
    }
    let next = |row: &[u32; 256]| row.map(|crc| (crc << 8) ^ at(&first, (crc >> 24) as u8));
    let second = next(&first);
    let third = next(&second);
    [first, second, third, next(&third)]
});

fn at(row: &[u32; 256], byte: u8) -> u32 {
    row.get(usize::from(byte)).copied().unwrap_or_default()
}

impl Crc24 {
    const fn new() -> Self {
        Self(0x00B7_04CE << 8)
    }

    fn add(&mut self, bytes: &[u8]) {
        let [first, second, third, fourth] = &*STEPS;
        let (steps, rest) = bytes.as_chunks::<4>();
        let mut crc = self.0;
        for step in steps {
            let [a, b, c, d] = (crc ^ u32::from_be_bytes(*step)).to_be_bytes();
            crc = at(fourth, a) ^ at(third, b) ^ at(second, c) ^ at(first, d);
        }
        for byte in rest {
            crc = (crc << 8) ^ at(first, (crc >> 24) as u8 ^ byte);
        }
        self.0 = crc;
    }

    const fn value(&self) -> u32 {
        self.0 >> 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sequoia_openpgp::armor::Kind;

    /// As the library writes it, with CRLF.
    fn reference(bytes: &[u8]) -> Vec<u8> {
        let text = super::super::seal::armor(bytes, Kind::Message).unwrap();
        String::from_utf8(text).unwrap().replace('\n', "\r\n").into_bytes()
    }

    #[test]
    fn it_is_the_librarys_armor_with_crlf_whatever_the_pieces() {
        let bytes: Vec<u8> = (0_u32..40_000).map(|n| ((n * n) >> 3) as u8).collect();
        for len in [1, 2, 3, 4, 47, 48, 49, 95, 96, 97, 1000, 40_000] {
            for piece in [1, 5, 48, 100, 7000] {
                let mut armor = MailArmor::message(Vec::new());
                bytes[..len].chunks(piece).for_each(|p| armor.write_all(p).unwrap());
                let armored = armor.finish().unwrap();
                assert!(armored == reference(&bytes[..len]), "{len} in pieces of {piece}");
                assert!(armored.len() <= armored_len(len));
            }
        }
    }

    #[test]
    fn the_checksum_is_the_standards() {
        let mut crc = Crc24::new();
        crc.add(b"123456789");
        // The check value of CRC-24/OPENPGP.
        assert_eq!(crc.value(), 0x21_CF02);
    }
}

//! Messages that want to hurt whoever opens them, for the measurement that shows they cannot:
//! packets no honest program makes, sealed to a certificate as an honest message is.

use std::io::Write as _;

use sequoia_openpgp::serialize::stream::{Compressor, LiteralWriter, Message};
use sequoia_openpgp::types::CompressionAlgorithm;

use super::armor::MailArmor;
use super::certificate::Certificate;
use super::seal::{Recipients, SealError, encrypt_into};
use crate::domain::time::At;

/// A packet with a new-format header of five bytes (RFC 9580 section 4.2.1).
pub fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0xc0 | tag, 0xff][..], &length, body].concat()
}

/// Packets, whatever they are, in armor.
pub fn armored(packets: &[u8]) -> Vec<u8> {
    let mut armor = MailArmor::message(Vec::new());
    let written = armor.write_all(packets);
    written.and_then(|()| armor.finish()).unwrap_or_default()
}

/// Packets, whatever they are, encrypted to a certificate and armored.
pub fn sealed(packets: &[u8], to: &Certificate, at: At) -> Result<Vec<u8>, SealError> {
    let to = Recipients::of(std::slice::from_ref(to), at)?;
    let mut out = Vec::new();
    encrypt_into(&mut out, &to, |encryptor| Ok(encryptor.write_all(packets)?))?;
    Ok(out)
}

/// A small message that unfolds to that many MiB of zeros.
pub fn bomb(mib: u32, to: &Certificate, at: At) -> Result<Vec<u8>, SealError> {
    let mut packets = Vec::new();
    let zip = |packets: &mut Vec<u8>| -> sequoia_openpgp::Result<()> {
        let algorithm = CompressionAlgorithm::Zip;
        let folded = Compressor::new(Message::new(packets)).algo(algorithm).build()?;
        let mut literal = LiteralWriter::new(folded).build()?;
        let zeros = vec![0; 1024 * 1024];
        (0..mib).try_for_each(|_| literal.write_all(&zeros))?;
        literal.finalize()
    };
    zip(&mut packets).map_err(|_| SealError::Failed)?;
    sealed(&packets, to, at)
}

/// A signed message with its one-pass signature and its signature that often.
pub fn signed_often(message: &[u8], times: usize) -> Option<Vec<u8>> {
    // One-pass signature and literal data have short, known lengths; the rest is the signature.
    let short = |run: &[u8]| run.get(1).map(|len| 2_usize.saturating_add(usize::from(*len)));
    let (ops, rest) = message.split_at_checked(short(message)?)?;
    let (literal, signature) = rest.split_at_checked(short(rest)?)?;
    let tag = |run: &[u8]| run.first().map(|first| first & 0x3f);
    let right = (tag(ops), tag(literal), tag(signature)) == (Some(4), Some(11), Some(2));
    right.then(|| [ops.repeat(times), literal.to_vec(), signature.repeat(times)].concat())
}

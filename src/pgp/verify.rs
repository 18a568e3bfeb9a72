//! Verifying what a person signed: an approval, detached, clearsigned or inline.
//!
//! Nothing is returned unless one signature is good under one of the given certificates and
//! that certificate and its signing key are valid both when the signature was made and now.
//!
//! What `text` is: for a detached signature exactly `detached_over`; for an inline one the
//! literal data (line ends turned to LF when the signature is over text); for a clearsigned
//! one the signed text with dash escapes removed, white space at line ends removed (it is not
//! signed, RFC 9580 section 7.2) and LF line ends. The line end before the signature is not
//! part of a clearsigned text, while an inline text usually ends with one: callers compare
//! after trimming one final newline.

use std::io::Read as _;

use sequoia_openpgp::packet::Tag;
use sequoia_openpgp::parse::stream::{DetachedVerifierBuilder, VerifierBuilder};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse as _};

use super::certificate::Certificate;
use super::fingerprint::Fingerprint;
use super::policy::{instant, policy};
use super::witness::{Bad, Good, Witness};
use crate::domain::time::{At, Span};

/// Most bytes of a signature, and of the text inside one.
pub const LARGEST: usize = 1024 * 1024;

/// How far ahead of ours the clock of the signer may be.
pub(super) const SKEW: Span = Span::mins(5);

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Not a signature in any of the three forms.
    #[error(
        "this is not an OpenPGP signature; make one with `gpg --clear-sign FILE`, \
         `gpg --armor --detach-sign FILE` or `gpg --armor --sign FILE`"
    )]
    NotASignature,
    /// A detached signature, and nothing it could be over.
    #[error("this is a detached signature; the text that it signs is needed as well")]
    NothingToVerify,
    /// Nobody of the given certificates signed it.
    #[error(
        "signed by a stranger: no signature is by a certificate of the team; sign with the key \
         whose certificate the team holds"
    )]
    Stranger,
    /// The signature is not over these bytes.
    #[error("the signature does not match: the text or the signature was altered; sign it again")]
    Altered,
    /// The signer's key is expired, revoked or not for signing.
    #[error(
        "the signer's key is not valid: expired, revoked or not made for signing; renew it, \
         register the new certificate with the team and sign again"
    )]
    SignerNotValid,
    /// Made with an algorithm that can be forged.
    #[error(
        "the signature uses an algorithm that is no longer safe; sign again with \
         `--digest-algo SHA512`"
    )]
    Weak,
    /// Dated in the future, or expired by its own words.
    #[error("the signature is dated in the future or has expired; check the clock and sign again")]
    WrongTime,
    /// Larger than [`LARGEST`], or than the caller's bound.
    #[error("the signed text is larger than allowed: an approval is far below 1 MiB")]
    TooLarge,
}

impl From<Bad> for VerifyError {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::Unsigned | Bad::Structure => Self::NotASignature,
            Bad::Stranger => Self::Stranger,
            Bad::WrongTime => Self::WrongTime,
            Bad::Weak => Self::Weak,
            Bad::Signer => Self::SignerNotValid,
            Bad::Altered => Self::Altered,
        }
    }
}

/// A signature that holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was signed; see the head of this file.
    pub text: Vec<u8>,
    /// The certificate of the signer.
    pub by: Fingerprint,
    /// When, by the signer's clock; at most five minutes ahead of ours.
    pub made_at: At,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[verified text, {} bytes, made at {}]", self.text.len(), self.made_at)
    }
}

/// Verifies a signature of any of the three forms, armored or binary, against `certs`.
///
/// `detached_over` is looked at only when the form turns out to be a detached signature.
pub fn verify(
    form: &[u8],
    detached_over: Option<&[u8]>,
    certs: &[Certificate],
    at: At,
) -> Result<Verified, VerifyError> {
    verify_within(LARGEST, form, detached_over, certs, at)
}

/// The same with another bound on the size of the form and of the text, in bytes.
pub fn verify_within(
    limit: usize,
    form: &[u8],
    detached_over: Option<&[u8]>,
    certs: &[Certificate],
    at: At,
) -> Result<Verified, VerifyError> {
    if form.len() > limit {
        return Err(VerifyError::TooLarge);
    }
    if is_detached(form) {
        let data = detached_over.ok_or(VerifyError::NothingToVerify)?;
        return detached(form, data, certs, at);
    }
    whole(limit, form, certs, at)
}

/// Whether there are signature packets and nothing else.
fn is_detached(form: &[u8]) -> bool {
    if contains(form, b"-----BEGIN PGP SIGNED MESSAGE-----") {
        return false;
    }
    let mut signatures = 0;
    let mut next = PacketParser::from_bytes(form);
    while let Ok(PacketParserResult::Some(parser)) = next {
        match parser.packet.tag() {
            Tag::Signature => signatures += 1,
            Tag::Marker => {}
            _ => return false,
        }
        next = parser.next().map(|(_, rest)| rest);
    }
    signatures > 0
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn detached(
    signature: &[u8],
    data: &[u8],
    certs: &[Certificate],
    at: At,
) -> Result<Verified, VerifyError> {
    let policy = policy(at);
    let witness = Witness::new(certs, Vec::new());
    let mut verifier = DetachedVerifierBuilder::from_bytes(signature)
        .and_then(|b| b.with_policy(&policy, instant(at.plus(SKEW)), witness))
        .map_err(|_| VerifyError::NotASignature)?;
    verifier.verify_bytes(data).map_err(|_| VerifyError::NotASignature)?;
    let good = verifier.helper_ref().testimony.judge(certs, at)?;
    Ok(Verified { text: data.to_vec(), by: good.by, made_at: good.made_at })
}

fn whole(
    limit: usize,
    form: &[u8],
    certs: &[Certificate],
    at: At,
) -> Result<Verified, VerifyError> {
    let policy = policy(at);
    let witness = Witness::new(certs, Vec::new());
    let mut verifier = VerifierBuilder::from_bytes(form)
        .map(|b| b.buffer_size(limit))
        .and_then(|b| b.with_policy(&policy, instant(at.plus(SKEW)), witness))
        .map_err(|_| VerifyError::NotASignature)?;
    let mut text = Vec::new();
    // A compressed text may unfold without end: read one byte more than allowed, no further.
    verifier
        .by_ref()
        .take((limit as u64).saturating_add(1))
        .read_to_end(&mut text)
        .map_err(|_| VerifyError::NotASignature)?;
    if text.len() > limit {
        return Err(VerifyError::TooLarge);
    }
    if !verifier.message_processed() {
        return Err(VerifyError::NotASignature);
    }
    let Good { by, made_at, text: over_text, .. } =
        verifier.helper_ref().testimony.judge(certs, at)?;
    if over_text {
        text = lf(&text);
    }
    Ok(Verified { text, by, made_at })
}

/// CRLF to LF; a lone CR stays.
fn lf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'\r' && bytes.peek() == Some(&&b'\n') {
            continue;
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests;

//! From a body as it travelled to what it says.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use super::{Entity, Refused};

/// Senders forget the padding at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes of a leaf.
pub(super) fn bytes(leaf: &Entity<'_>) -> Result<Vec<u8>, Refused> {
    match leaf.encoding().as_str() {
        "base64" => unbase64(leaf.body),
        "quoted-printable" => quoted_printable_decode(leaf.body).ok_or(Refused::Malformed),
        "7bit" | "8bit" | "binary" | "" => Ok(leaf.body.to_vec()),
        _ => Err(Refused::Malformed),
    }
}

/// Base64 with line breaks in it.
fn unbase64(text: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut dense = Vec::with_capacity(text.len());
    text.split(|b| *b == b'\n').for_each(|line| dense.extend_from_slice(line.trim_ascii()));
    unbase64_dense(&dense)
}

/// Base64 without line breaks.
pub(super) fn unbase64_dense(dense: &[u8]) -> Result<Vec<u8>, Refused> {
    BASE64.decode(dense).map_err(|_| Refused::Malformed)
}

/// The text of a leaf in its character set, line feeds only.
pub(super) fn text(leaf: &Entity<'_>) -> Result<String, Refused> {
    let bytes = bytes(leaf)?;
    let decoder = leaf.parameter("charset").and_then(|c| charset_decoder(c.as_bytes()));
    let text = match decoder {
        Some(decode) => decode(&bytes),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    Ok(text.replace("\r\n", "\n"))
}

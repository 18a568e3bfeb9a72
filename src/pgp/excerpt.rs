//! What somebody else's program must see of a sealed message so that its secret key can tell us
//! the session key: the packets that hold it for our certificate, and a stub in place of the
//! data.
//!
//! What must stay true: the program that holds the key meets nothing of the message that could
//! unfold, nest or be signed a thousand times; packets are counted here before they are taken.

use sequoia_openpgp::Packet;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::packet::Tag;
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse as _};
use sequoia_openpgp::serialize::Serialize as _;
use sequoia_openpgp::types::SymmetricAlgorithm;
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::open::OpenError;
use super::witness::Tally;

/// Most session keys worth trying: a certificate has a handful of encryption subkeys.
const MOST: usize = 8;
/// An encrypted packet of version 1 (RFC 9580 section 5.13.1) too short to hold anything.
const STUB: [u8; 43] = {
    let mut stub = [0; 43];
    (stub[0], stub[1], stub[2]) = (0xd2, 41, 1);
    stub
};

/// The key of one message. Wiped when it goes.
pub struct MessageKey {
    algorithm: SymmetricAlgorithm,
    key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[message key]")
    }
}

impl MessageKey {
    /// Reads `9:0123...`: the algorithm's number and the key in hexadecimal, as GnuPG writes
    /// it. `None` when the two do not fit each other.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, key) = text.trim().split_once(':')?;
        let algorithm = SymmetricAlgorithm::from(number.parse::<u8>().ok()?);
        let key = Zeroizing::new(hex::decode(key).ok()?);
        (algorithm.key_size().ok()? == key.len()).then_some(Self { algorithm, key })
    }

    pub(super) fn parts(&self) -> (SymmetricAlgorithm, SessionKey) {
        (self.algorithm, SessionKey::from(self.key.as_slice()))
    }
}

/// The excerpt of `message`, binary, for whoever holds the secret key of `reader`. `NotForUs`
/// when it names none of its keys.
pub fn excerpt(message: &[u8], reader: &Certificate) -> Result<Vec<u8>, OpenError> {
    let mut tally = Tally::default();
    let (mut excerpt, mut found) = (Vec::new(), 0_usize);
    let mut next = PacketParser::from_bytes(message).map_err(|_| OpenError::NotAMessage)?;
    while let PacketParserResult::Some(parser) = next {
        let tag = parser.packet.tag();
        tally.count(tag, parser.header().length()).map_err(|_| OpenError::Hostile)?;
        if tag == Tag::SEIP {
            break;
        }
        let (packet, rest) = parser.next().map_err(|_| OpenError::NotAMessage)?;
        next = rest;
        let Packet::PKESK(pkesk) = packet else { continue };
        // One that names no key may be for anybody, so for us.
        let ours = pkesk.recipient().is_none_or(|wanted| {
            reader.cert().keys().any(|k| k.key().key_handle().aliases(&wanted))
        });
        if ours && found < MOST {
            found = found.saturating_add(1);
            Packet::PKESK(pkesk).serialize(&mut excerpt).map_err(|_| OpenError::NotAMessage)?;
        }
    }
    if found == 0 {
        return Err(OpenError::NotForUs);
    }
    excerpt.extend_from_slice(&STUB);
    Ok(excerpt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::At;
    use crate::pgp::{ResidentSigner, samples, seal, unseal_given};

    #[test]
    fn only_keys_of_the_right_length_are_taken() {
        let aes256 = format!("9:{}", "0A".repeat(32));
        assert!(MessageKey::parse(&aes256).is_some());
        let short = format!("9:{}", "0A".repeat(31));
        for bad in ["", "9", "9:", "9:zz", "7:0a", ":00", "300:00", &short] {
            assert!(MessageKey::parse(bad).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn nothing_of_the_message_itself_is_in_it() {
        let at = At::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
        let (ours, other) = (
            samples::cv25519("Team <t@meadow.example>", at).unwrap(),
            samples::cv25519("Other <o@larch.example>", at).unwrap(),
        );
        let signer = ResidentSigner::new(&other).unwrap();
        let text = vec![b'x'; 200_000];
        let to = std::slice::from_ref(&ours.certificate);
        let sealed = seal(&text, to, &signer, at).await.unwrap().armored;
        let taken = excerpt(&sealed, &ours.certificate).unwrap();
        assert!(taken.len() < 300 && taken.ends_with(&STUB), "{} bytes", taken.len());
        let none = excerpt(&sealed, &other.certificate).unwrap_err();
        assert_eq!(none, OpenError::NotForUs);
        assert_eq!(excerpt(b"hello", &ours.certificate).unwrap_err(), OpenError::NotAMessage);
        // A key of the right form that is not its own opens nothing.
        let wrong = MessageKey::parse(&format!("9:{}", "00".repeat(32))).unwrap();
        let closed = unseal_given(&sealed, &wrong, &ours.certificate, &[], at);
        assert_eq!(closed.unwrap_err(), OpenError::NotForUs);
    }
}

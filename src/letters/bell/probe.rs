//! A probe: a mail of a notice's shape with nothing in it, to ourselves.
//!
//! Its inside is a fixed text, sealed to a key that is made for it and forgotten: nobody can
//! read it, and nobody needs to. It is a bell, because its type has no place for content.

use super::BellMail;
use crate::domain::time::At;
use crate::letters::LetterError;
use crate::letters::entity::{Delivery, compose as entity_of, group};
use crate::letters::wire;
use crate::pgp::{ResidentSigner, generate_team_key, seal};

/// What its reader would read.
const TEXT: &str = "This mail only tries the way it took. There is nothing in it.\n";

/// How large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As a small notice.
    Notice,
    /// About that many bytes on the wire.
    About(usize),
}

/// Random words of one probe.
pub struct Random<'a> {
    /// Without angle brackets.
    pub message_id: &'a str,
    /// 16 to 70 letters and digits.
    pub boundary: &'a str,
}

/// The mail.
pub async fn compose(
    from: &str,
    to: &str,
    random: &Random<'_>,
    date: At,
    size: Size,
) -> Result<BellMail, LetterError> {
    let delivery = Delivery {
        from,
        to,
        subject: "[...]",
        clear_subject: "[...]",
        message_id: random.message_id,
        date,
    };
    let inside = match size {
        Size::Notice => entity_of(&group(TEXT, &[], random.boundary)?.body, &delivery)?,
        Size::About(bytes) => filler(bytes),
    };
    let unsealed = |_| LetterError::NotSealed;
    let key = generate_team_key("probe", date).map_err(unsealed)?;
    let signer = ResidentSigner::new(&key).map_err(unsealed)?;
    let sealed = seal(&inside, &[key.certificate], &signer, date).await;
    let armored = sealed.map_err(|_| LetterError::NotSealed)?.armored;
    let bytes = wire::sealed(&delivery, &armored, random.boundary)?;
    Ok(BellMail { from: from.to_owned(), to: to.to_owned(), bytes })
}

/// The text as often as it takes: armor makes four bytes of three, and a line end of 64.
fn filler(wire_bytes: usize) -> Vec<u8> {
    const AROUND: usize = 1500;
    let len = wire_bytes.saturating_sub(AROUND).saturating_mul(8) / 11;
    TEXT.bytes().cycle().take(len.max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_probe_looks_like_a_notice_and_has_the_size_asked_for() {
        let random = Random {
            message_id: "0a@meadow.example",
            boundary: "00112233445566778899aabbccddeeff",
        };
        let at = At::from_secs(1_795_132_800);
        let team = "s@meadow.example";
        let notice = compose(team, team, &random, at, Size::Notice).await.unwrap();
        let text = String::from_utf8(notice.bytes().to_vec()).unwrap();
        assert!(text.contains("\r\nAuto-Submitted: auto-generated\r\n"));
        assert!(text.contains("-----BEGIN PGP MESSAGE-----") && !text.contains("tries the way"));
        assert!((85_000..95_000).contains(&text.len()), "{}", text.len());
        let small = compose(team, team, &random, at, Size::About(20_000)).await.unwrap();
        assert!((19_000..21_000).contains(&small.bytes().len()), "{}", small.bytes().len());
    }
}

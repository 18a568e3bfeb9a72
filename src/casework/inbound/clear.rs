//! A mail in clear. From somebody who knows of an embargo it is an alarm: what it says has
//! travelled readable. It is kept sealed; nothing of it is quoted, forwarded or answered.

use super::deliveries::Deliveries;
use super::report::addresses;
use super::{Findings, NotTaken, people};
use crate::casework::House;
use crate::domain::blob::Sha256;
use crate::domain::message::{MessageKind, MessageRecord, Standing};
use crate::domain::party::CLEAR_SUBJECT;
use crate::letters::inbound::{Entity, Piece};
use crate::store::StoreError;

/// The team's bell says this and no more.
pub(super) const ALARM: &str = "plain-text-reply";

pub(super) async fn judge(
    house: &House,
    mail: &Entity<'_>,
    recipient: Option<&str>,
    piece: Piece,
    digest: Sha256,
    deliveries: &Deliveries,
) -> Result<Findings, NotTaken> {
    let ids = [mail.ids("In-Reply-To"), mail.ids("References")].concat();
    let to = addresses(mail, recipient);
    let about = deliveries.answered(&ids).or_else(|| deliveries.sent_from(&to));
    let from = mail.addresses("From");
    let subject = mail.text("Subject");
    let answers = about.is_some() || deliveries.is_answer(&ids) || subject.contains(CLEAR_SUBJECT);
    let told = is_told(house, &from).await?;
    let kind = if is_automatic(mail) {
        MessageKind::Automatic
    } else if answers || told {
        MessageKind::PlainReply
    } else {
        MessageKind::Clear
    };
    let alarm = kind == MessageKind::PlainReply;
    Ok(Findings {
        verb: if alarm { "mail-plain-text" } else { "mail-receive" },
        digest,
        disclosure: about.map(super::deliveries::Delivery::disclosure),
        record: MessageRecord {
            kind,
            standing: Standing::NotAsked,
            from: mail.field("From").unwrap_or_default(),
            subject,
            text: piece.text,
            enclosed: piece.enclosed,
            step: about.map(|d| d.step),
            hint: None,
            cut: None,
        },
        inside: None,
        event: None,
        proofs: Vec::new(),
        alarm,
        // A subject or the form of an id can be written by anybody.
        attributed: about.is_some() || told,
    })
}

/// Whether somebody on the list, or a reporter, says to have written it.
async fn is_told(house: &House, from: &[String]) -> Result<bool, StoreError> {
    let (distributors, advisories) =
        house.store.read(|r| Ok::<_, StoreError>((r.distributors()?, r.advisories()?))).await?;
    let all = people::everybody(&distributors, &advisories, house.now());
    Ok(all.iter().any(|p| from.iter().any(|f| f.eq_ignore_ascii_case(&p.address))))
}

/// RFC 3834 section 5, and what older programs say instead.
fn is_automatic(mail: &Entity<'_>) -> bool {
    let says = |name, words: &[&str]| {
        mail.field(name)
            .is_some_and(|v| words.iter().any(|w| v.to_ascii_lowercase().starts_with(w)))
    };
    says("Auto-Submitted", &["auto-"])
        || says("Precedence", &["auto_reply", "bulk", "junk"])
        || mail.field("X-Autoreply").is_some()
}

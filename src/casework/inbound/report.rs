//! A report on a delivery: believed only when it names a token or a Message-ID of ours, and
//! then it becomes an event of that delivery's step.

use super::deliveries::{Deliveries, Named};
use super::{Findings, NotTaken};
use crate::domain::blob::Sha256;
use crate::domain::event::Happened;
use crate::domain::message::{MessageKind, MessageRecord, Standing};
use crate::letters::inbound::{Dsn, Entity, Fate, Told};

/// The address a mail was delivered to: as the server says, else as it wrote into the mail.
pub(super) fn addresses(mail: &Entity<'_>, recipient: Option<&str>) -> Vec<String> {
    if let Some(recipient) = recipient {
        return vec![recipient.trim().trim_matches(['<', '>']).to_owned()];
    }
    ["Delivered-To", "X-Original-To", "To"].into_iter().flat_map(|n| mail.addresses(n)).collect()
}

pub(super) fn judge(
    mail: &Entity<'_>,
    recipient: Option<&str>,
    dsn: &Dsn,
    digest: Sha256,
    deliveries: &Deliveries,
) -> Result<Findings, NotTaken> {
    let to = addresses(mail, recipient);
    let named = deliveries.named(&to, dsn.envelope_id.as_deref(), dsn.message_id.as_deref());
    let told = match &named {
        Some(Named::Delivery(delivery)) => dsn.of(&delivery.address),
        Some(Named::Challenge) => dsn.worst(),
        None => None,
    };
    let (Some(named), Some(told)) = (named, told) else { return Err(NotTaken::Foreign) };
    let (disclosure, step, event) = match named {
        Named::Delivery(delivery) => {
            let event = happened(told).map(|h| (delivery.plan, delivery.step, h));
            (Some(delivery.disclosure()), Some(delivery.step), event)
        }
        // A challenge that bounced stays unanswered, which is what is shown of it.
        Named::Challenge => (None, None, None),
    };
    let word = match told.fate {
        Fate::Failed => "failed",
        Fate::Delayed => "delayed",
        Fate::Went => "went on",
    };
    Ok(Findings {
        verb: "mail-report",
        digest,
        disclosure,
        record: MessageRecord {
            kind: MessageKind::Report,
            standing: Standing::NotAsked,
            from: mail.field("From").unwrap_or_default(),
            subject: mail.text("Subject"),
            text: format!("{word} {}: {}", told.code, told.said),
            enclosed: Vec::new(),
            step,
            hint: None,
            cut: None,
        },
        inside: None,
        event,
        proofs: Vec::new(),
        alarm: false,
        attributed: true,
    })
}

fn happened(told: &Told) -> Option<Happened> {
    let (code, said) = (told.code.clone(), told.said.clone());
    match told.fate {
        Fate::Failed => Some(Happened::Bounced { code, said }),
        Fate::Delayed => Some(Happened::Delayed { code, said }),
        // Somebody else's server took it: no more than we knew.
        Fate::Went => None,
    }
}

//! What is kept of an organisation: its addresses, and each certificate's standing.

use crate::casework::{distributors, find_distributor};
use crate::cli::desk::Desk;
use crate::cli::print::table;
use crate::cli::words;
use crate::domain::party::{self, Contact, HeldCertificate};
use crate::domain::secret::Reason;
use crate::domain::time::At;

pub async fn list(desk: &Desk) -> anyhow::Result<()> {
    let all = distributors::list(&desk.house).await?;
    let json: Vec<_> = all.iter().map(as_json).collect();
    desk.print.either(&json, || {
        let rows = all.iter().map(|d| {
            let record = d.record.open(Reason::Review);
            let addresses: Vec<_> = record.contacts.iter().map(|c| c.address.as_str()).collect();
            vec![
                d.id.to_string(),
                record.name.clone(),
                if d.active { "yes" } else { "no" }.to_owned(),
                addresses.join(", "),
            ]
        });
        table(&["id", "name", "hears", "addresses"], rows)
    })
}

fn as_json(distributor: &party::Distributor) -> serde_json::Value {
    serde_json::json!({
        "id": distributor.id, "revision": distributor.revision, "active": distributor.active,
        "record": distributor.record.open(Reason::Review),
    })
}

pub async fn one(desk: &Desk, name: &str) -> anyhow::Result<()> {
    let found = find_distributor(&desk.house, name).await?;
    let (record, now) = (found.record.open(Reason::Review), desk.house.now());
    desk.print.either(&as_json(&found), || {
        let days = |d: Option<u32>, otherwise: &str| {
            d.map_or_else(|| otherwise.to_owned(), |d| format!("{d} days"))
        };
        let head = table(
            &[],
            [
                vec!["id".to_owned(), found.id.to_string()],
                vec!["name".to_owned(), record.name.clone()],
                vec!["hears".to_owned(), if found.active { "yes" } else { "no" }.to_owned()],
                vec!["lead".to_owned(), days(record.lead_days, "as configured")],
                vec![
                    "longest embargo".to_owned(),
                    days(record.longest_embargo_days, "any; 14 days for a list"),
                ],
                vec!["groups".to_owned(), words::listed(&record.groups)],
            ],
        );
        let rows = record.contacts.iter().flat_map(|c| {
            let sealed_to = c.certificates.iter().map(|held| (held, standing(c, held, now)));
            let replies = c.reply_certificates.iter().map(|held| {
                let retired = held.retired_at.is_some();
                (held, if retired { "retired" } else { "signs replies" }.to_owned())
            });
            sealed_to.chain(replies).map(|(held, standing)| {
                vec![
                    c.id.to_string(),
                    c.address.clone(),
                    c.kind.word().to_owned(),
                    c.clear_subject().to_owned(),
                    gets(c),
                    held.fingerprint.clone(),
                    standing,
                ]
            })
        });
        let head_row = ["contact", "address", "kind", "clear subject", "gets", "certificate", ""];
        format!("{head}\n\n{}", table(&head_row, rows))
    })
}

/// What a certificate is to its contact now.
fn standing(contact: &Contact, held: &HeldCertificate, now: At) -> String {
    let change = held.change.as_ref();
    if held.retired_at.is_some() {
        let rejected = change.is_some_and(|c| c.rejected.is_some());
        return if rejected { "rejected" } else { "retired" }.to_owned();
    }
    if contact.replaced(held, now) {
        return "replaced".to_owned();
    }
    match change {
        Some(c) if !c.in_force(now) => match c.in_force_from() {
            Some(from) => format!("pending, used from {}", from.rfc3339()),
            None => {
                let (have, needed) = (c.confirmations.len(), c.needed);
                format!("pending, {have} of {needed} confirmations, its owner quotes {}", c.code)
            }
        },
        _ => "in use".to_owned(),
    }
}

/// What a contact gets beside the text, and what telling it obliges us to.
fn gets(contact: &Contact) -> String {
    let profile = &contact.profile;
    let mut words = Vec::new();
    for (is, word) in [
        (!profile.without_patches, "patches"),
        (!profile.without_json, "json"),
        (profile.poc, "poc"),
        (profile.cover, "cover mails"),
        (profile.watermark, "watermark"),
    ] {
        words.extend(is.then_some(word.to_owned()));
    }
    if let Some(list) = &profile.requires_public_post {
        words.push(format!("requires a post to {list}"));
    }
    words.join(", ")
}

//! Who could read what is sent to them, at the four times that matter.

use crate::casework::distributors::{self, CertificateHealth, ContactHealth, When};
use crate::cli::desk::Desk;
use crate::cli::exit::{Ended, Exit};
use crate::cli::print::table;
use crate::domain::finding::{Severity, any_stop};

pub async fn run(desk: &Desk) -> Ended {
    let all = distributors::check(&desk.house).await?;
    let json: Vec<_> = all.iter().map(as_json).collect();
    desk.print.either(&json, || {
        let head = [
            "distributor",
            "address",
            "fingerprint",
            "now",
            "at sending",
            "T0",
            "T0 + 14 days",
            "cure",
        ];
        table(&head, all.iter().flat_map(rows))
    })?;
    for contact in &all {
        desk.print.findings(&contact.findings);
    }
    let stopped = all.iter().any(|h| any_stop(&h.findings));
    Ok(if stopped { Exit::Blocked } else { Exit::Ok })
}

fn rows(contact: &ContactHealth) -> Vec<Vec<String>> {
    let start = || vec![contact.distributor.clone(), contact.address.clone()];
    if contact.certificates.is_empty() {
        let cells = ["none in use", "-", "-", "-", "-", "see below"];
        return vec![start().into_iter().chain(cells.map(str::to_owned)).collect()];
    }
    let row = |certificate: &CertificateHealth| {
        let mut row = start();
        row.push(certificate.fingerprint.clone());
        row.extend(When::ALL.map(|when| cell(certificate, when)));
        let bad = certificate.findings.iter().filter(|f| f.severity == Severity::Stop);
        let cures: Vec<&str> = bad.map(|f| f.cure.as_str()).collect();
        row.push(cures.join("; "));
        row
    };
    contact.certificates.iter().map(row).collect()
}

/// `good`, what is wrong at any of the open disclosures, or `-` when there is none.
fn cell(certificate: &CertificateHealth, when: When) -> String {
    let mut verdicts = certificate.verdicts.iter().filter(|v| v.moment.when == when).peekable();
    if verdicts.peek().is_none() {
        return "-".to_owned();
    }
    let wrong = verdicts.find_map(|v| v.wrong.as_deref());
    wrong.map_or("good", |code| code.trim_start_matches("cert-")).to_owned()
}

fn as_json(contact: &ContactHealth) -> serde_json::Value {
    let certificate = |c: &CertificateHealth| {
        let verdicts: Vec<_> = c
            .verdicts
            .iter()
            .map(|v| {
                serde_json::json!({
                    "when": v.moment.when.words(), "at": v.moment.at.rfc3339(),
                    "usable": v.wrong.is_none(), "wrong": v.wrong,
                })
            })
            .collect();
        serde_json::json!({
            "fingerprint": c.fingerprint, "verdicts": verdicts, "findings": c.findings,
        })
    };
    serde_json::json!({
        "distributor": contact.distributor, "address": contact.address,
        "fingerprints": contact.fingerprints,
        "certificates": contact.certificates.iter().map(certificate).collect::<Vec<_>>(),
        "findings": contact.findings,
    })
}

//! A probe of the way our mail takes, in two steps: nobody reads our mailbox but ourselves, so
//! a person brings back what arrived there.

use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use crate::casework::House;
use crate::cli::exit::{Ended, Exit, refuse};
use crate::cli::files;
use crate::cli::print::{Print, table};
use crate::domain::finding::{Finding, any_stop};
use crate::letters::bell::returned::{Body, Fate, Returned};

/// The probe that was sent last: nothing secret is in it.
const FILE: &str = "probe.eml";

/// Sends one and keeps a copy.
pub async fn send(house: &House, print: Print) -> Ended {
    let (mail, receipt) = house.bells.probe().await?;
    let file = house.dir.join(FILE);
    if let Err(e) = std::fs::remove_file(&file)
        && e.kind() != ErrorKind::NotFound
    {
        let help = "delete it, then send another probe";
        return Err(refuse(Exit::Failure, format!("cannot replace {}", file.display()), help));
    }
    files::write_new(&file, mail.bytes())?;
    let sent = serde_json::json!({ "to": mail.to(), "relay": receipt.detail });
    print.either(&sent, || format!("sent to {}; the relay said: {}", mail.to(), receipt.detail))?;
    print.talk(
        "Save it from the mailbox with all its headers, then: daybreak doctor --mail --read FILE",
    );
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    returned: &'a Returned,
    findings: &'a [Finding],
}

/// Says what became of it.
pub fn read(house: &House, file: &Path, print: Print) -> Ended {
    let kept = house.dir.join(FILE);
    let sent = std::fs::read(&kept).map_err(|_| {
        refuse(Exit::Failure, "no probe was sent from here", "send one: daybreak doctor --mail")
    })?;
    let returned = Returned::of(&sent, &files::read(file, files::TEXT)?);
    let findings = returned.findings(house.config.mail.rewrites_message_id);
    print.either(&Report { returned: &returned, findings: &findings }, || shown(&returned))?;
    print.findings(&findings);
    Ok(if any_stop(&findings) { Exit::Blocked } else { Exit::Ok })
}

fn shown(returned: &Returned) -> String {
    let body = match returned.body {
        Body::Same => "the same, byte for byte",
        Body::Folded => "lines broken elsewhere",
        Body::Wrapped => "whole, with something around it",
        Body::Changed => "changed",
    };
    let added: Vec<&str> =
        returned.fields.iter().filter(|f| f.fate == Fate::Added).map(|f| f.name.as_str()).collect();
    let ours = returned.fields.iter().filter(|f| f.fate != Fate::Added);
    let rows = ours.map(|f| vec![f.name.clone(), f.fate.word().to_owned()]);
    let rest = [
        vec![
            "added".to_owned(),
            if added.is_empty() { "nothing".to_owned() } else { added.join(" ") },
        ],
        vec!["body".to_owned(), body.to_owned()],
    ];
    table(&[], rows.chain(rest))
}

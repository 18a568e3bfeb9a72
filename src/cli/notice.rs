//! `daybreak notice`: who has it, who does not, and what a person does about that.

mod follow;

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Ended, Exit, refuse};
use super::print::table;
use super::voided::Before;
use super::{files, words};
use crate::casework::{find_disclosure, ledger, plans, traces};
use crate::domain::ledger::{Delivery, DeliveryState, Tally};

#[derive(Debug, Subcommand)]
pub enum Notice {
    /// Show who has which revision of the notice, and since when
    ///
    /// Exit code 5 when somebody who shall have a notice lacks their newest.
    #[command(after_help = "Example:\n  daybreak notice status x_meadow-2026-0001\n  \
        daybreak notice status x_meadow-2026-0001 --follow")]
    Status {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// Show the counts until no mail is left to be sent; the engine sends, this only looks
        #[arg(long)]
        follow: bool,
    },
    /// Record that somebody was told otherwise, by telephone say
    #[command(after_help = "Example:\n  \
        daybreak notice mark x_meadow-2026-0001 --contact security@heath.example --by-hand \
        --evidence \"Ada rang Kim at +49 30 1234 on Monday, 10:15\"")]
    Mark {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// The address, as `notice status` shows it
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// A person told them
        #[arg(long, required = true)]
        by_hand: bool,
        /// Who told whom, when and how
        #[arg(long, value_parser = words::said())]
        evidence: String,
    },
    /// Make a plan that sends the newest notice, unchanged, to one more contact
    ///
    /// For somebody who was added to the list since, whose certificate was replaced, or whom the
    /// mail did not reach. It needs approval as every plan does.
    #[command(
        after_help = "Example:\n  daybreak notice resend x_meadow-2026-0001 --contact security@heath.example"
    )]
    Resend {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// An address on the list
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
    },
    /// Say whose copy a leaked text is, by the code of an individual copy
    ///
    /// Only contacts with a watermark have such copies (`distributor edit-contact --watermark
    /// yes`). It says whose copy it is, not who let it out. Exit code 1 when no code is ours.
    #[command(
        after_help = "Example:\n  daybreak notice trace 0102-0304-0506-07ab\n  daybreak notice trace leaked.txt"
    )]
    Trace {
        /// The code, or a file with the text (`-` for stdin)
        #[arg(value_name = "CODE|FILE")]
        text: String,
    },
}

pub async fn run(verb: Notice, desk: &Desk) -> Ended {
    match verb {
        Notice::Status { disclosure, follow } => status(desk, &disclosure, follow).await,
        Notice::Mark { disclosure, contact, by_hand: _, evidence } => {
            let found = find_disclosure(&desk.house, &disclosure).await?;
            let (actor, by) = (desk.actor, desk.by.as_str());
            let marked =
                ledger::mark_by_hand(&desk.house, actor, by, &found, &contact, &evidence).await?;
            desk.print.made(marked.step, &[])?;
            desk.print.talk(format!("{} is {} now.", marked.address, marked.state));
            Ok(Exit::Ok)
        }
        Notice::Trace { text } => trace(desk, &text).await,
        Notice::Resend { disclosure, contact } => {
            let before = Before::edit(desk).await?;
            let ended = resend(desk, &disclosure, &contact).await.map(|()| Exit::Ok);
            before.tell(desk, ended).await
        }
    }
}

async fn status(desk: &Desk, disclosure: &str, follow: bool) -> Ended {
    let found = find_disclosure(&desk.house, disclosure).await?;
    if follow {
        follow::until_settled(desk, &found).await?;
    }
    let status = ledger::status(&desk.house, &found).await?;
    let Some(tally) = status.tally else {
        return Err(refuse(
            Exit::Failure,
            "no notice of this disclosure was approved",
            "daybreak plan make DISC --kind notice, and have it approved",
        ));
    };
    let json = json!({
        "disclosure": found.id, "revision": tally.revision, "of": tally.of, "have": tally.have,
        "read": tally.read, "states": states(&tally),
        "deliveries": status.rows.iter().map(as_json).collect::<Vec<_>>(),
    });
    desk.print.either(&json, || rows(&status.rows))?;
    desk.print.talk(summary(&tally));
    Ok(if tally.is_complete() { Exit::Ok } else { Exit::Partly })
}

async fn trace(desk: &Desk, given: &str) -> Ended {
    let text = if traces::is_code(given) {
        given.to_owned()
    } else {
        let bytes = files::read(Path::new(given), files::LARGE)?;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let found = traces::trace(&desk.house, &text).await?;
    if found.is_empty() {
        return Err(refuse(
            Exit::Failure,
            "no code in it is the code of a copy of ours",
            "give the line that begins with `Copy:`; only contacts with a watermark have one",
        ));
    }
    let json: Vec<_> = found
        .iter()
        .map(|t| {
            json!({
                "code": t.code, "distributor": t.distributor, "address": t.address,
                "disclosure": t.disclosure, "plan": t.plan, "number": t.number, "step": t.step,
            })
        })
        .collect();
    desk.print.either(&json, || {
        let rows = found.iter().map(|t| {
            vec![
                t.code.clone(),
                t.distributor.clone(),
                t.address.clone(),
                format!("{}/{}", t.disclosure, t.number),
                t.step.to_string(),
            ]
        });
        table(&["code", "distributor", "address", "plan", "delivery"], rows)
    })?;
    Ok(Exit::Ok)
}

fn states(tally: &Tally) -> Value {
    let all = tally.states.iter().map(|(state, n)| (state.word().to_owned(), json!(n)));
    Value::Object(all.collect())
}

fn as_json((name, d): &(String, Delivery)) -> Value {
    json!({
        "revision": d.revision, "distributor": name, "address": d.address, "state": d.state.word(),
        "since": d.since.rfc3339(), "code": d.code, "detail": d.detail, "plan": d.plan,
        "number": d.number, "step": d.step,
    })
}

fn rows(all: &[(String, Delivery)]) -> String {
    let row = |(name, d): &(String, Delivery)| {
        let detail = match (d.code.as_str(), d.detail.as_str()) {
            ("", said) => said.to_owned(),
            (code, "") => code.to_owned(),
            (code, said) if said.starts_with(code) => said.to_owned(),
            (code, said) => format!("{code}: {said}"),
        };
        let state = d.state.to_string();
        vec![
            d.revision.to_string(),
            name.clone(),
            d.address.clone(),
            state,
            d.since.rfc3339(),
            detail,
        ]
    };
    let head = ["revision", "distributor", "address", "state", "since", "detail"];
    table(&head, all.iter().map(row))
}

/// `Up to revision 2: 5 of 7 have theirs, 1 has read it; 1 bounced, 1 queued.`
fn summary(tally: &Tally) -> String {
    let verb = |n: usize| if n == 1 { "has" } else { "have" };
    let others: Vec<String> = DeliveryState::ALL
        .iter()
        .filter(|s| !s.has_it())
        .filter_map(|s| Some(format!("{} {s}", tally.states.get(s)?)))
        .collect();
    let rest = if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) };
    format!(
        "Up to revision {}: {} of {} {} theirs, {} {} read it{rest}.",
        tally.revision,
        tally.have,
        tally.of,
        verb(tally.of),
        tally.read,
        verb(tally.read),
    )
}

async fn resend(desk: &Desk, disclosure: &str, contact: &str) -> anyhow::Result<()> {
    let found = find_disclosure(&desk.house, disclosure).await?;
    let (made, findings) = plans::resend(&desk.house, desk.actor, &found, contact).await?;
    let manifest = plans::manifest_of(&made)?;
    desk.print.made(made.id, &findings)?;
    let when = manifest
        .first_effect()
        .map_or_else(|| "at once on the last approval".to_owned(), |at| at.spoken());
    desk.print.talk(format!(
        "Plan {} sends the notice unchanged to {contact}, {when}; approvals needed: {}. \
         Next: daybreak plan export {disclosure}/{} --to-team FILE. Once approved, watch it go: \
         daybreak notice status {disclosure} --follow",
        made.number, manifest.threshold, made.number
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_people() {
        let states = [
            (DeliveryState::HandedOver, 4),
            (DeliveryState::Acknowledged, 1),
            (DeliveryState::Bounced, 1),
            (DeliveryState::Queued, 1),
        ];
        let mut tally = Tally { revision: 2, of: 7, have: 5, read: 1, states: states.into() };
        let said = "Up to revision 2: 5 of 7 have theirs, 1 has read it; 1 bounced, 1 queued.";
        assert_eq!(summary(&tally), said);
        tally.states = [(DeliveryState::HandedOver, 1)].into();
        (tally.of, tally.have, tally.read) = (1, 1, 0);
        assert_eq!(summary(&tally), "Up to revision 2: 1 of 1 has theirs, 0 have read it.");
    }
}

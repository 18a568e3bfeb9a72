//! `daybreak bells`: which urgent calls were said, and answering one.

use clap::Subcommand;
use serde_json::json;

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::print::table;
use crate::casework::calls;
use crate::domain::deed::Actor;
use crate::domain::escalation::{Call, State, TIERS};

#[derive(Debug, Subcommand)]
pub enum Bells {
    /// The urgent calls of the last seven days, and whether somebody answered
    #[command(after_help = "Example:\n  daybreak bells list")]
    List,
    /// Say that a person is at it: it is not said again
    #[command(after_help = "It changes nothing else: what the call is about stays to be done.\n\n\
                      Example:\n  daybreak bells ack held-at-t0 --as ada\n  \
                      daybreak bells ack 0102-0304-0506-0708 --as ada")]
    Ack {
        /// The reason, for every open call of it, or one call's own code
        #[arg(value_name = "CODE")]
        which: String,
    },
}

pub async fn run(verb: &Bells, desk: &Desk) -> Ended {
    match verb {
        Bells::List => show(desk, &calls::recent(&desk.house).await?)?,
        Bells::Ack { which } => {
            let actor = Actor::Member(desk.member()?);
            let answered = calls::ack(&desk.house, actor, which).await?;
            show(desk, &answered)?;
            desk.print.talk("They are not said again. What they are about stays to be done.");
        }
    }
    Ok(Exit::Ok)
}

fn show(desk: &Desk, all: &[Call]) -> anyhow::Result<()> {
    let json: Vec<_> = all
        .iter()
        .map(|c| {
            json!({
                "call": c.said.call, "reason": c.said.code, "about": c.subject.as_str(),
                "step": c.said.step, "state": c.state, "times": c.next(),
                "first": c.said.first.rfc3339(), "last": c.last.rfc3339(),
            })
        })
        .collect();
    desk.print.either(&json, || {
        let rows = all.iter().map(|c| {
            vec![
                c.said.call.clone(),
                c.said.code.clone(),
                c.said.step.map_or_else(|| c.subject.to_string(), |s| s.to_string()),
                word(c.state).to_owned(),
                format!("{} of {}", c.next(), TIERS.len()),
                c.said.first.rfc3339(),
            ]
        });
        table(&["call", "reason", "about", "state", "said", "first"], rows)
    })
}

const fn word(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Answered => "answered",
        State::Over => "over",
    }
}

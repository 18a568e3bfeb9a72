//! `daybreak disclosure publish-now`: it leaked, or cannot wait for its date for another reason.

use clap::Args;
use serde_json::{Value, json};

use crate::casework::leaks::{self, Hurried, Wish};
use crate::casework::{Case, find_disclosure, plans};
use crate::cli::desk::Desk;
use crate::cli::words;
use crate::domain::finding::Finding;
use crate::domain::plan::Plan;
use crate::domain::time::Span;

/// Publish before the date: an approved release at once, otherwise a new one (needs --as)
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak --as Ada disclosure publish-now x_meadow-2026-0001 --reason \"it leaked\"\n  \
    daybreak --as Ada disclosure publish-now x_meadow-2026-0001 --reason \"it leaked\" \
        --leak https://lists.example.org/1\n  \
    daybreak --as Ada disclosure publish-now x_meadow-2026-0001 --reason \"it leaked\" \
        --leak https://lists.example.org/1 --in 2h\n\n\
    With an approved release plan and without --in that plan starts as soon as enough members\n\
    asked, and waits for no notice. Otherwise, with --leak or --in, T0 becomes now, or what --in says; what was approved\n\
    for the old T0 is void; the release is made as it stands, or as mitigation only when there is\n\
    no fix, and must be approved by as many as plans.publish_now says.")]
pub struct PublishNow {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Why, in one line; without --leak whoever was told reads it
    #[arg(long, value_parser = words::said())]
    reason: String,
    /// Where it is public: recorded, and told to everybody who had a notice
    #[arg(long, value_name = "URL", value_parser = words::said())]
    leak: Option<String>,
    /// How long from now: 90s, 30m, 2h (at once unless said)
    #[arg(long = "in", value_name = "TIME", value_parser = words::span())]
    within: Option<Span>,
    /// What may be said until then
    #[arg(long, value_name = "TEXT", requires_all = ["leak", "within"], value_parser = words::said())]
    may_say: Option<String>,
    /// Go on although a finding of this code stops the release; may be repeated
    #[arg(long, value_name = "CODE", value_parser = words::said())]
    waive: Vec<String>,
}

pub async fn run(desk: &Desk, order: PublishNow) -> anyhow::Result<()> {
    let member = desk.member()?;
    let PublishNow { disclosure, reason, leak, within, may_say, waive } = order;
    let found = find_disclosure(&desk.house, &disclosure).await?;
    let wish = Wish { reason, leak, within, may_say, waived: waive };
    let done = leaks::publish_now(&desk.house, member, &found, &wish).await?;
    match &done.lifted {
        Some(lifted) => {
            let (given, needed) = (lifted.given, lifted.needed);
            let json = json!({
                "plan": lifted.plan.id, "given": given, "needed": needed,
                "notice": plan_id(done.notice.as_ref()),
            });
            desk.print.either(&json, || lifted.plan.id.to_string())?;
            desk.print.talk(match needed.saturating_sub(given) {
                0 => format!(
                    "{given} of {needed} asked for it: the release starts at once, as soon as an \
                     engine runs."
                ),
                more => format!(
                    "{given} of {needed} asked for it; {} must ask too.",
                    words::more(more, "member")
                ),
            });
            say_notice(desk, &disclosure, done.notice.as_ref());
            Ok(())
        }
        None => made_anew(desk, &disclosure, done),
    }
}

fn made_anew(desk: &Desk, name: &str, done: Hurried) -> anyhow::Result<()> {
    let print = desk.print;
    let t0 = done.disclosure.t0;
    let json = json!({
        "disclosure": done.disclosure.id, "t0": t0.map(|t| t.at.rfc3339()),
        "plan": plan_id(done.release.as_ref()), "notice": plan_id(done.notice.as_ref()),
    });
    let made = [done.release.as_ref(), done.notice.as_ref()];
    let ids: Vec<String> = made
        .into_iter()
        .filter_map(|made| made?.as_ref().ok().map(|(plan, _)| plan.id.to_string()))
        .collect();
    print.either(&json, || ids.join("\n"))?;
    if let Some(t0) = t0 {
        print.talk(format!("T0 is {t0}"));
    }
    say_notice(desk, name, done.notice.as_ref());
    let Some(release) = done.release else { return Ok(()) };
    let (plan, findings) = release?;
    print.findings(&findings);
    let manifest = plans::manifest_of(&plan)?;
    let effect = match manifest.first_effect() {
        None => "it SENDS AT ONCE ON THE LAST APPROVAL".to_owned(),
        Some(at) => format!("it sends at {}", at.spoken()),
    };
    print.talk(format!(
        "Release plan {} waits for {} of {}; {effect}. Next: daybreak plan export {name}/{} --to-team FILE",
        plan.number,
        words::counted(manifest.threshold as usize, "approval"),
        "plans.publish_now",
        plan.number,
    ));
    Ok(())
}

fn plan_id(made: Option<&Case<(Plan, Vec<Finding>)>>) -> Value {
    match made {
        Some(Ok((plan, _))) => json!(plan.id),
        _ => Value::Null,
    }
}

/// What those who know are told, and that nothing waits for it.
fn say_notice(desk: &Desk, name: &str, made: Option<&Case<(Plan, Vec<Finding>)>>) {
    match made {
        None => {}
        Some(Ok((plan, findings))) => {
            desk.print.findings(findings);
            desk.print.talk(format!(
                "Notice plan {} tells everybody who knows; the release does not wait for it. Next: \
                 daybreak plan export {name}/{} --to-team FILE",
                plan.number, plan.number
            ));
        }
        Some(Err(error)) => desk.print.talk(format!(
            "The notice to those who know could not be made: {error}. Tell them by hand, or: \
             daybreak plan make {name} --kind notice --broken"
        )),
    }
}

//! `daybreak plan make`: what will leave, pinned for approval. What a notice tells whom follows
//! from who was told what; only a broken embargo must be said.

use clap::Args;

use crate::casework::plans::Order;
use crate::casework::plans::notice::Tell;
use crate::casework::{find_disclosure, plans};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, refuse};
use crate::cli::words;
use crate::domain::plan::PlanKind;
use crate::domain::zone::T0;

/// Render, sign and pin everything that will leave; prints the plan's id
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak plan make x_meadow-2026-0001 --kind notice\n  \
    daybreak plan make x_meadow-2026-0001 --kind notice --broken \
        --public \"It was posted\" --may-say \"That a fix is coming\"\n  \
    daybreak plan make x_meadow-2026-0001 --kind notice --holds \"You may speak about it\"\n  \
    daybreak plan make x_meadow-2026-0001 --kind headsup --at \"2026-11-24 16:00 Europe/Berlin\"\n\n\
    A notice plan tells everybody what they lack. Whoever knows nothing yet gets everything at\n\
    their own window. Whoever was told something else hears at once: of another date (schedule),\n\
    of other content with what changed (revision), or that it is off (cancellation).")]
pub struct Make {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Encrypted notices to distributors, a public word ahead without details, or everything
    /// at T0
    #[arg(long, value_parser = words::plan_kind())]
    kind: PlanKind,
    /// Tell everybody who knows that the embargo is broken (set a new instant first, if there
    /// is one, with `disclosure move`)
    #[arg(long, requires_all = ["public", "may_say"])]
    broken: bool,
    /// What is public
    #[arg(long, value_name = "TEXT", requires = "broken", value_parser = words::said())]
    public: Option<String>,
    /// What may be said about it until the instant
    #[arg(long, value_name = "TEXT", requires = "broken", value_parser = words::said())]
    may_say: Option<String>,
    /// What holds after a cancellation (silence, unless said)
    #[arg(long, value_name = "TEXT", conflicts_with = "broken", value_parser = words::said())]
    holds: Option<String>,
    /// Go on although a finding of this code stops: embargo-too-long; may be repeated
    #[arg(long, value_name = "CODE", value_parser = ["embargo-too-long"])]
    accept: Vec<String>,
    /// When a headsup goes out (a week before T0, or at once, unless said)
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

pub async fn run(desk: &Desk, order: Make) -> anyhow::Result<()> {
    let Make { disclosure, kind, public, may_say, holds, accept, at, .. } = order;
    if at.is_some() && kind != PlanKind::Headsup {
        return Err(refuse(
            Exit::Usage,
            format!("--at is for a headsup, not for a {kind} plan"),
            "what happens at T0 moves with it: daybreak disclosure move",
        ));
    }
    let at = at.as_deref().map(T0::parse).transpose()?;
    let found = find_disclosure(&desk.house, &disclosure).await?;
    let tell = match (public, may_say, holds) {
        (Some(public), Some(may_say), _) => Tell::Broken { public, may_say },
        (_, _, Some(holds)) => Tell::Cancelled { holds },
        _ => Tell::Due,
    };
    if tell != Tell::Due && kind != PlanKind::Notice {
        return Err(refuse(
            Exit::Usage,
            format!("--broken and --holds say what a notice tells, not a {kind} plan"),
            "add --kind notice",
        ));
    }
    let order = Order { accept, at, tell, hurry: None };
    let (made, findings) = plans::make_as(&desk.house, desk.actor, &found, kind, &order).await?;
    let manifest = plans::manifest_of(&made)?;
    let print = desk.print;
    print.made(made.id, &findings)?;
    let effect = manifest.first_effect().map_or_else(
        || "its first byte leaves AT ONCE on the last approval".to_owned(),
        |at| format!("its first byte leaves at {}", at.spoken()),
    );
    let what = manifest.notice().map_or_else(
        || kind.to_string(),
        |notice| format!("{kind}, {notice}: {}", words::told(&manifest)),
    );
    print.talk(format!(
        "Plan {} ({what}) has {}; {effect}.",
        made.number,
        words::counted(manifest.steps.len(), "step")
    ));
    if kind == PlanKind::Headsup {
        print.talk("It is PUBLIC, and goes out before T0: read every word of its preview.");
    }
    print.talk(format!(
        "{} must approve it{}. Next: daybreak plan export {disclosure}/{} --to-team FILE",
        if manifest.threshold == 1 {
            "ONE person".to_owned()
        } else {
            format!("{} people", manifest.threshold)
        },
        if manifest.threshold == 1 { ", and may be the one who made it" } else { "" },
        made.number,
    ));
    Ok(())
}

//! `daybreak plan hold | resume | pause | go-on | abort | done | skip | retry`: what people do to
//! a running day. One person may hold or abort: it is the safe direction.

use clap::{Args, Subcommand};

use crate::casework::pauses::{self, Asker};
use crate::casework::{controls, find_plan, find_step};
use crate::cli::desk::Desk;
use crate::cli::words;
use crate::domain::plan::Phase;
use crate::domain::time::Span;

#[derive(Debug, Subcommand)]
pub enum Steer {
    /// Hold a plan back
    #[command(
        after_help = "Example:\n  daybreak plan hold x_meadow-2026-0001/2 --reason \"wait for Heath\""
    )]
    Hold(Whole),
    /// Let a held plan go on
    #[command(
        after_help = "Example:\n  daybreak plan resume x_meadow-2026-0001/2 --reason \"Heath is ready\""
    )]
    Resume(Whole),
    Pause(Pause),
    GoOn(GoOn),
    /// End a plan for good, before its GO
    #[command(
        after_help = "Example:\n  daybreak plan abort x_meadow-2026-0001/2 --reason \"the fix is wrong\""
    )]
    Abort(Whole),
    /// Vouch that a step is done
    #[command(
        after_help = "Example:\n  daybreak plan done 1f0a9c3e --evidence https://lists.example.org/archive/42"
    )]
    Done {
        /// The step, as `plan show` names it
        step: String,
        /// What shows that it is done
        #[arg(long, value_parser = words::said())]
        evidence: String,
    },
    /// Decide that a step shall not happen
    #[command(after_help = "Example:\n  daybreak plan skip 1f0a9c3e --reason \"the list is gone\"")]
    Skip(One),
    /// Let a step that waits for a person try again
    #[command(
        after_help = "Example:\n  daybreak plan retry 1f0a9c3e --reason \"the token is renewed\""
    )]
    Retry(One),
}

/// A whole plan.
#[derive(Debug, Args)]
pub struct Whole {
    /// Id, or DISCLOSURE/NUMBER
    plan: String,
    /// Why
    #[arg(long, value_parser = words::said())]
    reason: String,
}

/// Ask to be asked before a phase of a public plan begins. Before gate means before GO. It ends
/// by itself: the day never waits longer than ten minutes for a word
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak --as Ada plan pause x_meadow-2026-0001/2 --before announce --reason \"see the tags first\"")]
pub struct Pause {
    /// Id, or DISCLOSURE/NUMBER
    plan: String,
    /// Before which phase
    #[arg(long, value_name = "PHASE", value_parser = words::phase())]
    before: Phase,
    /// At most so long once the phase is reached (ten minutes, or `announce_after` if that is less)
    #[arg(long = "for", value_name = "TIME", value_parser = words::short_span())]
    holds: Option<Span>,
    /// Why
    #[arg(long, value_parser = words::said())]
    reason: String,
}

/// Let a phase begin that a pause keeps waiting; GO still never comes before T0
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak --as Ada plan go-on x_meadow-2026-0001/2")]
pub struct GoOn {
    /// Id, or DISCLOSURE/NUMBER
    plan: String,
    /// Which pause (the first one unless said)
    #[arg(long, value_name = "PHASE", value_parser = words::phase())]
    before: Option<Phase>,
    /// Why
    #[arg(long, default_value = "go on", value_parser = words::said())]
    reason: String,
}

/// One step.
#[derive(Debug, Args)]
pub struct One {
    /// The step, as `plan show` names it
    step: String,
    /// Why
    #[arg(long, value_parser = words::said())]
    reason: String,
}

pub async fn run(desk: &Desk, steer: Steer) -> anyhow::Result<()> {
    let (house, actor, by) = (&desk.house, desk.actor, desk.by.as_str());
    let (id, said) = match steer {
        Steer::Hold(Whole { plan, reason }) => {
            let plan = find_plan(house, &plan).await?;
            controls::hold(house, actor, &plan, &reason).await?;
            (plan.id.to_string(), "Held. What is in the world's hands already ends by itself.")
        }
        Steer::Resume(Whole { plan, reason }) => {
            let plan = find_plan(house, &plan).await?;
            controls::resume(house, actor, &plan, &reason).await?;
            (plan.id.to_string(), "It goes on.")
        }
        Steer::Pause(Pause { plan, before, holds, reason }) => {
            let plan = find_plan(house, &plan).await?;
            let who = Asker { actor, by };
            let pause = pauses::place(house, who, &plan, before, holds, &reason).await?;
            desk.print.talk(format!(
                "Once it could begin, `{}` waits for `daybreak plan go-on`, {} s at most.",
                before.word(),
                pause.holds.as_secs()
            ));
            (plan.id.to_string(), "It never waits longer than that, and GO never comes before T0.")
        }
        Steer::GoOn(GoOn { plan, before, reason }) => {
            let plan = find_plan(house, &plan).await?;
            let phase = pauses::go_on(house, Asker { actor, by }, &plan, before, &reason).await?;
            desk.print.talk(format!("Nobody needs to be asked before `{}`.", phase.word()));
            (plan.id.to_string(), "It begins when it is due.")
        }
        Steer::Abort(Whole { plan, reason }) => {
            let plan = find_plan(house, &plan).await?;
            controls::abort(house, actor, &plan, &reason).await?;
            (plan.id.to_string(), "Void: it will never run.")
        }
        Steer::Done { step, evidence } => {
            let (plan, step) = find_step(house, &step).await?;
            controls::done(house, actor, by, &plan, step, &evidence).await?;
            (step.to_string(), "Recorded as done.")
        }
        Steer::Skip(One { step, reason }) => {
            let (plan, step) = find_step(house, &step).await?;
            controls::skip(house, actor, by, &plan, step, &reason).await?;
            (step.to_string(), "It will not happen.")
        }
        Steer::Retry(One { step, reason }) => {
            let (plan, step) = find_step(house, &step).await?;
            controls::retry(house, actor, by, &plan, step, &reason).await?;
            (step.to_string(), "It tries again.")
        }
    };
    desk.print.made(id, &[])?;
    desk.print.talk(said);
    Ok(())
}

//! `daybreak disclosure`: one embargo, its instant and what it holds.

mod artefact;
mod attachment;
mod hands;
mod hurry;
mod mitigation;
mod patch;
mod release;
mod run;
mod show;
mod stage;
mod timeline;

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::voided::Before;
use super::words;
use crate::casework::instants::{self, To};
use crate::casework::plans::notice;
use crate::casework::withdrawal::withdraw;
use crate::casework::{disclosures, find_advisory, find_disclosure};
use crate::domain::disclosure::{self, CellState};
use crate::domain::finding::{Finding, any_stop};
use crate::domain::ids::AdvisoryId;
use crate::domain::secret::Reason;
use crate::domain::zone::T0;

#[derive(Debug, Subcommand)]
pub enum Disclosure {
    /// Open an embargo; prints its id
    #[command(after_help = "Example:\n  \
        daybreak disclosure new --at \"2026-12-01 16:00 Europe/Berlin\" --advisory x_meadow-2026-0001")]
    New {
        /// The instant: "2026-12-01 16:00 Europe/Berlin" or RFC 3339; may be set later
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// What it discloses; none for a release without an advisory
        #[arg(long, value_name = "ADVISORY", num_args = 1..)]
        advisory: Vec<String>,
        /// Distributors do not hear in advance, because ...
        #[arg(long, value_name = "REASON", value_parser = words::said())]
        without_notice: Option<String>,
        /// Only these groups of distributors hear in advance; all unless said
        #[arg(
            long,
            value_name = "NAME,NAME",
            value_delimiter = ',',
            conflicts_with = "without_notice"
        )]
        groups: Vec<String>,
    },
    /// Show everything it holds
    #[command(after_help = "Example:\n  daybreak disclosure show x_meadow-2026-0001")]
    Show {
        /// Id, or the public id of one of its advisories
        disclosure: String,
    },
    /// Show all disclosures
    #[command(after_help = "Example:\n  daybreak disclosure list")]
    List,
    /// List everything that is wrong, missing or unwise
    #[command(after_help = "Example:\n  daybreak disclosure check x_meadow-2026-0001")]
    Check {
        /// Id, or the public id of one of its advisories
        disclosure: String,
    },
    /// Set or move the instant; plans that pinned the old one are void, so nothing fires at it
    #[command(after_help = "Example:\n  daybreak disclosure move x_meadow-2026-0001 \
        --at \"2026-12-02 16:00 Europe/Berlin\" --reason \"a distributor asked for a day\"")]
    Move {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// The new instant
        #[arg(long, alias = "to", value_name = "TIME")]
        at: String,
        /// Why: whoever knew the old instant reads it
        #[arg(long, value_parser = words::said())]
        reason: String,
        /// Why it must be although a rule stops it; on record, and told to nobody
        #[arg(long = "override", value_name = "REASON", value_parser = words::said())]
        overridden: Option<String>,
    },
    /// Give it up; what is running is held
    #[command(after_help = "Example:\n  \
        daybreak disclosure cancel x_meadow-2026-0001 --reason \"not a vulnerability\"")]
    Cancel {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// Why: whoever was told of it reads it
        #[arg(long, value_parser = words::said())]
        reason: String,
    },
    /// Add an advisory
    #[command(after_help = "Example:\n  \
        daybreak disclosure add-advisory x_meadow-2026-0001 x_meadow-2026-0002")]
    AddAdvisory {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// Public id or id
        advisory: String,
    },
    /// Take an advisory out, with the patches that fix it alone; plans that pinned it are void
    #[command(
        after_help = "Whoever heard of it learns by the next notice that it is no part of this \
        disclosure any more.\n\nExample:\n  \
        daybreak disclosure drop-advisory x_meadow-2026-0001 x_meadow-2026-0002"
    )]
    DropAdvisory {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// Public id or id
        advisory: String,
    },
    /// Say which groups of distributors hear in advance; notice plans for others are void
    #[command(after_help = "Example:\n  \
        daybreak disclosure tell x_meadow-2026-0001 --groups embedded,cloud\n  \
        daybreak disclosure tell x_meadow-2026-0001 --all")]
    Tell {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// Only these groups
        #[arg(
            long,
            value_name = "NAME,NAME",
            value_delimiter = ',',
            required_unless_present = "all"
        )]
        groups: Vec<String>,
        /// Everybody
        #[arg(long, conflicts_with = "groups")]
        all: bool,
    },
    Mark(Mark),
    AddPatch(patch::AddPatch),
    DropPatch(patch::DropPatch),
    AddAttachment(attachment::AddAttachment),
    RemoveAttachment(attachment::RemoveAttachment),
    AddRelease(release::AddRelease),
    /// Add a post to a configured mailing list; prints its id
    #[command(
        after_help = "Example:\n  daybreak disclosure add-post x_meadow-2026-0001 --list announce"
    )]
    AddPost {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// The list's name in daybreak.toml
        #[arg(long, value_name = "NAME")]
        list: String,
        /// Subject after the list's prefix (made from the advisories unless said)
        #[arg(long)]
        subject: Option<String>,
    },
    Stage(stage::Stage),
    ExportCandidate(stage::ExportCandidate),
    AddArtefact(artefact::AddArtefact),
    Run(run::Attended),
    Timeline(timeline::Timeline),
    PublishNow(hurry::PublishNow),
    MitigationOnly(mitigation::MitigationOnly),
    Deputy(hands::Deputy),
    Take(hands::Take),
}

/// Decide that a branch gets no patch
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak disclosure mark x_meadow-2026-0001 \
    --advisory x_meadow-2026-0001 --branch meadow:1.x --not-affected")]
pub struct Mark {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Public id or id
    #[arg(long)]
    advisory: String,
    /// repository:branch, or the branch alone when there is one repository
    #[arg(long)]
    branch: String,
    /// The flaw is not there
    #[arg(long, required_unless_present = "will_not_fix")]
    not_affected: bool,
    /// It stays as it is, because ...
    #[arg(long, value_name = "REASON", value_parser = words::said(), conflicts_with = "not_affected")]
    will_not_fix: Option<String>,
}

pub async fn run(verb: Disclosure, desk: &Desk) -> Ended {
    use Disclosure::{Check, ExportCandidate, List, Run, Show, Timeline};
    if matches!(verb, Show { .. } | List | Check { .. } | ExportCandidate(_) | Run(_) | Timeline(_))
    {
        return perform(verb, desk).await;
    }
    let before = Before::edit(desk).await?;
    let ended = perform(verb, desk).await;
    before.tell(desk, ended).await
}

async fn perform(verb: Disclosure, desk: &Desk) -> Ended {
    let (house, print, actor) = (&desk.house, desk.print, desk.actor);
    match verb {
        Disclosure::New { at, advisory, without_notice, groups } => {
            let t0 = at.as_deref().map(T0::parse).transpose()?;
            let ids = advisory_ids(desk, &advisory).await?;
            let (made, findings) =
                disclosures::create_for(house, actor, t0, ids, without_notice, groups).await?;
            instant(desk, &made, &findings)?;
        }
        Disclosure::Show { disclosure } => {
            show::one(desk, &find_disclosure(house, &disclosure).await?).await?;
        }
        Disclosure::List => show::list(desk).await?,
        Disclosure::Check { disclosure } => {
            let found = find_disclosure(house, &disclosure).await?;
            let findings = disclosures::check(house, &found).await?;
            print.judged(&findings, "nothing to complain about")?;
            return Ok(if any_stop(&findings) { Exit::Blocked } else { Exit::Ok });
        }
        Disclosure::Move { disclosure, at, reason, overridden } => {
            let t0 = T0::parse(&at)?;
            let found = find_disclosure(house, &disclosure).await?;
            let to = To { t0, reason: &reason, overridden: overridden.as_deref() };
            let (moved, findings) = instants::move_to(house, actor, &found, to).await?;
            instant(desk, &moved, &findings)?;
            let misled = notice::aware(house, &moved).await?.misled;
            if misled > 0 {
                print.talk(format!(
                    "{} the old date: daybreak plan make {} --kind notice tells them the new one at once",
                    know(misled, "know"),
                    moved.id
                ));
            }
        }
        Disclosure::Cancel { disclosure, reason } => {
            let found = find_disclosure(house, &disclosure).await?;
            let cancelled = disclosures::cancel(house, actor, &found, &reason).await?;
            print.made(cancelled.id, &[])?;
            let told = notice::aware(house, &cancelled).await?.told;
            if told > 0 {
                print.talk(format!(
                    "{} of it: daybreak plan make {} --kind notice tells them that it is off",
                    know(told, "know"),
                    cancelled.id
                ));
            }
        }
        Disclosure::AddAdvisory { disclosure, advisory } => {
            let found = find_disclosure(house, &disclosure).await?;
            let advisory = find_advisory(house, &advisory).await?.id;
            let changed = disclosures::add_advisory(house, actor, &found, advisory).await?;
            print.made(changed.id, &[])?;
        }
        Disclosure::DropAdvisory { disclosure, advisory } => {
            let found = find_disclosure(house, &disclosure).await?;
            let advisory = find_advisory(house, &advisory).await?;
            let (changed, findings) = withdraw(house, actor, &found, &advisory).await?;
            print.made(changed.id, &findings)?;
        }
        Disclosure::Tell { disclosure, groups, .. } => {
            let found = find_disclosure(house, &disclosure).await?;
            let changed = disclosures::tell(house, actor, &found, groups).await?;
            print.made(changed.id, &[])?;
        }
        Disclosure::Mark(mark) => {
            let found = find_disclosure(house, &mark.disclosure).await?;
            let advisory = find_advisory(house, &mark.advisory).await?.id;
            let branch = house.branch(&mark.branch)?;
            let state = match mark.will_not_fix {
                Some(reason) => CellState::WillNotFix { reason },
                None => CellState::NotAffected,
            };
            let changed = disclosures::mark(house, actor, &found, advisory, branch, state).await?;
            print.made(changed.id, &[])?;
        }
        Disclosure::AddPatch(add) => patch::add(desk, add).await?,
        Disclosure::DropPatch(order) => patch::withdraw(desk, &order).await?,
        Disclosure::AddAttachment(order) => attachment::add(desk, order).await?,
        Disclosure::RemoveAttachment(order) => attachment::remove(desk, &order).await?,
        Disclosure::AddRelease(add) => release::add(desk, add).await?,
        Disclosure::AddPost { disclosure, list, subject } => {
            let found = find_disclosure(house, &disclosure).await?;
            let changed = disclosures::add_post(house, actor, &found, &list, subject).await?;
            if let Some(post) = changed.case.open(Reason::Review).posts.last() {
                print.made(post.id, &[])?;
            }
        }
        Disclosure::Stage(order) => return stage::stage(desk, order).await,
        Disclosure::ExportCandidate(order) => stage::export(desk, &order).await?,
        Disclosure::Run(order) => return run::attend(desk, &order).await,
        Disclosure::Timeline(order) => timeline::show(desk, &order).await?,
        Disclosure::AddArtefact(add) => artefact::add(desk, add).await?,
        Disclosure::PublishNow(order) => hurry::run(desk, order).await?,
        Disclosure::Deputy(order) => hands::deputy(desk, &order).await?,
        Disclosure::Take(order) => hands::take(desk, &order).await?,
        Disclosure::MitigationOnly(order) => mitigation::run(desk, order).await?,
    }
    Ok(Exit::Ok)
}

/// `1 recipient knows`, `27 recipients know`.
fn know(count: usize, verb: &str) -> String {
    let ending = if count == 1 { "s" } else { "" };
    format!("{} {verb}{ending}", words::counted(count, "recipient"))
}

/// The advisories meant, by name.
async fn advisory_ids(desk: &Desk, names: &[String]) -> anyhow::Result<Vec<AdvisoryId>> {
    let mut ids = Vec::new();
    for name in names {
        let id = find_advisory(&desk.house, name).await?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The id, and the instant in UTC with its weekday.
fn instant(desk: &Desk, made: &disclosure::Disclosure, findings: &[Finding]) -> anyhow::Result<()> {
    let print = desk.print;
    if print.is_json() {
        return print.json(&serde_json::json!({
            "id": made.id, "t0": made.t0.map(|t| t.at.rfc3339()),
            "spoken": made.t0.map(|t| t.spoken()), "findings": findings,
        }));
    }
    match made.t0 {
        Some(t0) => print.talk(format!("T0 is {t0}")),
        None => print
            .talk("T0 is to be set: daybreak disclosure move DISCLOSURE --at TIME --reason TEXT"),
    }
    print.made(made.id, findings)
}

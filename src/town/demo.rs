//! The demo: the whole story on this machine, on the machine's own clock, checking itself.
//!
//! It talks through a `Teller`, so that the command line decides how it looks. A promise
//! that is broken is shown as broken; nothing here decides in its own favour.

mod checks;
mod watcher;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::catcher::Caught;
use super::story::{self, Form};
use super::{Options, Town, TownError, config};
use crate::casework::audits;
use crate::casework::{CaseError, papers, plans};
use crate::clock::sleep;
use crate::domain::audience_time;
use crate::domain::disclosure::Disclosure;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::time::{At, Span};
use crate::engine::{Engine, EngineError};
use crate::web::{Web, serve};

pub use watcher::Watched;

/// How the demo is told.
pub trait Teller: Send + Sync {
    /// A new scene.
    fn scene(&self, title: &str);
    /// A line of it.
    fn line(&self, text: &str);
    /// How long until T0; called every quarter of a second.
    fn countdown(&self, left: Span);
}

/// One promise of the design, kept or broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// What was promised.
    pub text: String,
    /// Whether it held.
    pub kept: bool,
    /// Where it was kept, or how it was broken.
    pub whereabouts: String,
}

/// From the opening of the disclosure to T0: room for staging and for two approvals.
const AHEAD: Span = Span::secs(30);
/// Longest wait for the day to be done after T0.
const PATIENCE: Span = Span::secs(60);
/// Longest wait for the notices.
const MAIL_PATIENCE: Span = Span::secs(20);

/// Runs the whole story; every promise it checked.
pub async fn run(options: Options, tell: &dyn Teller) -> Result<Vec<Promise>, TownError> {
    let kept = options.keep.clone();
    tell.scene("A town: a project, its team, eight distributors, two reporters");
    let town = Town::build(options).await?;
    papers::renew(&town.house).await?;
    let site = serve(town.site(), Web::of_house(Arc::clone(&town.house))).await;
    let site = site.map_err(|_| machine("serving the public site"))?;
    tell.line(&format!("public site    http://{}/   (open it in a browser)", town.site()));
    tell.line(&format!("repository     {}", town.project.public().display()));
    let (stop, stopped) = watch::channel(false);
    let engine = Engine::start(Arc::clone(&town.house)).await.map_err(|e| engine_failed(&e))?;
    let running = tokio::spawn(engine.run(stopped));
    let story = tell_story(&town, tell).await;
    stop.send_replace(true);
    let ended = running.await;
    let mut promises = story?;
    if !matches!(ended, Ok(Ok(()))) {
        promises.push(Promise {
            text: "The engine ends in good order".to_owned(),
            kept: false,
            whereabouts: "it did not".to_owned(),
        });
    }
    site.stop().await;
    if let Some(folder) = kept {
        keep_mails(&town, &folder)?;
    }
    Ok(promises)
}

async fn tell_story(town: &Town, tell: &dyn Teller) -> Result<Vec<Promise>, TownError> {
    people(town, tell).await?;
    tell.scene("A private draft, its patches, releases and posts");
    let (advisory, _) = story::draft(town).await?;
    let t0 = story::t0_in(town, AHEAD);
    let (disclosure, findings) = story::open(town, &advisory, t0).await?;
    tell.line(&format!("advisory       {}", story::PUBLIC_ID));
    tell.line(&format!("disclosure     {}", t0.spoken()));
    findings.iter().for_each(|f| tell.line(&format!("  {} {}", f.severity, f.message)));
    let disclosure = story::patch(town, disclosure, advisory.id).await?;
    let disclosure = story::release(town, disclosure).await?;
    let disclosure = story::post(town, disclosure).await?;
    let (disclosure, candidates) = story::stage(town, disclosure).await?;
    for candidate in &candidates {
        let tag = candidate.tag.as_ref().map(|t| t.name.as_str()).unwrap_or_default();
        let short: String = candidate.tip.chars().take(12).collect();
        tell.line(&format!("staged         {} at {short}, tag {tag}", candidate.branch));
    }
    let disclosure = story::build_files(town, disclosure).await?;
    let watched = watcher::start(town, t0.at).await?;

    tell.scene("Encrypted notices, approved by two people");
    let (notice, findings) = approve(town, &disclosure, PlanKind::Notice, tell).await?;
    let blocked: Vec<_> = findings.iter().filter(|f| f.code == "contact-blocked").collect();
    blocked.iter().for_each(|f| tell.line(&format!("blocked        {}", f.place)));
    let mails = wait_for_notices(town).await;
    show_mails(town, &mails, tell);

    tell.scene("The release plan, approved by two people");
    let (release, _) = approve(town, &disclosure, PlanKind::Release, tell).await?;
    if town.house.now() >= t0.at {
        return Err(machine("getting ready before T0: this machine is too slow for the demo"));
    }

    tell.scene("Waiting for T0; nobody does anything now");
    while town.house.now() < t0.at {
        tell.countdown(t0.at.since(town.house.now()));
        sleep(town.clock.as_ref(), Span::millis(250)).await;
    }
    tell.countdown(Span::ZERO);
    wait_until_done(town, &release).await;
    let seen = watched.end().await;

    tell.scene("What happened, by the clock");
    timeline(town, &release, &seen, t0.at, tell).await?;
    checks::all(town, &disclosure, (&notice, &release), &mails, &seen, t0.at).await
}

async fn people(town: &Town, tell: &dyn Teller) -> Result<(), TownError> {
    for member in story::add_members(town).await? {
        let record = member.record.open(crate::domain::secret::Reason::Review);
        tell.line(&format!("may approve    {} <{}>", record.name, record.address));
    }
    story::add_distributors(town).await?;
    for reader in &town.people.distributors {
        tell.line(&format!(
            "distributor    {:<22} {:<30} {}",
            reader.name, reader.address, reader.about
        ));
    }
    Ok(())
}

/// Makes a plan and lets both maintainers approve it, in different forms of signature.
async fn approve(
    town: &Town,
    disclosure: &Disclosure,
    kind: PlanKind,
    tell: &dyn Teller,
) -> Result<(Plan, Vec<crate::domain::finding::Finding>), TownError> {
    let disclosure = story::again(&town.house, disclosure).await?;
    let (mut plan, findings) = story::plan(town, &disclosure, kind).await?;
    tell.line(&format!("{kind} plan {} is pinned, MANIFEST {}", plan.number, plan.digest));
    let forms = [Form::Detached, Form::Clearsigned];
    for (who, form) in town.people.maintainers().into_iter().zip(forms) {
        let approved = story::approve(town, &plan, who, form).await?;
        tell.line(&format!(
            "approved by    {} ({form:?}), {} of {}",
            who.name, approved.given, approved.needed
        ));
        plan = approved.plan;
    }
    Ok((plan, findings))
}

/// Mails to readers, as they arrive.
async fn wait_for_notices(town: &Town) -> Vec<Caught> {
    let expected = town.people.readers().filter(|r| r.should_read).count();
    let until = town.clock.mono().plus(MAIL_PATIENCE);
    loop {
        let readers: Vec<_> = town.people.readers().map(|r| r.address).collect();
        let to_reader = |m: &Caught| m.to.iter().any(|t| readers.contains(&t.as_str()));
        let arrived: Vec<_> = town.catcher.mails().into_iter().filter(to_reader).collect();
        if arrived.len() >= expected || town.clock.mono() >= until {
            return arrived;
        }
        sleep(town.clock.as_ref(), Span::millis(50)).await;
    }
}

/// Each mail on the wire and as its recipient decrypts it.
fn show_mails(town: &Town, mails: &[Caught], tell: &dyn Teller) {
    for mail in mails {
        let to = mail.to.first().map(String::as_str).unwrap_or_default();
        let header = |name: &str| {
            let text = String::from_utf8_lossy(&mail.bytes).into_owned();
            text.lines()
                .find_map(|l| l.strip_prefix(name).map(str::trim).map(str::to_owned))
                .unwrap_or_default()
        };
        tell.line(&format!(
            "on the wire    To: {to}  Subject: {}  {} bytes",
            header("Subject:"),
            mail.bytes.len()
        ));
        let reader = town.people.reader(to);
        let opened =
            reader.map(|r| r.decrypt(&mail.bytes, town.team_certificate(), town.house.now()));
        match opened {
            Some(Ok(letter)) => {
                let first = letter.text.lines().next().unwrap_or_default().to_owned();
                tell.line(&format!("  decrypted    {}", letter.subject));
                tell.line(&format!("               {first}"));
            }
            _ => tell.line("  decrypted    by nobody"),
        }
    }
}

async fn wait_until_done(town: &Town, release: &Plan) {
    let until = town.clock.mono().plus(PATIENCE);
    let id = release.id;
    while town.clock.mono() < until {
        let state = town.house.store.read(move |r| r.plan(id)).await.map(|p| p.state);
        if state == Ok(PlanState::Finished) {
            break;
        }
        sleep(town.clock.as_ref(), Span::millis(50)).await;
    }
    // One more look of the watcher, so that it has seen the end.
    sleep(town.clock.as_ref(), Span::millis(500)).await;
}

async fn timeline(
    town: &Town,
    release: &Plan,
    seen: &Watched,
    t0: At,
    tell: &dyn Teller,
) -> Result<(), TownError> {
    let standing = plans::standing(&town.house, release).await?;
    for step in &standing.manifest.steps {
        let settled = standing.run.progress(step.id).and_then(|p| p.settled_at);
        let after = match settled {
            Some(at) => format!("T0 {}", audience_time::offset(at.since(t0))),
            None => "not done".to_owned(),
        };
        tell.line(&format!("{after:<14} {:<9} {}", step.phase.word(), audits::spoken(step)));
    }
    if let Some(at) = seen.page_at {
        tell.line(&format!(
            "T0 {:<11} seen      the page, by a visitor",
            audience_time::offset(at.since(t0))
        ));
    }
    Ok(())
}

/// `--keep`: every mail as it came.
fn keep_mails(town: &Town, folder: &std::path::Path) -> Result<(), TownError> {
    let mails: PathBuf = folder.join("mails");
    fs::create_dir_all(&mails).map_err(TownError::disk("make a folder for the mails"))?;
    for (n, mail) in town.catcher.mails().iter().enumerate() {
        let to = mail.to.first().map(String::as_str).unwrap_or("nobody");
        let name = format!("{:03}-{to}.eml", n.saturating_add(1));
        fs::write(mails.join(name), &mail.bytes).map_err(TownError::disk("keep a mail"))?;
    }
    Ok(())
}

fn machine(doing: &'static str) -> TownError {
    TownError::Case(CaseError::machine(doing, "it did not work"))
}

fn engine_failed(error: &EngineError) -> TownError {
    TownError::Case(CaseError::machine("starting the engine", error))
}

/// Where the town's lists are, for the checks.
fn list_addresses(town: &Town) -> Vec<String> {
    [config::ANNOUNCE, config::OSS_SECURITY]
        .iter()
        .filter_map(|name| town.house.config.list.get(*name).map(|l| l.address.clone()))
        .collect()
}

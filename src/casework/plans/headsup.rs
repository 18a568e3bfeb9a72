//! Gathering a Headsup: the public announcement, ahead of T0, that a release is coming. It is
//! the only thing that becomes public before T0, so it has no step but posts, its text has no
//! room for details, and what it says is judged harder than anything else.

use super::Order;
use super::pin::{Draft, pin};
use super::release::{Poster, try_targets};
use super::views::{self, Opened};
use crate::casework::disclosures::{open_for_change, t0_of};
use crate::casework::windows::hears;
use crate::casework::{Case, CaseError, House};
use crate::clock::random;
use crate::config::List;
use crate::domain::action::Action;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::{Finding, any_stop};
use crate::domain::ids::StepId;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::planner::{self, Post, ReleaseDay, whole_second};
use crate::domain::secret::Reason;
use crate::domain::stage::Stage;
use crate::domain::time::At;
use crate::domain::view::{AdvisoryView, HeadsupView};
use crate::domain::zone::T0;
use crate::formats::FormatError;
use crate::formats::headsup_text::{self, HeadsupText, Secrets};
use crate::letters::post;

/// Days before T0 at which it goes out unless said.
const AHEAD: u32 = 7;

pub(super) async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    open_for_change(disclosure)?;
    let t0 = t0_of(disclosure)?;
    let goes = instant(house, &t0, order)?;
    let lists: Vec<(&String, &List)> =
        house.config.list.iter().filter(|(_, l)| l.headsup).collect();
    if lists.is_empty() {
        return Err(CaseError::not_now(
            "no list hears a headsup",
            "set `headsup = true` in the section of a list in daybreak.toml",
        ));
    }
    let plans = super::of(house, disclosure.id).await?;
    if plans.iter().any(|p| p.kind == PlanKind::Headsup && p.state == PlanState::Running) {
        return Err(CaseError::not_now(
            "a headsup is being posted",
            "let it end, or settle its steps: daybreak plan show",
        ));
    }
    let opened = views::open(house, disclosure).await?;
    let view = view(house, &opened, t0);
    let wrong = |e: FormatError| CaseError::invalid("headsup", "cannot be made", e.to_string());
    let said = headsup_text::render(&house.templates, &view).map_err(wrong)?;
    let mut findings = judged(&opened, &said, &view).map_err(wrong)?;
    findings.extend(before_notice(house, disclosure, &t0, goes.at).await?);
    let (posts, blobs) = posts(house, &lists, &said).await?;
    let day = ReleaseDay {
        t0: goes.at,
        pushes: Vec::new(),
        uploads: Vec::new(),
        waits: Vec::new(),
        posts,
        pages: Vec::new(),
        static_tree: false,
        owner: house.config.team.address.clone(),
    };
    let steps = planner::release(day, || house.fresh(StepId::new));
    findings.extend(try_targets(house, &steps, &blobs).await);
    if any_stop(&findings) {
        return Err(CaseError::Blocked(findings));
    }
    let draft = Draft {
        resends: None,
        past: None,
        kind: PlanKind::Headsup,
        t0: goes,
        threshold: house.config.plans.headsup,
        recipients: Sha256::of(b""),
        groups: Vec::new(),
        announces: Some(t0.at),
        steps,
        blobs,
        advisories: opened.advisories.iter().map(|a| (a.id, a.revision)).collect(),
        distributors: Vec::new(),
    };
    Ok((pin(house, actor, disclosure, draft).await?, findings))
}

/// When it goes out: as asked, else a week ahead, else at once.
fn instant(house: &House, t0: &T0, order: &Order) -> Case<T0> {
    let now = whole_second(house.now());
    if now >= t0.at {
        return Err(CaseError::not_now(
            "its T0 has passed",
            "there is nothing left to tell in advance",
        ));
    }
    let Some(asked) = order.at else {
        return Ok(T0::new(t0.days_before(AHEAD).max(now), t0.zone));
    };
    if asked.at < now || asked.at >= t0.at {
        return Err(CaseError::invalid(
            "at",
            format!("is {}", asked.at.spoken()),
            format!("choose an instant from now on and before {}", t0.at.spoken()),
        ));
    }
    Ok(asked)
}

/// Distributors should not learn from a public list that something is coming.
async fn before_notice(
    house: &House,
    disclosure: &Disclosure,
    t0: &T0,
    goes: At,
) -> Case<Option<Finding>> {
    let content = disclosure.case.open(Reason::Judging);
    if disclosure.stage != Stage::Drafting || content.without_notice.is_some() {
        return Ok(None);
    }
    let distributors = house.store.read(|r| r.distributors()).await?;
    let (now, lead) = (house.now(), house.config.plans.lead_days);
    let listening = distributors.iter().filter(|d| hears(d, content));
    let windows = listening.flat_map(|d| {
        let record = d.record.open(Reason::Judging);
        record.contacts.iter().map(move |c| planner::notice_at(t0, record, c, lead, now))
    });
    Ok(windows.min().filter(|first| goes < *first).map(|first| {
        Finding::warn(
            "headsup-before-notice",
            "headsup",
            format!("the world hears before the first distributor does, at {}", first.spoken()),
        )
        .cure("choose a later instant with --at, or a longer lead")
    }))
}

fn view(house: &House, opened: &Opened, t0: T0) -> HeadsupView {
    let masthead = house.masthead();
    let texts = opened.advisories.iter().map(|a| a.text.open(Reason::Rendering));
    HeadsupView {
        team: masthead.team,
        contact: masthead.contact,
        base_url: masthead.base_url,
        t0,
        versions: opened.content.releases.iter().map(|r| r.version.clone()).collect(),
        count: opened.advisories.len(),
        severity: texts.flat_map(|t| t.severity.clone()).collect(),
    }
}

/// The text against everything that is known of the flaws and of whom they came from.
fn judged(
    opened: &Opened,
    said: &HeadsupText,
    view: &HeadsupView,
) -> Result<Vec<Finding>, FormatError> {
    let texts: Vec<_> = opened.advisories.iter().map(|a| a.text.open(Reason::Judging)).collect();
    let advisories: Vec<AdvisoryView> = texts.iter().map(|t| AdvisoryView::of(t)).collect();
    let mut names: Vec<String> = Vec::new();
    for text in &texts {
        names.push(text.private_notes.clone());
        names.extend(text.reporters.iter().flat_map(|r| [r.name.clone(), r.address.clone()]));
    }
    for (patch, bytes) in &opened.patches {
        names.extend([patch.branch.branch.clone(), patch.file_name.clone()]);
        // Which files it touches tells where to look.
        let text = String::from_utf8_lossy(bytes);
        let paths = text.lines().filter_map(|l| l.strip_prefix("diff --git "));
        names.extend(paths.map(str::to_owned));
    }
    names.extend(opened.content.attachments.iter().map(|a| a.file_name.clone()));
    headsup_text::judge(said, view, &Secrets { advisories: &advisories, names: &names })
}

/// One mail a list, signed as that list wants it.
async fn posts(
    house: &House,
    lists: &[(&String, &List)],
    said: &HeadsupText,
) -> Case<(Vec<Post>, Vec<Blob>)> {
    let signer = Poster { signer: house.keys.post.as_ref(), at: house.now() };
    let (mut all, mut blobs) = (Vec::new(), Vec::new());
    for (name, list) in lists {
        let (message_id, boundary) = (house.message_id(), random::<16>(house.rng.as_ref()));
        let post = post::Post {
            list,
            from: &house.config.team.address,
            subject: &said.subject,
            full: &said.text,
            short: &said.text,
            message_id: &message_id,
            boundary: &hex::encode(boundary),
        };
        let posted = post::compose(&post, &signer).await.map_err(|e| {
            CaseError::invalid(format!("headsup to {name}"), "cannot be made", e.to_string())
        })?;
        let (from, envelope_from, to) =
            (posted.from.clone(), posted.envelope_from.clone(), posted.to.clone());
        let blob = posted.blob(format!("headsup-{name}.eml"));
        let message = blob.about.clone();
        blobs.push(blob);
        let mail = Action::Mail { from, envelope_from, to, message_id, message };
        let moderation = list.moderated.then(|| {
            let archive = list.archive_url.as_deref().unwrap_or("its archive");
            format!("Release the announcement to {} from moderation, then give the address at which {archive} shows it", list.address)
        });
        all.push(Post { list: (*name).clone(), mail, order: list.order, moderation });
    }
    Ok((all, blobs))
}

/// The world was told another instant than the one that holds now.
pub(in crate::casework) async fn outdated(
    house: &House,
    disclosure: &Disclosure,
) -> Case<Option<Finding>> {
    let mut told = None;
    for plan in super::of(house, disclosure.id).await? {
        if plan.kind != PlanKind::Headsup {
            continue;
        }
        let standing = super::standing(house, &plan).await?;
        let posts =
            standing.manifest.steps.iter().filter(|s| matches!(s.action, Action::Mail { .. }));
        let begun = |id| standing.run.progress(id).is_some_and(|p| p.attempts > 0);
        if posts.into_iter().any(|s| begun(s.id)) {
            told = standing.manifest.announces;
        }
    }
    let now = disclosure.t0.map(|t| t.at);
    Ok(told.filter(|at| Some(*at) != now && disclosure.stage.is_open()).map(|at| {
        Finding::warn(
            "headsup-outdated",
            "headsup",
            format!("the world was told {}, which no longer holds", at.spoken()),
        )
        .cure("daybreak plan make DISC --kind headsup, and have it approved")
    }))
}

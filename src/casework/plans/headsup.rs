//! Gathering a Headsup: the public announcement, ahead of T0, that a release is coming. It is
//! the only thing that becomes public before T0, so it has no step but posts, its text has no
//! room for details, and what it says is judged harder than anything else.

use super::Order;
use super::public::{Public, Words, begin, posted};
use super::views::{self, Opened};
use crate::casework::windows::hears;
use crate::casework::{Case, CaseError, House};
use crate::config::List;
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::Finding;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::planner::{self, Post, ReleaseDay, whole_second};
use crate::domain::secret::Reason;
use crate::domain::stage::Stage;
use crate::domain::time::At;
use crate::domain::view::{AdvisoryView, HeadsupView};
use crate::domain::zone::T0;
use crate::formats::FormatError;
use crate::formats::headsup_text::{self, HeadsupText, Secrets};

/// Days before T0 at which it goes out unless said.
const AHEAD: u32 = 7;

pub(super) async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    let (t0, plans) = begin(house, disclosure).await?;
    let goes = instant(house, &t0, order)?;
    let lists: Vec<(&String, &List)> =
        house.config.list.iter().filter(|(_, l)| l.headsup).collect();
    if lists.is_empty() {
        return Err(CaseError::not_now(
            "no list hears a headsup",
            "set `headsup = true` in the section of a list in daybreak.toml",
        ));
    }
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
    let owner = house.config.team.address.clone();
    let day = ReleaseDay { posts, ..ReleaseDay::empty(goes.at, owner) };
    let (kind, announces) = (PlanKind::Headsup, Some(t0.at));
    let threshold = house.config.plans.headsup;
    let public = Public { kind, t0: goes, announces, threshold, day, blobs, findings, hurry: None };
    public.pin(house, actor, disclosure, &opened).await
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

/// One mail a list.
async fn posts(
    house: &House,
    lists: &[(&String, &List)],
    said: &HeadsupText,
) -> Case<(Vec<Post>, Vec<Blob>)> {
    let HeadsupText { subject, text } = said;
    let words = Words { what: "headsup", subject, full: text, short: text };
    let (mut all, mut blobs) = (Vec::new(), Vec::new());
    for (name, list) in lists {
        let (post, blob) = posted(house, name, list, &words).await?;
        all.push(post);
        blobs.push(blob);
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

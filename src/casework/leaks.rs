//! When it cannot wait for its date: it leaked, or is used against people already.
//!
//! An approved release starts as it stands, and waits for no notice. Without one everything is
//! made anew in one action: the instant, the release as it stands (or the mitigation alone when
//! there is no fix), and the one notice that everybody who knows gets. The release needs as many
//! approvals as `plans.publish_now` says; what is waived is waived by name, and all of it is in
//! the audit with who asked.

use super::controls::{self, Lifted};
use super::disclosures::{open_for_change, save};
use super::mitigations::go_without_fix;
use super::plans::notice::{Tell, aware};
use super::plans::public::refused_now;
use super::plans::{self, Hurry, Order, judge_release};
use super::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Case as Content, Disclosure, Leak, Moved};
use crate::domain::finding::{Finding, any_stop};
use crate::domain::ids::MemberId;
use crate::domain::news::NoticeKind;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::planner::whole_second;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::Span;
use crate::domain::zone::T0;
use crate::store::StoreError;

/// What may be said until the instant, unless the team says something else.
const MAY_SAY: &str = "That it is known to us, and that we publish at the instant above.";

/// What somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Why. Without a leak whoever was told reads it.
    pub reason: String,
    /// Where it is public.
    pub leak: Option<String>,
    /// How long from now; at once unless said.
    pub within: Option<Span>,
    /// What may be said until then; plain words unless said.
    pub may_say: Option<String>,
    /// Codes of findings that shall not stop the release.
    pub waived: Vec<String>,
}

/// What cannot wait is no further off than this; everything else has time for its own verbs.
const SOON: Span = Span::hours(24);

/// What came of it.
pub struct Hurried {
    /// The disclosure as it is now.
    pub disclosure: Disclosure,
    /// The approved release that was asked to start.
    pub lifted: Option<Lifted>,
    /// The release that was made instead; it waits for approvals.
    pub release: Option<Case<(Plan, Vec<Finding>)>>,
    /// What those who know are told; it waits for approvals, and nothing waits for it.
    pub notice: Option<Case<(Plan, Vec<Finding>)>>,
}

/// Publishes before the date. Nothing is done when the release could not be made.
pub async fn publish_now(
    house: &House,
    member: MemberId,
    disclosure: &Disclosure,
    wish: &Wish,
) -> Case<Hurried> {
    for (field, text) in [("reason", Some(&wish.reason)), ("leak", wish.leak.as_ref())] {
        if text.is_some_and(|t| t.trim().is_empty() || t.chars().any(char::is_control)) {
            return Err(CaseError::invalid(
                field,
                "is empty or has a line break",
                "say in one line why it cannot wait, and where it is public",
            ));
        }
    }
    let plans = plans::of(house, disclosure.id).await?;
    let approved =
        plans.iter().any(|p| p.kind == PlanKind::Release && p.state == PlanState::Approved);
    match wish.within {
        // Nobody said that it leaked, nor how soon: a slip must not void what waits.
        None if approved || wish.leak.is_none() => {
            lift(house, member, disclosure, wish, &plans).await
        }
        _ => anew(house, member, disclosure, wish, &plans).await,
    }
}

/// Starts what was approved. The notice is made first, because afterwards the embargo is over;
/// that it cannot be made keeps nothing back.
async fn lift(
    house: &House,
    member: MemberId,
    disclosure: &Disclosure,
    wish: &Wish,
    plans: &[Plan],
) -> Case<Hurried> {
    let held = |p: &&Plan| p.kind == PlanKind::Release && p.state == PlanState::Approved && p.held;
    if plans.iter().any(|p| held(&p)) {
        return Err(CaseError::not_now("the release plan is held", "daybreak plan resume"));
    }
    let mut disclosure = disclosure.clone();
    let mut notice = None;
    if let Some(url) = &wish.leak {
        let known = |l: &Leak| l.url == *url;
        if !disclosure.case.open(Reason::Judging).leaks.iter().any(known) {
            disclosure = record(house, member, &disclosure, wish, url).await?;
        }
        // Each who asks says it again; it is told once.
        if !plans.iter().any(says_at_once) {
            notice = tell(house, member, &disclosure, wish).await?;
        }
    }
    let lifted = controls::publish_now(house, member, &disclosure, &wish.reason).await?;
    Ok(Hurried { disclosure, lifted: Some(lifted), release: None, notice })
}

fn says_at_once(plan: &Plan) -> bool {
    let open = plan.state == PlanState::Made || plan.state.is_live();
    let kind = || plans::manifest_of(plan).ok().and_then(|m| m.notice());
    plan.kind == PlanKind::Notice && open && kind() == Some(NoticeKind::AtOnce)
}

/// Writes down where it is public. Nothing that was approved becomes void by that: no plan tells
/// it.
async fn record(
    house: &House,
    member: MemberId,
    disclosure: &Disclosure,
    wish: &Wish,
    url: &str,
) -> Case<Disclosure> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.leaks.push(leak(house, wish, url));
    let mut changed = Disclosure { case: Embargoed::new(content), ..disclosure.clone() };
    let detail = format!("{url}: {}", wish.reason);
    let deed = house.deed(Actor::Member(member), "leak-record", changed.id).detail(detail);
    let stored = changed.clone();
    let saved = house.store.write(&deed, move |tx| tx.save_disclosure(&stored));
    changed.revision = saved.await?;
    Ok(changed)
}

fn leak(house: &House, wish: &Wish, url: &str) -> Leak {
    Leak { url: url.to_owned(), reason: wish.reason.clone(), at: house.now() }
}

/// Makes everything anew for an instant so near that nobody can make it by hand.
async fn anew(
    house: &House,
    member: MemberId,
    disclosure: &Disclosure,
    wish: &Wish,
    plans: &[Plan],
) -> Case<Hurried> {
    open_for_change(disclosure)?;
    let now = house.now();
    let within = wish.within.unwrap_or(Span::ZERO);
    let zone = disclosure.t0.map_or(chrono_tz::Tz::UTC, |t0| t0.zone);
    let t0 = T0::new(whole_second(now.plus(within)), zone);
    let sooner = |old: T0| old.at <= now || t0.at < old.at;
    if within > SOON {
        return Err(CaseError::invalid(
            "in",
            "is more than a day ahead",
            "say less; there is time for `disclosure move` and plans made as ever",
        ));
    }
    if within < Span::ZERO || !disclosure.t0.is_none_or(sooner) {
        return Err(CaseError::invalid(
            "in",
            format!("leads to {}, which is not earlier than T0", t0.at.spoken()),
            "say less, or leave it out to publish at once; a later T0 is set with `disclosure move`",
        ));
    }
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.leaks.extend(wish.leak.iter().map(|url| leak(house, wish, url)));
    let reason = told_why(wish);
    let at = Some(now);
    content.moves.push(Moved { to: t0, at, reason, overridden: None, rules: Vec::new() });
    if has_no_fix(&content) {
        go_without_fix(&mut content, &house.supported(), &wish.reason);
    }
    let changed = Disclosure { t0: Some(t0), case: Embargoed::new(content), ..disclosure.clone() };
    let hurry = Hurry { waived: wish.waived.clone(), leaked: wish.leak.is_some() };
    let order = Order { hurry: Some(hurry), ..Order::default() };
    let judged = judge_release(house, &changed, plans, &order).await?;
    if any_stop(&judged) {
        return Err(CaseError::Blocked(judged));
    }
    // What waits is void once T0 has moved: what would refuse the next one is said before.
    let refused = refused_now(house, plans, &order).await?;
    if !refused.is_empty() {
        return Err(CaseError::Blocked(refused));
    }
    let actor = Actor::Member(member);
    let deed = house.deed(actor, "publish-now", changed.id).detail(said(wish, t0));
    let disclosure = save(house, &deed, disclosure, changed, |_| Ok(())).await?;
    let notice = tell(house, member, &disclosure, wish).await?;
    let release = plans::make_as(house, actor, &disclosure, PlanKind::Release, &order).await;
    Ok(Hurried { disclosure, lifted: None, release: Some(release), notice })
}

fn has_no_fix(content: &Content) -> bool {
    let nothing = content.patches.is_empty() && content.releases.is_empty();
    nothing && content.candidates.is_empty() && !content.advisories.is_empty()
}

/// For the audit: what was asked for, and what was waived by name.
fn said(wish: &Wish, t0: T0) -> String {
    let mut text = format!("{}; T0 becomes {}", wish.reason, t0.at.rfc3339());
    if let Some(url) = &wish.leak {
        text.push_str(&format!("; public at {url}"));
    }
    if !wish.waived.is_empty() {
        text.push_str(&format!("; waived: {}", wish.waived.join(", ")));
    }
    text
}

fn told_why(wish: &Wish) -> String {
    match &wish.leak {
        Some(url) => format!("The details are public: {url}"),
        None => wish.reason.clone(),
    }
}

/// The one notice for everybody who knows: of the new instant, or that it is now. `None` when
/// nobody knows and nobody could be told in time.
async fn tell(
    house: &House,
    member: MemberId,
    disclosure: &Disclosure,
    wish: &Wish,
) -> Case<Option<Case<(Plan, Vec<Finding>)>>> {
    let told = aware(house, disclosure).await?.told;
    if told == 0 && wish.within.is_none() {
        return Ok(None);
    }
    let public = told_why(wish);
    let tell = match (wish.within, &wish.leak) {
        (None, _) => {
            let zone = disclosure.t0.map_or(chrono_tz::Tz::UTC, |t0| t0.zone);
            Tell::AtOnce { public, decided: T0::new(whole_second(house.now()), zone) }
        }
        (Some(_), Some(_)) => {
            let may_say = wish.may_say.clone().unwrap_or_else(|| MAY_SAY.to_owned());
            Tell::Broken { public, may_say }
        }
        (Some(_), None) => Tell::Due,
    };
    let order = Order { tell, ..Order::default() };
    let actor = Actor::Member(member);
    match plans::make_as(house, actor, disclosure, PlanKind::Notice, &order).await {
        // The database is everybody's trouble; everything else is this notice's alone.
        Err(CaseError::Store(e @ (StoreError::Unavailable(_) | StoreError::Full))) => Err(e.into()),
        made => Ok(Some(made)),
    }
}

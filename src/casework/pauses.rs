//! Asking to be asked: pauses between the phases of a public plan.
//!
//! A pause is a row that every engine obeys, whoever placed it from wherever. It delays: none
//! holds longer than it was asked for, and what a terminal placed lapses soon after the terminal
//! is gone. Whatever must not go on at all is held or aborted instead.

use super::plans::{Standing, manifest_of, standing};
use super::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::ids::HolderId;
use crate::domain::pause::{LONGEST, OUTLIVES, Pause, Word};
use crate::domain::plan::{Phase, Plan};
use crate::domain::run::GoRow;
use crate::domain::secret::Embargoed;
use crate::domain::time::Span;

/// The phases before which one can be asked.
pub const PHASES: [Phase; 3] = [Phase::Gate, Phase::Announce, Phase::FollowUp];

/// Who asks, as the audit and people name them.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// For the audit.
    pub actor: Actor,
    /// By name.
    pub by: &'a str,
}

/// The pauses of a plan that nobody has ended, in the phases' order.
pub async fn of(house: &House, plan: &Plan) -> Case<Vec<Pause>> {
    let id = plan.id;
    Ok(house.store.read(move |r| r.pauses(id)).await?)
}

/// How long a pause of a plan may hold at most: announcements that go anyway wait for nobody.
pub fn longest(plan: &Plan) -> Case<Span> {
    Ok(LONGEST.min(manifest_of(plan)?.announce_after))
}

/// Asks to be asked before a phase. It holds for `holds` at most, once the phase is reached.
pub async fn place(
    house: &House,
    who: Asker<'_>,
    plan: &Plan,
    phase: Phase,
    holds: Option<Span>,
    reason: &str,
) -> Case<Pause> {
    let stands = standing(house, plan).await?;
    can_wait(&stands, phase)?;
    let most = longest(plan)?;
    let holds = holds.unwrap_or(most);
    if holds < Span::secs(1) || holds > most {
        return Err(CaseError::invalid(
            "for",
            format!("is {} s", holds.as_secs()),
            format!(
                "give 1 to {} s: after that the day goes on by itself; to stop a plan before GO, \
                 daybreak plan hold",
                most.as_secs()
            ),
        ));
    }
    let word = Embargoed::new(Word { by: who.by.to_owned(), reason: reason.to_owned() });
    let pause = Pause { phase, holds, until: None, session: None, word };
    let (id, row) = (plan.id, pause.clone());
    let said = format!("before {}, at most {} s: {reason}", phase.word(), holds.as_secs());
    let deed = house.deed(who.actor, "plan-pause", id).detail(said);
    house.store.write(&deed, move |tx| tx.pause(id, &row)).await?;
    Ok(pause)
}

/// Whether somebody can still be asked before that phase.
fn can_wait(stands: &Standing, phase: Phase) -> Case<()> {
    let plan = &stands.plan;
    if !plan.state.is_live() {
        return Err(CaseError::not_now(
            format!("the plan is {}", plan.state),
            "only an approved or running plan can wait",
        ));
    }
    if !plan.kind.is_public() || !PHASES.contains(&phase) {
        return Err(CaseError::not_now(
            format!("a {} plan has no phase `{}` to wait for", plan.kind, phase.word()),
            "daybreak plan hold keeps a notice back",
        ));
    }
    let mut steps = stands.manifest.steps.iter().filter(|s| s.phase == phase).peekable();
    let begun = match phase {
        Phase::Gate => matches!(stands.facts.go, Some(GoRow::Go(_))),
        _ => steps.peek().is_none() || steps.any(|s| stands.run.has_begun(s)),
    };
    if begun {
        return Err(CaseError::not_now(
            format!("the phase `{}` has begun, or has no steps", phase.word()),
            "what is under way goes on; daybreak plan show",
        ));
    }
    Ok(())
}

/// Lets a phase begin: the named one, or the first that somebody wants to be asked before. GO
/// still never comes before its time. Which one it was.
pub async fn go_on(
    house: &House,
    who: Asker<'_>,
    plan: &Plan,
    phase: Option<Phase>,
    reason: &str,
) -> Case<Phase> {
    let all = of(house, plan).await?;
    let asked = all.iter().find(|p| phase.is_none_or(|wanted| wanted == p.phase));
    let Some(phase) = asked.map(|p| p.phase) else {
        return Err(CaseError::not_now(
            "nobody asked for a pause there",
            "daybreak plan show says what a plan waits for",
        ));
    };
    let id = plan.id;
    let said = format!("{}: {reason}", phase.word());
    let deed = house.deed(who.actor, "plan-go-on", id).detail(said);
    house.store.write(&deed, move |tx| tx.end_pause(id, phase)).await?;
    Ok(phase)
}

/// What a terminal asks for: to be asked before each of these phases, where that is still
/// possible and nobody else wants to be asked. It must renew that. Which ones it got.
pub async fn attend(
    house: &House,
    who: Asker<'_>,
    plan: &Plan,
    session: HolderId,
    phases: &[Phase],
) -> Case<Vec<Phase>> {
    let stands = standing(house, plan).await?;
    let taken: Vec<Phase> = of(house, plan)
        .await?
        .iter()
        .filter(|p| p.session.is_none() || p.until.is_some_and(|until| until > house.now()))
        .map(|p| p.phase)
        .collect();
    let free = |phase: &&Phase| !taken.contains(phase) && can_wait(&stands, **phase).is_ok();
    let mine: Vec<Phase> = phases.iter().filter(free).copied().collect();
    if mine.is_empty() {
        return Ok(mine);
    }
    let holds = longest(plan)?;
    let until = Some(house.now().plus(OUTLIVES));
    let word = Word { by: who.by.to_owned(), reason: "attended".to_owned() };
    let pause = |phase: &Phase| Pause {
        phase: *phase,
        holds,
        until,
        session: Some(session),
        word: Embargoed::new(word.clone()),
    };
    let rows: Vec<Pause> = mine.iter().map(pause).collect();
    let names: Vec<&str> = mine.iter().map(|p| p.word()).collect();
    let id = plan.id;
    let said = format!("attended, before {}", names.join(", "));
    let deed = house.deed(who.actor, "plan-pause", id).detail(said);
    let keep =
        move |tx: &mut crate::store::Tx<'_>| rows.iter().try_for_each(|row| tx.pause(id, row));
    house.store.write(&deed, keep).await?;
    Ok(mine)
}

/// The terminal lives. How many of its pauses still hold.
pub async fn renew(house: &House, who: Asker<'_>, plan: &Plan, session: HolderId) -> Case<usize> {
    let (id, until) = (plan.id, house.now().plus(OUTLIVES));
    let deed = house.deed(who.actor, "pause-renew", id);
    Ok(house.store.write(&deed, move |tx| tx.renew_pauses(id, session, until)).await?)
}

/// The terminal asks no more: the day goes on by itself.
pub async fn leave(house: &House, who: Asker<'_>, plan: &Plan, session: HolderId) -> Case<()> {
    let id = plan.id;
    let deed = house.deed(who.actor, "pause-leave", id);
    Ok(house.store.write(&deed, move |tx| tx.end_pauses_of(id, session)).await?)
}

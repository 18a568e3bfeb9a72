//! Which plans a command voided: an edit makes approved plans void, and whoever types it must
//! hear of that at once, not on the day.

use super::desk::Desk;
use super::exit::Ended;
use crate::casework::{House, plans};
use crate::domain::ids::{DisclosureId, PlanId};
use crate::domain::plan::{PlanKind, PlanState};
use crate::domain::stage::Stage;

/// A plan as it stood.
struct Seen {
    id: PlanId,
    disclosure: DisclosureId,
    number: i64,
    kind: PlanKind,
    state: PlanState,
}

/// Every plan as it stood before an edit.
pub struct Before(Vec<Seen>);

async fn seen(house: &House) -> anyhow::Result<Vec<Seen>> {
    let all = plans::all(house).await?;
    let seen = |p: crate::domain::plan::Plan| Seen {
        id: p.id,
        disclosure: p.disclosure,
        number: p.number,
        kind: p.kind,
        state: p.state,
    };
    Ok(all.into_iter().map(seen).collect())
}

impl Before {
    /// Notes every plan before an edit.
    pub async fn edit(desk: &Desk) -> anyhow::Result<Self> {
        Ok(Self(seen(&desk.house).await?))
    }

    /// Says which plans became void since, whether the edit ended well or half-way.
    pub async fn tell(self, desk: &Desk, ended: Ended) -> Ended {
        match (ended, self.say(desk).await) {
            (Ok(_), Err(unread)) => Err(unread),
            (ended, _) => ended,
        }
    }

    async fn say(self, desk: &Desk) -> anyhow::Result<()> {
        let now = seen(&desk.house).await?;
        for old in self.0.iter().filter(|p| p.state != PlanState::Void) {
            let gone = |p: &Seen| p.id == old.id && p.state == PlanState::Void;
            if now.iter().any(gone) {
                let (kind, number, state) = (old.kind, old.number, old.state);
                let cure = self.cure(desk, old, &now).await?;
                desk.print.talk(format!("voided: {kind} plan {number} (was {state}){cure}"));
            }
        }
        Ok(())
    }

    /// What to do about it: nothing when another plan of its kind took its place, by being made
    /// or by being approved, or the case is closed.
    async fn cure(&self, desk: &Desk, old: &Seen, now: &[Seen]) -> anyhow::Result<&'static str> {
        let waited = |id| self.0.iter().any(|p| p.id == id && p.state == PlanState::Made);
        // What was approved is made good by nothing less.
        let takes = |p: &Seen| match old.state {
            PlanState::Made => p.state != PlanState::Void,
            _ => p.state.is_live(),
        };
        let instead = |p: &Seen| {
            p.disclosure == old.disclosure
                && p.kind == old.kind
                && ((p.number > old.number && takes(p)) || (p.state.is_live() && waited(p.id)))
        };
        let id = old.disclosure;
        let stage = desk.house.store.read(move |r| r.disclosure(id)).await?.stage;
        let done = stage == Stage::Cancelled || now.iter().any(instead);
        Ok(if done { "" } else { ": make it again and have it approved" })
    }
}

//! `daybreak disclosure deputy | take`: who is called when the coordinator is silent.

use clap::Args;
use serde_json::json;

use crate::casework::{find_disclosure, find_member, hands};
use crate::cli::desk::Desk;
use crate::cli::print::table;
use crate::domain::ids::MemberId;
use crate::domain::secret::Reason;

/// Show or name who leads a disclosure and who is called when nobody answers
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure deputy x_meadow-2026-0001\n  \
    daybreak disclosure deputy x_meadow-2026-0001 Bo\n  \
    daybreak disclosure deputy x_meadow-2026-0001 Bo --coordinator Ada")]
pub struct Deputy {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// The deputy: name, address or id of a member
    member: Option<String>,
    /// Who leads it (whoever opened it, unless said)
    #[arg(long, value_name = "MEMBER")]
    coordinator: Option<String>,
}

/// Say, as its deputy, that you are ready and have it (needs --as)
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak --as Bo disclosure take x_meadow-2026-0001")]
pub struct Take {
    /// Id, or the public id of one of its advisories
    disclosure: String,
}

pub async fn deputy(desk: &Desk, order: &Deputy) -> anyhow::Result<()> {
    let house = &desk.house;
    let mut found = find_disclosure(house, &order.disclosure).await?;
    if order.member.is_some() || order.coordinator.is_some() {
        let deputy = match &order.member {
            Some(name) => Some(find_member(house, name).await?),
            None => None,
        };
        let leads = match &order.coordinator {
            Some(name) => Some(find_member(house, name).await?),
            None => None,
        };
        let (leads, deputy) = (leads.as_ref(), deputy.as_ref());
        found = hands::name(house, desk.actor, &found, leads, deputy).await?;
    }
    let held = found.case.open(Reason::Review).hands.clone();
    let leads = hands::leads(house, &found, &held).await?;
    let members = house.store.read(|r| r.members()).await?;
    let name = |id: Option<MemberId>| {
        let member = members.iter().find(|m| Some(m.id) == id);
        member.map(|m| m.record.open(Reason::Review).name.clone())
    };
    let (leads, deputy) = (name(leads), name(held.deputy));
    let taken = held.taken.map(|at| at.rfc3339());
    let json = json!({
        "id": found.id, "coordinator": leads, "deputy": deputy, "taken": taken,
    });
    desk.print.either(&json, || {
        let or = |text: Option<String>, none: &str| text.unwrap_or_else(|| none.to_owned());
        let rows = [
            vec!["coordinator".to_owned(), or(leads, "nobody named")],
            vec!["deputy".to_owned(), or(deputy, "nobody named")],
            vec!["taken".to_owned(), or(taken, "not yet")],
        ];
        table(&[], rows)
    })?;
    if held.deputy.is_some() && held.taken.is_none() {
        desk.print.talk(format!(
            "The deputy says that they are ready with: daybreak --as DEPUTY disclosure take {}",
            found.id
        ));
    }
    Ok(())
}

pub async fn take(desk: &Desk, order: &Take) -> anyhow::Result<()> {
    let member = desk.member()?;
    let found = find_disclosure(&desk.house, &order.disclosure).await?;
    let taken = hands::take(&desk.house, member, &found).await?;
    desk.print.made(taken.id, &[])?;
    desk.print.talk("You have it.");
    Ok(())
}

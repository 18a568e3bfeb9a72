//! What can only be told by asking the world. Nothing is sent: outlets are asked what would
//! keep them from working.

use super::Looked;
use crate::casework::House;
use crate::casework::plans::{self, preview, public};
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::effect::Intended;
use crate::domain::finding::Finding;
use crate::domain::ids::StepId;
use crate::domain::planner::MAIL;

pub async fn looks(house: &House) -> anyhow::Result<Vec<Looked>> {
    let mut all = vec![relay(house).await, repositories(house).await];
    for id in house.store.read(|r| r.live_plans()).await? {
        let plan = house.store.read(move |r| r.plan(id)).await?;
        let manifest = plans::manifest_of(&plan)?;
        let blobs = preview::blobs(house, plan.id, preview::all_of(&manifest)).await?;
        let mut steps = manifest.steps;
        // Notices are sealed only when they are sent; the relay itself was asked above.
        steps.retain(|s| s.sealing.is_none());
        if steps.is_empty() {
            continue;
        }
        let findings = public::try_targets(house, &steps, &blobs).await;
        let said = format!("{} {}: every target could be used", plan.kind, plan.id);
        all.push(Looked::new("targets", said, findings));
    }
    Ok(all)
}

/// Whether the relay would take a mail from us.
async fn relay(house: &House) -> Looked {
    let Some(outlet) = house.outlets.get(MAIL) else {
        return Looked::new("relay", "", vec![]);
    };
    let team = house.config.team.address.clone();
    let text = format!(
        "From: {team}\r\nTo: {team}\r\nDate: {}\r\nSubject: test\r\nMessage-ID: <{}>\r\n\r\nNever sent.\r\n",
        house.now().rfc5322(),
        house.message_id()
    );
    let blob = Blob::new("never-sent.eml", text.into_bytes(), vec![]);
    let action = Action::Mail {
        from: team.clone(),
        envelope_from: house.config.mail.envelope_from.clone().unwrap_or_else(|| team.clone()),
        to: team,
        message_id: house.message_id(),
        message: blob.about.clone(),
    };
    let intended = Intended { step: house.fresh(StepId::new), action, blobs: vec![blob] };
    let findings = outlet.check(&intended).await;
    let mail = &house.config.mail;
    Looked::new("relay", format!("{}:{} takes our mail", mail.host, mail.port), findings)
}

/// Whether every public repository can be read, and shows the supported branches.
async fn repositories(house: &House) -> Looked {
    let mut findings = Vec::new();
    for (name, repository) in &house.config.repository {
        let place = format!("repository.{name}");
        let Ok(workshop) = house.workshop(name) else { continue };
        if let Err(error) = workshop.mirror().refresh().await {
            findings.push(Finding::stop("repository-unreachable", &place, error.to_string()));
            continue;
        }
        for branch in &repository.branches {
            if !matches!(workshop.mirror().tip(&branch.name).await, Ok(Some(_))) {
                findings.push(
                    Finding::stop(
                        "branch-missing",
                        &place,
                        format!("it has no branch {}", branch.name),
                    )
                    .cure("correct `branches` in daybreak.toml"),
                );
            }
        }
    }
    let said = format!("{} can be read", house.config.repository.len());
    Looked::new("repositories", said, findings)
}

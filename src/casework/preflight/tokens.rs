//! Passwords, tokens and SSH keys, by the day that the team wrote beside them: nobody can read
//! it out of a secret, and a place that is tried today says nothing of T0.

use super::Ends;
use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::finding::Finding;
use crate::domain::plan::Step;
use crate::domain::time::At;

/// What the credentials that the plan uses say, each once.
pub(super) fn findings(config: &Config, steps: &[Step], now: At, t0: At) -> Vec<Finding> {
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for step in steps {
        let used = match &step.action {
            Action::Push { repository, .. } => config.repository_ends(repository),
            Action::Run { command, .. } => config.command_ends(command),
            // Only what is run gets secrets; who looks is anybody.
            Action::Await { .. } => None,
            Action::Post { webhook, .. } => config.webhook_ends(webhook),
            Action::Mail { .. } | Action::Publish { .. } | Action::Ask { .. } => None,
        };
        let Some((place, ends)) = used.filter(|(place, _)| !seen.contains(place)) else { continue };
        seen.push(place.clone());
        let cure = "renew the credential, then write its new day there";
        match Ends::judge(ends.at(), now, t0) {
            Ends::TooEarly => findings.push(
                Finding::stop("token-ends", place, "the credential ends before the day is over")
                    .cure(cure),
            ),
            Ends::Soon => findings.push(
                Finding::warn("token-ends-soon", place, "it ends within two weeks after T0")
                    .cure(cure),
            ),
            Ends::Late => {}
        }
    }
    findings
}

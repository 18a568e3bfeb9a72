//! The places of a plan: whether each could do its step, whether branches are where the plan
//! expects them, and whether anybody can see something of ours already.

use crate::casework::House;
use crate::casework::plans::public::asked;
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::finding::{Finding, Severity};
use crate::domain::plan::Step;
use crate::domain::preflight::{Checked, Family};
use crate::outlets::git::REPOSITORY_MOVED;
use crate::outlets::webhook::WEBHOOK_MOVED;

/// What the places say, one after another: a place is not to be asked by several at once.
pub(super) async fn findings(house: &House, steps: &[Step], blobs: &[Blob]) -> Vec<Checked> {
    let mut all: Vec<Checked> = Vec::new();
    for step in steps {
        let (outlet, intended) = match asked(house, step, blobs) {
            Ok(asked) => asked,
            Err(finding) => {
                all.push(Checked { family: Family::Plan, finding });
                continue;
            }
        };
        let said = outlet.check(&intended).await.into_iter().map(|f| judged(step, f));
        all.extend(said);
        let exposed = outlet.exposed(&intended).await;
        all.extend(exposed.into_iter().map(|finding| Checked { family: Family::Public, finding }));
    }
    let mut once: Vec<Checked> = Vec::new();
    for checked in all {
        if !once.contains(&checked) {
            once.push(checked);
        }
    }
    once
}

/// What an outlet says, as it stands to the day.
fn judged(step: &Step, mut finding: Finding) -> Checked {
    let family = match (finding.code.as_str(), &step.action) {
        (code, _) if code.starts_with("branch-") || code == "tag-exists" => Family::Branches,
        // It leads elsewhere than people approved, whether or not anybody answers there.
        (REPOSITORY_MOVED | WEBHOOK_MOVED, _) => Family::Plan,
        (code, Action::Mail { .. }) if !code.starts_with("relay-") => Family::Posts,
        _ => Family::Targets,
    };
    match finding.code.as_str() {
        "branch-moved" => {
            let word = step.on_move.unwrap_or_default().word();
            finding.message.push_str(&format!("; at T0 its `on_move = {word}` decides"));
            // What waits for a person on the day is cured before it; the rest goes by itself.
            if word == "hold" {
                finding.message.push_str(": its step waits for a person");
                finding.severity = Severity::Stop;
            }
        }
        // A push that is refused in a rehearsal is refused on the day, and what does not fit by
        // itself waits for a person then.
        _ if matches!(step.action, Action::Push { .. }) => finding.severity = Severity::Stop,
        _ => {}
    }
    Checked { family, finding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::blob::Blob;
    use crate::domain::ids::StepId;
    use crate::domain::plan::{OnMove, Phase};
    use crate::domain::time::At;

    fn step(on_move: Option<OnMove>) -> Step {
        let pack = Blob::new("b", vec![], vec![]).about;
        Step {
            id: StepId::new(At::from_secs(0), [0; 10]),
            outlet: "git".to_owned(),
            phase: Phase::Gate,
            not_before: At::from_secs(0),
            after: vec![],
            action: Action::Push {
                repository: "meadow".to_owned(),
                place: None,
                refs: vec![],
                pack,
                remake: None,
            },
            sealing: None,
            on_move,
        }
    }

    #[test]
    fn a_moved_branch_is_red_where_a_person_would_be_waited_for() {
        let moved = || Finding::warn("branch-moved", "refs/heads/main", "it moved");
        let of = |on_move| judged(&step(on_move), moved());
        let hold = of(Some(OnMove::Hold));
        assert_eq!((hold.family, hold.finding.severity), (Family::Branches, Severity::Stop));
        assert!(hold.finding.message.contains("`on_move = hold`"), "{}", hold.finding.message);
        let leave = of(Some(OnMove::Leave));
        assert_eq!((leave.family, leave.finding.severity), (Family::Branches, Severity::Warn));
        for stuck in ["branch-conflicts", "branch-differs", "branch-rewritten"] {
            let said = Finding::warn(stuck, "refs/heads/main", "it does not fit");
            let checked = judged(&step(Some(OnMove::Merge)), said);
            assert_eq!(checked.family, Family::Branches, "{stuck}");
            assert_eq!(checked.finding.severity, Severity::Stop, "{stuck}");
        }
        let moved = judged(&step(None), Finding::stop(REPOSITORY_MOVED, "meadow", ""));
        assert_eq!((moved.family, moved.finding.severity), (Family::Plan, Severity::Stop));
        let other = judged(&step(None), Finding::warn("push-refused", "url", ""));
        assert_eq!((other.family, other.finding.severity), (Family::Targets, Severity::Stop));
    }
}

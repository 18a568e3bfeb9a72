//! Mails to lists as they are pinned, against what their lists take today: a list that refuses
//! or shortens a post does so on the day, and says it to nobody.

use crate::casework::House;
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::finding::Finding;
use crate::domain::plan::Step;

/// What the configuration says of each post now. Whether a list knows the sender as a
/// subscriber cannot be asked without sending.
pub(super) fn findings(house: &House, steps: &[Step], blobs: &[Blob]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in steps {
        let Action::Mail { from, envelope_from, to, message, .. } = &step.action else { continue };
        let all = &house.config.list;
        let Some((name, list)) = all.iter().find(|(_, list)| list.address == *to) else {
            findings.push(
                Finding::warn("list-unknown", to, "the post goes to no list that is configured")
                    .cure("configure the list again, or make the plan again"),
            );
            continue;
        };
        let bytes = blobs.iter().find(|b| b.about == *message).map_or(message.len, |b| b.about.len);
        if bytes > list.max_bytes {
            let message =
                format!("its post has {bytes} bytes, and the list takes {}", list.max_bytes);
            findings.push(
                Finding::stop("post-too-large", format!("list.{name}.max_bytes"), message)
                    .cure("make the plan again: what does not fit is left to our page"),
            );
        }
        let now_from = list.from.as_ref().unwrap_or(&house.config.team.address);
        let now_envelope = list.envelope_from.as_ref().unwrap_or(now_from);
        if from != now_from || envelope_from != now_envelope {
            findings.push(
                Finding::stop(
                    "post-sender-changed",
                    format!("list.{name}.from"),
                    "the post was approved with another sender than the list has now",
                )
                .cure("make the plan again, or configure the sender that was approved"),
            );
        }
    }
    findings
}

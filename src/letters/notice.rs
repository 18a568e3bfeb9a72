//! A notice's content group from its view: text, patches, machine-readable part.

use super::LetterError;
use super::entity::{Attachment, Group, group as entity_group};
use crate::domain::blob::Sha256;
use crate::domain::view::{Audience, NoticeView};
use crate::formats::templates::Templates;
use crate::formats::{notice_json, notice_text};

/// The bytes that everybody with this view gets, and the size of their mails. `changes` says
/// what differs from the revision before; `boundary` is random and pinned with the rest.
pub fn group(
    templates: &Templates,
    view: &NoticeView,
    changes: &str,
    boundary: &str,
) -> Result<Group, LetterError> {
    let text = notice_text::render(templates, view, changes)?;
    let mut attachments = Vec::new();
    if view.audience == Audience::Distributor {
        for (at, patch) in view.patches.iter().enumerate() {
            if patch.sha256 != Sha256::of(&patch.bytes).to_string() {
                return Err(LetterError::field(
                    format!("patches[{at}].sha256"),
                    "is not the digest of its bytes",
                    "add the patch again",
                ));
            }
            attachments.push(Attachment {
                file_name: patch.file_name.clone(),
                media_type: "text/x-patch",
                bytes: patch.bytes.clone(),
            });
        }
    }
    if view.audience == Audience::Distributor {
        attachments.extend(view.files.iter().map(|file| Attachment {
            file_name: file.file_name.clone(),
            // Nothing that a reader's program would open or run by itself.
            media_type: "application/octet-stream",
            bytes: file.bytes.clone(),
        }));
    }
    if view.machine_readable {
        let json = notice_json::render(view)?;
        attachments.push(Attachment {
            file_name: json.name,
            media_type: json.media_type,
            bytes: json.bytes,
        });
    }
    entity_group(&text, &attachments, boundary)
}

/// The real subject, for [`super::entity::Delivery::subject`].
pub fn subject(view: &NoticeView) -> String {
    notice_text::subject(view)
}

//! A notice's content group from its view: text, patches, machine-readable part.

use super::LetterError;
use super::entity::{Attachment, Group, copy, group as entity_group};
use crate::domain::blob::Sha256;
use crate::domain::news::News;
use crate::domain::view::{Audience, NoticeView};
use crate::formats::templates::Templates;
use crate::formats::{copy_text, notice_json, notice_text};

/// From the patches of the revision before to these.
const INTERDIFF: &str = "changes.interdiff";

/// The bytes that everybody with this view and this news gets, and the size of their mails;
/// `boundary` is random and pinned with the rest. An individual copy says that it is one, and
/// has a slot for its code.
pub fn group(
    templates: &Templates,
    view: &NoticeView,
    news: &News,
    individual: bool,
    boundary: &str,
) -> Result<Group, LetterError> {
    let mut text = notice_text::render(templates, view, news)?;
    if individual {
        text.push_str(&copy_text::lines());
    }
    let mut attachments = Vec::new();
    if view.audience == Audience::Distributor && news.kind().tells_all() {
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
    if let (News::Revision { interdiff, .. }, Audience::Distributor) = (news, view.audience)
        && !interdiff.is_empty()
    {
        attachments.push(Attachment {
            file_name: INTERDIFF.to_owned(),
            media_type: "text/x-patch",
            bytes: interdiff.clone(),
        });
    }
    if view.audience == Audience::Distributor && news.kind().tells_all() {
        attachments.extend(view.files.iter().map(|file| Attachment {
            file_name: file.file_name.clone(),
            // Nothing that a reader's program would open or run by itself.
            media_type: "application/octet-stream",
            bytes: file.bytes.clone(),
        }));
    }
    if view.machine_readable {
        let json = notice_json::render(view, news)?;
        attachments.push(Attachment {
            file_name: json.name,
            media_type: json.media_type,
            bytes: json.bytes,
        });
    }
    let mut group = entity_group(&text, &attachments, boundary)?;
    if individual {
        let slot = copy::slot_in(&group.body).ok_or_else(|| {
            LetterError::field("text", "lost the place of its copy's code", "report this")
        })?;
        group.slots.push(slot);
    }
    Ok(group)
}

/// The real subject, for [`super::entity::Delivery::subject`].
pub fn subject(view: &NoticeView, news: &News) -> String {
    notice_text::subject(view, news)
}

//! Files that distributors get beside the patches: sealed like them, and never public. A
//! proof of concept goes only to contacts that asked for such.

use super::disclosures::change;
use super::{Case, CaseError, House};
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Attachment, AttachmentKind, Case as Content, Disclosure};
use crate::domain::ids::{AttachmentId, BlobId};
use crate::domain::secret::Reason;

/// The largest file: a notice is one mail of at most 8 MiB, base64 and patches included.
const LARGEST: usize = 5 << 20;
/// Names that every notice uses itself.
const OURS: [&str; 2] = ["sha256sums", "notice.json"];

/// A file to be added.
pub struct NewAttachment {
    /// File name it travels under.
    pub file_name: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Adds a file to an open disclosure.
pub async fn add(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    new: NewAttachment,
) -> Case<(Disclosure, Attachment)> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    check_name(&content, &new.file_name)?;
    if new.bytes.is_empty() || new.bytes.len() > LARGEST {
        return Err(CaseError::invalid(
            "attachment",
            format!("has {} bytes", new.bytes.len()),
            format!("give a file of 1 to {LARGEST} bytes: a notice is one mail"),
        ));
    }
    let attachment = Attachment {
        id: house.fresh(AttachmentId::new),
        file_name: new.file_name.clone(),
        kind: new.kind,
        sha256: Sha256::of(&new.bytes),
        blob: house.fresh(BlobId::new),
    };
    content.attachments.push(attachment.clone());
    let blob = Blob::new(new.file_name, new.bytes, vec![]);
    let blobs = vec![(attachment.blob, attachment.id.into(), blob)];
    let verb = "disclosure-add-attachment";
    let changed = change(house, actor, verb, disclosure, content, blobs).await?;
    Ok((changed, attachment))
}

/// Takes a file out again. Whoever has it has it: plans made from now on leave it out.
pub async fn remove(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    name: &str,
) -> Case<Disclosure> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    let meant = |a: &Attachment| a.file_name == name || a.id.to_string() == name;
    if !content.attachments.iter().any(meant) {
        let there: Vec<_> = content.attachments.iter().map(|a| a.file_name.clone()).collect();
        let cure = format!("attached are: {}", there.join(", "));
        return Err(CaseError::unknown("attachment", name, cure));
    }
    content.attachments.retain(|a| !meant(a));
    change(house, actor, "disclosure-remove-attachment", disclosure, content, vec![]).await
}

fn check_name(content: &Content, name: &str) -> Case<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 120
        && name.chars().all(plain);
    if !good {
        return Err(CaseError::invalid(
            "attachment",
            "has no plain file name",
            "use at most 120 letters, digits and `._+-`, beginning with a letter or digit",
        ));
    }
    let lower = name.to_ascii_lowercase();
    let patches = content.patches.iter().map(|p| p.file_name.to_ascii_lowercase());
    let others = content.attachments.iter().map(|a| a.file_name.to_ascii_lowercase());
    // Some file systems do not tell case apart.
    if OURS.contains(&lower.as_str()) || patches.chain(others).any(|taken| taken == lower) {
        return Err(CaseError::invalid(
            "attachment",
            format!("`{name}` is the name of another file of the notice"),
            "give it another name",
        ));
    }
    Ok(())
}

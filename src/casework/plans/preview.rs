//! What will leave, byte for byte, for people to read before they approve.

use crate::casework::members::readers;
use crate::casework::{Case, CaseError, House};
use crate::domain::action::Action;
use crate::domain::blob::{Blob, BlobRef, Slot};
use crate::domain::ids::PlanId;
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, Step};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::letters::entity::{Delivery, compose, copy, slots_of};
use crate::pgp;

/// One file of a preview.
pub struct File {
    /// Name.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
    /// What is filled at dispatch.
    pub slots: Vec<Slot>,
}

/// Blobs that a plan pins, digests verified.
pub async fn blobs(house: &House, plan: PlanId, wanted: Vec<BlobRef>) -> Case<Vec<Blob>> {
    house
        .store
        .read(move |r| {
            let mut found = Vec::new();
            for about in &wanted {
                let blob = r.blob_named(plan, &about.name)?;
                if blob.about != *about || !blob.is_intact() {
                    return Err(CaseError::machine(
                        "reading the plan",
                        format!("{} is not what was pinned", about.name),
                    ));
                }
                found.push(blob);
            }
            Ok(found)
        })
        .await
}

/// Everything a MANIFEST names.
pub fn all_of(manifest: &Manifest) -> Vec<BlobRef> {
    manifest.blobs().into_iter().cloned().collect()
}

/// MANIFEST, approval text, every blob, each notice as it will be inside its encryption, and
/// a list of the slots.
pub async fn files(house: &House, plan: &Plan) -> Case<Vec<File>> {
    let manifest = super::manifest_of(plan)?;
    let blobs = blobs(house, plan.id, all_of(&manifest)).await?;
    let text = plan.manifest.open(Reason::Review).clone();
    let plain = |name: &str, bytes: Vec<u8>| File { name: name.to_owned(), bytes, slots: vec![] };
    let mut files = vec![
        plain("MANIFEST", text.into_bytes()),
        plain("APPROVAL.txt", super::approval_text(plan)?.into_bytes()),
    ];
    for (n, step) in manifest.steps.iter().enumerate() {
        if let Some(file) = notice(step, &blobs, n.saturating_add(1))? {
            files.push(file);
        }
    }
    files.extend(blobs.into_iter().map(|b| File {
        name: b.about.name,
        bytes: b.bytes,
        slots: b.about.slots,
    }));
    let mut slots = slot_list(&files);
    slots.extend(manifest.steps.iter().filter_map(made_on_the_day));
    files.push(plain("SLOTS", slots.into_bytes()));
    Ok(files)
}

/// The clear inside of one notice, its Date blank.
fn notice(step: &Step, blobs: &[Blob], nth: usize) -> Case<Option<File>> {
    let (Some(sealing), Action::Mail { from, to, message_id, message, .. }) =
        (&step.sealing, &step.action)
    else {
        return Ok(None);
    };
    let Some(group) = blobs.iter().find(|b| b.about == *message) else { return Ok(None) };
    let delivery = Delivery {
        from,
        to,
        subject: &sealing.subject,
        clear_subject: &sealing.clear_subject,
        message_id,
        references: &sealing.references,
        date: At::from_secs(0),
    };
    let bytes = compose(&group.bytes, &delivery)
        .map_err(|e| CaseError::machine("composing a notice", e))?;
    let mut slots = slots_of(&bytes);
    slots.extend(copy::moved(&group.about.slots, &group.bytes, &bytes));
    Ok(Some(File { name: format!("notice-{nth:03}.eml"), bytes, slots }))
}

/// `name slot offset length`, one line a slot.
fn slot_list(files: &[File]) -> String {
    let mut text = "# filled at dispatch: file, slot, offset and length in bytes\n".to_owned();
    for file in files {
        for slot in &file.slots {
            text.push_str(&format!(
                "{} {} {} {}\n",
                file.name,
                slot.name.word(),
                slot.offset,
                slot.len
            ));
        }
    }
    text
}

/// The one slot that is in no file: what is made of a branch that moved.
fn made_on_the_day(step: &Step) -> Option<String> {
    let (Some(on_move), Action::Push { refs, remake: Some(remake), .. }) =
        (step.on_move, &step.action)
    else {
        return None;
    };
    let names: Vec<&str> = refs.iter().map(|r| r.name.as_str()).collect();
    let (names, spoken) = (names.join(", "), on_move.spoken());
    let by = format!("{} <{}>", remake.name, remake.address);
    Some(format!("# {names}: if it moved, {spoken}, made at dispatch by {by}, dated GO\n"))
}

/// The preview as a tar, signed and sealed to every active member.
pub async fn to_team(house: &House, plan: &Plan) -> Case<Vec<u8>> {
    let files = files(house, plan).await?;
    let failed = |e: std::io::Error| CaseError::machine("packing the preview", e);
    let mut tar = tar::Builder::new(Vec::new());
    let seconds = u64::try_from(plan.made_at.secs()).unwrap_or(0);
    for file in &files {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(seconds);
        let name = format!("plan-{}/{}", plan.number, file.name);
        tar.append_data(&mut header, name, file.bytes.as_slice()).map_err(failed)?;
    }
    let packed = tar.into_inner().map_err(failed)?;
    let certificates = readers(house).await?;
    let sealed = pgp::seal(&packed, &certificates, house.keys.notice.as_ref(), house.now()).await;
    Ok(sealed.map_err(|e| CaseError::machine("sealing the preview to the team", e))?.armored)
}

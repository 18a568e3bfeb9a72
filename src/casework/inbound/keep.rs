//! Keeping one mail: what it is worth is written in one transaction; a large one's bytes go
//! before it, a few MiB a write, so that nobody's mail keeps the engine from the database.
//!
//! What must stay true: what belongs to a delivery, a disclosure or somebody we know is kept
//! whole, whatever the room; what belongs to nobody never takes more than its room, and is
//! never dropped to make some: a mail server that is told to try again keeps it.

use std::sync::Arc;

use super::{Findings, INSIDE, NotTaken, Proof, RAW, Taken, known};
use crate::casework::ledger::Heard;
use crate::casework::{CaseError, House};
use crate::domain::blob::Blob;
use crate::domain::deed::Actor;
use crate::domain::ids::{BlobId, ChallengeId, EventId, MessageId};
use crate::domain::message::{Challenge, ChallengeRecord, Message, MessageKind, MessageRecord};
use crate::domain::secret::Embargoed;
use crate::domain::time::At;
use crate::store::{CHUNK, StoreError, Tx};

/// The least that a mail counts: rows and the audit's line have their price too.
const LEAST: u64 = 4096;
/// Most bytes written together with the message itself.
const AT_ONCE: u64 = 1024 * 1024;
/// Chunks of one write of a larger one.
const CHUNKS: usize = 4;

type Kept = (BlobId, Arc<Blob>);

/// Writes what a mail means and its bytes; `before` is the message that could not be opened
/// when the same mail came the first time.
pub(super) async fn keep(
    house: &House,
    actor: Actor,
    raw: Vec<u8>,
    found: Findings,
    before: Option<Message>,
) -> Result<Taken, NotTaken> {
    let Findings { verb, digest, disclosure, record, inside, event, proofs, alarm, attributed } =
        found;
    let mut record = record;
    let raw = if attributed { raw } else { shortened(raw, &mut record, house) };
    let bytes = raw.len().saturating_add(inside.as_ref().map_or(0, Vec::len)) as u64;
    let counts = if attributed { 0 } else { bytes.max(LEAST) };
    let room = house.config.inbound.room();
    let spared = before.as_ref().map_or(0, |m| m.counts);
    let fits = move |used: u64| used.saturating_sub(spared).saturating_add(counts) <= room;
    if counts > 0 && !fits(house.store.read(|r| r.mail_of_nobody()).await?) {
        return Err(NotTaken::NoRoom);
    }
    let again = before.is_some();
    let (id, received_at) = before
        .map_or_else(|| (house.fresh(MessageId::new), house.now()), |m| (m.id, m.received_at));
    let message = Message { id, disclosure, received_at, counts, record: Embargoed::new(record) };
    let raw = if again { None } else { Some(raw) };
    let blobs: Vec<Kept> = [(RAW, raw), (INSIDE, inside)]
        .into_iter()
        .filter_map(|(name, bytes)| bytes.map(|b| Blob::new(name, b, vec![])))
        .map(|blob| (house.fresh(BlobId::new), Arc::new(blob)))
        .collect();
    let note = match event {
        Some((plan, step, happened)) => {
            match Heard::of(house, plan, step, house.fresh(EventId::new), happened).await {
                Err(CaseError::Store(error)) => return Err(error.into()),
                // Of a notice that never left nothing can be heard; the mail is kept all the same.
                other => other.ok().flatten(),
            }
        }
        None => None,
    };
    let happened = note.as_ref().map(Heard::word);
    let (count, stored, at) = (proofs.len(), message.clone(), house.now());
    let proofs: Vec<(Proof, ChallengeId)> =
        proofs.into_iter().map(|p| (p, house.fresh(ChallengeId::new))).collect();
    let large = blobs.iter().map(|(_, b)| b.about.len).fold(0, u64::saturating_add) > AT_ONCE;
    if again {
        // Left of a program that died at the parts of this same mail: nobody reads it, and it
        // would keep the whole from its place for ever.
        let deed = house.deed(actor, "mail-part-drop", id);
        house.store.write(&deed, move |tx| tx.delete_blob_named(id, INSIDE).map(|_| ())).await?;
    }
    let blobs = if large { ahead(house, actor, id, blobs).await? } else { blobs };
    let deed = house.deed(actor, verb, id);
    let written = house.store.write(&deed, move |tx| {
        if counts > 0 && !fits(tx.mail_of_nobody()?) {
            return Err(NotTaken::NoRoom);
        }
        match again {
            true => tx.save_message(&stored)?,
            false => tx.add_message(&stored, digest, alarm)?,
        }
        for (id, blob) in &blobs {
            tx.put_blob(*id, stored.id, blob)?;
        }
        if let Some(heard) = note {
            heard.write(tx)?;
        }
        proofs.into_iter().try_for_each(|(proof, id)| proved(tx, proof, id, at))?;
        Ok::<_, NotTaken>(())
    });
    if let Err(error) = written.await {
        if large && !again {
            // What went ahead has no message; if this fails too, the nightly round finds it.
            let deed = house.deed(actor, "mail-part-drop", id);
            let _found_at_night = house.store.write(&deed, move |tx| tx.delete_blobs(id)).await;
        }
        // Two servers may hand over the same mail at once.
        return match known(house, digest).await? {
            Some(known) if !again => Ok(known),
            _ => Err(error),
        };
    }
    Ok(Taken { message, known: false, happened, proofs: count, alarm: None })
}

/// The beginning of a mail in clear that nobody can be found for. What is encrypted is whole or
/// worth nothing.
fn shortened(mut raw: Vec<u8>, record: &mut MessageRecord, house: &House) -> Vec<u8> {
    let most = house.config.inbound.keep_each();
    let closed = matches!(record.kind, MessageKind::Encrypted | MessageKind::Unopened);
    if !closed && raw.len() > most {
        record.cut = Some(raw.len() as u64);
        record.text = record.text.chars().take(most).collect();
        raw.truncate(most);
        raw.shrink_to_fit();
    }
    raw
}

/// Writes the bytes ahead of their message, in parts; nothing is left for the last write.
async fn ahead(
    house: &House,
    actor: Actor,
    owner: MessageId,
    blobs: Vec<Kept>,
) -> Result<Vec<Kept>, StoreError> {
    for (id, blob) in blobs {
        let begun = Arc::clone(&blob);
        let deed = house.deed(actor, "mail-part", owner);
        house.store.write(&deed, move |tx| tx.begin_blob(id, owner, &begun.about)).await?;
        let part = CHUNKS.saturating_mul(CHUNK);
        for (n, from) in (0..).zip((0..blob.bytes.len()).step_by(part)) {
            let blob = Arc::clone(&blob);
            let deed = house.deed(actor, "mail-part", owner);
            let write = move |tx: &mut Tx<'_>| {
                let end = from.saturating_add(part).min(blob.bytes.len());
                let first = i32::try_from(CHUNKS).unwrap_or(1).saturating_mul(n);
                tx.add_chunks(id, first, blob.bytes.get(from..end).unwrap_or_default())
            };
            house.store.write(&deed, write).await?;
        }
    }
    Ok(Vec::new())
}

fn proved(tx: &mut Tx<'_>, proof: Proof, id: ChallengeId, at: At) -> Result<(), StoreError> {
    if let Some(asked) = proof.challenge {
        return tx.answer_challenge(asked, proof.how);
    }
    let record =
        Embargoed::new(ChallengeRecord { how: proof.how.to_owned(), ..Default::default() });
    let (contact, answered_at) = (proof.contact, Some(at));
    tx.add_challenge(&Challenge { id, contact, sent_at: at, answered_at, record })
}

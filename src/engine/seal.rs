//! Sealing a notice: after approval, before its first send, once. The ciphertext is stored
//! and sent again unchanged on every retry.

use super::maker::{Maker, Unready};
use super::press_room::Entity;
use crate::casework::distributors::sealable;
use crate::casework::plans::preview::blobs;
use crate::casework::traces;
use crate::clock::random;
use crate::domain::action::Action;
use crate::domain::advisory::Advisory;
use crate::domain::blob::{Blob, fill_copy};
use crate::domain::deed::Actor;
use crate::domain::ids::{BlobId, PlanId, ReporterId};
use crate::domain::plan::{Sealing, Step};
use crate::domain::receipt::OutletError;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::formats::bell_text::Code;
use crate::letters::entity::{Delivery, compose, is_shared};
use crate::letters::wire;
use crate::pgp::{self, Certificate};
use crate::store::{Reader, StoreError};

/// A finished mail, and the code that stands in this copy only, if it has one.
struct Made {
    mail: Vec<u8>,
    code: Option<Code>,
}

/// Name of the ciphertext, owned by its step.
pub(super) const SEALED: &str = "sealed.eml";

impl Maker {
    /// The finished mail of a notice step: stored ciphertext, or sealed now. Who may not get
    /// it any more gets neither.
    pub(super) async fn sealed_mail(&self, plan: PlanId, step: &Step) -> Result<Vec<u8>, Unready> {
        let id = step.id;
        let Some(sealing) = &step.sealing else {
            return Err(Unready::Step(OutletError::never("not-a-notice", "")));
        };
        let now = self.house.now();
        // Judged again in the moment of sending: a key revoked since approval gets nothing.
        let usable = self.usable_certificates(plan, sealing, now).await?;
        if usable.is_empty() {
            let why = "no pinned certificate can be used now";
            return Err(Unready::Step(OutletError::never("no-usable-certificate", why)));
        }
        match self.store.read(move |r| r.blob_named(id, SEALED)).await {
            // A key that was lost since it was sealed opens it still: it stays here.
            Ok(blob) if !pgp::is_sealed_only_to(&blob.bytes, &usable, now) => {
                let why = "it was sealed to a certificate that cannot be used any more";
                return Err(Unready::Step(OutletError::never("sealed-to-a-lost-key", why)));
            }
            Ok(blob) => return Ok(blob.bytes),
            Err(StoreError::NotFound(_)) => {}
            Err(e) => return Err(e.into()),
        }
        let wanted = step.action.blobs().into_iter().cloned().collect();
        let pinned = blobs(&self.house, plan, wanted).await?;
        let made = self.seal(step, sealing, &pinned, &usable, now).await;
        let Made { mail, code } = made.map_err(Unready::Step)?;
        self.fuse.spend().map_err(|_| Unready::Halted)?;
        let deed = self.house.deed(Actor::Engine(self.holder), "notice-seal", id);
        let (blob_id, epoch) = (self.house.fresh(BlobId::new), self.epoch);
        let blob = Blob::new(SEALED, mail.clone(), vec![]);
        let kept = code.map(|c| (self.house.fresh(BlobId::new), traces::kept(&c.spoken())));
        self.store
            .write(&deed, move |tx| {
                tx.still_leads(epoch)?;
                if let Some((copy_id, copy)) = &kept {
                    tx.put_blob(*copy_id, id, copy)?;
                }
                tx.put_blob(blob_id, id, &blob)
            })
            .await?;
        Ok(mail)
    }

    async fn seal(
        &self,
        step: &Step,
        sealing: &Sealing,
        pinned: &[Blob],
        usable: &[Certificate],
        now: At,
    ) -> Result<Made, OutletError> {
        let broken =
            |e: &dyn std::fmt::Display| OutletError::never("cannot-be-sealed", e.to_string());
        let Action::Mail { from, to, message_id, .. } = &step.action else {
            return Err(OutletError::never("not-a-notice", ""));
        };
        let Some(group) = pinned.first() else {
            return Err(OutletError::never("not-a-notice", ""));
        };
        let delivery = Delivery {
            from,
            to,
            subject: &sealing.subject,
            clear_subject: &sealing.clear_subject,
            message_id,
            references: &sealing.references,
            date: now,
        };
        let code = group.about.is_individual().then(|| Code::new(random(self.house.rng.as_ref())));
        let bytes = match code {
            None => compose(&group.bytes, &delivery),
            Some(code) => {
                let mut own = group.bytes.clone();
                fill_copy(&mut own, &group.about.slots, &code.spoken()).map_err(|e| broken(&e))?;
                compose(&own, &delivery)
            }
        };
        let bytes = bytes.map_err(|e| broken(&e))?;
        let entity = Entity { bytes, shared: is_shared(&group.bytes) };
        let signer = &self.house.keys.notice;
        let sealed = self.press_room.seal(entity, usable.to_vec(), signer, now).await;
        let sealed = sealed.map_err(|e| broken(&e))?;
        let boundary: [u8; 16] = random(self.house.rng.as_ref());
        let mail = wire::sealed(&delivery, &sealed.armored, &hex::encode(boundary));
        Ok(Made { mail: mail.map_err(|e| broken(&e))?, code })
    }

    /// The certificates a step pinned, as the list holds them now and as far as they can be
    /// used: a renewed self-signature of the same fingerprint counts, another fingerprint
    /// never does.
    ///
    /// Rows that are not this letter's do not stand in its way. A row of the list that does not
    /// open is left out, from the rule about shared certificates as well: what was pinned was
    /// judged with the whole list when the plan was made, and nobody becomes the first holder of
    /// a certificate afterwards.
    async fn usable_certificates(
        &self,
        plan: PlanId,
        sealing: &Sealing,
        now: At,
    ) -> Result<Vec<Certificate>, StoreError> {
        let (found, named, damaged) = if sealing.recipient.parse::<ReporterId>().is_ok() {
            let (advisories, damaged) = self.advisories_of(plan).await?;
            let (found, named) = self.reporters(&advisories, sealing, now);
            (found, named, damaged)
        } else {
            let (list, damaged) = self.store.read(|r| r.distributors_that_open()).await?;
            let found = sealable(&list, sealing, now, |text| self.press_room.certificate(text));
            let mut contacts = list.iter().flat_map(|d| &d.record.open(Reason::Dispatch).contacts);
            let named = contacts.any(|c| c.id.to_string() == sealing.recipient);
            (found, named, damaged)
        };
        for error in &damaged {
            // It names a table and a row, never a value.
            tracing::error!(plan = %plan, %error, "a damaged row was left out of sealing a notice");
        }
        match damaged.into_iter().next() {
            // Nothing that opens names this recipient: it is their own row.
            Some(error) if !named => Err(error),
            _ => Ok(found),
        }
    }

    /// The advisories of the plan's own disclosure as far as each opens, and what is wrong with
    /// the others.
    async fn advisories_of(
        &self,
        plan: PlanId,
    ) -> Result<(Vec<Advisory>, Vec<StoreError>), StoreError> {
        let read = move |r: &mut Reader<'_>| {
            let disclosure = r.plan(plan)?.disclosure;
            let ids = r.disclosure(disclosure)?.case.open(Reason::Dispatch).advisories.clone();
            let (mut open, mut damaged) = (Vec::new(), Vec::new());
            for id in ids {
                match r.advisory(id) {
                    Ok(advisory) => open.push(advisory),
                    Err(e) if e.is_damage() => damaged.push(e),
                    Err(e) => return Err(e),
                }
            }
            Ok((open, damaged))
        };
        self.store.read(read).await
    }

    /// The pinned certificates of a reporter that can be used at `now`, and whether any advisory
    /// names them.
    fn reporters(
        &self,
        advisories: &[Advisory],
        sealing: &Sealing,
        now: At,
    ) -> (Vec<Certificate>, bool) {
        let (mut found, mut named) = (Vec::<Certificate>::new(), false);
        for advisory in advisories {
            let reporters = &advisory.text.open(Reason::Dispatch).reporters;
            let theirs = reporters
                .iter()
                .filter(|r| r.id.is_some_and(|id| id.to_string() == sealing.recipient));
            let mut theirs = theirs.peekable();
            named |= theirs.peek().is_some();
            for text in theirs.filter_map(|r| r.certificate.as_ref()) {
                let Some(certificate) = self.press_room.certificate(text) else { continue };
                let known = found.iter().any(|c| c.fingerprint() == certificate.fingerprint());
                let pinned = sealing.fingerprints.contains(&certificate.fingerprint().to_string());
                if pinned && !known && pgp::judge(&certificate, now).usable() {
                    found.push(certificate);
                }
            }
        }
        (found, named)
    }
}

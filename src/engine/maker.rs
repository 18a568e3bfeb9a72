//! Making a step ready beside the loop: reading its pinned bytes, filling its slots, sealing
//! a notice. Whatever this costs, no other step waits for it.

use std::sync::Arc;

use super::fuse::Fuse;
use super::press_room::PressRoom;
use crate::casework::plans::preview::blobs;
use crate::casework::plans::redirected;
use crate::casework::{CaseError, House};
use crate::domain::blob::Blob;
use crate::domain::effect::Intended;
use crate::domain::ids::{HolderId, PlanId};
use crate::domain::plan::Step;
use crate::domain::receipt::OutletError;
use crate::domain::time::At;
use crate::store::{Store, StoreError};

/// What a task of the engine needs of the house.
#[derive(Clone)]
pub(super) struct Maker {
    pub house: Arc<House>,
    pub store: Store,
    pub holder: HolderId,
    pub epoch: i64,
    pub fuse: Fuse,
    pub press_room: PressRoom,
}

/// Why a step is not ready.
pub(super) enum Unready {
    /// Its own trouble: an event says so.
    Step(OutletError),
    /// The database is away, or a test wants us dead: nothing is known, try again.
    Later,
    /// A test wants the engine dead.
    Halted,
}

impl From<StoreError> for Unready {
    fn from(error: StoreError) -> Self {
        match error {
            e if e.is_away() => Self::Later,
            _ => Self::Step(OutletError::never("cannot-be-prepared", error.to_string())),
        }
    }
}

impl From<CaseError> for Unready {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::Store(error) => error.into(),
            other => Self::Step(OutletError::never("cannot-be-prepared", other.to_string())),
        }
    }
}

impl Maker {
    /// The step with its final bytes. A notice is sealed only `to_act`: nobody can look for
    /// it, so looks need none.
    pub async fn ready(
        &self,
        plan: PlanId,
        step: &Step,
        detoured: bool,
        slots_at: At,
        to_act: bool,
    ) -> Result<Intended, Unready> {
        let action = redirected(step, detoured, slots_at);
        if step.sealing.is_some() {
            let bytes = if to_act { self.sealed_mail(plan, step).await? } else { Vec::new() };
            let blobs = vec![Blob::new(super::seal::SEALED, bytes, vec![])];
            return Ok(Intended { step: step.id, action, blobs });
        }
        let wanted = action.blobs().into_iter().cloned().collect();
        let mut filled = Vec::new();
        for blob in blobs(&self.house, plan, wanted).await? {
            let bytes = blob.filled(slots_at).map_err(|e| {
                Unready::Step(OutletError::never("cannot-be-prepared", e.to_string()))
            })?;
            filled.push(Blob { about: blob.about, bytes });
        }
        Ok(Intended { step: step.id, action, blobs: filled })
    }
}

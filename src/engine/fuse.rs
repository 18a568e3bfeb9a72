//! For tests and simulations: a count of writes after which the engine dies, as a killed
//! process would, before it commits the next.

use std::sync::{Arc, Mutex, PoisonError};

use super::EngineError;

/// Shared by everything of one engine that writes.
#[derive(Clone, Default)]
pub(super) struct Fuse(Arc<Mutex<Option<u32>>>);

impl Fuse {
    /// Lets `writes` more pass.
    pub fn set(&self, writes: u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(writes);
    }

    /// Counts one write.
    pub fn spend(&self) -> Result<(), EngineError> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(0) => Err(EngineError::Halted),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
        }
    }
}

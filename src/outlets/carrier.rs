//! What carries a bell to the next hop. Bells are no steps: they need no permit, because their
//! type has no room for content.

use async_trait::async_trait;

use crate::domain::receipt::{OutletError, Receipt};
use crate::letters::bell::BellMail;

use super::mail::MailOutlet;

/// Takes bells.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Hands one over.
    async fn ring(&self, bell: &BellMail) -> Result<Receipt, OutletError>;
}

#[async_trait]
impl Carrier for MailOutlet {
    async fn ring(&self, bell: &BellMail) -> Result<Receipt, OutletError> {
        Self::ring(self, bell).await
    }
}

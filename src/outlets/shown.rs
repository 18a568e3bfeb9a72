//! Whether anybody can see a publication: its documents fetched from the public address,
//! without credentials, and compared by digest.

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::effect::Intended;
use crate::domain::receipt::{Receipt, Seen};
use crate::formats::links::{ALL_JSON, document_path};

use super::visitor::Visitor;

/// The site as the world sees it.
pub struct PublicSite {
    address: String,
    visitor: Visitor,
    clock: Arc<dyn Clock>,
}

impl PublicSite {
    /// At `address`, without a final slash.
    pub fn new(address: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        let visitor = Visitor::new(Arc::clone(&clock));
        Self { address: address.into(), visitor, clock }
    }

    /// Whether it lists that publication, as far as it answers. Its list of everything is asked
    /// for, as any reader does: the address of a page that is not there yet would tell whoever
    /// reads the logs of the host, of its proxy or of a cache that this id is coming.
    pub(super) async fn lists(&self, public_id: &str) -> bool {
        let url = format!("{}{ALL_JSON}", self.address);
        let Ok(page) = self.visitor.get(&url, "application/json").await else { return false };
        let quoted = format!("\"{public_id}\"");
        page.status == 200 && String::from_utf8_lossy(&page.bytes).contains(&quoted)
    }

    /// What it shows of a publication that is written already: what it does not show yet, or
    /// shows in another state, is on its way through caches and copies.
    pub(super) async fn shows(&self, intended: &Intended) -> Seen {
        let Action::Publish { public_id, documents, .. } = &intended.action else {
            return Seen::CannotTell;
        };
        let mut all = true;
        for document in documents {
            let (Some(blob), Ok(path)) =
                (intended.blob(&document.name), document_path(public_id, &document.name))
            else {
                return Seen::CannotTell;
            };
            let url = format!("{}{path}", self.address);
            match self.visitor.get(&url, "*/*").await {
                Ok(page) => {
                    let same = Sha256::of(&page.bytes) == Sha256::of(&blob.bytes);
                    all = all && page.status == 200 && same;
                }
                Err(_) => return Seen::CannotTell,
            }
        }
        if all {
            Seen::Present(Receipt::seen(format!(
                "{} documents at {}",
                documents.len(),
                self.address
            )))
        } else {
            Seen::Underway(self.clock.wall())
        }
    }
}

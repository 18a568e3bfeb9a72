//! How many people must approve what, and the waits that go with it.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::time::Span;

/// Approval thresholds (distinct people) and waits.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plans {
    /// Approvals a Notice plan needs.
    pub notice: u32,
    /// Approvals a Headsup needs.
    pub headsup: u32,
    /// Approvals a Release plan needs.
    pub release: u32,
    /// Approvals a Correction needs.
    pub correction: u32,
    /// Approvals a publication without an approved plan needs.
    pub publish_now: u32,
    /// Approvals for an unchanged notice to one more contact.
    pub resend: u32,
    /// Members who, with a reason, may start an approved Release plan before T0.
    pub early_lift: u32,
    /// Days before T0 at which distributors hear, unless their own lead says otherwise.
    pub lead_days: u32,
    /// Minutes after T0 at which announcements go even if gates are not done.
    pub announce_after: u32,
    /// The same when a release is built from its tag by others.
    pub announce_after_built: u32,
    /// Minutes after which a deputy is called when nobody of the team answers a bell.
    pub deputy_after: u32,
    /// MiB that must be free beside the data for a plan to be ready, besides what its own bytes
    /// need.
    pub free_mib: u32,
    /// Largest sum of a plan's bytes, in MiB.
    pub max_mib: u32,
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            notice: 2,
            headsup: 2,
            release: 2,
            correction: 2,
            publish_now: 2,
            resend: 2,
            early_lift: 1,
            lead_days: 7,
            announce_after: 15,
            announce_after_built: 60,
            deputy_after: 30,
            free_mib: 256,
            max_mib: 512,
        }
    }
}

impl Plans {
    /// The wait before announcements go anyway.
    pub fn announce_wait(&self, built_from_tag: bool) -> Span {
        let minutes = if built_from_tag { self.announce_after_built } else { self.announce_after };
        Span::mins(i64::from(minutes))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let thresholds = [
            ("notice", self.notice),
            ("headsup", self.headsup),
            ("release", self.release),
            ("correction", self.correction),
            ("publish_now", self.publish_now),
            ("resend", self.resend),
            ("early_lift", self.early_lift),
        ];
        match thresholds.iter().find(|(_, n)| *n == 0) {
            None => Ok(()),
            Some((name, _)) => Err(ConfigError::Wrong {
                field: format!("plans.{name}"),
                wrong: "is 0".to_owned(),
                right: "at least one person must approve".to_owned(),
            }),
        }
    }
}

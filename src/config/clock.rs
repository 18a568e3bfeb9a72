//! What a clock must have before anything goes out by it.

use serde::{Deserialize, Serialize};

/// Which witnesses are heeded.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    /// Whether the kernel must say, where it can tell, that a time server keeps the clock.
    pub require_sync: bool,
    /// Whether a database server's clock must show the same.
    pub ask_database: bool,
}

impl Default for Clock {
    fn default() -> Self {
        Self { require_sync: true, ask_database: true }
    }
}

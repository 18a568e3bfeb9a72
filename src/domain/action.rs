//! What a step does to the world. The set is closed, and no variant can carry an advisory
//! or the list: only final bytes and where they go.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::blob::{BlobRef, Sha256};
use super::remake::Remake;
use super::time::At;

/// A ref to be moved by a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefMove {
    /// Full name, `refs/heads/main` or `refs/tags/1.2.1`.
    pub name: String,
    /// Object id it has now; `None` when it must not exist yet.
    pub old: Option<String>,
    /// Object id it shall have.
    pub new: String,
}

/// Files that must appear in a place others build them for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// File name, `*` standing for any run of characters.
    pub pattern: String,
    /// How many files must match, at least one.
    pub count: u32,
}

/// One effect on the world.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// One message to one address. For a notice `message` is the clear inner entity that
    /// is sealed before it is handed to the outlet.
    Mail {
        /// Address in the header and, unless `envelope_from` says otherwise, the envelope.
        from: String,
        /// MAIL FROM.
        envelope_from: String,
        /// The one RCPT TO.
        to: String,
        /// Value of Message-ID without angle brackets: kept on every retry.
        message_id: String,
        /// The bytes.
        message: BlobRef,
    },
    /// One atomic push. Never forced.
    Push {
        /// The repository's name in the configuration.
        repository: String,
        /// Where that name led when people approved it, as a digest of its addresses. Plans
        /// made before there was any have none and go where the name leads.
        #[serde(default)]
        place: Option<Sha256>,
        /// The refs, all or none.
        refs: Vec<RefMove>,
        /// A git bundle that holds what the refs need beyond the public history.
        pack: BlobRef,
        /// What is made of the commits when their branch moved, if anything may be.
        remake: Option<Remake>,
    },
    /// A configured command.
    Run {
        /// Its name in the configuration.
        command: String,
        /// Arguments for its placeholders, such as project and version.
        args: Vec<String>,
        /// Files laid out for it.
        files: Vec<BlobRef>,
    },
    /// Waiting until others have made what the plan expects.
    Await {
        /// The name of the configured place to look at.
        look: String,
        /// Arguments of the look, such as project and version.
        args: Vec<String>,
        /// What must be there.
        expected: Vec<Expected>,
    },
    /// Making one advisory public on the site.
    Publish {
        /// The advisory's public id.
        public_id: String,
        /// Complete documents, served as they are.
        documents: Vec<BlobRef>,
        /// Fragments for the feeds and indices, which are rebuilt from all publications.
        entries: Vec<BlobRef>,
    },
    /// Calling one receiver with an event (Standard Webhooks 1.0).
    Post {
        /// The receiver's name in the configuration.
        webhook: String,
        /// Its address, as people approved it.
        url: String,
        /// The body.
        event: BlobRef,
    },
    /// Something only a person can do.
    Ask {
        /// Who is asked.
        owner: String,
        /// Who is asked next.
        deputy: String,
        /// What to do.
        instruction: String,
        /// Text to paste, if any.
        paste: String,
        /// When it should be done.
        due: At,
    },
}

impl Action {
    /// The word in a MANIFEST.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Mail { .. } => "mail",
            Self::Push { .. } => "push",
            Self::Run { .. } => "run",
            Self::Await { .. } => "await",
            Self::Publish { .. } => "publish",
            Self::Post { .. } => "post",
            Self::Ask { .. } => "ask",
        }
    }

    /// Every blob it needs, in order.
    pub fn blobs(&self) -> Vec<&BlobRef> {
        match self {
            Self::Mail { message, .. } => vec![message],
            Self::Push { pack, .. } => vec![pack],
            Self::Run { files, .. } => files.iter().collect(),
            Self::Publish { documents, entries, .. } => documents.iter().chain(entries).collect(),
            Self::Post { event, .. } => vec![event],
            Self::Await { .. } | Self::Ask { .. } => Vec::new(),
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} action]", self.word())
    }
}

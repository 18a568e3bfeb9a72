//! Floor 3: whose key signs what.
//!
//! The team chooses a signer per purpose: a key file held in memory, or `gpg` with its agent
//! or card. Only the notice signer is used after approval; all others sign while a plan is
//! made, when a person sits there who can give a PIN.

mod gpg;
#[cfg(test)]
mod interop;

use std::fmt;
use std::sync::Arc;

pub use gpg::{GpgOpener, GpgOpenerError, GpgSigner, GpgSignerError};

use crate::pgp::Signer;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Inside the sealed notices to distributors.
    Notice,
    /// Release tags.
    Tag,
    /// Posts to mailing lists.
    Post,
    /// `SHA256SUMS` of releases.
    Checksums,
}

impl Purpose {
    /// All purposes, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Notice, Self::Tag, Self::Post, Self::Checksums];

    /// The word in the configuration and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Tag => "tag",
            Self::Post => "post",
            Self::Checksums => "checksums",
        }
    }
}

/// The team's signers, one for each purpose; several may be the same.
#[derive(Clone)]
pub struct TeamSigners {
    /// Signs notices. Must not need a person: it signs while the engine sends.
    pub notice: Arc<dyn Signer>,
    /// Signs tags.
    pub tag: Arc<dyn Signer>,
    /// Signs list posts.
    pub post: Arc<dyn Signer>,
    /// Signs checksum files.
    pub checksums: Arc<dyn Signer>,
}

impl TeamSigners {
    /// One signer for everything.
    pub fn all(signer: Arc<dyn Signer>) -> Self {
        Self {
            notice: Arc::clone(&signer),
            tag: Arc::clone(&signer),
            post: Arc::clone(&signer),
            checksums: signer,
        }
    }

    /// The signer for a purpose.
    pub fn of(&self, purpose: Purpose) -> &dyn Signer {
        match purpose {
            Purpose::Notice => self.notice.as_ref(),
            Purpose::Tag => self.tag.as_ref(),
            Purpose::Post => self.post.as_ref(),
            Purpose::Checksums => self.checksums.as_ref(),
        }
    }
}

impl fmt::Debug for TeamSigners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[team signers]")
    }
}

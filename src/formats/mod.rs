//! Floor 2: documents. One format a file; a view goes in, final bytes come out.
//!
//! A renderer gets a view, never an advisory: it cannot print a recipient or a private note.
//! Same input, same bytes. Times that are known only at dispatch stand as blanks of fixed
//! width and are listed as slots, whose places are measured, not guessed.

mod advisory_words;
pub mod affected_words;
pub mod all_json;
pub mod atom;
pub mod bell_text;
pub mod challenge_text;
pub mod changes;
pub mod copy_text;
pub mod cover_text;
pub mod entry;
pub mod event_json;
pub mod headsup_text;
pub mod heartbeat;
pub mod index;
pub mod interdiff;
pub mod leak;
pub mod links;
pub mod markdown;
pub mod masthead;
pub mod notice_json;
pub mod notice_text;
pub mod osv;
pub mod page;
pub mod post_text;
pub mod rating;
#[cfg(test)]
pub(crate) mod sample;
pub mod security_txt;
pub mod slots;
pub mod template_lint;
pub mod templates;
pub mod tree;

use crate::domain::blob::{Blob, Sha256, Slot};

/// Finished bytes with what the world must know of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// File name: `[A-Za-z0-9._+-]` only, so that it can stand in a preview and a tree.
    pub name: String,
    /// Content-Type it is served with.
    pub media_type: &'static str,
    /// The bytes, slots blank.
    pub bytes: Vec<u8>,
    /// Digest of the bytes as they stand.
    pub sha256: Sha256,
    /// What is filled at dispatch.
    pub slots: Vec<Slot>,
}

impl Document {
    /// Digests `bytes`.
    pub fn new(
        name: impl Into<String>,
        media_type: &'static str,
        bytes: Vec<u8>,
        slots: Vec<Slot>,
    ) -> Self {
        let sha256 = Sha256::of(&bytes);
        Self { name: name.into(), media_type, bytes, sha256, slots }
    }

    /// The same bytes as a plan pins them.
    pub fn blob(self) -> Blob {
        Blob::new(self.name, self.bytes, self.slots)
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[document of {} bytes]", self.bytes.len())
    }
}

/// Why a document cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The text must be edited: this field cannot stand in the format.
    #[error("`{field}` {wrong}; {right}")]
    Field {
        /// The field, as it is named where a person types it.
        field: String,
        /// What is wrong.
        wrong: String,
        /// What would be right.
        right: String,
    },
    /// The template must be edited.
    #[error("template `{name}`, line {line}: {what}")]
    Template {
        /// Its file name.
        name: String,
        /// Line, counted from 1; 0 when it is not known.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The folder of templates must be mended.
    #[error("cannot use the template file {path}: {what}")]
    Folder {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A template cut or changed a time that is known only at dispatch.
    #[error("{name}: a publication time was cut or changed; print it whole, or its day alone")]
    Slot {
        /// The document's name.
        name: String,
    },
}

impl FormatError {
    fn field(field: impl Into<String>, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Field { field: field.into(), wrong: wrong.into(), right: right.into() }
    }
}

//! An annotated tag made and signed without giving git a key: we write the payload, the team's
//! signer signs it, `git mktag` stores the two together (git-mktag(1)).

use std::fmt;

use async_trait::async_trait;

use crate::domain::time::At;
use crate::exec::git::{Area, GitError};

/// Who commits and tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committer {
    name: String,
    address: String,
}

impl Committer {
    /// `None` when git could not store them: the name is empty or either holds an angle
    /// bracket or a control character, or the address is no plain address.
    pub fn new(name: &str, address: &str) -> Option<Self> {
        // git strips these from both ends; then our payload and git's would differ.
        let crud = |c: char| c.is_whitespace() || ".,:;<>\"\\'".contains(c);
        let (name, address) = (name.trim_matches(crud), address.trim());
        let odd = |c: char| c.is_control() || matches!(c, '<' | '>');
        let ok = !name.is_empty() && !name.contains(odd);
        let ok = ok && crate::domain::address::is_plain(address);
        ok.then(|| Self { name: name.to_owned(), address: address.to_owned() })
    }

    /// Their name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Their address.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// A signature that could not be made; the text says why and names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag could not be signed: {0}")]
pub struct Unsigned(pub String);

/// Who signs tags: an adapter over the configured signer.
#[async_trait]
pub trait TagSigner: Send + Sync {
    /// An ASCII-armored detached OpenPGP signature over `payload`.
    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, Unsigned>;
}

/// A tag to be made.
#[derive(Clone)]
pub struct NewTag<'a> {
    /// Its name, without `refs/tags/`.
    pub name: &'a str,
    /// What it says.
    pub message: &'a str,
    /// Who signs it; nobody when `None`.
    pub signer: Option<&'a dyn TagSigner>,
}

impl fmt::Debug for NewTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[tag]")
    }
}

/// Why a tag was not made.
pub enum NotTagged {
    /// The signer failed or gave something else.
    Unsigned(Unsigned),
    /// git refused.
    Git(GitError),
}

impl From<GitError> for NotTagged {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// Makes the tag on `commit`; returns the tag object's id.
pub async fn make(
    area: &Area,
    tag: &NewTag<'_>,
    commit: &str,
    tagger: &Committer,
    at: At,
) -> Result<String, NotTagged> {
    let mut payload = format!(
        "object {commit}\ntype commit\ntag {}\ntagger {} <{}> {} +0000\n\n{}\n",
        tag.name,
        tagger.name,
        tagger.address,
        at.secs(),
        tag.message.trim_end()
    )
    .into_bytes();
    if let Some(signer) = tag.signer {
        let mut armored = signer.sign(&payload).await.map_err(NotTagged::Unsigned)?;
        if !armored.starts_with(b"-----BEGIN PGP SIGNATURE-----") {
            let wrong = Unsigned("the signer gave no armored signature".to_owned());
            return Err(NotTagged::Unsigned(wrong));
        }
        // gpg under Windows ends lines with CR LF; git looks for LF.
        armored.retain(|b| *b != b'\r');
        payload.extend_from_slice(&armored);
        if !payload.ends_with(b"\n") {
            payload.push(b'\n');
        }
    }
    Ok(area.line("store the tag", area.git("mktag").stdin(payload)).await?)
}

/// Whether a tag object's content carries an OpenPGP, X.509 or SSH signature.
pub fn is_signed(content: &str) -> bool {
    content.lines().any(begins_signature)
}

/// A tag's message without the signature at its end.
pub fn unsigned(message: &str) -> String {
    message.split_inclusive('\n').take_while(|l| !begins_signature(l)).collect()
}

fn begins_signature(line: &str) -> bool {
    line.starts_with("-----BEGIN PGP SIGNATURE-----")
        || line.starts_with("-----BEGIN SIGNED MESSAGE-----")
        || line.starts_with("-----BEGIN SSH SIGNATURE-----")
}

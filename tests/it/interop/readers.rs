//! One interface for everybody who reads: messages in, plaintexts and a word on the
//! signature out.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::mailed::Kind;
use super::shapes::Shape;
use super::{neomutt, programs, scripts};

/// Everybody, in the order of the columns.
pub const NAMES: [&str; 8] =
    ["gpg", "rnp", "sqop", "gosop", "pgpainless", "PGPy", "OpenPGP.js", "NeoMutt"];

/// What came of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Opened, equal byte for byte, signature verified.
    Verified,
    /// The same, but the program writes every line end as LF.
    VerifiedLf,
    /// Opened and equal; the signature was not verified.
    Unverified,
    /// Opened to something else.
    Different,
    /// Not opened.
    Closed,
}

impl Seen {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verified => "ok",
            Self::VerifiedLf => "ok (LF)",
            Self::Unverified => "ok, unverified",
            Self::Different => "WRONG",
            Self::Closed => "no",
        }
    }
}

/// What a reader says of one mail, before it is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// What it opened to.
    pub text: Option<Vec<u8>>,
    /// Whether it called the signature good.
    pub signed: bool,
}

/// One mail laid out for one reader.
#[derive(Debug, Clone)]
pub struct Letter {
    /// A folder of its own.
    pub folder: PathBuf,
    /// The secret key, binary.
    pub secret: PathBuf,
    /// The team's certificate, armored.
    pub sender: PathBuf,
    /// The armored message.
    pub message: PathBuf,
    /// The whole mail around it.
    pub mail: PathBuf,
    /// Where a plaintext may be put.
    pub out: PathBuf,
}

impl Letter {
    pub fn lay_out(root: &Path, reader: &str, shape: &Shape, kind: Kind) -> Self {
        let folder = root.join(format!("{reader}-{}-{kind:?}", shape.name));
        std::fs::create_dir(&folder).unwrap();
        let secret = folder.join("secret.pgp");
        std::fs::write(&secret, &shape.secret).unwrap();
        Self {
            secret,
            sender: root.join("team.asc"),
            message: folder.join("message.asc"),
            mail: folder.join("mail.eml"),
            out: folder.join("opened"),
            folder,
        }
    }
}

/// Somebody who reads.
#[async_trait]
pub trait Reader: Send + Sync {
    /// One of [`NAMES`].
    fn name(&self) -> &'static str;

    /// Whether it is installed.
    async fn is_there(&self) -> bool;

    /// Whether each mail takes about a second.
    fn is_slow(&self) -> bool {
        false
    }

    /// Opens each letter with its secret key and checks it against the sender's certificate.
    async fn open(&self, letters: &[Letter]) -> Vec<Claim>;

    /// What a claim comes to. A mail program shows its own rendering and judges by parts.
    fn judge(&self, _letter: &Letter, plaintext: &[u8], claim: Claim) -> Seen {
        match claim.text {
            None => Seen::Closed,
            Some(text) if text == plaintext && claim.signed => Seen::Verified,
            Some(text) if text == plaintext => Seen::Unverified,
            Some(text) if text == with_lf(plaintext) && claim.signed => Seen::VerifiedLf,
            Some(_) => Seen::Different,
        }
    }
}

fn with_lf(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    text.replace("\r\n", "\n").into_bytes()
}

pub fn all(root: &Path) -> Vec<Box<dyn Reader>> {
    let mut readers: Vec<Box<dyn Reader>> = vec![
        Box::new(programs::Gpg::new(root)),
        Box::new(programs::Rnp),
        Box::new(scripts::Pgpy),
        Box::new(scripts::OpenPgpJs),
        Box::new(neomutt::NeoMutt),
    ];
    readers.extend(programs::Sop::ALL.map(|sop| Box::new(sop) as Box<dyn Reader>));
    readers
}

//! Everybody in the town: two maintainers, eight distributors with keys of every health, two
//! reporters, and how each of them reads a mail that was caught.
//!
//! The keys are made anew for every town and never leave it.

use crate::domain::advisory::Reporter;
use crate::domain::party::ContactKind;
use crate::domain::time::{At, Span};
use crate::pgp::{TeamKey, TeamKeyError, samples};

mod kept;
mod reader;

pub use reader::{Attached, Letter, ReadError, decrypt};

/// Somebody of the team.
#[derive(Debug, Clone)]
pub struct Maintainer {
    /// Name.
    pub name: &'static str,
    /// Address.
    pub address: &'static str,
    /// Secret key, without a passphrase.
    pub key: TeamKey,
}

/// Somebody who gets sealed mail.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The organisation, or the person.
    pub name: &'static str,
    /// Where their mail goes.
    pub address: &'static str,
    /// What reads it.
    pub kind: ContactKind,
    /// Their secret keys; each alone opens what is sealed to them.
    pub keys: Vec<TeamKey>,
    /// Whether a notice must reach them: not without a usable certificate.
    pub should_read: bool,
    /// What is special about their keys, for people.
    pub about: &'static str,
    /// Days before T0 at which they hear; the house's default unless said.
    pub lead_days: Option<u32>,
    /// Longest embargo they accept, in days.
    pub longest_embargo_days: Option<u32>,
}

/// Everybody.
#[derive(Clone)]
pub struct People {
    /// The maintainer who makes things.
    pub ada: Maintainer,
    /// The maintainer who approves with her.
    pub bea: Maintainer,
    /// The confidential list.
    pub distributors: Vec<Reader>,
    /// A reporter who can read encrypted mail.
    pub reporter: Reader,
    /// A reporter who cannot: name and address.
    pub reporter_in_clear: (&'static str, &'static str),
    /// Somebody who reads everything on the way and belongs to nobody.
    pub stranger: TeamKey,
}

/// Makes a key of some health for a user id, seen from an instant.
type Make = fn(&str, At) -> Result<TeamKey, TeamKeyError>;

/// What a distributor is made from.
struct Plan {
    name: &'static str,
    address: &'static str,
    kind: ContactKind,
    keys: &'static [Make],
    should_read: bool,
    about: &'static str,
    lead_days: Option<u32>,
    longest_embargo_days: Option<u32>,
}

impl Plan {
    const fn person(name: &'static str, address: &'static str, about: &'static str) -> Self {
        Self {
            name,
            address,
            kind: ContactKind::Person,
            keys: &[samples::cv25519],
            should_read: true,
            about,
            lead_days: None,
            longest_embargo_days: None,
        }
    }

    fn reader(&self, at: At) -> Result<Reader, TeamKeyError> {
        let user_id = format!("{} <{}>", self.name, self.address);
        Ok(Reader {
            name: self.name,
            address: self.address,
            kind: self.kind,
            keys: self.keys.iter().map(|make| make(&user_id, at)).collect::<Result<_, _>>()?,
            should_read: self.should_read,
            about: self.about,
            lead_days: self.lead_days,
            longest_embargo_days: self.longest_embargo_days,
        })
    }
}

fn revoked(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    samples::revoked(user_id, at, true)
}

/// How many distributors there are at most.
pub const DISTRIBUTORS: usize = 8;

/// The confidential list; the beginning of it is varied too, for towns that want few. The
/// reserved names of RFC 2606 reach nobody.
fn list() -> [Plan; DISTRIBUTORS] {
    let person = Plan::person;
    [
        Plan {
            longest_embargo_days: Some(14),
            ..person("Fennel OS", "vulns@fennel.example", "Curve25519")
        },
        Plan {
            keys: &[samples::expired],
            should_read: false,
            ..person("Moss BSD", "security@moss.example", "expired")
        },
        Plan {
            lead_days: Some(3),
            ..person("Tarn Cloud", "psirt@tarn.example", "Curve25519, hears three days before")
        },
        Plan { keys: &[kept::rsa3072], ..person("Larch Linux", "security@larch.example", "RSA") },
        Plan {
            keys: &[revoked],
            should_read: false,
            ..person("Bracken Systems", "sec@bracken.example", "revoked")
        },
        Plan {
            kind: ContactKind::Role,
            keys: &[samples::cv25519, kept::rsa2048],
            ..person(
                "Juniper Distribution",
                "security-team@juniper.example",
                "a role with two certificates",
            )
        },
        Plan {
            kind: ContactKind::List,
            ..person("Sedge Project", "distros@lists.sedge.example", "a list")
        },
        Plan {
            keys: &[samples::two_encryption_subkeys],
            ..person("Alder Embedded", "response@alder.example", "two encryption subkeys")
        },
    ]
}

impl People {
    /// Makes everybody's keys, for the first `distributors` of the list; their health is as
    /// seen at `at`.
    pub fn new(at: At, distributors: usize) -> Result<Self, TeamKeyError> {
        let maintainer = |name: &'static str, address: &'static str| {
            let key = samples::cv25519(&format!("{name} <{address}>"), at)?;
            Ok::<_, TeamKeyError>(Maintainer { name, address, key })
        };
        let reporter = Plan::person("Maren Quillfeather", "maren@quillfeather.example", "reporter");
        Ok(Self {
            ada: maintainer("Ada Ngo", "ada@meadow.example")?,
            bea: maintainer("Bea Olsen", "bea@meadow.example")?,
            distributors: list()
                .iter()
                .take(distributors)
                .map(|p| p.reader(at))
                .collect::<Result<_, _>>()?,
            reporter: reporter.reader(at)?,
            reporter_in_clear: ("Ilja Sorrelwood", "ilja@sorrelwood.example"),
            stranger: samples::cv25519("Stranger <stranger@elsewhere.example>", at)?,
        })
    }

    /// The maintainers.
    pub const fn maintainers(&self) -> [&Maintainer; 2] {
        [&self.ada, &self.bea]
    }

    /// Everybody whom a notice is meant for: distributors, then the reporter with a key.
    pub fn readers(&self) -> impl Iterator<Item = &Reader> {
        self.distributors.iter().chain([&self.reporter])
    }

    /// Whose address it is.
    pub fn reader(&self, address: &str) -> Option<&Reader> {
        self.readers().find(|r| r.address == address)
    }

    /// Both reporters as an advisory names them; they wrote three weeks before `now`. Only
    /// the first agreed to be credited.
    pub fn reporters(&self, now: At) -> Vec<Reporter> {
        let received_at = now.plus(Span::days(-21)).rfc3339();
        let (name, address) = self.reporter_in_clear;
        let certificate = self.reporter.keys.first().map(|k| k.certificate.armored());
        vec![
            Reporter {
                id: None,
                name: self.reporter.name.to_owned(),
                address: self.reporter.address.to_owned(),
                certificate,
                credit: Some(self.reporter.name.to_owned()),
                credit_consent: true,
                received_at: received_at.clone(),
            },
            Reporter {
                id: None,
                name: name.to_owned(),
                address: address.to_owned(),
                certificate: None,
                credit: None,
                credit_consent: false,
                received_at,
            },
        ]
    }
}

//! The house: everything a verb needs, built once and handed down. There are no globals.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Bells, Case, CaseError};
use crate::clock::witness::TimeWitness;
use crate::clock::{Clock, Rng, random};
use crate::config::{Config, Repository};
use crate::domain::deed::{Actor, Deed, Subject};
use crate::domain::disclosure::BranchRef;
use crate::domain::time::At;
use crate::formats::masthead::Masthead;
use crate::formats::templates::Templates;
use crate::outlets::Outlets;
use crate::signing::TeamSigners;
use crate::store::Store;
use crate::workshop::Workshop;

/// A whole Daybreak.
pub struct House {
    /// The database.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who else knows the time.
    pub witnesses: Vec<Arc<dyn TimeWitness>>,
    /// Randomness for ids, salts and tokens.
    pub rng: Arc<dyn Rng>,
    /// What the team wrote.
    pub config: Config,
    /// The world.
    pub outlets: Outlets,
    /// Content-free mails.
    pub bells: Bells,
    /// Whose key signs what.
    pub keys: TeamSigners,
    /// Texts.
    pub templates: Arc<Templates>,
    /// The data directory.
    pub dir: PathBuf,
}

impl House {
    /// The wall's time.
    pub fn now(&self) -> At {
        self.clock.wall()
    }

    /// A new id of any kind: `house.fresh(AdvisoryId::new)`.
    pub fn fresh<T>(&self, make: fn(At, [u8; 10]) -> T) -> T {
        make(self.now(), random(self.rng.as_ref()))
    }

    /// What a write says of itself.
    pub fn deed(&self, actor: Actor, verb: &'static str, subject: impl Into<Subject>) -> Deed {
        Deed::new(actor, verb, subject, self.now())
    }

    /// The configured repository of that name.
    pub fn repository(&self, name: &str) -> Case<&Repository> {
        self.config.repository.get(name).ok_or_else(|| {
            let known: Vec<_> = self.config.repository.keys().map(String::as_str).collect();
            CaseError::unknown("repository", name, format!("configured are: {}", known.join(", ")))
        })
    }

    /// Where the git work on a repository is done.
    pub fn workshop(&self, name: &str) -> Case<Workshop> {
        let repository = self.repository(name)?.clone();
        Ok(Workshop::new(&self.dir, name, repository, Arc::clone(&self.clock)))
    }

    /// Every supported branch of every repository.
    pub fn supported(&self) -> Vec<BranchRef> {
        let of = |(name, r): (&String, &Repository)| -> Vec<BranchRef> {
            let branch = |b: &crate::config::Branch| BranchRef {
                repository: name.clone(),
                branch: b.name.clone(),
            };
            r.branches.iter().map(branch).collect()
        };
        self.config.repository.iter().flat_map(of).collect()
    }

    /// A supported branch by what a person types: `repository:branch`, or the branch alone
    /// when only one repository is configured.
    pub fn branch(&self, text: &str) -> Case<BranchRef> {
        let all = self.supported();
        let full = |b: &&BranchRef| b.to_string() == text || b.branch == text;
        let mut found = all.iter().filter(full);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.clone()),
            _ => {
                let known: Vec<_> = all.iter().map(ToString::to_string).collect();
                Err(CaseError::unknown(
                    "supported branch",
                    text,
                    format!("supported are: {}", known.join(", ")),
                ))
            }
        }
    }

    /// What every public page says of the team.
    pub fn masthead(&self) -> Masthead {
        masthead(&self.config)
    }

    /// MAIL FROM of one new delivery: with a token of its own if so configured, kept on
    /// retries.
    pub fn sender(&self) -> String {
        let token: [u8; 16] = random(self.rng.as_ref());
        self.config.mail.sender(&self.config.team.address, &hex::encode(token))
    }

    /// A new Message-ID without angle brackets: 128 random bits and the team's own domain.
    pub fn message_id(&self) -> String {
        let token: [u8; 16] = random(self.rng.as_ref());
        format!("{}@{}", hex::encode(token), self.config.team.domain())
    }
}

/// What every public page says of the team.
pub(super) fn masthead(config: &Config) -> Masthead {
    Masthead {
        team: config.team.name.clone(),
        contact: config.site.contact.clone().unwrap_or_else(|| config.team.address.clone()),
        base_url: config.site.base_url.clone(),
    }
}

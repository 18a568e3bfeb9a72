//! Where a person works: the open house, who acts in it, and how it prints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::Global;
use super::exit::{Exit, refuse};
use super::print::Print;
use crate::casework::{House, find_member, opening};
use crate::clock::{Generator, SystemClock};
use crate::config::Config;
use crate::domain::deed::Actor;
use crate::domain::ids::MemberId;
use crate::domain::secret::Reason;

/// An open house and who acts.
pub struct Desk {
    /// The house.
    pub house: Arc<House>,
    /// Who acts, for the audit.
    pub actor: Actor,
    /// The same by name.
    pub by: String,
    /// How to print.
    pub print: Print,
}

impl Desk {
    /// Opens the house in the data directory.
    pub async fn open(global: &Global, print: Print) -> anyhow::Result<Self> {
        let house = Arc::new(open_house(&global.dir)?);
        let (actor, by) = match &global.member {
            None => (Actor::Operator, "operator".to_owned()),
            Some(name) => {
                let member = find_member(&house, name).await?;
                let record = member.record.open(Reason::Review);
                if !member.active {
                    return Err(refuse(
                        Exit::Failure,
                        format!("--as: {} is no longer a member", record.name),
                        "name an active member; see `daybreak team list`",
                    ));
                }
                (Actor::Member(member.id), record.name.clone())
            }
        };
        Ok(Self { house, actor, by, print })
    }

    /// The member who acts, for what the operator alone may not do.
    pub fn member(&self) -> anyhow::Result<MemberId> {
        match self.actor {
            Actor::Member(id) => Ok(id),
            _ => Err(refuse(
                Exit::Usage,
                "a member must be named for this",
                "say who asks for it: --as MEMBER (see `daybreak team list`)",
            )),
        }
    }
}

/// The house in `dir`, on the machine's own clock.
pub fn open_house(dir: &Path) -> anyhow::Result<House> {
    let dir = whole(dir)?;
    // Read first by itself, so that what is wrong with it is said in its own words.
    Config::load(&dir.join(opening::CONFIG))?;
    let rng = Generator::from_system().context("the system gives no random bytes")?;
    Ok(opening::open(&dir, Arc::new(SystemClock::new()), Arc::new(rng))?)
}

/// A data directory that stays the same wherever children run.
pub fn whole(dir: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(dir).context("cannot find the data directory")
}

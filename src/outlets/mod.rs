//! Floor 4: the places in the world, one file each.
//!
//! Every outlet looks before it acts; an act needs an `Effect`, which needs a permit.
//! Adding one: a file here, a line below, an `Action` variant, a config section, a line in
//! the contract suite.

mod carrier;
pub mod command;
pub mod git;
mod layout;
pub mod mail;
pub mod pager;
pub mod person;
pub mod posts;
pub mod pulse;
pub mod python_index;
mod settle;
pub mod shown;
pub mod site;
pub mod static_site;
mod visitor;
pub mod wait;
pub mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{Habit, OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

pub use carrier::Carrier;

/// A kind of place in the world.
#[async_trait]
pub trait Outlet: Send + Sync {
    /// What would keep this from working, judged without touching anything: credentials,
    /// reachability, sizes. Called before approval and before T0.
    async fn check(&self, intended: &Intended) -> Vec<Finding>;
    /// What of it anybody can see already, before its time; asked after `check`. It must ask
    /// for nothing that only somebody who knows what is coming would ask for: a list of all
    /// refs, a project's whole listing, the index of all pages, and then it compares here.
    /// Where the question itself would name what is secret it is not asked, and nothing is
    /// found: so with programs of the team's own, with archives and with webhooks.
    async fn exposed(&self, _intended: &Intended) -> Vec<Finding> {
        Vec::new()
    }
    /// What the world shows of it. Never changes the world.
    async fn look(&self, intended: &Intended) -> Seen;
    /// Does it once. `Retry::Unknown` when it may have happened.
    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError>;
    /// What may be done when nobody can tell whether it happened.
    fn repeat(&self) -> Repeat;
    /// How long after an act the world may still not show it. A look that finds nothing
    /// within that span proves nothing: no second act, and nobody is asked.
    fn settle(&self) -> Span;
    /// The object ids that the refs of a push have now, as anybody sees them; `None` when that
    /// cannot be told. Fetches nothing and tells nobody what is wanted.
    async fn tips(&self, _intended: &Intended) -> Option<BTreeMap<String, String>> {
        None
    }
}

/// The house's outlets by the name that steps use.
#[derive(Clone, Default)]
pub struct Outlets(BTreeMap<String, Arc<dyn Outlet>>);

impl Outlets {
    /// Adds or replaces one.
    pub fn add(&mut self, name: impl Into<String>, outlet: Arc<dyn Outlet>) {
        self.0.insert(name.into(), outlet);
    }

    /// The outlet of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Outlet>> {
        self.0.get(name)
    }

    /// What may be done from `Unknown`, and when, for each of them.
    pub fn repeats(&self) -> BTreeMap<String, Habit> {
        let habit = |o: &Arc<dyn Outlet>| Habit { repeat: o.repeat(), settle: o.settle() };
        self.0.iter().map(|(name, outlet)| (name.clone(), habit(outlet))).collect()
    }
}

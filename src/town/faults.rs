//! Outlets that misbehave as told: they fail, hang, act and lose the answer, or lie about what
//! they see. Without a script they pass everything on; they count either way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::ids::StepId;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;
use crate::outlets::Outlet;

/// One way to misbehave, once.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The act fails so, and nothing happens in the world.
    Fail(OutletError),
    /// The act waits for [`Script::release`], then happens.
    Hang,
    /// The act happens, and its answer is lost.
    LoseAnswer,
    /// A look answers this, whatever the world shows.
    Lie(Seen),
}

impl Fault {
    const fn of_looks(&self) -> bool {
        matches!(self, Self::Lie(_))
    }
}

type Fits = Arc<dyn Fn(&Intended) -> bool + Send + Sync>;

#[derive(Default)]
struct State {
    faults: VecDeque<(Fits, Fault)>,
    looked: Vec<StepId>,
    acted: Vec<StepId>,
    happened: Vec<StepId>,
}

/// What one outlet shall do wrong, and what it was asked. Survives a restart of the house, as
/// the world does.
pub struct Script {
    state: Mutex<State>,
    released: watch::Sender<bool>,
    hanging: watch::Sender<usize>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            released: watch::Sender::new(false),
            hanging: watch::Sender::new(0),
        }
    }
}

impl Script {
    /// Misbehaves `times` times, whatever is asked; earlier faults strike first.
    pub fn then(&self, fault: &Fault, times: usize) -> &Self {
        self.then_for(|_| true, fault, times)
    }

    /// Misbehaves `times` times at steps that fit.
    pub fn then_for(
        &self,
        fits: impl Fn(&Intended) -> bool + Send + Sync + 'static,
        fault: &Fault,
        times: usize,
    ) -> &Self {
        let fits: Fits = Arc::new(fits);
        if matches!(fault, Fault::Hang) {
            self.released.send_replace(false);
        }
        let entries = (0..times).map(|_| (Arc::clone(&fits), fault.clone()));
        self.state().faults.extend(entries);
        self
    }

    /// Lets everything go on that hangs.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Forgets all faults, and lets go what hangs.
    pub fn behave(&self) {
        self.state().faults.clear();
        self.release();
    }

    /// How many acts hang now.
    pub fn hanging(&self) -> usize {
        *self.hanging.borrow()
    }

    /// Waits until at least `n` acts hang.
    pub async fn wait_for_hanging(&self, n: usize) {
        let mut hanging = self.hanging.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        let _never_closed = hanging.wait_for(|now| *now >= n).await.is_ok();
    }

    /// How often it was looked, lies included.
    pub fn looks(&self) -> usize {
        self.state().looked.len()
    }

    /// How often it was told to act, failures included.
    pub fn acts(&self) -> usize {
        self.state().acted.len()
    }

    /// Every step it was told to do, in order.
    pub fn acted(&self) -> Vec<StepId> {
        self.state().acted.clone()
    }

    /// Every step that reached the world behind it and came back, whatever it answered.
    pub fn happened(&self) -> Vec<StepId> {
        self.state().happened.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first fault of a look or of an act that fits, taken off the list.
    fn strikes(&self, intended: &Intended, look: bool) -> Option<Fault> {
        let mut state = self.state();
        let fits = |(fits, fault): &(Fits, Fault)| fault.of_looks() == look && fits(intended);
        let place = state.faults.iter().position(fits)?;
        state.faults.remove(place).map(|(_, fault)| fault)
    }

    async fn hang(&self) {
        let mut released = self.released.subscribe();
        let _hanging = Hanging::new(&self.hanging);
        let _never_closed = released.wait_for(|r| *r).await.is_ok();
    }
}

/// One act that hangs; counted off however it ends.
struct Hanging<'a>(&'a watch::Sender<usize>);

impl<'a> Hanging<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|n| *n = n.saturating_add(1));
        Self(count)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n = n.saturating_sub(1));
    }
}

/// An outlet with a script in front of it.
pub struct Scripted {
    inner: Arc<dyn Outlet>,
    script: Arc<Script>,
}

impl Scripted {
    /// Puts `script` before `inner`.
    pub fn new(inner: Arc<dyn Outlet>, script: Arc<Script>) -> Self {
        Self { inner, script }
    }
}

#[async_trait]
impl Outlet for Scripted {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        self.inner.check(intended).await
    }

    async fn exposed(&self, intended: &Intended) -> Vec<Finding> {
        self.inner.exposed(intended).await
    }

    async fn look(&self, intended: &Intended) -> Seen {
        self.script.state().looked.push(intended.step);
        match self.script.strikes(intended, true) {
            Some(Fault::Lie(seen)) => seen,
            _ => self.inner.look(intended).await,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let intended = effect.intended();
        self.script.state().acted.push(intended.step);
        let fault = self.script.strikes(intended, false);
        match &fault {
            Some(Fault::Fail(error)) => return Err(error.clone()),
            Some(Fault::Hang) => self.script.hang().await,
            _ => {}
        }
        let answer = self.inner.act(effect).await;
        self.script.state().happened.push(intended.step);
        match fault {
            Some(Fault::LoseAnswer) => {
                Err(OutletError::unknown("answer-lost", "the script lost the answer"))
            }
            _ => answer,
        }
    }

    fn repeat(&self) -> Repeat {
        self.inner.repeat()
    }

    fn settle(&self) -> Span {
        self.inner.settle()
    }

    async fn tips(&self, intended: &Intended) -> Option<BTreeMap<String, String>> {
        self.inner.tips(intended).await
    }
}

#[cfg(test)]
mod tests;

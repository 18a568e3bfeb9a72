//! Witnesses of the time that say what they are told: a clock moved by hand has no kernel that
//! knows of it, and no server's clock agrees with it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::clock::witness::{Testimony, TimeWitness};

/// One witness; silent until told.
pub struct Voice {
    name: &'static str,
    says: Mutex<Testimony>,
}

impl Voice {
    const fn new(name: &'static str) -> Self {
        Self { name, says: Mutex::new(Testimony::Silent) }
    }

    /// What it says from now on.
    pub fn says(&self, testimony: Testimony) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = testimony;
    }
}

#[async_trait]
impl TimeWitness for Voice {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn testify(&self) -> Testimony {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The witnesses of a town. Like the world they survive a restart of the house.
#[derive(Clone)]
pub struct Voices {
    /// Stands for the kernel.
    pub kernel: Arc<Voice>,
    /// Stands for the database server's clock.
    pub database: Arc<Voice>,
}

impl Default for Voices {
    fn default() -> Self {
        Self { kernel: Arc::new(Voice::new("kernel")), database: Arc::new(Voice::new("database")) }
    }
}

impl Voices {
    /// As a house takes them.
    pub fn all(&self) -> Vec<Arc<dyn TimeWitness>> {
        vec![Arc::clone(&self.kernel) as Arc<dyn TimeWitness>, Arc::clone(&self.database) as _]
    }
}

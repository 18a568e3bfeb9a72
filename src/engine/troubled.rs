//! A database that fails the engine for longer than a moment: nothing can be done without it, so
//! a person is called. Bells need no database.

use super::{Engine, EngineError};
use crate::domain::deed::Subject;
use crate::domain::time::{Mono, Span};
use crate::store::StoreError;

/// A server that is restarted is back before that.
const MOMENT: Span = Span::secs(20);

/// What is said.
const CODES: [&str; 3] = ["database-full", "database-away", "engine-troubled"];

/// Since when every turn has failed.
#[derive(Default)]
pub(super) struct Trouble(Option<Mono>);

impl Engine {
    /// One turn: take in what ended, look at clock and database, decide, begin. A database that
    /// goes on failing it is said.
    pub async fn turn(&mut self) -> Result<(), EngineError> {
        let beaten = self.beaten_at;
        let turned = self.turn_once().await;
        let code = match &turned {
            Err(EngineError::Store(StoreError::Full)) => "database-full",
            Err(EngineError::Store(StoreError::Unavailable(_))) => "database-away",
            // Something that no turn can get past, a damaged row say: the same for good.
            Err(EngineError::Store(e)) if !matches!(e, StoreError::Deposed) => "engine-troubled",
            Err(EngineError::Machine { .. } | EngineError::Case(_)) => "engine-troubled",
            _ => {
                self.trouble.0 = None;
                CODES.iter().for_each(|code| self.alarms.pass(&Subject::house(), code));
                // Who fails at every turn shows no life.
                if turned.is_ok() && self.beaten_at != beaten {
                    self.show_that_it_lives(self.house.clock.wall());
                }
                return turned;
            }
        };
        let now = self.house.clock.mono();
        if now.since(*self.trouble.0.get_or_insert(now)) >= MOMENT {
            self.page(Subject::house(), code, None);
        }
        turned
    }
}

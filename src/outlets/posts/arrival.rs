//! Waiting until a list has sent a post: a step for itself, after the post, so that nothing
//! waits for it and a person hears when it does not come.

use std::sync::Arc;

use async_trait::async_trait;

use super::Posts;
use crate::domain::action::{Action, Expected};
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::planner::arrival_look;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;
use crate::outlets::Outlet;

/// The outlet for [`Action::Await`] of posts to one list.
pub struct ArrivalOutlet {
    list: String,
    posts: Arc<Posts>,
}

/// What waits for a post with that Message-ID and those bytes.
pub fn arrival_of(list: &str, message_id: &str, message: &[u8]) -> Action {
    let subject = super::archive::subject(message).unwrap_or_default();
    let (look, args) = (arrival_look(list), vec![message_id.to_owned(), subject]);
    Action::Await { look, args, expected: Vec::<Expected>::new() }
}

impl ArrivalOutlet {
    /// For the list of that name.
    pub fn new(list: impl Into<String>, posts: Arc<Posts>) -> Self {
        Self { list: list.into(), posts }
    }

    fn asked<'a>(&self, intended: &'a Intended) -> Option<(&'a str, Option<&'a str>)> {
        match &intended.action {
            Action::Await { look, args, .. } if *look == arrival_look(&self.list) => {
                Some((args.first()?, args.get(1).map(String::as_str)))
            }
            _ => None,
        }
    }
}

#[async_trait]
impl Outlet for ArrivalOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        if self.asked(intended).is_none() {
            return vec![Finding::stop("not-await", "await", "this list is not configured")];
        }
        let list = self.posts.lists.iter().find(|(name, _)| *name == self.list);
        let mailbox = list.and_then(|(_, list)| list.mailbox.as_ref());
        mailbox.and_then(|p| p.check(&format!("list.{}.look", self.list))).into_iter().collect()
    }

    async fn look(&self, intended: &Intended) -> Seen {
        let list = self.posts.lists.iter().find(|(name, _)| *name == self.list);
        match (self.asked(intended), list) {
            (Some((message_id, subject)), Some((_, list))) => list.sent(message_id, subject).await,
            _ => Seen::CannotTell,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        if self.asked(effect.intended()).is_none() {
            return Err(OutletError::never("not-await", "this list is not configured"));
        }
        match self.look(effect.intended()).await {
            Seen::Present(receipt) => Ok(receipt),
            _ => Err(OutletError::later("not-there-yet", "the list does not show it yet")),
        }
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        Span::ZERO
    }
}

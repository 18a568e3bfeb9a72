//! A person: what no machine can do, in the same plan and timeline as everything else.
//!
//! Acting only opens the question. It is closed by `plan done STEP --evidence URL`, which
//! the engine records; no look can close it.

use async_trait::async_trait;

use crate::domain::action::Action;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;

/// The outlet for [`Action::Ask`].
#[derive(Debug, Clone, Copy, Default)]
pub struct PersonOutlet;

#[async_trait]
impl Outlet for PersonOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let Action::Ask { owner, deputy, instruction, .. } = &intended.action else {
            return vec![Finding::stop("not-ask", "ask", "the person outlet takes questions only")];
        };
        let mut findings = Vec::new();
        if owner.trim().is_empty() || instruction.trim().is_empty() {
            findings.push(
                Finding::stop("nobody-asked", "ask", "it has no owner or no instruction")
                    .cure("say who does what"),
            );
        }
        if deputy.trim().is_empty() || deputy == owner {
            findings.push(
                Finding::warn("no-deputy", "ask", "nobody is asked when the owner does not answer")
                    .cure("name a second person"),
            );
        }
        findings
    }

    async fn look(&self, _intended: &Intended) -> Seen {
        Seen::Absent
    }

    async fn act(&self, _effect: &Effect) -> Result<Receipt, OutletError> {
        Err(OutletError::ask_human("a-person-must", "waits for a person"))
    }

    fn repeat(&self) -> Repeat {
        Repeat::AskHuman
    }

    fn settle(&self) -> Span {
        Span::ZERO
    }
}

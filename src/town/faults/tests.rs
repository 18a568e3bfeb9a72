//! Tests of `faults`: the promises that the file above makes.

use super::*;
use crate::domain::action::Action;
use crate::domain::effect::{Go, Permit};
use crate::domain::ids::PlanId;
use crate::domain::receipt::Retry;
use crate::domain::time::At;

/// Does everything at once.
struct Willing;

#[async_trait]
impl Outlet for Willing {
    async fn check(&self, _: &Intended) -> Vec<Finding> {
        vec![]
    }
    async fn look(&self, _: &Intended) -> Seen {
        Seen::Present(Receipt::seen("there"))
    }
    async fn act(&self, _: &Effect) -> Result<Receipt, OutletError> {
        Ok(Receipt::seen("done"))
    }
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }
    fn settle(&self) -> Span {
        Span::ZERO
    }
}

fn intended(n: u8) -> Intended {
    let action = Action::Await { look: "x".into(), args: vec![], expected: vec![] };
    Intended { step: StepId::new(At::from_secs(1), [n; 10]), action, blobs: vec![] }
}

fn effect(n: u8) -> Effect {
    let plan = PlanId::new(At::from_secs(1), [9; 10]);
    Effect::new(intended(n), false, Permit::Public(Go::witnessed(plan, 1))).unwrap()
}

fn scripted() -> (Arc<Scripted>, Arc<Script>) {
    let script = Arc::new(Script::default());
    (Arc::new(Scripted::new(Arc::new(Willing), Arc::clone(&script))), script)
}

#[tokio::test]
async fn faults_strike_in_order_and_then_no_more() {
    let (outlet, script) = scripted();
    let busy = OutletError::later("busy", "");
    script.then(&Fault::Fail(busy), 2).then(&Fault::LoseAnswer, 1);
    script.then(&Fault::Lie(Seen::CannotTell), 1);
    let mut ends = Vec::new();
    for _ in 0..4 {
        ends.push(outlet.act(&effect(1)).await.map_err(|e| e.retry).err());
    }
    assert_eq!(ends, [Some(Retry::Later), Some(Retry::Later), Some(Retry::Unknown), None]);
    assert_eq!((script.acts(), script.happened().len()), (4, 2), "a lost answer happened");
    assert_eq!(outlet.look(&intended(1)).await, Seen::CannotTell);
    assert!(matches!(outlet.look(&intended(1)).await, Seen::Present(_)));
    assert_eq!(script.looks(), 2);
}

#[tokio::test]
async fn a_fault_for_one_step_leaves_the_others_alone() {
    let (outlet, script) = scripted();
    let second = intended(2).step;
    let fault = Fault::Fail(OutletError::never("no", ""));
    script.then_for(move |i| i.step == second, &fault, 1);
    assert!(outlet.act(&effect(1)).await.is_ok());
    assert!(outlet.act(&effect(2)).await.is_err());
}

#[tokio::test]
async fn what_hangs_goes_on_when_released() {
    let (outlet, script) = scripted();
    script.then(&Fault::Hang, 1);
    let hanging = tokio::spawn({
        let outlet = Arc::clone(&outlet);
        async move { outlet.act(&effect(1)).await }
    });
    script.wait_for_hanging(1).await;
    assert!(script.happened().is_empty());
    script.release();
    assert!(hanging.await.unwrap().is_ok());
    assert_eq!(script.happened().len(), 1);
}

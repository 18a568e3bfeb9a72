//! One contract for every outlet: whatever the place, it looks before it acts, does a thing
//! once where the world can hold it to that, says truly whether it may have happened, and
//! prints nothing of what it carries.
//!
//! A new outlet is one `World` and one line in `worlds`.

mod argv;
mod git;
mod index;
pub mod mail;
mod person;
mod pypiserver;
mod relays;
mod reports;
mod site;
mod tls;
mod wait;

use std::sync::Arc;

use async_trait::async_trait;
use daybreak::clock::{Clock, SystemClock};
use daybreak::domain::action::Action;
use daybreak::domain::blob::Blob;
use daybreak::domain::effect::{Effect, Go, Intended, Permit};
use daybreak::domain::finding::{Severity, any_stop};
use daybreak::domain::ids::{PlanId, StepId};
use daybreak::domain::receipt::{Evidence, OutletError, Receipt, Repeat, Retry, Seen};
use daybreak::domain::time::At;
use daybreak::outlets::Outlet;

/// Text that no outlet may print: planted in names, addresses and contents.
const PLANTED: &str = "zanzibarite";

/// How the world can be made to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It refuses us or our credentials for good.
    Refuses,
    /// Nobody answers.
    Unreachable,
    /// It does it, and the answer is lost.
    LosesTheAnswer,
    /// Something else stands in the effect's place.
    HoldsAnother,
}

/// How an act ends when nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The world shows it.
    Seen,
    /// The next hop took it, and nobody can look.
    HandedOver,
    /// Only a person can do it.
    Asks,
}

/// An outlet with the place it reaches, both made new for each case.
#[async_trait]
trait World: Send + Sync {
    /// For messages.
    fn name(&self) -> &'static str;
    /// What is tested.
    fn outlet(&self) -> Arc<dyn Outlet>;
    /// What it shall do: the same at every call.
    fn intended(&self) -> Intended;
    /// How that ends.
    fn ends(&self) -> Ends {
        Ends::Seen
    }
    /// Does what others must do first.
    async fn prepare(&self) {}
    /// How many copies of the effect the world holds; `None` for an outlet that only looks.
    async fn copies(&self) -> Option<usize>;
    /// Makes trouble; false when this place cannot have it.
    async fn trouble(&self, trouble: Trouble) -> bool;
}

/// Every outlet, each in a new world.
async fn worlds() -> Vec<Box<dyn World>> {
    let mut worlds: Vec<Box<dyn World>> = vec![
        Box::new(mail::Relay::new().await),
        Box::new(argv::Folder::new()),
        Box::new(git::Public::new()),
        Box::new(site::Shelves::new()),
        Box::new(site::Tree::new()),
        Box::new(wait::Builders::new().await),
        Box::new(person::Somebody),
    ];
    if let Some(index) = index::Index::new().await {
        worlds.push(Box::new(index));
    }
    if let Some(index) = pypiserver::PypiServer::new().await {
        worlds.push(Box::new(index));
    }
    worlds
}

/// The clock of these tests: the machine's own, because real programs answer on it.
fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// An intended step with an id of its own.
fn intended(action: Action, blobs: Vec<Blob>) -> Intended {
    Intended { step: StepId::new(At::from_secs(1_796_137_200), [7; 10]), action, blobs }
}

/// With leave to act.
fn effect(intended: Intended) -> Effect {
    let plan = PlanId::new(At::from_secs(1_796_137_200), [8; 10]);
    Effect::new(intended, false, Permit::Public(Go::witnessed(plan, 1))).unwrap()
}

async fn act(world: &dyn World) -> Result<Receipt, OutletError> {
    world.outlet().act(&effect(world.intended())).await
}

async fn look(world: &dyn World) -> Seen {
    world.outlet().look(&world.intended()).await
}

/// The worlds that can have `trouble`, having it.
async fn troubled(trouble: Trouble) -> Vec<Box<dyn World>> {
    let mut having = Vec::new();
    for world in worlds().await {
        world.prepare().await;
        if world.trouble(trouble).await {
            having.push(world);
        }
    }
    assert!(!having.is_empty(), "nobody can have {trouble:?}");
    having
}

/// Nothing planted in anything that is logged or shown without opening a seal.
fn prints_nothing(name: &str, result: &Result<Receipt, OutletError>) {
    let printed = match result {
        Ok(receipt) => format!("{receipt:?}"),
        Err(error) => format!("{error} {error:?} {}", error.code),
    };
    assert!(!printed.contains(PLANTED), "{name} prints {printed}");
}

#[tokio::test]
async fn checking_and_looking_change_nothing() {
    for world in worlds().await {
        let name = world.name();
        let seen = look(&*world).await;
        assert!(matches!(seen, Seen::Absent | Seen::CannotTell), "{name}: {seen:?}");
        let findings = world.outlet().check(&world.intended()).await;
        assert!(!any_stop(&findings), "{name}: {findings:?}");
        assert!(matches!(world.copies().await, Some(0) | None), "{name}");
    }
}

#[tokio::test]
async fn an_act_is_done_once_and_then_seen() {
    for world in worlds().await {
        let name = world.name();
        world.prepare().await;
        let result = act(&*world).await;
        prints_nothing(name, &result);
        match (world.ends(), result) {
            (Ends::Seen, Ok(receipt)) => {
                assert_eq!(receipt.evidence, Evidence::Seen, "{name}");
                assert!(matches!(look(&*world).await, Seen::Present(_)), "{name}");
            }
            (Ends::HandedOver, Ok(receipt)) => {
                assert_eq!(receipt.evidence, Evidence::HandedOver, "{name}");
                assert_eq!(look(&*world).await, Seen::CannotTell, "{name}");
            }
            (Ends::Asks, Err(error)) => assert_eq!(error.retry, Retry::AskHuman, "{name}"),
            (_, other) => panic!("{name}: {other:?}"),
        }
        let once = usize::from(world.ends() != Ends::Asks);
        assert!(world.copies().await.is_none_or(|n| n == once), "{name}");
    }
}

#[tokio::test]
async fn what_is_safe_to_repeat_leaves_one_effect() {
    for world in worlds().await {
        if world.outlet().repeat() != Repeat::Safe {
            continue;
        }
        world.prepare().await;
        for _ in 0..2 {
            let result = act(&*world).await;
            assert!(result.is_ok(), "{}: {result:?}", world.name());
        }
        assert!(world.copies().await.is_none_or(|n| n == 1), "{}", world.name());
    }
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    for world in troubled(Trouble::Refuses).await {
        let (name, result) = (world.name(), act(&*world).await);
        prints_nothing(name, &result);
        let retry = result.unwrap_err().retry;
        assert!(matches!(retry, Retry::Never | Retry::AskHuman), "{name}: {retry:?}");
        assert!(matches!(world.copies().await, Some(0) | None), "{name}");
    }
}

#[tokio::test]
async fn a_place_that_does_not_answer_is_tried_later_and_found_before() {
    for world in troubled(Trouble::Unreachable).await {
        let name = world.name();
        assert!(!matches!(look(&*world).await, Seen::Present(_) | Seen::Conflict(_)), "{name}");
        let findings = world.outlet().check(&world.intended()).await;
        let stops: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Stop).collect();
        assert!(!stops.is_empty(), "{name}");
        assert!(stops.iter().all(|f| !format!("{f:?}").contains(PLANTED)), "{name}: {stops:?}");
        let result = act(&*world).await;
        prints_nothing(name, &result);
        assert_eq!(result.unwrap_err().retry, Retry::Later, "{name}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_never_a_failure() {
    for world in troubled(Trouble::LosesTheAnswer).await {
        let (name, result) = (world.name(), act(&*world).await);
        prints_nothing(name, &result);
        match result {
            Ok(receipt) => assert_eq!(receipt.evidence, Evidence::Seen, "{name}"),
            Err(error) => {
                assert_eq!(error.retry, Retry::Unknown, "{name}: {}", error.code);
                assert_ne!(world.ends(), Ends::Seen, "{name}: a look would have found it");
            }
        }
        assert!(world.copies().await.is_none_or(|n| n == 1), "{name}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_left_to_a_person() {
    for world in troubled(Trouble::HoldsAnother).await {
        let name = world.name();
        assert!(matches!(look(&*world).await, Seen::Conflict(_)), "{name}");
        let result = act(&*world).await;
        prints_nothing(name, &result);
        assert_eq!(result.unwrap_err().retry, Retry::AskHuman, "{name}");
        assert!(matches!(look(&*world).await, Seen::Conflict(_)), "{name}: it was overwritten");
    }
}

#[tokio::test]
async fn another_outlets_step_is_refused() {
    let ask = || {
        let text = PLANTED.to_owned();
        let [owner, deputy, instruction, paste] = [(); 4].map(|()| text.clone());
        intended(Action::Ask { owner, deputy, instruction, paste, due: At::from_secs(0) }, vec![])
    };
    for world in worlds().await {
        if world.ends() == Ends::Asks {
            continue;
        }
        let (name, outlet) = (world.name(), world.outlet());
        assert!(any_stop(&outlet.check(&ask()).await), "{name}");
        assert_eq!(outlet.look(&ask()).await, Seen::CannotTell, "{name}");
        let result = outlet.act(&effect(ask())).await;
        prints_nothing(name, &result);
        assert_eq!(result.unwrap_err().retry, Retry::Never, "{name}");
    }
}

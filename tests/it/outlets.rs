//! One contract for every outlet: whatever the place, it passes the same ten cases, each a test
//! below. It looks before it acts, does a thing once where the world can hold it to that, says
//! truly whether it may have happened, gives up in time, and prints nothing of what it carries.
//!
//! A new outlet is one `World` and one line in `worlds`. A world says which troubles it cannot
//! have; every trouble must be had by somebody.

mod after;
mod argv;
mod git;
mod index;
mod law;
pub mod mail;
mod peer;
mod person;
mod posts;
mod pypiserver;
mod relays;
mod reports;
mod site;
mod tls;
mod wait;
mod webhook;

use std::io::Write;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use daybreak::clock::{Clock, SystemClock, within};
use daybreak::domain::action::Action;
use daybreak::domain::blob::Blob;
use daybreak::domain::effect::{Effect, Go, Intended, Permit};
use daybreak::domain::finding::{Severity, any_stop};
use daybreak::domain::ids::{PlanId, StepId};
use daybreak::domain::receipt::{Evidence, OutletError, Receipt, Repeat, Retry, Seen};
use daybreak::domain::time::{At, Mono, Span};
use daybreak::outlets::Outlet;

use law::Law;

/// Text that no outlet may print: planted in names, addresses and contents.
const PLANTED: &str = "zanzibarite";

/// How the world can be made to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It refuses us or our credentials for good.
    Refuses,
    /// It does not do it now.
    Busy,
    /// Nobody answers.
    Unreachable,
    /// Somebody takes our call and never answers.
    Hangs,
    /// It does it, and the answer is lost.
    LosesTheAnswer,
    /// It does it, and shows it late: see [`World::appear`].
    ShowsLate,
    /// Something else stands in the effect's place.
    HoldsAnother,
}

/// How an act ends when nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The world shows it.
    Seen,
    /// The next hop took it, and the world shows it later.
    SeenLater,
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
    /// What is tested, on that clock.
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet>;
    /// What is tested.
    fn outlet(&self) -> Arc<dyn Outlet> {
        self.outlet_on(clock())
    }
    /// What it shall do: the same at every call.
    fn intended(&self) -> Intended;
    /// How that ends.
    fn ends(&self) -> Ends {
        Ends::Seen
    }
    /// Whether it tries the place before its time. A webhook's receiver is never called ahead.
    fn asks_ahead(&self) -> bool {
        true
    }
    /// Does what others must do first.
    async fn prepare(&self) {}
    /// Shows what was done late.
    async fn appear(&self) {}
    /// How many different copies of the effect the world holds; `None` for an outlet that only
    /// looks.
    async fn copies(&self) -> Option<usize>;
    /// Makes trouble; false when this place cannot have it.
    async fn trouble(&self, trouble: Trouble) -> bool;
}

/// Every outlet, each in a new world.
async fn worlds() -> Vec<Box<dyn World>> {
    let mut worlds: Vec<Box<dyn World>> = vec![
        Box::new(mail::Relay::new().await),
        Box::new(posts::Watched::new().await),
        Box::new(argv::Folder::new()),
        Box::new(git::Public::new()),
        Box::new(git::Copied::new()),
        Box::new(git::Moved::new()),
        Box::new(site::Shelves::new()),
        Box::new(site::Shown::new().await),
        Box::new(site::Tree::new()),
        Box::new(wait::Builders::new().await),
        Box::new(posts::Archived::new().await),
        Box::new(webhook::Receiver::new().await),
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

/// A clock on which waiting is short: what is bounded in minutes ends in a second.
struct Hurried(SystemClock);

const HURRY: i64 = 200;

#[async_trait]
impl Clock for Hurried {
    fn wall(&self) -> At {
        self.0.wall()
    }
    fn mono(&self) -> Mono {
        let real = i64::try_from(self.0.mono().millis()).unwrap();
        Mono::from_millis(u64::try_from(real * HURRY).unwrap())
    }
    async fn sleep_until(&self, until: Mono) {
        let left = until.since(self.mono()).as_millis().max(0) / HURRY + 1;
        self.0.sleep_until(self.0.mono().plus(Span::millis(left))).await;
    }
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

/// How strong what was seen is.
fn evidence(seen: &Seen) -> Option<Evidence> {
    match seen {
        Seen::Present(receipt) => Some(receipt.evidence),
        _ => None,
    }
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
    assert!(having.len() > 2, "hardly anybody can have {trouble:?}");
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

/// Looking and checking are no acts.
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
async fn case_1_what_was_absent_is_done_and_then_seen() {
    for world in worlds().await {
        let name = world.name();
        world.prepare().await;
        let result = act(&*world).await;
        match (world.ends(), result) {
            (Ends::Seen, Ok(receipt)) => {
                assert_eq!(receipt.evidence, Evidence::Seen, "{name}");
                assert!(matches!(look(&*world).await, Seen::Present(_)), "{name}");
            }
            (Ends::SeenLater, Ok(receipt)) => {
                assert_eq!(receipt.evidence, Evidence::HandedOver, "{name}");
                assert!(!matches!(look(&*world).await, Seen::Present(_)), "{name}");
                world.appear().await;
                let seen = look(&*world).await;
                assert_eq!(evidence(&seen), Some(Evidence::Seen), "{name}: {seen:?}");
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

/// Where the world keeps one, a second act is a success; elsewhere it is the same once more.
#[tokio::test]
async fn case_2_acting_twice_leaves_one() {
    for world in worlds().await {
        world.prepare().await;
        for _ in 0..2 {
            let result = act(&*world).await;
            assert_eq!(result.is_ok(), world.ends() != Ends::Asks, "{}: {result:?}", world.name());
        }
        let once = usize::from(world.ends() != Ends::Asks);
        assert!(world.copies().await.is_none_or(|n| n == once), "{}", world.name());
    }
}

#[tokio::test]
async fn case_3_a_lost_answer_is_never_a_failure() {
    for world in troubled(Trouble::LosesTheAnswer).await {
        let (name, result) = (world.name(), act(&*world).await);
        match result {
            Ok(receipt) => assert_eq!(receipt.evidence, Evidence::Seen, "{name}"),
            Err(error) => {
                assert_eq!(error.retry, Retry::Unknown, "{name}: {}", error.code);
                assert_ne!(world.ends(), Ends::Seen, "{name}: a look would have found it");
            }
        }
        world.appear().await;
        if world.ends() != Ends::HandedOver {
            assert!(matches!(look(&*world).await, Seen::Present(_)), "{name}: it was done");
        }
        assert!(world.copies().await.is_none_or(|n| n == 1), "{name}");
    }
}

#[tokio::test]
async fn case_4_what_stands_in_the_way_is_left_to_a_person() {
    for world in troubled(Trouble::HoldsAnother).await {
        let name = world.name();
        assert!(matches!(look(&*world).await, Seen::Conflict(_)), "{name}");
        let result = act(&*world).await;
        assert_eq!(result.unwrap_err().retry, Retry::AskHuman, "{name}");
        assert!(matches!(look(&*world).await, Seen::Conflict(_)), "{name}: it was overwritten");
    }
}

#[tokio::test]
async fn case_5_an_outage_tells_nothing_is_found_ahead_and_tried_later() {
    for world in troubled(Trouble::Unreachable).await {
        let name = world.name();
        assert_eq!(look(&*world).await, Seen::CannotTell, "{name}");
        let findings = world.outlet().check(&world.intended()).await;
        let stops: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Stop).collect();
        assert_eq!(stops.is_empty(), !world.asks_ahead(), "{name}");
        assert!(stops.iter().all(|f| !format!("{f:?}").contains(PLANTED)), "{name}: {stops:?}");
        let result = act(&*world).await;
        assert_eq!(result.unwrap_err().retry, Retry::Later, "{name}");
    }
}

/// The world did it and does not show it: nobody does it again while that may be so.
#[tokio::test]
async fn case_6_what_appears_late_is_not_done_twice() {
    for world in troubled(Trouble::ShowsLate).await {
        let (name, outlet) = (world.name(), world.outlet());
        let result = act(&*world).await;
        let unseen = look(&*world).await;
        assert!(!matches!(unseen, Seen::Present(_) | Seen::Conflict(_)), "{name}: {unseen:?}");
        match result {
            Ok(receipt) => assert_eq!(receipt.evidence, Evidence::HandedOver, "{name}"),
            Err(error) => {
                assert_eq!(error.retry, Retry::Unknown, "{name}: {}", error.code);
                let mut law = Law::lost(outlet.as_ref(), error);
                let mut acts = law.acts_while(&unseen, outlet.settle());
                assert_eq!(acts, 0, "{name}: a second act within {:?}", outlet.settle());
                acts += usize::from(law.ends_with(&Seen::Present(Receipt::seen(""))));
                assert_eq!(acts, 0, "{name}: it has appeared");
            }
        }
        world.appear().await;
        let seen = look(&*world).await;
        assert!(matches!(seen, Seen::Present(_)), "{name}: {seen:?}");
        assert!(world.copies().await.is_none_or(|n| n == 1), "{name}");
    }
}

#[tokio::test]
async fn case_7_a_refusal_is_not_tried_again() {
    for world in troubled(Trouble::Refuses).await {
        let (name, result) = (world.name(), act(&*world).await);
        let retry = result.unwrap_err().retry;
        assert!(matches!(retry, Retry::Never | Retry::AskHuman), "{name}: {retry:?}");
        assert!(matches!(world.copies().await, Some(0) | None), "{name}");
    }
}

#[tokio::test]
async fn case_8_what_cannot_be_now_is_tried_later() {
    for world in troubled(Trouble::Busy).await {
        let (name, result) = (world.name(), act(&*world).await);
        let error = result.unwrap_err();
        assert_eq!(error.retry, Retry::Later, "{name}: {}", error.code);
        assert!(matches!(world.copies().await, Some(0) | None), "{name}");
    }
}

/// Everything that is written while outlets work, whatever the level.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn case_9_nothing_that_is_carried_is_printed() {
    let written = Written::default();
    let to = written.clone();
    let all = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .finish();
    let _until_the_end = tracing::subscriber::set_default(all);
    tracing::info!("listening");
    let ways = [None, Some(Trouble::LosesTheAnswer), Some(Trouble::HoldsAnother)];
    let mut all = tokio::task::JoinSet::new();
    for way in ways.into_iter().chain([Some(Trouble::Refuses), Some(Trouble::Unreachable)]) {
        for world in worlds().await {
            all.spawn(is_silent(world, way));
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    }
    let logged = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("listening"));
    let line = logged.lines().find(|l| l.contains(PLANTED));
    assert!(line.is_none(), "{line:?}");
}

async fn is_silent(world: Box<dyn World>, way: Option<Trouble>) {
    world.prepare().await;
    if let Some(trouble) = way {
        world.trouble(trouble).await;
    }
    let (name, intended) = (world.name(), world.intended());
    let effect = effect(world.intended());
    let seen = look(&*world).await;
    prints_nothing(name, &act(&*world).await);
    let printed = format!("{intended:?} {effect:?} {seen:?} {:?}", effect.permit());
    assert!(!printed.contains(PLANTED), "{name} prints {printed}");
}

#[tokio::test]
async fn case_10_who_hangs_is_given_up_in_time() {
    let mut all = tokio::task::JoinSet::new();
    for world in troubled(Trouble::Hangs).await {
        all.spawn(gives_up(world));
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

async fn gives_up(world: Box<dyn World>) {
    let name = world.name();
    let hurried: Arc<dyn Clock> = Arc::new(Hurried(SystemClock::new()));
    let outlet = world.outlet_on(Arc::clone(&hurried));
    let patience = Span::secs(60);
    // Dropped half-way, as when the engine ends: it leaves nothing locked behind.
    let first = effect(world.intended());
    let _half = within(clock().as_ref(), Span::millis(40), outlet.act(&first)).await;
    let second = effect(world.intended());
    let result = within(clock().as_ref(), patience, outlet.act(&second)).await;
    let Some(result) = result else { panic!("{name} never gives up") };
    if let Err(error) = &result {
        let undone = error.retry == Retry::Later;
        assert!(
            undone || error.retry == Retry::Unknown,
            "{name}: {} {}",
            error.code,
            error.message
        );
        assert!(!undone || world.copies().await.is_none_or(|n| n == 0), "{name}: {}", error.code);
    }
    let intended = world.intended();
    let looked = within(clock().as_ref(), patience, outlet.look(&intended)).await;
    assert!(!matches!(looked, None | Some(Seen::Conflict(_))), "{name}: {looked:?}");
    assert!(world.copies().await.is_none_or(|n| n <= 1), "{name}");
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

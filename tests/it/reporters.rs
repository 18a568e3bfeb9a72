//! Reporters hear of their own advisory and of no other: not in what the house writes, and not
//! in what the team says in its own words.

use daybreak::casework::plans::notice::Tell;
use daybreak::casework::plans::{self, Order};
use daybreak::casework::{CaseError, advisories, disclosures};
use daybreak::domain::advisory::{AdvisoryText, Reporter};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::{CellState, Disclosure};
use daybreak::domain::finding::Finding;
use daybreak::domain::plan::{Plan, PlanKind};
use daybreak::domain::time::Span;
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::pgp::{TeamKey, samples};
use daybreak::town::people::{Letter, decrypt};
use daybreak::town::project::LINES;
use daybreak::town::{Town, story};

use crate::ground::Db;
use crate::world::{drafted, town};

const ME: Actor = Actor::Operator;
const OTHER_ID: &str = "x_meadow-2026-0002";
const OTHER_ALIAS: &str = "CVE-2026-77777";
const OTHER_TITLE: &str = "Cinquefoil in the gatepost";
const ROSA: &str = "rosa@coltsfoot.example";

/// One disclosure of two flaws, each found by somebody else.
struct Two {
    town: Town,
    engine: Engine,
    disclosure: Disclosure,
    t0: T0,
    rosa: TeamKey,
}

impl Two {
    async fn told() -> Self {
        let town = town(Db::Sqlite).await.unwrap();
        story::add_members(&town).await.unwrap();
        story::add_distributors(&town).await.unwrap();
        let (one, _) = story::draft(&town).await.unwrap();
        let now = town.house.now();
        let rosa = samples::cv25519(&format!("Rosa <{ROSA}>"), now.plus(Span::days(-30))).unwrap();
        let reporter = Reporter {
            id: None,
            name: "Rosa Coltsfoot".to_owned(),
            address: ROSA.to_owned(),
            certificate: Some(rosa.certificate.armored()),
            credit: None,
            credit_consent: false,
            received_at: now.plus(Span::days(-9)).rfc3339(),
        };
        let text = AdvisoryText {
            public_id: OTHER_ID.to_owned(),
            title: OTHER_TITLE.to_owned(),
            description: "Bulls walk through the gatepost.".to_owned(),
            remedy: "Mend it.".to_owned(),
            mitigation: "Watch it.".to_owned(),
            aliases: vec![OTHER_ALIAS.to_owned()],
            reporters: vec![reporter],
            ..story::text(&town.people, now)
        };
        let (two, _) = advisories::create(&town.house, ME, text).await.unwrap();
        let (t0, ids) = (story::t0_in(&town, Span::days(12)), vec![one.id, two.id]);
        let made = disclosures::create(&town.house, ME, Some(t0), ids, None).await.unwrap();
        let mut disclosure = story::patch(&town, made.0, one.id).await.unwrap();
        for line in &LINES {
            let (branch, reason) = (story::branch(line), "it is not worth a release".to_owned());
            let cell = CellState::WillNotFix { reason };
            disclosure = disclosures::mark(&town.house, ME, &disclosure, two.id, branch, cell)
                .await
                .unwrap();
        }
        story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
        let mut engine = Engine::start(town.house.clone()).await.unwrap();
        town.hand.as_ref().unwrap().advance_to(t0.days_before(7));
        engine.settle().await.unwrap();
        Self { town, engine, disclosure, t0, rosa }
    }

    async fn again(&mut self) {
        self.disclosure = story::again(&self.town.house, &self.disclosure).await.unwrap();
    }

    async fn make(&mut self, tell: Tell) -> Result<Plan, CaseError> {
        self.again().await;
        let (house, order) = (&self.town.house, Order { tell, ..Order::default() });
        plans::make_as(house, ME, &self.disclosure, PlanKind::Notice, &order).await.map(|(p, _)| p)
    }

    /// What stops a plan that says this; each finding must say where.
    async fn stopped(&mut self, tell: Tell) -> Vec<Finding> {
        match self.make(tell).await {
            Err(CaseError::Blocked(all)) => {
                all.into_iter().filter(|f| f.place == "words for reporters").collect()
            }
            other => panic!("{:?}", other.map(|p| p.number)),
        }
    }

    /// What the newest mail to each reporter says: to Maren, and to Rosa.
    fn letters(&self) -> [Letter; 2] {
        let mails = self.town.catcher.mails();
        let (maren, team) = (&self.town.people.reporter, self.town.team_certificate());
        let now = self.town.house.now();
        let newest = |to: &str| mails.iter().rfind(|m| m.to == [to]).unwrap().bytes.clone();
        let to_maren = maren.decrypt(&newest(maren.address), team, now).unwrap();
        let to_rosa = decrypt(&newest(ROSA), std::slice::from_ref(&self.rosa), team, now).unwrap();
        [to_maren, to_rosa]
    }

    /// Neither mail holds a word of the other's flaw.
    fn says_nothing_of_the_other(&self) {
        let [maren, rosa] = self.letters().map(|l| String::from_utf8_lossy(&l.entity).into_owned());
        for word in [OTHER_ID, OTHER_ALIAS, "Cinquefoil", "gatepost", "Coltsfoot"] {
            assert!(!maren.contains(word), "Maren reads {word}");
        }
        for word in [story::PUBLIC_ID, "CVE-2026-48151", "Strawdog", "Quillfeather"] {
            assert!(!rosa.contains(word), "Rosa reads {word}");
        }
    }
}

fn broken(public: &str, may_say: &str) -> Tell {
    Tell::Broken { public: public.to_owned(), may_say: may_say.to_owned() }
}

#[tokio::test]
async fn words_for_reporters_are_judged_by_what_they_may_know() {
    let mut two = Two::told().await;
    two.says_nothing_of_the_other();
    assert!(String::from_utf8_lossy(&two.letters()[1].entity).contains(OTHER_ID));

    let clean = "Something was posted to a public list.";
    for (said, code) in [
        (broken(&format!("{OTHER_ID} was posted."), "Nothing."), "leak-id"),
        (broken(clean, &format!("That {} exists.", OTHER_ALIAS.to_lowercase())), "leak-id"),
        (broken("A stranger wrote of the gateposts.", "Nothing."), "leak-title"),
        // What is Maren's own is not Rosa's.
        (broken(&format!("{} was posted.", story::PUBLIC_ID), "Nothing."), "leak-id"),
        (broken("A stranger wrote of bales.", "Nothing."), "leak-title"),
        (broken("A stranger posted an overflow.", "Nothing."), "leak-weakness"),
    ] {
        let found = two.stopped(said).await;
        assert!(found.iter().any(|f| f.code == code), "{code}: {found:?}");
    }
    // Nobody was told anything by what was stopped.
    two.engine.settle().await.unwrap();
    two.says_nothing_of_the_other();

    let plan = two.make(broken(clean, "That a fix comes.")).await.unwrap();
    story::approve_by_all(&two.town, &plan).await.unwrap();
    two.engine.settle().await.unwrap();
    assert!(two.letters().iter().all(|l| l.text.contains(clean) && l.text.contains("a fix comes")));
    two.says_nothing_of_the_other();

    // The reason of a new date, and of a cancellation.
    let (house, later) =
        (two.town.house.clone(), T0::new(two.t0.at.plus(Span::days(1)), two.t0.zone));
    let reason = format!("{OTHER_ID} needs a day.");
    two.again().await;
    disclosures::move_t0(&house, ME, &two.disclosure, later, &reason).await.unwrap();
    assert!(two.stopped(Tell::Due).await.iter().any(|f| f.code == "leak-id"));
    two.again().await;
    // It cannot be taken back: it is judged before it is written down.
    let refused = disclosures::cancel(&house, ME, &two.disclosure, "The gatepost holds.").await;
    let Err(CaseError::Blocked(found)) = refused else { panic!("it was cancelled so") };
    assert!(found.iter().any(|f| f.code == "leak-title"), "{found:?}");
    disclosures::cancel(&house, ME, &two.disclosure, "A mistake.").await.unwrap();
    two.make(Tell::Due).await.unwrap();
}

/// Where there is no other flaw, its own name is no secret to whoever found it.
#[tokio::test]
async fn the_name_of_their_own_flaw_is_no_leak_to_its_reporters() {
    let town = town(Db::Sqlite).await.unwrap();
    let (_, disclosure) = drafted(&town, Span::days(12)).await;
    let t0 = disclosure.t0.unwrap();
    story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    town.hand.as_ref().unwrap().advance_to(t0.days_before(7));
    engine.settle().await.unwrap();
    let disclosure = story::again(&town.house, &disclosure).await.unwrap();
    let said = format!("{} (CVE-2026-48151, a traversal) was posted.", story::PUBLIC_ID);
    let order = Order { tell: broken(&said, "That a fix comes."), ..Order::default() };
    plans::make_as(&town.house, ME, &disclosure, PlanKind::Notice, &order).await.unwrap();
}

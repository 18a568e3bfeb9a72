//! A story seen through its ledger.

use std::collections::BTreeMap;

use daybreak::casework::controls;
use daybreak::casework::distributors::{NewContact, NewDistributor};
use daybreak::casework::plans::Order;
use daybreak::casework::plans::notice::Tell;
use daybreak::casework::{distributors, ledger, plans};
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::event::Happened;
use daybreak::domain::ids::{EventId, StepId};
use daybreak::domain::ledger::{Delivery, Tally};
use daybreak::domain::party::{ContactKind, Distributor, Profile};
use daybreak::domain::plan::{Plan, PlanKind, PlanState, Step};
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::pgp::{TeamKey, samples};
use daybreak::town::catcher::{Fault, Times};

use crate::story::Story;

pub const FENNEL: &str = "vulns@fennel.example";
pub const LARCH: &str = "security@larch.example";
pub const TARN: &str = "psirt@tarn.example";
pub const MOSS: &str = "security@moss.example";
pub const BRACKEN: &str = "sec@bracken.example";
pub const ALDER: &str = "response@alder.example";
pub const JUNIPER: &str = "security-team@juniper.example";
pub const SEDGE: &str = "distros@lists.sedge.example";
pub const MAREN: &str = "maren@quillfeather.example";

pub const OPERATOR: Actor = Actor::Operator;

impl Story {
    pub async fn ledger(&self) -> (BTreeMap<String, Delivery>, Tally) {
        let status = ledger::status(&self.town.house, &self.disclosure).await.unwrap();
        let tally = status.tally.unwrap();
        // Oldest revision first: what comes later takes the place of what came before.
        (status.rows.into_iter().map(|(_, d)| (d.address.clone(), d)).collect(), tally)
    }

    /// The state of everybody, by address.
    pub async fn states(&self) -> BTreeMap<String, &'static str> {
        let (all, _) = self.ledger().await;
        all.into_iter().map(|(address, d)| (address, d.state.word())).collect()
    }

    pub async fn delivery(&self, address: &str) -> Delivery {
        self.ledger().await.0.remove(address).unwrap()
    }

    pub async fn delivery_state(&self, address: &str) -> &'static str {
        self.delivery(address).await.state.word()
    }

    pub fn mail_to(&self, plan: &Plan, address: &str) -> Step {
        self.step(plan, |s| matches!(&s.action, Action::Mail { to, .. } if to == address))
    }

    pub fn refuse(&self, address: &str, code: u16, times: Times) {
        let fault = Fault::RefuseRecipient { address: address.to_owned(), code };
        self.town.catcher.script(fault, times);
    }

    /// Something is heard of the mail to an address.
    pub async fn hear(&self, plan: &Plan, address: &str, happened: Happened) -> bool {
        let id = self.town.house.fresh(EventId::new);
        self.hear_as(plan, address, id, happened).await
    }

    pub async fn hear_as(
        &self,
        plan: &Plan,
        address: &str,
        id: EventId,
        happened: Happened,
    ) -> bool {
        let step = self.mail_to(plan, address).id;
        let house = &self.town.house;
        ledger::note_delivery(house, OPERATOR, plan.id, step, id, happened).await.unwrap()
    }

    pub async fn told_by_hand(&self, address: &str) -> Delivery {
        let (house, said) = (&self.town.house, "rang them on Monday");
        ledger::mark_by_hand(house, OPERATOR, "Ada", &self.disclosure, address, said).await.unwrap()
    }

    /// The cached columns of a step: state and time of the next try.
    pub async fn cached(&self, plan: &Plan, step: StepId) -> (String, bool) {
        let id = plan.id;
        let rows = self.town.house.store.read(move |r| r.steps(id)).await.unwrap();
        let row = rows.into_iter().find(|r| r.id == step).unwrap();
        (row.state, row.next_try.is_some())
    }

    /// Everybody's window opens; what needs a person is settled; the plan ends.
    pub async fn finished(&self, engine: &mut Engine) {
        for days in [7, 3] {
            self.hand.advance_to(self.t0.days_before(days));
            engine.settle().await.unwrap();
        }
        let standing = self.standing(&self.notice).await;
        for step in standing.run.blocked() {
            controls::skip(&self.town.house, OPERATOR, "Ada", &self.notice, step, "known")
                .await
                .unwrap();
        }
        engine.settle().await.unwrap();
        assert_eq!(self.state(&self.notice).await, PlanState::Finished);
    }

    /// Somebody joins the list.
    pub async fn joins(&self, name: &str, address: &str) -> (Distributor, TeamKey) {
        let long_ago = self.town.house.now().plus(Span::days(-30));
        let key = samples::cv25519(&format!("{name} <{address}>"), long_ago).unwrap();
        let armored = key.certificate.armored().into_bytes();
        let new = NewDistributor {
            groups: vec![],
            name: name.to_owned(),
            lead_days: None,
            longest_embargo_days: None,
            contact: NewContact {
                address: address.to_owned(),
                kind: ContactKind::Person,
                profile: Profile::default(),
                certificates: vec![("key.asc".to_owned(), armored)],
            },
            accept_unusable: false,
        };
        let (added, _) = distributors::add(&self.town.house, OPERATOR, new).await.unwrap();
        (added, key)
    }

    pub fn letters_to(&self, address: &str) -> usize {
        self.letters().iter().filter(|m| m.to == [address]).count()
    }

    /// A draft of the word that the embargo is broken: news to everybody who was told.
    pub async fn broken(&self) -> Plan {
        let (public, may_say) = ("A stranger posted it.".to_owned(), "Nothing yet.".to_owned());
        let tell = Tell::Broken { public, may_say };
        let order = Order { tell, ..Order::default() };
        let (house, now) = (&self.town.house, self.disclosure_now().await);
        plans::make_as(house, OPERATOR, &now, PlanKind::Notice, &order).await.unwrap().0
    }

    /// How often a bell of that reason rang.
    pub fn rings(&self, reason: &str) -> usize {
        self.bells().iter().filter(|b| *b == reason).count()
    }
}

pub fn bounced() -> Happened {
    Happened::Bounced { code: "5.1.1".into(), said: "no such user".into() }
}

pub fn delayed() -> Happened {
    Happened::Delayed { code: "4.4.1".into(), said: "still trying".into() }
}

pub fn read() -> Happened {
    Happened::Acknowledged { by: "0123".into(), how: "an encrypted reply".into() }
}

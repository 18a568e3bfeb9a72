//! A town with as many distributors as a test wants, all with small keys, and an approved
//! notice for them that is due at once.

use std::sync::Arc;

use daybreak::casework::advisories;
use daybreak::casework::distributors::{self, NewContact, NewDistributor};
use daybreak::casework::plans;
use daybreak::domain::action::Action;
use daybreak::domain::advisory::AdvisoryText;
use daybreak::domain::deed::Actor;
use daybreak::domain::ids::ContactId;
use daybreak::domain::party::{Contact, ContactKind, Distributor, Profile};
use daybreak::domain::plan::{Plan, PlanKind};
use daybreak::domain::secret::{Embargoed, Reason};
use daybreak::domain::time::{At, Span};
use daybreak::pgp::samples;
use daybreak::town::clock::HandClock;
use daybreak::town::{Options, Town, story};

use crate::story::TEAM;
use crate::world::START;

/// A town whose notice is approved and due.
pub struct Crowd {
    pub town: Town,
    pub hand: Arc<HandClock>,
    pub notice: Plan,
}

/// The same contact under as many addresses as wanted, in one write: asking for each in turn
/// takes longer than the notices do.
async fn fill(town: &Town, vendors: &Distributor, size: usize) {
    let mut record = vendors.record.open(Reason::Editing).clone();
    let first = record.contacts[0].clone();
    record.contacts = (1..=size)
        .map(|n| Contact {
            id: town.house.fresh(ContactId::new),
            address: address(n),
            ..first.clone()
        })
        .collect();
    let changed = Distributor { record: Embargoed::new(record), ..vendors.clone() };
    let deed = town.house.deed(Actor::Operator, "distributor-add-contact", vendors.id);
    let written =
        town.house.store.write(&deed, move |tx| tx.save_distributor(&changed).map(|_| ()));
    written.await.unwrap();
}

/// The address of the nth distributor, counted from 1.
pub fn address(n: usize) -> String {
    format!("security@vendor{n}.example")
}

impl Crowd {
    /// `size` contacts and nobody else; `alter` changes the advisory's text.
    pub async fn new(size: usize, seed: u64, alter: impl FnOnce(&mut AdvisoryText)) -> Self {
        let options = Options { distributors: 0, seed, approvals: 1, ..Options::by_hand(START) };
        let town = Town::build(options).await.unwrap();
        story::add_members(&town).await.unwrap();
        // One key for all: what differs must not come from it.
        let everybody = samples::cv25519("Everybody <security@vendor1.example>", START).unwrap();
        let certificate = everybody.certificate;
        let contact = NewContact {
            address: address(1),
            kind: ContactKind::Person,
            profile: Profile::default(),
            certificates: vec![("one.asc".to_owned(), certificate.to_bytes())],
        };
        let new = NewDistributor {
            groups: vec![],
            name: "Vendors".to_owned(),
            lead_days: None,
            longest_embargo_days: None,
            contact,
            accept_unusable: false,
        };
        let (vendors, _) = distributors::add(&town.house, Actor::Operator, new).await.unwrap();
        fill(&town, &vendors, size).await;
        let mut text = story::text(&town.people, START);
        text.reporters.clear();
        alter(&mut text);
        let drafted = advisories::create(&town.house, Actor::Operator, text).await.unwrap().0;
        // Less than the lead: everybody hears now.
        let (disclosure, _) =
            story::open(&town, &drafted, story::t0_in(&town, Span::days(6))).await.unwrap();
        let disclosure = story::patch(&town, disclosure, drafted.id).await.unwrap();
        let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
        let hand = town.hand.clone().unwrap();
        Self { town, hand, notice }
    }

    /// From now on all mail goes to that port of this machine.
    pub fn relay_at(&mut self, port: u16) {
        let file = self.town.dir().join("daybreak.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let old = format!("port = {}\n", self.town.catcher.port());
        assert!(text.contains(&old));
        std::fs::write(&file, text.replace(&old, &format!("port = {port}\n"))).unwrap();
        self.town.reopen().unwrap();
    }

    /// `[mail]` says more from now on.
    pub fn configure(&mut self, more: &str) {
        let file = self.town.dir().join("daybreak.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("tls = \"none\"\n"));
        let more = format!("tls = \"none\"\n{more}\n");
        std::fs::write(&file, text.replacen("tls = \"none\"\n", &more, 1)).unwrap();
        self.town.reopen().unwrap();
    }

    /// Everybody who has theirs, with the time.
    pub fn served(&self) -> Vec<(String, At)> {
        let mails = self.town.catcher.mails().into_iter().filter(|m| m.to != [TEAM]);
        mails.map(|m| (m.to[0].clone(), m.at)).collect()
    }

    /// How many notices are under way: their intents have no end.
    pub async fn under_way(&self) -> usize {
        plans::standing(&self.town.house, &self.notice).await.unwrap().run.in_act().len()
    }

    /// The addresses in the plan's order.
    pub fn order(&self) -> Vec<String> {
        let to = |s: daybreak::domain::plan::Step| match s.action {
            Action::Mail { to, .. } => to,
            other => panic!("{}", other.word()),
        };
        plans::manifest_of(&self.notice).unwrap().steps.into_iter().map(to).collect()
    }
}

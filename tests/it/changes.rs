//! Somebody asks that a contact's mail be sealed to another key: members must have heard its
//! fingerprint from its owner, the old address is told, and what was approved before keeps its
//! certificate. With certificates, signatures and readers of real gpg.

use daybreak::casework::distributors::{self, Renewal};
use daybreak::casework::{CaseError, plans};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::finding::Finding;
use daybreak::domain::ids::MemberId;
use daybreak::domain::party::{Contact, Distributor};
use daybreak::domain::plan::{Plan, PlanKind};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::pgp::{TeamKey, samples};
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::{Options, Town, story};

use crate::gpg::{Gpg, says};
use crate::whole_day::armor;

const START: At = At::from_secs(1_795_132_800);
const BY: Actor = Actor::Operator;
const FENNEL: &str = "vulns@fennel.example";
const FENNEL_OS: &str = "Fennel OS <vulns@fennel.example>";

/// Two members, and Fennel OS with one certificate.
struct Place {
    town: Town,
    ada: MemberId,
    bea: MemberId,
}

impl Place {
    async fn new() -> Self {
        let town = Town::build(Options { distributors: 1, ..Options::by_hand(START) });
        let town = town.await.unwrap();
        let members = story::add_members(&town).await.unwrap();
        story::add_distributors(&town).await.unwrap();
        Self { town, ada: members[0].id, bea: members[1].id }
    }

    async fn fennel(&self) -> Distributor {
        distributors::list(&self.town.house).await.unwrap().remove(0)
    }

    async fn contact(&self) -> Contact {
        self.fennel().await.record.open(Reason::Judging).contacts[0].clone()
    }

    /// Fingerprints in use now.
    async fn used(&self) -> Vec<String> {
        let contact = self.contact().await;
        contact.current(self.now()).map(|c| c.fingerprint.clone()).collect()
    }

    fn now(&self) -> At {
        self.town.house.now()
    }

    fn old(&self) -> &TeamKey {
        &self.town.people.reader(FENNEL).unwrap().keys[0]
    }

    fn old_fingerprint(&self) -> String {
        self.old().certificate.fingerprint().to_string()
    }

    fn pass(&self, span: Span) {
        self.town.hand.as_ref().unwrap().advance(span);
    }

    async fn ask(&self, new: Renewal) -> Result<Vec<Finding>, CaseError> {
        let fennel = self.fennel().await;
        distributors::renew(&self.town.house, BY, &fennel, new).await.map(|(_, found)| found)
    }

    async fn confirm(&self, who: MemberId, fingerprint: &str) -> Result<Vec<Finding>, CaseError> {
        let (house, fennel) = (&self.town.house, self.fennel().await);
        distributors::confirm(house, who, &fennel, FENNEL, fingerprint, "called their number")
            .await
            .map(|(_, found)| found)
    }

    async fn reject(&self, fingerprint: &str) -> Result<Distributor, CaseError> {
        let (house, fennel) = (&self.town.house, self.fennel().await);
        distributors::reject(house, BY, &fennel, FENNEL, fingerprint, "not theirs").await
    }

    /// Another key is asked for instead of the one in use, and both confirm it; its fingerprint.
    async fn replaced(&self) -> (TeamKey, String) {
        let key = samples::cv25519(FENNEL_OS, START).unwrap();
        let new = key.certificate.fingerprint().to_string();
        let file = key.certificate.armored().into_bytes();
        let instead_of = Some(self.old_fingerprint());
        self.ask(Renewal { instead_of, ..renewal(file) }).await.unwrap();
        self.confirm(self.ada, &new).await.unwrap();
        self.confirm(self.bea, &new).await.unwrap();
        (key, new)
    }

    /// Mails to Fennel OS whose text holds this.
    fn mails(&self, words: &str) -> Vec<Vec<u8>> {
        let mails = self.town.catcher.mails().into_iter().filter(|m| m.to == [FENNEL]);
        let bytes = mails.map(|m| m.bytes);
        bytes.filter(|b| String::from_utf8_lossy(b).contains(words)).collect()
    }

    /// An embargo that far ahead, with its notice plan still to be made.
    async fn embargo(&self, ahead: Span) -> Disclosure {
        let (advisory, _) = story::draft(&self.town).await.unwrap();
        let t0 = story::t0_in(&self.town, ahead);
        let (disclosure, _) = story::open(&self.town, &advisory, t0).await.unwrap();
        story::patch(&self.town, disclosure, advisory.id).await.unwrap()
    }

    async fn notice(&self, disclosure: &Disclosure) -> Plan {
        let (plan, _) = story::plan(&self.town, disclosure, PlanKind::Notice).await.unwrap();
        story::approve_by_all(&self.town, &plan).await.unwrap()
    }

    /// Lets the notice go at its window; the sealed mail to Fennel OS.
    async fn sent(&self, disclosure: &Disclosure) -> Vec<u8> {
        let mut engine = Engine::start(self.town.house.clone()).await.unwrap();
        let window = disclosure.t0.unwrap().days_before(7).max(self.now());
        self.town.hand.as_ref().unwrap().advance_to(window);
        engine.settle().await.unwrap();
        engine.end().await.unwrap();
        let [mail] = self.mails("multipart/encrypted").try_into().unwrap();
        mail
    }

    /// Whether gpg with this key alone opens a mail.
    async fn opens(&self, key: &TeamKey, mail: &[u8]) -> bool {
        let gpg = Gpg::at(self.now()).await.unwrap();
        gpg.import_secret(key).await;
        gpg.import(self.town.team_certificate()).await;
        let out = gpg.run(&["--decrypt"], armor(mail).as_bytes()).await;
        if out.ok() {
            assert!(says(&out, "DECRYPTION_OKAY") && says(&out, "GOODSIG"), "{}", out.complaint());
        }
        out.ok()
    }
}

fn renewal(certificate: Vec<u8>) -> Renewal {
    let address = FENNEL.to_owned();
    Renewal { address, certificate, signed_by_old: None, instead_of: None }
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.code.as_str()).collect()
}

/// A key that gpg makes with the old one beside it; its fingerprint.
async fn made_by_gpg(gpg: &Gpg, old: &TeamKey) -> String {
    gpg.import_secret(old).await;
    gpg.ok(&["--quick-generate-key", FENNEL_OS, "future-default", "default", "2y"], b"").await;
    let listed = gpg.ok(&["--with-colons", "--list-keys", FENNEL], b"").await.text();
    let all = listed.lines().filter(|l| l.starts_with("fpr:"));
    let all: Vec<&str> = all.filter_map(|l| l.split(':').nth(9)).collect();
    let known = old.certificate.key_fingerprints();
    let is_old = |f: &&&str| known.iter().any(|k| k.to_string() == **f);
    (*all.iter().find(|f| !is_old(f)).unwrap()).to_owned()
}

async fn exported(gpg: &Gpg, fingerprint: &str) -> Vec<u8> {
    gpg.ok(&["--armor", "--export", fingerprint], b"").await.stdout
}

#[tokio::test]
async fn a_successor_that_gpg_signed_with_the_old_key_needs_one_member() {
    let place = Place::new().await;
    let Some(gpg) = Gpg::at(START).await else { return };
    let new = made_by_gpg(&gpg, place.old()).await;
    gpg.ok(&["--local-user", &place.old_fingerprint(), "--quick-sign-key", &new], b"").await;
    let found = place.ask(renewal(exported(&gpg, &new).await)).await.unwrap();
    assert_eq!(codes(&found), ["cert-pending"]);
    assert!(found[0].message.contains("signed by the old key, 0 of 1"), "{}", found[0].message);
    // Not used, and whoever reads the address is told, with nothing else in the mail.
    assert_eq!(place.used().await, [place.old_fingerprint()]);
    let [bell] = place.mails("A change of your OpenPGP certificate").try_into().unwrap();
    let contact = place.contact().await;
    let change = contact.certificates[1].change.clone().unwrap();
    assert_eq!(change.told_at, Some(START));
    assert!(String::from_utf8(bell).unwrap().contains(&change.code));
    let health = distributors::check(&place.town.house).await.unwrap();
    assert!(codes(&health[0].findings).contains(&"cert-pending"));

    // Another fingerprint than the one its owner told confirms nothing, and none is told.
    let wrong = place.confirm(place.ada, &place.old_fingerprint()).await.unwrap_err();
    assert!(!wrong.to_string().contains(&new), "{wrong}");
    let typed = format!("0x{}", new.to_lowercase());
    assert_eq!(codes(&place.confirm(place.ada, &typed).await.unwrap()), ["cert-in-force"]);
    assert_eq!(place.used().await, [place.old_fingerprint(), new]);
}

#[tokio::test]
async fn a_detached_signature_of_the_old_key_vouches_and_a_strangers_does_not() {
    let place = Place::new().await;
    let Some(gpg) = Gpg::at(START).await else { return };
    let new = made_by_gpg(&gpg, place.old()).await;
    gpg.import_secret(&place.town.people.stranger).await;
    let stranger = place.town.people.stranger.certificate.fingerprint().to_string();
    let file = exported(&gpg, &new).await;
    let signed = async |by: &str, over: &[u8]| {
        gpg.ok(&["--local-user", by, "--armor", "--detach-sign"], over).await.stdout
    };
    for bad in [signed(&stranger, &file).await, signed(&place.old_fingerprint(), b"else").await] {
        let new = Renewal { signed_by_old: Some(bad), ..renewal(file.clone()) };
        let refused = place.ask(new).await.unwrap_err();
        assert!(refused.to_string().contains("`signed_by_old` does not vouch"), "{refused}");
    }
    assert!(place.mails("").is_empty() && place.contact().await.certificates.len() == 1);
    // First without, then with the old key's word: one change, one bell.
    let found = place.ask(renewal(file.clone())).await.unwrap();
    assert!(found[0].message.contains("0 of 2"), "{}", found[0].message);
    let signature = Some(signed(&place.old_fingerprint(), &file).await);
    place.ask(Renewal { signed_by_old: signature, ..renewal(file) }).await.unwrap();
    assert_eq!(place.mails("A change of your").len(), 1);
    place.confirm(place.bea, &new).await.unwrap();
    assert_eq!(place.used().await, [place.old_fingerprint(), new]);
}

#[tokio::test]
async fn two_members_confirm_what_nobody_signed_and_it_cools_down() {
    let place = Place::new().await;
    let key = samples::cv25519(FENNEL_OS, START).unwrap();
    let new = key.certificate.fingerprint().to_string();
    let replaces = Some(place.old_fingerprint());
    let file = key.certificate.armored().into_bytes();
    place.ask(Renewal { instead_of: replaces, ..renewal(file) }).await.unwrap();
    place.confirm(place.ada, &new).await.unwrap();
    let again = place.confirm(place.ada, &new).await.unwrap_err();
    assert!(again.to_string().contains("this member confirmed it already"), "{again}");
    place.pass(Span::hours(100));
    assert_eq!(place.used().await, [place.old_fingerprint()], "one person is not two");

    // Turned down, kept, and asked for anew.
    place.reject(&new).await.unwrap();
    assert!(place.confirm(place.bea, &new).await.is_err());
    place.ask(renewal(key.certificate.armored().into_bytes())).await.unwrap();
    place.reject(&new).await.unwrap();
    let file = key.certificate.armored().into_bytes();
    let replaces = Some(place.old_fingerprint());
    place.ask(Renewal { instead_of: replaces, ..renewal(file) }).await.unwrap();
    place.confirm(place.bea, &new).await.unwrap();
    let found = place.confirm(place.ada, &new).await.unwrap();
    assert_eq!(codes(&found), ["cert-pending"]);
    place.pass(Span::hours(71));
    assert_eq!(place.used().await, [place.old_fingerprint()]);
    place.pass(Span::hours(1));
    assert_eq!(place.used().await, std::slice::from_ref(&new));
    assert!(place.reject(&new).await.is_err(), "it is in use");
    let history = place.contact().await.certificates;
    assert_eq!(history.len(), 4);
    let rejected = history[1].change.as_ref().unwrap().rejected.as_ref().unwrap();
    assert_eq!((rejected.reason.as_str(), rejected.by.as_str()), ("not theirs", "operator"));
    let change = history[3].change.as_ref().unwrap();
    let who: Vec<_> = change.confirmations.iter().map(|c| (c.member, c.how.as_str())).collect();
    assert_eq!(who, [(place.bea, "called their number"), (place.ada, "called their number")]);
}

#[tokio::test]
async fn a_planned_notice_ends_the_cool_down_and_is_sealed_to_the_new_key() {
    let place = Place::new().await;
    let Some(_gpg) = Gpg::at(START).await else { return };
    // Fennel OS hears seven days ahead: tomorrow.
    let disclosure = place.embargo(Span::days(8)).await;
    let (key, new) = place.replaced().await;
    assert_eq!(place.used().await, [place.old_fingerprint()]);
    let plan = place.notice(&disclosure).await;
    assert!(plans::manifest_of(&plan).unwrap().render().contains(&new));
    let mail = place.sent(&disclosure).await;
    assert_eq!(place.used().await, [new]);
    assert!(place.opens(&key, &mail).await);
    assert!(!place.opens(place.old(), &mail).await, "it was replaced");
}

#[tokio::test]
async fn what_was_approved_before_keeps_going_to_the_old_key() {
    let place = Place::new().await;
    let Some(_gpg) = Gpg::at(START).await else { return };
    let disclosure = place.embargo(Span::days(12)).await;
    place.notice(&disclosure).await;
    let (key, new) = place.replaced().await;
    place.pass(Span::hours(73));
    assert_eq!(place.used().await, [new]);
    let mail = place.sent(&disclosure).await;
    assert!(place.opens(place.old(), &mail).await);
    assert!(!place.opens(&key, &mail).await, "nobody approved sealing to it");
}

#[tokio::test]
async fn what_is_turned_down_after_approval_is_not_sealed_to() {
    let place = Place::new().await;
    let Some(_gpg) = Gpg::at(START).await else { return };
    let disclosure = place.embargo(Span::days(8)).await;
    let (key, new) = place.replaced().await;
    place.notice(&disclosure).await;
    // Fennel OS answers the bell: it was not them.
    place.reject(&new).await.unwrap();
    let mail = place.sent(&disclosure).await;
    assert!(place.opens(place.old(), &mail).await);
    assert!(!place.opens(&key, &mail).await);
}

#[tokio::test]
async fn an_owner_who_could_not_be_told_is_told_the_next_night() {
    let place = Place::new().await;
    let mut engine = Engine::start(place.town.house.clone()).await.unwrap();
    engine.settle().await.unwrap();
    let refuse = Fault::RefuseRecipient { address: FENNEL.to_owned(), code: 450 };
    place.town.catcher.script(refuse, Times::Only(1));
    let key = samples::cv25519(FENNEL_OS, START).unwrap();
    let found = place.ask(renewal(key.certificate.armored().into_bytes())).await.unwrap();
    assert_eq!(codes(&found), ["cert-pending", "bell-not-rung"]);
    assert!(place.mails("").is_empty());
    for _ in 0..3 {
        place.pass(Span::days(1));
        engine.settle().await.unwrap();
    }
    assert_eq!(place.mails("A change of your OpenPGP certificate").len(), 1);
}

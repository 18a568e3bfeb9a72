//! The confidential list changes between approval and sending: a renewed certificate reads the
//! notice that was approved before, a retired one and an inactive distributor get nothing, and
//! nobody else is delayed by it.

use daybreak::casework::distributors::{NewContact, NewDistributor, Renewal};
use daybreak::casework::{CaseError, distributors, plans};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::finding::{Finding, Severity};
use daybreak::domain::party::{ContactKind, Distributor, Profile};
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::pgp::{Certificate, samples};
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::{Options, Town, story};

const START: At = At::from_secs(1_795_132_800);
const BY: Actor = Actor::Operator;
const FENNEL: &str = "vulns@fennel.example";
const MOSS: &str = "security@moss.example";
const LARCH: &str = "security@larch.example";
const ALDER: &str = "response@alder.example";

struct Case {
    town: Town,
    disclosure: Disclosure,
    notice: Plan,
    findings: Vec<Finding>,
}

/// The whole list, and a notice plan that is approved while its window is still closed.
async fn approved() -> Case {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    let made = story::prepare(&town, Span::days(12)).await.unwrap();
    let (plan, findings) = story::plan(&town, &made.disclosure, PlanKind::Notice).await.unwrap();
    let notice = story::approve_by_all(&town, &plan).await.unwrap();
    Case { town, disclosure: made.disclosure, notice, findings }
}

impl Case {
    async fn of(&self, address: &str) -> Distributor {
        let has = |d: &Distributor| {
            d.record.open(Reason::Judging).contacts.iter().any(|c| c.address == address)
        };
        let all = distributors::list(&self.town.house).await.unwrap();
        all.into_iter().find(has).unwrap()
    }

    async fn renew(
        &self,
        address: &str,
        certificate: &Certificate,
    ) -> Result<(Distributor, Vec<Finding>), CaseError> {
        let whose = self.of(address).await;
        let renewal = Renewal {
            address: address.to_owned(),
            certificate: certificate.armored().into_bytes(),
            signed_by_old: None,
            instead_of: None,
        };
        distributors::renew(&self.town.house, BY, &whose, renewal).await
    }

    async fn retire(&self, address: &str) -> Vec<Finding> {
        let whose = self.of(address).await;
        let fingerprint = self.fingerprint(address).to_lowercase();
        let house = &self.town.house;
        distributors::retire_certificate(house, BY, &whose, address, &fingerprint).await.unwrap().1
    }

    fn fingerprint(&self, address: &str) -> String {
        let reader = self.town.people.reader(address).unwrap();
        reader.keys[0].certificate.fingerprint().to_string()
    }

    async fn send(&self) {
        assert_eq!(self.state().await, PlanState::Approved, "something voided the plan");
        let mut engine = Engine::start(self.town.house.clone()).await.unwrap();
        let t0 = self.disclosure.t0.unwrap();
        self.town.hand.as_ref().unwrap().advance_to(t0.days_before(3));
        engine.settle().await.unwrap();
    }

    async fn state(&self) -> PlanState {
        let id = self.notice.id;
        self.town.house.store.read(move |r| r.plan(id)).await.unwrap().state
    }

    /// Sealed mails; bells are another matter.
    fn mails(&self, address: &str) -> Vec<Vec<u8>> {
        let mails = self.town.catcher.mails().into_iter().filter(|m| m.to == [address]);
        let sealed = |b: &Vec<u8>| String::from_utf8_lossy(b).contains("multipart/encrypted");
        mails.map(|m| m.bytes).filter(sealed).collect()
    }
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.code.as_str()).collect()
}

#[tokio::test]
async fn a_certificate_renewed_before_the_window_reads_what_was_approved_before() {
    let case = approved().await;
    let blocked = |f: &&Finding| f.code == "contact-blocked" && f.place == MOSS;
    let blocked = case.findings.iter().find(blocked).unwrap();
    assert!(blocked.cure.contains("daybreak distributor renew"), "{}", blocked.cure);
    let moss = case.town.people.reader(MOSS).unwrap();
    // The copy we have says nothing new.
    let same = case.renew(MOSS, &moss.keys[0].certificate).await.unwrap_err();
    assert!(same.to_string().contains("nothing that was not known"), "{same}");

    let fresh = samples::prolonged(&moss.keys[0], case.town.house.now(), 300).unwrap();
    let (changed, findings) = case.renew(MOSS, &fresh.certificate).await.unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    let contact = &changed.record.open(Reason::Judging).contacts[0];
    assert_eq!(contact.certificates.len(), 1, "the same certificate, not one more");
    let health = distributors::check(&case.town.house).await.unwrap();
    let found = &health.iter().find(|h| h.address == MOSS).unwrap().findings;
    assert_eq!(codes(found), ["readability-unproven"]);

    case.send().await;
    let [mail] = case.mails(MOSS).try_into().unwrap();
    let letter = moss.decrypt(&mail, case.town.team_certificate(), case.town.house.now()).unwrap();
    assert_eq!(letter.signed_by, Some(case.town.team_certificate().fingerprint()));
    assert_eq!(case.mails(LARCH).len(), 1);
}

#[tokio::test]
async fn retired_certificates_and_inactive_distributors_get_nothing() {
    let case = approved().await;
    assert_eq!(codes(&case.retire(FENNEL).await), ["contact-blocked"]);
    let fennel = case.of(FENNEL).await;
    let kept = &fennel.record.open(Reason::Judging).contacts[0].certificates;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].retired_at, Some(case.town.house.now()));
    let fingerprint = case.fingerprint(FENNEL);
    let house = &case.town.house;
    let again = distributors::retire_certificate(house, BY, &fennel, FENNEL, &fingerprint).await;
    assert!(matches!(again, Err(CaseError::Unknown { .. })));
    let larch = case.of(LARCH).await;
    let larch = distributors::deactivate(house, BY, &larch).await.unwrap();
    assert!(distributors::deactivate(house, BY, &larch).await.is_err(), "it is inactive already");

    // A plan can still be made: it says who will not hear.
    let (plan, findings) =
        story::plan(&case.town, &case.disclosure, PlanKind::Notice).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "contact-blocked" && f.place == FENNEL));
    assert!(!plans::manifest_of(&plan).unwrap().render().contains(LARCH));

    let case = Case { notice: story::approve_by_all(&case.town, &plan).await.unwrap(), ..case };
    case.send().await;
    assert!(case.mails(FENNEL).is_empty() && case.mails(LARCH).is_empty());
    assert_eq!(case.mails(ALDER).len(), 1);
}

#[tokio::test]
async fn what_changes_after_approval_counts_when_a_notice_is_sealed() {
    let case = approved().await;
    case.retire(FENNEL).await;
    let larch = case.of(LARCH).await;
    distributors::deactivate(&case.town.house, BY, &larch).await.unwrap();
    let now = case.town.house.now();
    let further = samples::cv25519("Alder Embedded <response@alder.example>", now).unwrap();
    let (changed, findings) = case.renew(ALDER, &further.certificate).await.unwrap();
    assert_eq!(codes(&findings), ["cert-pending"]);
    assert_eq!(findings[0].severity, Severity::Warn);
    assert!(findings[0].cure.contains("by another way"));
    assert_eq!(changed.record.open(Reason::Judging).contacts[0].certificates.len(), 2);
    // One that cannot be used is not added.
    let expired = samples::expired("Alder Embedded <response@alder.example>", now).unwrap();
    let refused = case.renew(ALDER, &expired.certificate).await;
    assert!(matches!(refused, Err(CaseError::Blocked(_))));

    case.send().await;
    assert!(case.mails(FENNEL).is_empty() && case.mails(LARCH).is_empty());
    let [mail] = case.mails(ALDER).try_into().unwrap();
    let (team, now) = (case.town.team_certificate(), case.town.house.now());
    assert!(case.town.people.reader(ALDER).unwrap().decrypt(&mail, team, now).is_ok());
    // Nobody approved sending to the further certificate.
    assert!(daybreak::town::people::decrypt(&mail, &[further], team, now).is_err());
}

#[tokio::test]
async fn a_revocation_that_comes_as_a_fresh_copy_is_taken_and_stops_the_mail() {
    let case = approved().await;
    let tarn = case.town.people.reader("psirt@tarn.example").unwrap();
    let revoked = samples::revoked_now(&tarn.keys[0], case.town.house.now()).unwrap();
    let (_, findings) = case.renew(tarn.address, &revoked.certificate).await.unwrap();
    assert_eq!(codes(&findings), ["cert-revoked"]);
    // The copy from before cannot undo it.
    assert!(case.renew(tarn.address, &tarn.keys[0].certificate).await.is_err());
    case.send().await;
    assert!(case.mails(tarn.address).is_empty());
    assert_eq!(case.mails(LARCH).len(), 1, "it is blocked alone");
}

#[tokio::test]
async fn each_certificate_is_judged_at_four_times() {
    let town = Town::build(Options { distributors: 1, ..Options::by_hand(START) }).await.unwrap();
    story::add_members(&town).await.unwrap();
    let (advisory, _) = story::draft(&town).await.unwrap();
    let t0 = story::t0_in(&town, Span::days(20));
    story::open(&town, &advisory, t0).await.unwrap();
    // The day it ends, and whether it is good now, when sent (day 13), at T0 and at day 34.
    for (n, left, good) in [
        (1, 10, [true, false, false, false]),
        (2, 15, [true, true, false, false]),
        (3, 25, [true, true, true, false]),
        (4, 40, [true, true, true, true]),
    ] {
        let address = format!("security@{n}.example");
        let key = samples::expiring(&format!("N <{address}>"), START, left).unwrap();
        add(&town, &address, &key.certificate).await;
        let health = distributors::check(&town.house).await.unwrap();
        let certificate = &health.iter().find(|h| h.address == address).unwrap().certificates[0];
        let verdicts: Vec<bool> = certificate.verdicts.iter().map(|v| v.wrong.is_none()).collect();
        assert_eq!(verdicts, good, "{left} days left");
        let stops = certificate.findings.iter().filter(|f| f.severity == Severity::Stop);
        let stops: Vec<&Finding> = stops.collect();
        assert_eq!(stops.len(), usize::from(n != 4), "one finding for one problem");
        assert!(
            stops.iter().all(|f| f.cure.contains("gpg --") && f.cure.contains("sq key expire"))
        );
    }
}

#[tokio::test]
async fn a_certificate_that_two_organisations_have_blocks_the_later_until_it_is_explained() {
    let case = approved().await;
    let larch = case.town.people.reader(LARCH).unwrap();
    let (town, other) = (&case.town, "security@twin.example");
    let findings = add(town, other, &larch.keys[0].certificate).await;
    assert!(codes(&findings).contains(&"cert-shared"), "{findings:?}");
    let stopped = async |address: &str| {
        let health = distributors::check(&town.house).await.unwrap();
        let of = health.into_iter().find(|h| h.address == address).unwrap();
        of.findings.iter().any(|f| f.code == "cert-shared" && f.severity == Severity::Stop)
    };
    assert!(stopped(other).await && !stopped(LARCH).await);

    let (plan, findings) = story::plan(town, &case.disclosure, PlanKind::Notice).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "contact-blocked" && f.place == other));
    let case = Case { notice: story::approve_by_all(town, &plan).await.unwrap(), ..case };
    case.send().await;
    assert!(case.mails(other).is_empty());
    assert_eq!(case.mails(LARCH).len(), 1);

    let (house, twin) = (&case.town.house, case.of(other).await);
    let print = case.fingerprint(LARCH);
    let why = "Larch runs both";
    distributors::explain(house, BY, &twin, other, &print, why).await.unwrap();
    let health = distributors::check(house).await.unwrap();
    let twin = health.iter().find(|h| h.address == other).unwrap();
    assert!(!twin.findings.iter().any(|f| f.code == "cert-shared"));
}

/// One more organisation with this certificate.
async fn add(town: &Town, address: &str, certificate: &Certificate) -> Vec<Finding> {
    let contact = NewContact {
        address: address.to_owned(),
        kind: ContactKind::Role,
        profile: Profile::default(),
        certificates: vec![("one.asc".to_owned(), certificate.armored().into_bytes())],
    };
    let new = NewDistributor {
        groups: vec![],
        name: address.to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        contact,
        accept_unusable: false,
    };
    distributors::add(&town.house, BY, new).await.unwrap().1
}

#[tokio::test]
async fn what_was_sealed_to_a_key_that_is_lost_before_a_repeat_stays_here() {
    const JUNIPER: &str = "security-team@juniper.example";
    let case = approved().await;
    let later = Fault::RefuseRecipient { address: JUNIPER.to_owned(), code: 451 };
    case.town.catcher.script(later, Times::Only(1));
    let mut engine = Engine::start(case.town.house.clone()).await.unwrap();
    let hand = case.town.hand.as_ref().unwrap();
    hand.advance_to(case.disclosure.t0.unwrap().days_before(7));
    engine.settle().await.unwrap();
    assert!(case.mails(JUNIPER).is_empty() && case.mails(LARCH).len() == 1);
    // One of the role's two keys is stolen; the other one is good.
    let juniper = case.town.people.reader(JUNIPER).unwrap();
    let stolen = samples::revoked_now(&juniper.keys[1], case.town.house.now()).unwrap();
    case.renew(JUNIPER, &stolen.certificate).await.unwrap();
    for _ in 0..4 {
        hand.advance(Span::hours(1));
        engine.settle().await.unwrap();
    }
    assert!(case.mails(JUNIPER).is_empty(), "the thief could read it");
}

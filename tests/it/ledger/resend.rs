//! An approved notice goes unchanged to one more contact, and to nobody else.

use daybreak::casework::attachments::{self, NewAttachment};
use daybreak::casework::{CaseError, advisories, distributors, plans};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::AttachmentKind;
use daybreak::domain::party::Distributor;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::pgp::samples;
use daybreak::town::catcher::Times;
use daybreak::town::people::decrypt;
use daybreak::town::story;
use rstest::rstest;

use super::ground::{FENNEL, JUNIPER, LARCH, MAREN, MOSS, OPERATOR, TARN, bounced};
use crate::gpg::{Gpg, said, says};
use crate::ground::Db;
use crate::story::{Point, Story};
use crate::whole_day::armor;

const ROWAN: &str = "security@rowan.example";

async fn begun(db: Db) -> Option<(Story, Engine)> {
    let story = Story::at(db, Point::Ready).await?;
    story.refuse(LARCH, 550, Times::Only(1));
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    Some((story, engine))
}

impl Story {
    async fn resend(&self, address: &str) -> Result<Plan, CaseError> {
        let now = story::again(&self.town.house, &self.disclosure).await.unwrap();
        plans::resend(&self.town.house, OPERATOR, &now, address).await.map(|(plan, _)| plan)
    }

    async fn refused_resend(&self, address: &str, why: &str) {
        let revision = self.revision().await;
        let refused = self.resend(address).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{address}: {refused}");
        assert_eq!(self.revision().await, revision, "{address}");
    }
}

/// Where one run of bytes begins in another.
fn place(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|w| w == part)
}

#[rstest]
#[tokio::test]
async fn one_more_contact_reads_the_same_bytes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((story, mut engine)) = begun(db).await else { return };
    let (_, key) = story.joins("Rowan Linux", ROWAN).await;
    let before = story.letters().len();
    let plan = story.resend(ROWAN).await.unwrap();
    let manifest = plan.manifest.open(Reason::Review);
    assert!(manifest.contains(&format!("\nresends {}\n", story.notice.id)), "{manifest}");
    let approval = plans::approval_text(&plan).unwrap();
    assert!(
        approval.contains(&format!("\nkind notice\nnotice first\nresends {}\n", story.notice.id))
    );
    engine.settle().await.unwrap();
    assert_eq!(story.letters().len(), before, "it left without approval");
    let plan = story::approve_by_all(&story.town, &plan).await.unwrap();
    engine.settle().await.unwrap();
    let mails: Vec<_> = story.letters().split_off(before);
    assert_eq!(mails.iter().map(|m| m.to.clone()).collect::<Vec<_>>(), [[ROWAN]]);
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    assert_eq!(story.state(&story.notice).await, PlanState::Running);
    let delivery = story.delivery(ROWAN).await;
    assert_eq!(
        (delivery.state.word(), delivery.revision, delivery.plan),
        ("handed-over", 1, plan.id)
    );

    // The pinned inside is the approved one's, to the byte, and so is what gpg shows.
    let preview = story::look_through(&story.town, &story.notice).await.unwrap();
    let again = story::look_through(&story.town, &plan).await.unwrap();
    let group = |files: &[daybreak::casework::plans::preview::File]| {
        files.iter().find(|f| f.name == "notice.entity").unwrap().bytes.clone()
    };
    assert!(group(&preview) == group(&again), "another content was pinned");
    let (team, now) = (story.town.team_certificate(), story.town.house.now());
    let letter = decrypt(&mails[0].bytes, std::slice::from_ref(&key), team, now).unwrap();
    let fennel = story.letters().into_iter().find(|m| m.to == [FENNEL]).unwrap();
    let reader = story.town.people.reader(FENNEL).unwrap();
    let first = reader.decrypt(&fennel.bytes, team, now).unwrap();
    assert_eq!((&letter.subject, &letter.text), (&first.subject, &first.text));
    assert!(letter.text.contains("revision 1,"), "{}", letter.text);
    let Some(gpg) = Gpg::at(now).await else { return };
    gpg.import_secret(&key).await;
    gpg.import(team).await;
    let out = gpg.run(&["--decrypt"], armor(&mails[0].bytes).as_bytes()).await;
    assert!(out.ok() && says(&out, "GOODSIG"), "{}", out.complaint());
    assert!(said(&out, "VALIDSIG").unwrap().ends_with(&team.fingerprint().to_string()));
    assert!(out.stdout == letter.entity);
    let begin = place(&out.stdout, &group(&preview)).expect("the inside is not what was approved");
    let rest = &out.stdout[begin + group(&preview).len()..];
    assert!(rest.iter().all(|b| b" \r\n".contains(b)), "something stands behind it");
    assert_eq!(out.stdout.len(), first.entity.len(), "another size");
    story.is_recorded().await;
}

#[tokio::test]
async fn a_resend_is_no_revision_and_voids_nothing_else() {
    let (story, mut engine) = begun(Db::Sqlite).await.unwrap();
    story.joins("Rowan Linux", ROWAN).await;
    let rowan = story.resend(ROWAN).await.unwrap();
    let larch = story.resend(LARCH).await.unwrap();
    assert_eq!(story.state(&rowan).await, PlanState::Made, "another contact's");
    let newer = story.resend(ROWAN).await.unwrap();
    assert_eq!(story.state(&rowan).await, PlanState::Made, "a draft ends nothing");
    story::approve_by_all(&story.town, &larch).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(LARCH), 1);
    assert_eq!(story.state(&story.notice).await, PlanState::Running);
    // The next notice is revision 2, and takes the place of what still waits.
    let now = story::again(&story.town.house, &story.disclosure).await.unwrap();
    let (second, _) = story::plan(&story.town, &now, PlanKind::Notice).await.unwrap();
    assert_eq!(story.state(&newer).await, PlanState::Made);
    let preview = story::look_through(&story.town, &second).await.unwrap();
    let text = preview.iter().find(|f| f.name == "notice.entity").unwrap();
    assert!(place(&text.bytes, b"revision 2,").is_some());
    // A resend of the first beside the second leaves it alone, and says nothing of its own.
    story.resend(ROWAN).await.unwrap();
    assert_eq!(story.state(&second).await, PlanState::Made);
    let second = story::approve_by_all(&story.town, &second).await.unwrap();
    assert_eq!(story.state(&newer).await, PlanState::Void);
    engine.settle().await.unwrap();
    let (all, tally) = story.ledger().await;
    assert_eq!((tally.revision, all[ROWAN].revision, all[ROWAN].plan), (2, 2, second.id));
    assert_eq!(story.letters_to(ROWAN), 1);
}

#[tokio::test]
async fn only_who_is_on_the_list_and_lacks_it_gets_it() {
    let (story, mut engine) = begun(Db::Sqlite).await.unwrap();
    story.refused_resend("nobody@elsewhere.example", "no contact on the list").await;
    story.refused_resend(MAREN, "no contact on the list").await;
    story.refused_resend(FENNEL, "is handed-over").await;
    story.refused_resend(TARN, "is queued").await;
    let blocked = story.resend(MOSS).await.unwrap_err();
    let CaseError::Blocked(findings) = &blocked else { panic!("{blocked}") };
    assert!(findings.iter().any(|f| f.code == "contact-blocked"), "{findings:?}");
    // Bounced: the mailbox may be mended.
    story.hear(&story.notice, JUNIPER, bounced()).await;
    story.resend(JUNIPER).await.unwrap();
    // A new certificate: they cannot read what they have.
    let house = &story.town.house;
    let old = story.town.house.now().plus(Span::days(-3));
    let fresh = samples::cv25519(&format!("Fennel <{FENNEL}>"), old).unwrap();
    let all = distributors::list(house).await.unwrap();
    let of = |name: &str| {
        all.iter().find(|d| d.record.open(Reason::Review).name == name).unwrap().clone()
    };
    let bytes = fresh.certificate.armored().into_bytes();
    let new = distributors::Renewal {
        address: FENNEL.to_owned(),
        certificate: bytes,
        signed_by_old: None,
        instead_of: None,
    };
    distributors::renew(house, OPERATOR, &of("Fennel OS"), new).await.unwrap();
    // Asked for is not confirmed: they would still be sent what they cannot read.
    story.refused_resend(FENNEL, "is handed-over").await;
    let fingerprint = fresh.certificate.fingerprint().to_string();
    for member in house.store.read(|r| r.members()).await.unwrap() {
        let all = distributors::list(house).await.unwrap();
        let named = |d: &&Distributor| d.record.open(Reason::Review).name == "Fennel OS";
        let fennel = all.iter().find(named).unwrap();
        distributors::confirm(house, member.id, fennel, FENNEL, &fingerprint, "rang them")
            .await
            .unwrap();
    }
    // Confirmed, but the old address still has time to object.
    story.refused_resend(FENNEL, "is handed-over").await;
    story.hand.advance(Span::hours(72));
    engine.settle().await.unwrap();
    let plan = story.resend(FENNEL).await.unwrap();
    let plan = story::approve_by_all(&story.town, &plan).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    // Their old address was rung about the change, too: without content, in clear.
    let sealed = b"Content-Type: multipart/encrypted";
    let mut mails = story.letters();
    mails.retain(|m| m.to == [FENNEL] && place(&m.bytes, sealed).is_some());
    assert_eq!(mails.len(), 2);
    let mail = mails.iter().rfind(|m| m.to == [FENNEL]).unwrap();
    decrypt(&mail.bytes, &[fresh], story.town.team_certificate(), house.now()).unwrap();
    // Who was taken off the list after approval gets nothing.
    let (rowan, _) = story.joins("Rowan Linux", ROWAN).await;
    let plan = story.resend(ROWAN).await.unwrap();
    distributors::deactivate(house, OPERATOR, &rowan).await.unwrap();
    story::approve_by_all(&story.town, &plan).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(ROWAN), 0);
    story.refused_resend(ROWAN, "no contact on the list").await;
}

#[tokio::test]
async fn what_no_longer_holds_is_not_sent_again() {
    // Nothing was sent yet.
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    story.refused_resend(FENNEL, "no notice that still holds").await;
    // Everybody heard, the plan is finished, then the text is edited.
    let mut engine = story.engine().await;
    story.finished(&mut engine).await;
    story.joins("Rowan Linux", ROWAN).await;
    let waiting = story.resend(ROWAN).await.unwrap();
    let mut text = story.advisory.text.open(Reason::Editing).clone();
    text.mitigation.push_str(" And more.");
    advisories::edit(&story.town.house, Actor::Operator, &story.advisory, text).await.unwrap();
    assert_eq!(story.state(&waiting).await, PlanState::Void);
    assert_eq!(story.state(&story.notice).await, PlanState::Finished);
    story.refused_resend(ROWAN, "was edited after").await;

    // After T0 there is nothing left to tell in advance.
    let (story, mut engine) = begun(Db::Sqlite).await.unwrap();
    story.joins("Rowan Linux", ROWAN).await;
    let plan = story.resend(ROWAN).await.unwrap();
    let plan = story::approve_by_all(&story.town, &plan).await.unwrap();
    story.hold(&plan).await;
    let late = story.resend(LARCH).await.unwrap();
    story.hand.advance_to(story.t0.at);
    story.refused_resend(LARCH, "T0 has passed").await;
    story::approve_by_all(&story.town, &late).await.unwrap_err();
    let house = &story.town.house;
    let held = story.standing(&plan).await.plan;
    daybreak::casework::controls::resume(house, OPERATOR, &held, "late").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!((story.letters_to(ROWAN), story.letters_to(LARCH)), (0, 0));
}

#[tokio::test]
async fn a_resend_has_its_own_threshold() {
    let (mut story, engine) = begun(Db::Sqlite).await.unwrap();
    engine.end().await.unwrap();
    let file = story.town.dir().join("daybreak.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("[plans]\n", "[plans]\nresend = 1\n")).unwrap();
    story.town.reopen().unwrap();
    let mut engine = story.engine().await;
    story.joins("Rowan Linux", ROWAN).await;
    let plan = story.resend(ROWAN).await.unwrap();
    assert_eq!(plans::manifest_of(&plan).unwrap().threshold, 1);
    let ada = &story.town.people.ada;
    story::approve(&story.town, &plan, ada, story::Form::Detached).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(ROWAN), 1);
}

#[tokio::test]
async fn what_was_attached_or_withdrawn_since_is_not_sent_again() {
    let (story, mut engine) = begun(Db::Sqlite).await.unwrap();
    story.finished(&mut engine).await;
    story.joins("Rowan Linux", ROWAN).await;
    story.resend(ROWAN).await.unwrap();
    let (house, now) = (&story.town.house, &story.disclosure);
    let now = story::again(house, now).await.unwrap();
    let new = NewAttachment {
        file_name: "more.txt".to_owned(),
        kind: AttachmentKind::File,
        bytes: b"more".to_vec(),
    };
    attachments::add(house, OPERATOR, &now, new).await.unwrap();
    story.refused_resend(ROWAN, "was edited after").await;
}

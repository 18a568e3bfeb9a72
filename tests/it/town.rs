//! The town itself: it builds on both databases, its story goes up to two approved plans, a
//! restart forgets nothing, and its people read what is theirs.

use std::collections::BTreeSet;

use daybreak::casework::plans;
use daybreak::domain::action::Action;
use daybreak::domain::finding::{Finding, Severity};
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::time::{At, Span};
use daybreak::letters::{entity, wire};
use daybreak::pgp::{self, OpenError};
use daybreak::town::people::{ReadError, decrypt};
use daybreak::town::story::{self, Form};
use daybreak::town::{Database, Options, Town, find_twine};
use rstest::rstest;

use crate::ground::Db;
use crate::postgres;

/// A Friday three weeks before the disclosure.
const START: At = At::from_secs(1_795_132_800);

/// A town on a database; `None`, said aloud, when there is no such database here.
async fn town(db: Db) -> Option<Town> {
    let database = match db {
        Db::Sqlite => Database::Sqlite,
        Db::Postgres => Database::Postgres(postgres::fresh_schema()?),
    };
    Some(Town::build(Options { database, ..Options::by_hand(START) }).await.unwrap())
}

fn warned(findings: &[Finding]) -> Vec<&str> {
    assert!(findings.iter().all(|f| f.severity != Severity::Stop), "{findings:?}");
    findings.iter().map(|f| f.code.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn the_story_goes_up_to_two_approved_plans(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut town) = town(db).await else { return };
    let before = town.project.refs().await.unwrap();
    let made = story::prepare(&town, Span::days(12)).await.unwrap();
    let (notice, findings) = story::plan(&town, &made.disclosure, PlanKind::Notice).await.unwrap();
    let blocked = findings.iter().filter(|f| f.code == "contact-blocked").count();
    assert_eq!(blocked, 2, "the expired and the revoked: {:?}", warned(&findings));
    let one = story::approve(&town, &notice, &town.people.ada, Form::Inline).await.unwrap();
    assert_eq!((one.given, one.needed, one.plan.state), (1, 2, PlanState::Made));
    let two = story::approve(&town, &notice, &town.people.bea, Form::Detached).await.unwrap();
    assert_eq!((two.given, two.plan.state), (2, PlanState::Approved));

    let (release, findings) =
        story::plan(&town, &made.disclosure, PlanKind::Release).await.unwrap();
    warned(&findings);
    let release = story::approve_by_all(&town, &release).await.unwrap();
    assert_eq!(release.state, PlanState::Approved);
    let manifest = plans::manifest_of(&release).unwrap();
    let words: BTreeSet<_> = manifest.steps.iter().map(|s| s.action.word()).collect();
    assert_eq!(words, BTreeSet::from(["mail", "publish", "push", "run"]));
    let preview = story::look_through(&town, &release).await.unwrap();
    assert!(preview.iter().any(|f| f.name == "meadow-1.4.3.tar.gz"));

    // Nothing has left the house.
    assert!(town.catcher.mails().is_empty() && town.uploads.files().unwrap().is_empty());
    assert_eq!(town.project.refs().await.unwrap(), before);
    assert_eq!(town.script("mail").unwrap().acts(), 0);

    let house = town.reopen().unwrap();
    let again = plans::standing(&house, &release).await.unwrap();
    assert_eq!((again.plan.state, again.approvals.len()), (PlanState::Approved, 2));
}

/// The words whose escape the leak tests look for are really secret, and really there.
#[tokio::test]
async fn planted_words_stand_in_secret_fields_and_nowhere_in_public() {
    let options = Options { distributors: 1, ..Options::by_hand(START) };
    let town = Town::build(options).await.unwrap();
    assert_eq!(town.people.distributors.len(), 1);
    let text = story::text(&town.people, START);
    let secret = serde_json::to_string(&text).unwrap();
    let all = ["cat-file", "--batch-all-objects", "--batch"];
    let public = town.project.ask(&all).await.unwrap() + &town.project.refs().await.unwrap();
    let config = std::fs::read_to_string(town.dir().join("daybreak.toml")).unwrap();
    for word in story::PLANTED {
        assert!(secret.contains(word), "{word} is not planted");
        assert!(!public.contains(word) && !config.contains(word), "{word} is public");
    }
    assert!(!serde_json::to_string(&text.public_credits()).unwrap().contains("Sorrelwood"));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let town = town(Db::Sqlite).await.unwrap();
        let members = story::add_members(&town).await.unwrap();
        let (advisory, findings) = story::draft(&town).await.unwrap();
        assert!(findings.is_empty(), "{findings:?}");
        seen.push((members.iter().map(|m| m.id).collect::<Vec<_>>(), advisory.id));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_copy_of_a_town_goes_its_own_way() {
    let town = town(Db::Sqlite).await.unwrap();
    let made = story::prepare(&town, Span::days(12)).await.unwrap();
    let copy = town.fork(Database::Sqlite, 2).await.unwrap();
    let (refs, dir) = (town.project.refs().await.unwrap(), copy.dir());
    assert_eq!(copy.project.refs().await.unwrap(), refs);
    copy.project.move_branch("main").await.unwrap();
    assert_eq!(town.project.refs().await.unwrap(), refs);
    story::plan(&copy, &made.disclosure, PlanKind::Notice).await.unwrap();
    let id = made.disclosure.id;
    let count = async |t: &Town| t.house.store.read(move |r| r.plans(id)).await.unwrap().len();
    assert_eq!((count(&town).await, count(&copy).await), (0, 1));
    assert_ne!(town.catcher.port(), copy.catcher.port());
    drop(copy);
    assert!(!dir.exists() && town.dir().exists());
}

#[tokio::test]
async fn a_town_leaves_nothing_unless_it_is_kept() {
    let town = town(Db::Sqlite).await.unwrap();
    let dir = town.dir();
    assert!(dir.join("daybreak.toml").exists());
    drop(town);
    assert!(!dir.exists());
    let keep = tempfile::tempdir().unwrap();
    let options = Options { keep: Some(keep.path().to_owned()), ..Options::by_hand(START) };
    let dir = Town::build(options).await.unwrap().dir();
    assert!(dir.starts_with(keep.path()) && dir.join("daybreak.toml").exists());
}

#[tokio::test]
async fn with_twine_the_house_uploads_to_an_index() {
    let Some(twine) = find_twine(&daybreak::clock::SystemClock::new()).await else {
        let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
        assert!(!required, "twine is required and was not found");
        eprintln!("not run: no twine");
        return;
    };
    let town =
        Town::build(Options { twine: Some(twine), ..Options::by_hand(START) }).await.unwrap();
    let made = story::prepare(&town, Span::days(12)).await.unwrap();
    story::plan(&town, &made.disclosure, PlanKind::Notice).await.unwrap();
    let (plan, findings) = story::plan(&town, &made.disclosure, PlanKind::Release).await.unwrap();
    warned(&findings);
    let runs = plans::manifest_of(&plan).unwrap().steps;
    let uploads = runs.iter().filter(|s| matches!(s.action, Action::Run { .. }));
    assert_eq!(uploads.count(), 2);
    assert!(town.uploads.server().is_some_and(|s| s.uploads() == 0));
}

/// A sealed mail to one reader, made as the house makes it.
async fn sealed(
    town: &Town,
    to: &daybreak::town::people::Reader,
) -> Result<Vec<u8>, pgp::SealError> {
    let attachment = entity::Attachment {
        file_name: "fix.patch".to_owned(),
        media_type: "text/x-patch",
        bytes: b"--- a\n+++ b\n".to_vec(),
    };
    let group = entity::group("Read this.\n", &[attachment], "0123456789abcdef").unwrap();
    let delivery = entity::Delivery {
        from: "security@meadow.example",
        to: to.address,
        subject: "Strawdog",
        clear_subject: "[...]",
        message_id: "abc@meadow.example",
        references: &[],
        date: town.house.now(),
    };
    let inside = entity::compose(&group.body, &delivery).unwrap();
    let certificates: Vec<_> = to.keys.iter().map(|k| k.certificate.clone()).collect();
    let signer = town.house.keys.notice.as_ref();
    let sealed = pgp::seal(&inside, &certificates, signer, town.house.now()).await?;
    Ok(wire::sealed(&delivery, &sealed.armored, "fedcba9876543210").unwrap())
}

#[tokio::test]
async fn readers_read_their_own_mail_and_nobody_elses() {
    let town = town(Db::Sqlite).await.unwrap();
    let (team, now) = (town.team_certificate(), town.house.now());
    for reader in town.people.readers() {
        let mail = match sealed(&town, reader).await {
            Ok(mail) => mail,
            Err(error) => {
                assert!(!reader.should_read, "{}: {error}", reader.about);
                continue;
            }
        };
        assert!(reader.should_read, "{}", reader.about);
        let letter = reader.decrypt(&mail, team, now).unwrap();
        assert_eq!((letter.subject.as_str(), letter.text.trim_end()), ("Strawdog", "Read this."));
        assert_eq!(letter.attachment("fix.patch").unwrap().bytes, b"--- a\n+++ b\n");
        assert_eq!(letter.signed_by, Some(team.fingerprint()));
        for key in &reader.keys {
            assert!(
                decrypt(&mail, std::slice::from_ref(key), team, now).is_ok(),
                "{}",
                reader.about
            );
        }
        let others = town.people.readers().filter(|r| r.address != reader.address);
        let closed = Err(ReadError::Closed(OpenError::NotForUs));
        for other in others {
            assert_eq!(other.decrypt(&mail, team, now), closed, "{}", other.about);
        }
        let stranger = std::slice::from_ref(&town.people.stranger);
        assert_eq!(decrypt(&mail, stranger, team, now), closed);
    }
    let mail = b"From: a@b.example\r\nSubject: x\r\n\r\nclear\r\n";
    let anybody = &town.people.distributors[0];
    assert_eq!(anybody.decrypt(mail, team, now), Err(ReadError::NotEncrypted));
}

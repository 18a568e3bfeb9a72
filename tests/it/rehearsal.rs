//! A rehearsal goes the whole way of the day, reaches nobody, and says whether what would have
//! gone out is what was approved.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use daybreak::casework::plans::preview;
use daybreak::casework::{CaseError, calls, controls, preflight, rehearsals};
use daybreak::domain::blob::equal_outside_slots;
use daybreak::domain::deed::Actor;
use daybreak::domain::escalation::State;
use daybreak::domain::finding::Severity;
use daybreak::domain::plan::{Phase, Plan, PlanKind, PlanState};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::engine::rehearsal::{Report, rehearse};
use daybreak::town::story::{self, Form};
use rstest::rstest;

use crate::branches;
use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

const OUTLETS: [&str; 6] = ["mail", "git", "site", "person", "command:index", "await:index"];

/// How often each real outlet was looked at and asked to act, and how often somebody spoke to the
/// relay.
fn reached(story: &Story) -> Vec<usize> {
    let asked = OUTLETS.iter().flat_map(|name| {
        let script = story.town.script(name).unwrap();
        [script.looks(), script.acts()]
    });
    asked.chain([story.town.catcher.conversations()]).collect()
}

/// Rehearses while no real target exists, and looks whether anybody noticed.
async fn unnoticed(story: &Story, plan: &Plan, out: Option<&Path>) -> Report {
    let before = (reached(story), WorldView::of(&story.town).await, story.revision().await);
    let hidden = story.town.world().with_extension("hidden");
    std::fs::rename(story.town.world(), &hidden).unwrap();
    let report = rehearse(&story.town.house, Actor::Operator, plan, out).await.unwrap();
    std::fs::rename(&hidden, story.town.world()).unwrap();
    let after = (reached(story), WorldView::of(&story.town).await, story.revision().await);
    assert_eq!((after.0, after.1), (before.0, before.1), "somebody noticed");
    assert_eq!(after.2, before.2 + 1, "one line says how it ended");
    let left = std::fs::read_dir(story.town.dir().join("work")).unwrap().count();
    assert_eq!(left, 0, "something of it stayed");
    report
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|f| f.code.as_str()).collect()
}

/// The first tag that a plan makes.
fn tag_of(plan: &Plan) -> String {
    let manifest = plan.manifest.open(Reason::Review);
    let after = manifest.split("refs/tags/").nth(1).unwrap();
    after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
}

/// Makes a tag in the house's own copy of the public repository, or takes it away.
async fn tag(story: &Story, name: &str, make: bool) {
    let mirror = story.town.dir().join("mirrors").join("meadow.git");
    let mirror = mirror.to_str().unwrap();
    let verb: &[&str] = match make {
        true => &["--git-dir", mirror, "tag", name, "main"],
        false => &["--git-dir", mirror, "tag", "-d", name],
    };
    story.town.project.ask(verb).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn the_whole_day_is_played_to_nobody_and_then_it_comes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut story) = Story::at(db, Point::Told).await else { return };
    let ground = tempfile::tempdir().unwrap();
    let (out, pulse) = (ground.path().join("out"), ground.path().join("pulse"));
    let config = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[heartbeat]\nfile = {pulse:?}\n")).unwrap();
    story.town.reopen().unwrap();
    let report = unnoticed(&story, story.release(), Some(&out)).await;
    assert!(!pulse.exists(), "it beat the real heart, at an hour to come");
    assert!(report.green && !report.stand_ins, "{}", report.as_text());
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(report.steps.iter().all(|s| s.status == "done"), "{}", report.as_text());

    // Never before T0, and in the order of the day.
    assert!(report.steps.iter().all(|s| s.at.is_some_and(|at| at >= story.t0.at)));
    let first = report.steps.iter().position(|s| s.phase == Phase::Announce).unwrap();
    let (gates, rest) = report.steps.split_at(first);
    assert!(gates.iter().all(|s| s.phase == Phase::Gate) && !gates.is_empty());
    assert!(rest.iter().all(|s| s.phase > Phase::Gate));
    assert!(report.steps.iter().all(|s| !s.pieces.is_empty() && s.pieces.iter().all(|p| p.same)));

    // What is kept is what was approved, for nobody else to read.
    let approved = preview::files(&story.town.house, story.release()).await.unwrap();
    let posts = approved.iter().filter(|f| f.name.starts_with("post-"));
    let mails: Vec<Vec<u8>> = files(&out.join("mail"));
    assert_eq!(mails.len(), 2);
    for post in posts {
        assert!(mails.iter().any(|m| equal_outside_slots(&post.bytes, m, &post.slots)));
    }
    assert!(!files(&out.join("site/advisories")).is_empty());
    assert!(!files(&out.join("files")).is_empty());
    assert!(out.join("git/meadow.git/objects").is_dir());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!((mode(&out.join("mail")), mode(&out.join("REPORT.json"))), (0, 0));
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("REPORT.json")).unwrap()).unwrap();
    assert_eq!(json["green"], true);

    // It left nothing behind that the day would stumble over.
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.at_t0(&mut engine).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    let over = rehearse(&story.town.house, Actor::Operator, story.release(), None).await;
    assert!(matches!(over, Err(CaseError::NotNow { .. })));
    story.is_recorded().await;
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.filter(|p| p.is_file()).map(|p| std::fs::read(p).unwrap()).collect()
}

/// The best time to rehearse is before anybody signs.
#[tokio::test]
async fn a_plan_that_waits_for_its_approvals_is_played_with_stand_ins_and_approved_by_people() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (plan, _) = story::plan(&story.town, &story.disclosure, PlanKind::Release).await.unwrap();
    let house = &story.town.house;
    let said = rehearsals::newest(house, &plan).await.unwrap();
    assert_eq!(rehearsals::finding(said.as_ref(), house.now()).unwrap().code, "not-rehearsed");
    let report = unnoticed(&story, &plan, None).await;
    assert!(report.green && report.stand_ins, "{}", report.as_text());
    assert_eq!(story.state(&plan).await, PlanState::Made);
    assert!(story.standing(&plan).await.approvals.is_empty(), "a stand-in is no member");
    let said = rehearsals::newest(house, &plan).await.unwrap();
    assert_eq!(rehearsals::finding(said.as_ref(), house.now()), None);

    // A tag of that name appears: it would stop the day, so it stops the approval.
    let tagged = tag_of(&plan);
    tag(&story, &tagged, true).await;
    let report = unnoticed(&story, &plan, None).await;
    assert!(!report.green && codes(&report).contains(&"not-done"), "{}", report.as_text());
    let refused = story::approve(&story.town, &plan, &story.town.people.ada, Form::Inline).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("blocked by 1 finding"), "{refused}");
    tag(&story, &tagged, false).await;
    assert!(unnoticed(&story, &plan, None).await.green);
    let plan = story::approve_by_all(&story.town, &plan).await.unwrap();
    assert_eq!(plan.state, PlanState::Approved);

    // Red again: whoever holds it cannot let it go on, but after T0 nothing of this counts.
    tag(&story, &tagged, true).await;
    assert!(!unnoticed(&story, &plan, None).await.green);
    story.hold(&plan).await;
    let resume = async || controls::resume(house, Actor::Operator, &plan, "go on").await;
    match resume().await {
        Err(CaseError::Blocked(found)) => {
            assert_eq!(
                (found[0].code.as_str(), found[0].severity),
                ("rehearsal-red", Severity::Stop)
            );
        }
        other => panic!("{other:?}"),
    }
    story.hand.advance_to(story.t0.at.plus(Span::mins(1)));
    resume().await.unwrap();
}

/// What would be made of a branch that moved is tried, and looked at in the shadow repository.
#[tokio::test]
async fn a_branch_that_moved_is_merged_and_one_that_did_not_gets_what_was_approved() {
    let story = branches::told("merge", "merge").await;
    let moved = branches::harmless(&story.town.project, "main").await;
    // The look ahead brings the house's mirror up to date.
    preflight::of(&story.town.house, story.release()).await.unwrap();
    let ground = tempfile::tempdir().unwrap();
    let out = ground.path().join("out");
    let report = unnoticed(&story, story.release(), Some(&out)).await;
    assert!(report.green, "{}", report.as_text());
    let piece = |name: &str| {
        let mut all = report.steps.iter().flat_map(|s| &s.pieces);
        all.find(|p| p.name == name).unwrap()
    };
    let old = piece("refs/heads/1.x");
    let (_, approved) = branches::pushed(&story, story.release(), "1.x");
    assert_eq!((old.approved.as_str(), old.went_out.as_ref()), (&*approved, Some(&approved)));
    let shadow = out.join("git/meadow.git");
    let parents = ["--git-dir", shadow.to_str().unwrap(), "log", "-1", "--format=%P", "main"];
    let (_, approved) = branches::pushed(&story, story.release(), "main");
    let made = story.town.project.ask(&parents).await.unwrap();
    assert_eq!(made, format!("{moved} {approved}"));
}

/// Every notice is sealed and handed over as it will be; nobody's mail leaves.
#[tokio::test]
async fn notices_are_sealed_for_everybody_and_leave_for_nobody() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let ground = tempfile::tempdir().unwrap();
    let out = ground.path().join("out");
    let report = unnoticed(&story, &story.notice, Some(&out)).await;
    assert!(report.green, "{}", report.as_text());
    let notes = report.findings.iter().filter(|f| f.severity == Severity::Note).count();
    assert_eq!((notes, codes(&report)), (2, vec!["contact-blocked"; 2]), "expired and revoked");
    let mut at = BTreeMap::new();
    for step in report.steps.iter().filter(|s| !s.pieces.is_empty()) {
        assert!(step.pieces.iter().all(|p| p.same), "{}", report.as_text());
        *at.entry(step.at.unwrap().since(story.t0.at).as_secs() / 86_400).or_insert(0) += 1;
    }
    assert!(at.len() > 1, "each at its own window: {at:?}");
    let mails = files(&out.join("mail"));
    assert_eq!(mails.len(), at.values().sum::<usize>());
    for reader in story.town.people.readers().filter(|r| r.should_read) {
        let to = format!("\r\nTo: {}\r\n", reader.address);
        let mine = mails.iter().find(|m| String::from_utf8_lossy(m).contains(&to)).unwrap();
        let late = story.t0.at;
        assert!(reader.decrypt(mine, story.town.team_certificate(), late).is_ok(), "{to}");
    }
}

/// A day ahead the engine plays the release again: green is silent, red calls people and disarms
/// nothing.
#[rstest]
#[case(false)]
#[case(true)]
#[tokio::test]
async fn a_day_ahead_it_is_played_again(#[case] red: bool) {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    for days in [7, 3] {
        story.hand.advance_to(story.t0.days_before(days));
        engine.settle().await.unwrap();
    }
    story.hand.advance_to(story.t0.at.plus(Span::hours(-26)));
    let kind = PlanKind::Release;
    let plan = story::approved_plan(&story.town, &story.disclosure, kind).await.unwrap();
    engine.settle().await.unwrap();
    let house = &story.town.house;
    assert_eq!(rehearsals::newest(house, &plan).await.unwrap(), None, "it is not the time");
    if red {
        // In public too: the preflight of the same hour brings the mirror up to date.
        story.town.project.ask(&["tag", &tag_of(&plan), "main"]).await.unwrap();
        tag(&story, &tag_of(&plan), true).await;
    }
    story.pass(&mut engine, &[Span::hours(2)]).await;
    let first = rehearsals::newest(house, &plan).await.unwrap().unwrap();
    assert_eq!((first.red.is_empty(), first.at), (!red, story.hand_now()));
    assert_eq!(story.rang("rehearsal-red"), red, "{:?}", story.bells());
    let quarters = [5, 5, 10, 10].map(Span::mins);
    story.pass(&mut engine, &quarters).await;
    // Nobody answers: it is said four times, and then no more.
    assert_eq!(story.rings("rehearsal-red"), if red { 4 } else { 0 }, "{:?}", story.bells());
    story.pass(&mut engine, &[Span::mins(1), Span::hours(1)]).await;
    assert_eq!(rehearsals::newest(house, &plan).await.unwrap(), Some(first), "once");
    assert!(!story.rang("rehearsal-broken-off"));
    assert_eq!(story.state(&plan).await, PlanState::Approved, "nothing is disarmed");
    if red {
        let open = async || {
            let calls = calls::recent(house).await.unwrap();
            calls.iter().any(|c| c.said.code == "rehearsal-red" && c.state == State::Open)
        };
        assert!(open().await);
        story.town.project.ask(&["tag", "-d", &tag_of(&plan)]).await.unwrap();
        tag(&story, &tag_of(&plan), false).await;
        // Somebody rehearses it green: what was called for is over.
        assert!(rehearse(house, Actor::Operator, &plan, None).await.unwrap().green);
        story.pass(&mut engine, &[Span::mins(1), Span::secs(1), Span::secs(1)]).await;
        assert!(!open().await);
    }
    story.at_t0(&mut engine).await;
    assert_eq!(story.state(&plan).await, PlanState::Finished);
}

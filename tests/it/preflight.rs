//! Looking ahead: whatever would stand in a plan's way is found while it can be mended, by the
//! family whose cure the bell names; green is said once, and red disarms nothing.

use std::fs;
use std::sync::Arc;

use assert_cmd::Command;
use daybreak::casework::{controls, preflight};
use daybreak::clock::witness::Testimony;
use daybreak::domain::deed::Actor;
use daybreak::domain::finding::Severity;
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::preflight::{Family, Report};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::pgp::samples;
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::story as steps;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story, TEAM};

const GREEN: &str = "preflight-green";

async fn told() -> Story {
    Story::at(Db::Sqlite, Point::Told).await.unwrap()
}

/// The house with another line in its configuration.
fn configure(story: &mut Story, old: &str, new: &str) {
    let file = story.town.dir().join("daybreak.toml");
    let config = fs::read_to_string(&file).unwrap();
    assert!(config.contains(old), "{old}");
    fs::write(&file, config.replacen(old, new, 1)).unwrap();
    story.town.reopen().unwrap();
}

async fn look(story: &Story) -> Report {
    preflight::of(&story.town.house, story.release()).await.unwrap()
}

/// What is red, by family and code, and nothing else is.
fn red(report: &Report) -> Vec<(Family, &str)> {
    let red = report.found.iter().filter(|c| c.finding.severity == Severity::Stop);
    let mut all: Vec<_> = red.map(|c| (c.family, c.finding.code.as_str())).collect();
    for checked in &report.found {
        assert!(!checked.finding.cure.is_empty(), "no cure: {:?}", checked.finding);
    }
    all.dedup();
    all
}

fn rings(story: &Story, reason: &str) -> usize {
    story.bells().iter().filter(|b| *b == reason).count()
}

#[tokio::test]
async fn nothing_is_wrong_and_nothing_is_red() {
    let story = told().await;
    let report = look(&story).await;
    assert_eq!(red(&report), []);
    assert!(report.is_summary() && report.tried == 9, "{} targets", report.tried);
    let revision = story.revision().await;
    look(&story).await;
    assert_eq!(story.revision().await, revision, "a look writes nothing");
    let notice = preflight::of(&story.town.house, &story.notice).await;
    assert!(notice.is_err(), "a notice has nothing of this");
}

#[tokio::test]
async fn credentials_that_a_repository_and_a_relay_do_not_take() {
    let mut story = told().await;
    configure(&mut story, "[repository.meadow]", "[repository.meadow]\nssh_key_file = \"/gone\"");
    assert_eq!(red(&look(&story).await), [(Family::Targets, "credential-unreadable")]);
    configure(&mut story, "ssh_key_file = \"/gone\"", "");
    let secret = story.town.world().join("password");
    fs::write(&secret, "wrong").unwrap();
    let account = format!("[mail]\nuser = \"team\"\npassword_file = {secret:?}");
    configure(&mut story, "[mail]", &account);
    assert_eq!(red(&look(&story).await), [(Family::Targets, "relay-auth")]);
    fs::rename(story.town.project.public(), story.town.world().join("away")).unwrap();
    let both = look(&story).await;
    let codes: Vec<_> = red(&both).into_iter().map(|(_, code)| code).collect();
    assert!(
        codes.contains(&"relay-auth") && codes.contains(&"repository-unreachable"),
        "{codes:?}"
    );
}

#[tokio::test]
async fn a_sender_that_the_relay_refuses_is_found_without_sending() {
    let story = told().await;
    let before = story.town.catcher.mails().len();
    let address = TEAM.to_owned();
    story.town.catcher.script(Fault::RefuseSender { address, code: 550 }, Times::Always);
    assert_eq!(red(&look(&story).await), [(Family::Posts, "sender-refused")]);
    assert_eq!(story.town.catcher.mails().len(), before);
}

#[tokio::test]
async fn a_key_that_ends_before_t0() {
    let mut story = told().await;
    for (left, found) in [(0, "key-ends"), (10, "key-ends-soon"), (400, "")] {
        // Days from an hour before T0 on.
        let user = format!("Meadow <{TEAM}>");
        let key = samples::expiring(&user, story.t0.at.plus(Span::hours(-1)), left).unwrap();
        fs::write(story.town.dir().join("team.key"), &key.secret).unwrap();
        fs::write(story.town.dir().join("team.asc"), key.certificate.armored()).unwrap();
        story.town.reopen().unwrap();
        let report = look(&story).await;
        let said = report.found.iter().find(|c| c.family == Family::Keys);
        assert_eq!(said.map_or("", |c| c.finding.code.as_str()), found, "{left} days");
        assert_eq!(report.is_red(), found == "key-ends", "{left} days");
    }
}

#[tokio::test]
async fn a_token_that_ends_before_the_day_is_over() {
    let mut story = told().await;
    let day = |days| {
        let at = story.t0.at.plus(Span::days(days));
        at.rfc3339().chars().take(10).collect::<String>()
    };
    let days = [day(0), day(10), day(60)];
    let mut old = "[repository.meadow]".to_owned();
    for (day, found) in days.iter().zip(["token-ends", "token-ends-soon", ""]) {
        let new = format!("[repository.meadow]\nexpires = {day:?}");
        configure(&mut story, &old, &new);
        old = new;
        let report = look(&story).await;
        let said = report.found.iter().find(|c| c.family == Family::Tokens);
        assert_eq!(said.map_or("", |c| c.finding.code.as_str()), found, "{day}");
        assert_eq!(report.is_red(), found == "token-ends", "{day}");
    }
    configure(&mut story, "[command.index]", &format!("[command.index]\nexpires = {:?}", days[0]));
    let report = look(&story).await;
    assert_eq!(red(&report), [(Family::Tokens, "token-ends")]);
    assert_eq!(report.found[0].finding.place, "command.index.expires");
}

#[tokio::test]
async fn a_post_that_its_list_no_longer_takes() {
    let mut story = told().await;
    configure(&mut story, "[list.announce]", "[list.announce]\nmax_bytes = 500");
    configure(
        &mut story,
        "[list.oss-security]",
        "[list.oss-security]\nfrom = \"ada@meadow.example\"",
    );
    let wanted = [(Family::Posts, "post-too-large"), (Family::Posts, "post-sender-changed")];
    assert_eq!(red(&look(&story).await), wanted);
}

/// Under its own name, or under any other that a forge gives to what was pushed to it.
#[rstest]
#[case("refs/tags/2.0.1")]
#[case("refs/pull/7/head")]
#[tokio::test]
async fn something_of_ours_is_public_already(#[case] name: &str) {
    let story = told().await;
    let preview = steps::look_through(&story.town, story.release()).await.unwrap();
    let bundle = preview.iter().find(|f| f.name == "meadow-main.bundle").unwrap();
    let file = story.town.world().join("leaked.bundle");
    fs::write(&file, &bundle.bytes).unwrap();
    let file = file.to_str().unwrap();
    let listed = story.town.project.ask(&["bundle", "list-heads", file]).await.unwrap();
    let kind = if name.starts_with("refs/tags/") { "refs/tags/" } else { "refs/heads/" };
    let (_, ours) = listed
        .lines()
        .find_map(|l| l.split_once(' ').filter(|(_, n)| n.starts_with(kind)))
        .unwrap();
    story
        .town
        .project
        .ask(&["fetch", "--quiet", "--no-tags", file, &format!("{ours}:{name}")])
        .await
        .unwrap();
    let report = look(&story).await;
    assert!(red(&report).contains(&(Family::Public, "already-public")), "{:?}", red(&report));
    let found = report.found.iter().find(|c| c.family == Family::Public).unwrap();
    assert!(found.finding.place.starts_with(name), "{}", found.finding.place);
}

#[tokio::test]
async fn a_plan_whose_outlet_or_bytes_are_gone() {
    let mut story = told().await;
    configure(&mut story, "[command.index]", "[command.elsewhere]");
    assert_eq!(red(&look(&story).await), [(Family::Plan, "outlet-missing")]);
    configure(&mut story, "[command.elsewhere]", "[command.index]");
    assert!(!look(&story).await.is_red());
    story.meddle("DELETE FROM chunks");
    let report = look(&story).await;
    assert_eq!(red(&report), [(Family::Plan, "pinned-bytes-damaged")]);
    assert_eq!(report.tried, 0, "no place can be asked for bytes that nobody has");
}

#[tokio::test]
async fn a_disk_without_room() {
    let mut story = told().await;
    configure(&mut story, "[plans]", "[plans]\nfree_mib = 4294967295");
    assert_eq!(red(&look(&story).await), [(Family::Disk, "disk-short")]);
}

#[tokio::test]
async fn a_clock_that_a_witness_contradicts() {
    let story = told().await;
    let later = story.hand_now().plus(Span::secs(30));
    story.town.voices.database.says(Testimony::Shows(later));
    assert_eq!(red(&look(&story).await), [(Family::Clock, "clock-disagrees")]);
}

/// The bell names the family, `plan preflight --last` everything; the plan goes all the same.
#[rstest]
#[tokio::test]
async fn red_rings_and_never_disarms(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(story) = Story::at(db, Point::Told).await else { return };
    let plan = story.release().clone();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, GREEN), 1);
    story.town.project.move_branch("main").await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::hours(-1)));
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, "preflight-red-branches"), 1, "{:?}", story.bells());
    let last = preflight::last(&story.town.house, &plan).await.unwrap().unwrap();
    assert_eq!(red(&last), [(Family::Branches, "branch-moved")]);
    assert!(last.found[0].finding.message.contains("`on_move = hold`"));
    let bells = story.town.catcher.mails();
    let mut texts = bells.into_iter().map(|m| String::from_utf8(m.bytes).unwrap());
    let text = texts.find(|t| t.contains("preflight-red-branches")).unwrap();
    assert!(text.contains(&format!("cure: {}", Family::Branches.cure())), "{text}");
    assert!(!text.contains("refs/"), "{text}");
    story.hand.advance_to(story.t0.at.plus(Span::mins(-10)));
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, "preflight-red-branches"), 1, "the same red is no news");
    assert_eq!(story.state(&plan).await, PlanState::Approved);
    story.at_t0(&mut engine).await;
    assert_eq!(
        (story.stage().await, story.state(&plan).await),
        (Stage::Releasing, PlanState::Running)
    );
    story.pass(&mut engine, &[Span::mins(15)]).await;
    assert_eq!(story.stage().await, Stage::Public);
    story.is_recorded().await;
}

/// A plan that is ready early: nothing is said until a day ahead, then once, whoever restarts.
#[rstest]
#[tokio::test]
async fn green_is_said_once_a_day_ahead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut story) = Story::at(db, Point::Ready).await else { return };
    story.hand.advance_to(story.t0.at.plus(Span::days(-2)));
    let kind = PlanKind::Release;
    let plan = steps::approved_plan(&story.town, &story.disclosure, kind).await.unwrap();
    story.release = Some(plan.clone());
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let looked = preflight::last(&story.town.house, &plan).await.unwrap().unwrap();
    assert!(!looked.is_red() && !looked.is_summary(), "it was looked at as it was taken on");
    assert_eq!(rings(&story, GREEN), 0, "{:?}", story.bells());
    story.hand.advance_to(story.t0.at.plus(Span::hours(-24)));
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, GREEN), 1, "{:?}", story.bells());
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    for ahead in [Span::hours(-1), Span::mins(-10)] {
        story.hand.advance_to(story.t0.at.plus(ahead));
        engine.settle().await.unwrap();
        engine = story.after_crash(engine).await;
        engine.settle().await.unwrap();
    }
    assert_eq!(rings(&story, GREEN), 1, "{:?}", story.bells());
    assert!(!story.bells().iter().any(|b| b.starts_with("preflight-red")), "{:?}", story.bells());
    let bells = story.town.catcher.mails();
    let text = bells.iter().map(|m| String::from_utf8_lossy(&m.bytes)).find(|t| t.contains(GREEN));
    assert!(text.unwrap().contains("\r\ntried: 9\r\n"));
}

/// Whoever is not told that all is well would look in vain; so it is said until it is heard.
#[tokio::test]
async fn a_summary_that_no_relay_took_is_said_again() {
    let story = told().await;
    let address = TEAM.to_owned();
    story.town.catcher.script(Fault::RefuseRecipient { address, code: 451 }, Times::Always);
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, GREEN), 0);
    story.town.catcher.behave();
    story.pass(&mut engine, &[Span::secs(59)]).await;
    assert_eq!(rings(&story, GREEN), 0);
    story.pass(&mut engine, &[Span::secs(1), Span::secs(120)]).await;
    assert_eq!(rings(&story, GREEN), 1);
}

/// A held plan is not ready, and what was mended is said when it is looked at next.
#[tokio::test]
async fn green_waits_for_what_is_red_or_held() {
    let mut story = told().await;
    configure(&mut story, "[list.announce]", "[list.announce]\nmax_bytes = 500");
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!((rings(&story, GREEN), rings(&story, "preflight-red-posts")), (0, 1));
    configure(&mut story, "max_bytes = 500", "max_bytes = 500000");
    story.hold(story.release()).await;
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, GREEN), 0);
    let plan = story.release();
    let house = Arc::clone(&story.town.house);
    controls::resume(&house, Actor::Operator, plan, "mended").await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::hours(-1)));
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, GREEN), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_demand_it_prints_all_and_exits_with_3_when_red() {
    let story = told().await;
    story.town.project.move_branch("main").await.unwrap();
    let (dir, id) = (story.town.dir(), story.release().id.to_string());
    let run = async |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybreak"));
        command.arg("--dir").arg(&dir).args(["plan", "preflight", &id]).args(args);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let out = run(&["--json"]).await;
    assert_eq!(out.status.code(), Some(3), "{}", String::from_utf8_lossy(&out.stderr));
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let found = said["findings"].as_array().unwrap();
    let moved = found.iter().find(|f| f["code"] == "branch-moved").unwrap();
    assert_eq!((&moved["family"], &said["red"]), (&"branches".into(), &true.into()));
    let out = run(&[]).await;
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.starts_with("RED, ") && text.contains("refs/heads/main"), "{text}");
    let out = run(&["--last"]).await;
    assert_eq!(out.status.code(), Some(1), "nobody has looked yet");
}

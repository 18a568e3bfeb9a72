//! Somebody pushes to a branch between approval and T0: what was approved for that happens to
//! that branch, in real repositories, and nothing else waits for it.

mod outlet;

use std::fs;

use daybreak::casework::branches::{Patches, outlook};
use daybreak::casework::patches::NewPatch;
use daybreak::casework::{CaseError, candidates, patches};
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::BranchRef;
use daybreak::domain::news::NoticeKind;
use daybreak::domain::plan::{Plan, PlanKind, PlanState, Step};
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::faults::Fault;
use daybreak::town::project::{Project, tree};
use daybreak::town::{Town, story};
use daybreak::workshop::{Foreseen, Named, Source};

use crate::ground::Db;
use crate::story::{Point, Story, ref_writes};
use crate::world;

/// Says in the configuration what a branch does when it moves.
fn on_move(town: &mut Town, released: &str, word: &str) {
    let file = town.dir().join("daybreak.toml");
    let config = fs::read_to_string(&file).unwrap();
    let old = format!("last_release_tag = {released:?}");
    assert!(config.contains(&old), "{config}");
    fs::write(&file, config.replace(&old, &format!("{old}, on_move = {word:?}"))).unwrap();
    town.reopen().unwrap();
}

/// A story told to everybody, whose branches do that when they move.
pub async fn told(main: &str, old: &str) -> Story {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    on_move(&mut story.town, "2.0.0", main);
    on_move(&mut story.town, "1.4.2", old);
    story.told().await
}

/// Somebody else pushes a change of one file; the branch's new tip.
async fn push(
    project: &Project,
    branch: &str,
    path: &str,
    edit: impl Fn(&str) -> String,
) -> String {
    let name = format!("refs/heads/{branch}");
    let ask = async |args: &[&str]| project.ask(args).await.unwrap();
    let tip = ask(&["rev-parse", &name]).await;
    let old = project.ask(&["show", &format!("{tip}:{path}")]).await.unwrap_or_default();
    fs::write(project.public().join("edited"), edit(&old) + "\n").unwrap();
    let blob = ask(&["hash-object", "-w", "edited"]).await;
    ask(&["read-tree", &tip]).await;
    ask(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]).await;
    let tree = ask(&["write-tree"]).await;
    let moved = ask(&["commit-tree", &tree, "-p", &tip, "-m", "Somebody else's work"]).await;
    ask(&["update-ref", &name, &moved, &tip]).await;
    moved
}

pub async fn harmless(project: &Project, branch: &str) -> String {
    push(project, branch, "docs/hedges.txt", |old| format!("{old}\nA hedge.")).await
}

/// In a line that the fix changes too.
pub async fn conflicting(project: &Project, branch: &str) -> String {
    let edit = |old: &str| old.replace("folder = Path(folder)", "folder = Path(str(folder))");
    push(project, branch, tree::FLAWED, edit).await
}

/// In a line that stands beside those of the fix: git can merge it, but the patch is another.
async fn nearby(project: &Project, branch: &str) -> String {
    let edit = |old: &str| {
        let (head, rest) = old.split_once("ZipFile(bale)").unwrap();
        format!("{head}ZipFile(bale, \"r\"){rest}")
    };
    push(project, branch, tree::FLAWED, edit).await
}

/// Every ref and every object of the public repository, reachable or not.
pub async fn everything(project: &Project) -> (String, String) {
    let all = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    (project.refs().await.unwrap(), project.ask(&all).await.unwrap())
}

fn branch_push(branch: &str) -> impl Fn(&Step) -> bool {
    let name = format!("refs/heads/{branch}");
    move |s| matches!(&s.action, Action::Push { refs, .. } if refs[0].name == name)
}

/// The step that pushes a branch, and the commit that was approved for it.
pub fn pushed(story: &Story, plan: &Plan, branch: &str) -> (Step, String) {
    let step = story.step(plan, branch_push(branch));
    let Action::Push { refs, .. } = &step.action else { panic!("no push") };
    let approved = refs[0].new.clone();
    (step, approved)
}

pub async fn tip(project: &Project, branch: &str) -> String {
    project.ask(&["rev-parse", &format!("refs/heads/{branch}")]).await.unwrap()
}

async fn is_in(project: &Project, commit: &str, branch: &str) -> bool {
    let name = format!("refs/heads/{branch}");
    project.ask(&["merge-base", "--is-ancestor", commit, &name]).await.is_ok()
}

fn rings(story: &Story, code: &str) -> usize {
    story.bells().iter().filter(|b| *b == code).count()
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_merge() {
    let story = told("merge", "hold").await;
    let plan = story.release().clone();
    let project = &story.town.project;
    let moved = harmless(project, "main").await;
    let (step, approved) = pushed(&story, &plan, "main");
    let id = step.id;
    story.town.script("git").unwrap().then_for(move |i| i.step == id, &Fault::LoseAnswer, 1);
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::secs(1), Span::secs(2), Span::secs(5)]).await;
    assert_eq!(story.word(&plan, id).await, "done");
    let merges = project.ask(&["rev-list", "--merges", "--count", &format!("{moved}..main")]).await;
    assert_eq!(merges.unwrap(), "1");
    assert!(is_in(project, &approved, "main").await);
    assert_eq!(ref_writes(&story.town)["refs/heads/main"], 2);
}

#[tokio::test]
async fn a_bell_rings_once_for_each_new_tip_and_a_restart_rings_nothing() {
    let story = told("merge", "leave").await;
    let project = &story.town.project;
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, "branch-moved"), 0);
    harmless(project, "main").await;
    story.pass(&mut engine, &[Span::mins(30)]).await;
    assert_eq!(rings(&story, "branch-moved"), 0, "it is looked every hour");
    story.pass(&mut engine, &[Span::mins(30), Span::mins(30)]).await;
    assert_eq!(rings(&story, "branch-moved"), 1);
    engine.end().await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, "branch-moved"), 1);
    engine.end().await.unwrap();
    harmless(project, "main").await;
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(rings(&story, "branch-moved"), 2);
    story.is_recorded().await;
}

#[tokio::test]
async fn where_patches_no_longer_fit_a_re_issue_is_offered() {
    let story = told("merge", "hold").await;
    let plan = story.release().clone();
    let project = &story.town.project;
    nearby(project, "main").await;
    let ahead = outlook(&story.town.house, &plan).await.unwrap();
    let main = ahead.iter().find(|o| o.tip.branch.branch == "main").unwrap();
    assert!(matches!(main.foreseen, Some(Foreseen::Makes { .. })));
    let Patches::Moved { series, interdiff, sent } = &main.patches else { panic!("not moved") };
    assert!(*sent, "distributors hold the old ones");
    assert_eq!(series[0].name, "meadow-main-1.patch");
    let diff = String::from_utf8(interdiff.clone()).unwrap();
    assert!(diff.contains("ZipFile(bale, \"r\")"), "{diff}");
    let text = String::from_utf8(series[0].bytes.clone()).unwrap();
    assert!(text.contains("Strawdog: keep unpacked") && text.contains("Strawdog: test it"));

    // As a person types it; the other branch has not moved.
    let out = story.town.dir().join("moved");
    let typed = ["plan", "branches", &plan.id.to_string(), "--out", out.to_str().unwrap()]
        .map(str::to_owned);
    let said = daybreak(&story, &typed);
    for word in ["it fits", "that distributors hold", "--kind notice", "on_move = hold"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let file = out.join("meadow-main-1.patch");
    assert!(said.contains(file.to_str().unwrap()), "{said}");
    assert_eq!(fs::read(&file).unwrap(), series[0].bytes);
    assert_eq!(fs::read(out.join("meadow-main.interdiff")).unwrap(), *interdiff);
    assert!(fs::read_to_string(out.join("meadow-main.diff")).unwrap().contains("is_relative_to"));
    let shown = daybreak(&story, &["plan", "show", &plan.id.to_string()].map(str::to_owned));
    assert!(shown.contains("if it moved, pushes a merge"), "{shown}");

    // What is offered can be taken: distributors get the same difference.
    let (house, main) = (&story.town.house, house_branch());
    let now = story.disclosure_now().await;
    let now = patches::withdraw(house, Actor::Operator, &now, &main).await.unwrap();
    let source = Source::Files(vec![Named { name: "x".into(), bytes: fs::read(&file).unwrap() }]);
    let new = NewPatch { branch: main.clone(), fixes: vec![], source, base: None };
    let (now, added, findings) = patches::add(house, Actor::Operator, &now, new).await.unwrap();
    assert!(added.fits[0].applies, "{findings:?}");
    let (now, ..) = candidates::stage(house, Actor::Operator, &now, &main).await.unwrap();
    let (notice, _) = story::plan(&story.town, &now, PlanKind::Notice).await.unwrap();
    let said = daybreak::casework::plans::manifest_of(&notice).unwrap();
    assert_eq!(said.notice(), Some(NoticeKind::Revision));
}

fn house_branch() -> BranchRef {
    story::branch(&tree::LINES[0])
}

/// What a command prints, on a house that nobody works in.
fn daybreak(story: &Story, args: &[String]) -> String {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("DAYBREAK_DIR", story.town.dir())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn what_a_tag_names_is_never_applied_again() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    on_move(&mut story.town, "2.0.0", "reapply");
    let made = story::plan(&story.town, &story.disclosure, PlanKind::Release).await;
    let Err(daybreak::town::TownError::Case(CaseError::Blocked(findings))) = made else {
        panic!("a plan was made")
    };
    let codes: Vec<_> = findings.iter().map(|f| f.code.as_str()).collect();
    assert!(codes.contains(&"reapply-tagged"), "{codes:?}");
}

/// Somebody signs commits there: what is made on the day will carry no signature.
#[tokio::test]
async fn a_merge_without_a_signature_is_said_where_commits_are_signed() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    on_move(&mut story.town, "2.0.0", "merge");
    let project = &story.town.project;
    let last = tip(project, "main").await;
    let raw = project.ask(&["cat-file", "commit", &last]).await.unwrap();
    let (head, message) = raw.split_once("\n\n").unwrap();
    let signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----";
    let tree = head.lines().next().unwrap();
    let people: Vec<_> = head.lines().filter(|l| l.contains('<')).collect();
    let people = people.join("\n");
    let text = format!("{tree}\nparent {last}\n{people}\n{signature}\n\n{message}\n");
    fs::write(project.public().join("signed"), text).unwrap();
    let oid = project.ask(&["hash-object", "-t", "commit", "-w", "signed"]).await.unwrap();
    project.ask(&["update-ref", "refs/heads/main", &oid]).await.unwrap();
    let (house, now) = (&story.town.house, story.disclosure_now().await);
    let main = house_branch();
    let (now, ..) = candidates::stage(house, Actor::Operator, &now, &main).await.unwrap();
    let findings = match story::plan(&story.town, &now, PlanKind::Release).await {
        Ok((_, findings)) => findings,
        Err(daybreak::town::TownError::Case(CaseError::Blocked(findings))) => findings,
        Err(other) => panic!("{other}"),
    };
    let said = |code: &str| findings.iter().any(|f| f.code == code);
    assert!(said("remake-unsigned") && !said("reapply-tagged"), "{findings:?}");
}

/// A day without releases, whose two branches are applied again when they move.
async fn untagged() -> (Town, Plan, Engine) {
    let mut town = world::town(Db::Sqlite).await.unwrap();
    on_move(&mut town, "2.0.0", "reapply");
    on_move(&mut town, "1.4.2", "reapply");
    let (_, disclosure) = world::drafted(&town, Span::days(12)).await;
    let mut disclosure = story::post(&town, disclosure).await.unwrap();
    for line in tree::LINES.iter().filter(|l| l.next.is_some()) {
        let branch = story::branch(line);
        let staged = candidates::stage(&town.house, Actor::Operator, &disclosure, &branch).await;
        (disclosure, ..) = staged.unwrap();
    }
    story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let plan = story::approved_plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    let engine = Engine::start(town.house.clone()).await.unwrap();
    (town, plan, engine)
}

#[tokio::test]
async fn a_series_is_applied_again_where_it_is_the_same() {
    let (town, plan, mut engine) = untagged().await;
    let project = &town.project;
    let moved = harmless(project, "main").await;
    let other = nearby(project, "1.x").await;
    let hand = town.hand.clone().unwrap();
    hand.advance_to(plan.t0);
    engine.settle().await.unwrap();

    let standing = daybreak::casework::plans::standing(&town.house, &plan).await.unwrap();
    assert_eq!(standing.plan.state, PlanState::Running);
    let of = |branch: &str| {
        let step = standing.manifest.steps.iter().find(|s| branch_push(branch)(s)).unwrap();
        let Action::Push { refs, remake, .. } = &step.action else { panic!("no push") };
        assert!(remake.is_some() && step.on_move.is_some());
        (standing.run.progress(step.id).unwrap().status.clone(), refs[0].clone())
    };
    let (status, approved) = of("main");
    assert_eq!(status.word(), "done");
    let shown = |from: &str, to: &str| {
        let range = format!("{from}..{to}");
        async move {
            let log = ["log", "--reverse", "--format=%an %ae %ad%n%B", &range];
            project.ask(&log).await.unwrap()
        }
    };
    let log = shown(&moved, "main").await;
    assert_eq!(log.matches("details to follow").count(), 2, "{log}");
    let dates = ["log", "--format=%ct %P", "-1", "main"];
    let dates = project.ask(&dates).await.unwrap();
    assert!(dates.starts_with(&plan.t0.secs().to_string()), "{dates}");
    assert!(!is_in(project, &approved.new, "main").await);

    let (status, _) = of("1.x");
    assert_eq!(format!("{status:?}"), "Blocked { code: \"branch-differs\" }");
    assert_eq!(tip(project, "1.x").await, other);
}

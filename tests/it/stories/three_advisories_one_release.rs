//! Three flaws, three branches, one notice, one release, one instant; and a day before it one of
//! the three turns out to be mended badly. It is taken out: its patch, its id and its text are in
//! nothing that becomes public, and whoever heard of it hears that it is no part of this day.

use daybreak::casework::patches::{self, NewPatch};
use daybreak::casework::withdrawal::withdraw;
use daybreak::casework::{CaseError, advisories, disclosures, record};
use daybreak::domain::advisory::{Advisory, AdvisoryText};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::{CellState, Disclosure};
use daybreak::domain::ids::AdvisoryId;
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::project::{LINES, Line, Project};
use daybreak::town::{Town, story};
use daybreak::workshop::Source;

use crate::gpg::git;
use crate::ground::Db;
use crate::world::{WorldView, documents, town};

const ME: Actor = Actor::Operator;
/// Only what belongs to the third says this.
const THIRD: [&str; 4] = ["Gillyflower", "x_meadow-2026-0003", "CVE-2026-48153", "gate.py"];

fn text(town: &Town, n: u32, name: &str) -> AdvisoryText {
    AdvisoryText {
        public_id: format!("x_meadow-2026-000{n}"),
        title: format!("{name}: crafted bales write files outside the target folder"),
        aliases: vec![format!("CVE-2026-4815{n}")],
        ..story::text(&town.people, town.house.now())
    }
}

/// The third is mended on main alone, by a series on top of what mends the others.
async fn third_fix(town: &Town) {
    let private = town.project.private();
    git(&["checkout", "--quiet", "-b", "fix-third", "fix-main"], private).await;
    std::fs::write(private.join("gate.py"), "# Gillyflower\nGATE = \"shut\"\n").unwrap();
    git(&["add", "gate.py"], private).await;
    let who = ["-c", "user.name=Ada Ngo", "-c", "user.email=ada@meadow.example"];
    let made = ["commit", "--quiet", "-m", "Gillyflower: shut the gate"];
    git(&[&who[..], &made[..]].concat(), private).await;
}

async fn add_patch(
    town: &Town,
    disclosure: &Disclosure,
    line: &Line,
    range: String,
    fixes: Vec<AdvisoryId>,
) -> Disclosure {
    let source = Source::Git { path: town.project.private().to_owned(), range };
    let new = NewPatch { branch: story::branch(line), fixes, source, base: None };
    patches::add(&town.house, ME, disclosure, new).await.unwrap().0
}

async fn prepared(town: &Town) -> (Vec<Advisory>, Disclosure) {
    story::add_members(town).await.unwrap();
    story::add_distributors(town).await.unwrap();
    let mut all = Vec::new();
    for (n, name) in [(1, "Strawdog"), (2, "Hollyhock"), (3, "Gillyflower")] {
        all.push(advisories::create(&town.house, ME, text(town, n, name)).await.unwrap().0);
    }
    let ids: Vec<AdvisoryId> = all.iter().map(|a| a.id).collect();
    let t0 = story::t0_in(town, Span::days(12));
    let made = disclosures::create(&town.house, ME, Some(t0), ids.clone(), None).await;
    let mut disclosure = made.unwrap().0;
    third_fix(town).await;
    for line in &LINES {
        let unaffected: &[AdvisoryId] = match (line.next, line.branch) {
            (None, _) => &ids,
            (Some(_), "main") => &[],
            (Some(_), _) => &ids[2..],
        };
        for id in unaffected {
            let (branch, state) = (story::branch(line), CellState::NotAffected);
            let marked = disclosures::mark(&town.house, ME, &disclosure, *id, branch, state);
            disclosure = marked.await.unwrap();
        }
        if line.next.is_some() {
            let fixes = ids[..2].to_vec();
            disclosure = add_patch(town, &disclosure, line, Project::range(line), fixes).await;
        }
        if line.branch == "main" {
            let range = "fix-main..fix-third".to_owned();
            disclosure = add_patch(town, &disclosure, line, range, vec![ids[2]]).await;
        }
    }
    let disclosure = story::release(town, disclosure).await.unwrap();
    let disclosure = story::post(town, disclosure).await.unwrap();
    (all, built(town, disclosure).await)
}

async fn built(town: &Town, disclosure: Disclosure) -> Disclosure {
    let (disclosure, _) = story::stage(town, disclosure).await.unwrap();
    story::build_files(town, disclosure).await.unwrap()
}

#[tokio::test]
async fn one_is_pulled_a_day_before_and_leaves_no_trace() {
    let town = town(Db::Sqlite).await.unwrap();
    let (all, disclosure) = prepared(&town).await;
    let t0 = disclosure.t0.unwrap();
    let hand = town.hand.clone().unwrap();
    story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    for days in [7, 3] {
        hand.advance_to(t0.days_before(days));
        engine.settle().await.unwrap();
    }
    let release = story::approved_plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    hand.advance_to(t0.at.plus(Span::days(-1)));
    engine.settle().await.unwrap();
    let told = town.catcher.mails().len();

    let disclosure = story::again(&town.house, &disclosure).await.unwrap();
    let mixed = withdraw(&town.house, ME, &disclosure, &all[1]).await;
    assert!(matches!(mixed, Err(CaseError::Blocked(_))), "one patch mends two: nobody can tell");
    let pulled = withdraw(&town.house, ME, &disclosure, &all[2]).await;
    let (disclosure, findings) = pulled.unwrap();
    assert!(findings.iter().any(|f| f.code == "restage"), "{findings:?}");
    let id = release.id;
    let old = town.house.store.read(move |r| r.plan(id)).await.unwrap();
    assert_eq!(old.state, PlanState::Void, "what was approved with it still goes");

    let record = record::of(&town.house, &disclosure).await.unwrap();
    assert!(record.decisions.iter().any(|d| d.what == "disclosure-drop-advisory"));

    let disclosure = built(&town, disclosure).await;
    let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    story::look_through(&town, &notice).await.unwrap();
    engine.settle().await.unwrap();
    let mails = town.catcher.mails().split_off(told);
    let team = town.team_certificate();
    let mut heard = 0;
    for reader in town.people.distributors.iter().filter(|r| r.should_read) {
        let mine: Vec<_> = mails.iter().filter(|m| m.to == [reader.address]).collect();
        assert_eq!(mine.len(), 1, "{}", reader.name);
        let letter = reader.decrypt(&mine[0].bytes, team, town.house.now()).unwrap();
        let gone = "x_meadow-2026-0003: no longer part of this disclosure.";
        assert!(letter.text.contains(gone), "{}: {}", reader.name, letter.text);
        assert!(!letter.text.contains("Gillyflower"), "{}", letter.text);
        heard += 1;
    }
    assert!(heard > 3);

    let release = story::approved_plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    for file in story::look_through(&town, &release).await.unwrap() {
        if file.name == "MANIFEST" {
            continue;
        }
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        THIRD.iter().for_each(|w| assert!(!text.contains(w), "{w} is in {}", file.name));
    }
    let before = town.catcher.mails().len();
    hand.advance_to(t0.at);
    engine.settle().await.unwrap();
    let now = story::again(&town.house, &disclosure).await.unwrap();
    assert_eq!(now.stage, Stage::Public);
    let mut world = WorldView::of(&town).await;
    world.published.sort();
    assert_eq!(world.published, ["x_meadow-2026-0001", "x_meadow-2026-0002"]);
    let log = town.project.ask(&["log", "--all", "-p", "--format=fuller"]).await.unwrap();
    assert!(world.refs.contains("refs/tags/2.0.1"), "nothing was pushed: {}", world.refs);
    let mut public = log;
    for post in town.catcher.mails().split_off(before) {
        public.push_str(&String::from_utf8_lossy(&post.bytes));
    }
    for id in &world.published {
        for (_, bytes) in documents(&town, id).await {
            public.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    THIRD.iter().for_each(|word| assert!(!public.contains(word), "{word} is public"));
}

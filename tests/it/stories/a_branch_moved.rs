//! Between approval and T0 somebody pushes to both branches. What would be made of it is shown
//! ahead, and nothing of it leaves; at T0 the branch that fits is merged, the one that conflicts
//! waits for a person, and everything else goes out.

use daybreak::casework::branches::{Patches, outlook};
use daybreak::casework::preflight;
use daybreak::domain::finding::Severity;
use daybreak::domain::preflight::Family;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::town::project::tree;
use daybreak::town::story;
use daybreak::workshop::Foreseen;

use crate::branches::{conflicting, everything, harmless, pushed, tip, told};
use crate::story::{just_before, ref_writes};

#[tokio::test]
async fn one_that_fits_is_merged_and_one_that_conflicts_waits_alone() {
    let story = told("merge", "merge").await;
    let plan = story.release().clone();
    let project = &story.town.project;
    let mut engine = story.engine().await;
    let before_fix = tip(project, "main").await;
    let moved = harmless(project, "main").await;
    let old = conflicting(project, "1.x").await;
    let (main, approved) = pushed(&story, &plan, "main");
    let (stuck, _) = pushed(&story, &plan, "1.x");
    let before = everything(project).await;

    // What would be made is seen ahead, and nothing of it leaves.
    story.hand.advance_to(just_before(story.t0.at));
    engine.settle().await.unwrap();
    let ahead = outlook(&story.town.house, &plan).await.unwrap();
    let of = |name: &str| ahead.iter().find(|o| o.tip.branch.branch == name).unwrap();
    let Some(Foreseen::Makes { stat, .. }) = &of("main").foreseen else { panic!("no merge") };
    assert!(stat.contains(tree::FLAWED) && !stat.contains("hedges"), "{stat}");
    assert!(matches!(of("main").patches, Patches::Fit));
    let Some(Foreseen::Waits(why)) = &of("1.x").foreseen else { panic!("no conflict") };
    assert!(why.to_string().contains(tree::FLAWED), "{why}");
    assert!(matches!(of("1.x").patches, Patches::Stuck(_)));
    // The one that will wait for a person is red while it can be cured; the other is no trouble.
    let report = preflight::of(&story.town.house, &plan).await.unwrap();
    let red = report.found.iter().filter(|c| c.finding.severity == Severity::Stop);
    let red: Vec<_> = red.map(|c| (c.family, c.finding.code.as_str())).collect();
    assert_eq!(red, [(Family::Branches, "branch-conflicts")]);
    assert_eq!(everything(project).await, before, "something left before T0");

    story.at_t0(&mut engine).await;
    assert_eq!(story.word(&plan, main.id).await, "done");
    let merge = tip(project, "main").await;
    let parents = project.ask(&["log", "-1", "--format=%P", "main"]).await.unwrap();
    assert_eq!(parents, format!("{moved} {approved}"));
    let names = async |from: &str, to: &str| {
        project.ask(&["diff-tree", "-r", "-p", from, to]).await.unwrap()
    };
    assert_eq!(names(&moved, &merge).await, names(&before_fix, &approved).await);
    let said = project.ask(&["log", "-1", "--format=%an %ae %ct %G?%n%B", "main"]).await.unwrap();
    assert!(said.contains(&story.t0.at.secs().to_string()) && said.contains(" N"), "{said}");
    for word in story::PLANTED {
        assert!(!said.contains(word), "{said}");
    }
    // A tag pins what was approved, whatever its branch did.
    let tagged = project.ask(&["rev-parse", "refs/tags/2.0.1^{commit}"]).await.unwrap();
    assert_eq!(tagged, approved);

    assert_eq!(story.word(&plan, stuck.id).await, "blocked branch-conflicts");
    assert_eq!(tip(project, "1.x").await, old, "a moved branch was overwritten");
    assert!(project.refs().await.unwrap().contains("refs/tags/1.4.3"));
    assert_eq!(story.town.uploads.files().unwrap().len(), 4);
    assert!(story.rang("step-blocked"), "{:?}", story.bells());
    story.pass(&mut engine, &[Span::mins(15)]).await;
    assert_eq!(story.stage().await, Stage::Public);
    assert_eq!(ref_writes(&story.town)["refs/heads/main"], 2, "theirs and ours");
    story.is_recorded().await;
}

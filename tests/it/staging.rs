//! What is staged and built for a release: files that would share a name, words in brought
//! commits that the world would read, dates that no longer hold.

use daybreak::casework::releases::{self, NewArtefact, NewRelease};
use daybreak::casework::{CaseError, candidates, disclosures};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::{Disclosure, ReleaseKind};
use daybreak::domain::finding::{Finding, Severity};
use daybreak::domain::plan::PlanKind;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::town::project::{LINES, Line};
use daybreak::town::{Options, Town, TownError, story};

const START: At = At::from_secs(1_795_132_800);
const BY: Actor = Actor::Operator;

/// A town with few distributors and a case ready for its plans.
async fn prepared() -> (Town, Disclosure) {
    let options = Options { distributors: 1, ..Options::by_hand(START) };
    let town = Town::build(options).await.unwrap();
    let made = story::prepare(&town, Span::days(12)).await.unwrap();
    (town, made.disclosure)
}

fn file(name: &str) -> NewArtefact {
    NewArtefact { file_name: name.to_owned(), bytes: b"bytes".to_vec(), sha256: None }
}

/// One commit and a tag made by hand in the private clone, which say `told`.
fn bundle(town: &Town, line: &Line, tag: &str, told: &str) -> Vec<u8> {
    let folder = town.project.private();
    let git = |args: &[&str]| {
        let done = assert_cmd::Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@meadow.example"])
            .args(args)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let public = format!("origin/{}", line.branch);
    git(&["fetch", "--quiet", "origin"]);
    git(&["checkout", "--quiet", "-B", line.branch, &public]);
    git(&["commit", "--quiet", "--allow-empty", "-m", told]);
    git(&["tag", "--force", "-a", "-m", told, tag]);
    git(&["bundle", "create", "--quiet", "made.bundle", line.branch, tag, &format!("^{public}")]);
    std::fs::read(folder.join("made.bundle")).unwrap()
}

fn mended() -> Vec<(&'static Line, &'static str)> {
    LINES.iter().filter_map(|l| l.next.map(|next| (l, next))).collect()
}

#[tokio::test]
async fn files_that_would_share_a_name_are_refused_and_both_are_named() {
    let (town, disclosure) = prepared().await;
    let (first, second) = (mended()[0].1, mended()[1].1);
    let add = async |disclosure: &Disclosure, tag: &str, names: &[&str]| {
        let files = names.iter().map(|n| file(n)).collect();
        releases::add_artefacts(&town.house, BY, disclosure, tag, files).await
    };
    let with = add(&disclosure, first, &["SHA256SUMS"]).await.unwrap();
    let refused = add(&with, second, &["SHA256SUMS"]).await.unwrap_err().to_string();
    assert!(refused.contains("SHA256SUMS"), "{refused}");
    assert!(refused.contains(first) && refused.contains(second), "{refused}");
    // Again for the same release: the newer file takes its place.
    let with = add(&with, first, &["SHA256SUMS"]).await.unwrap();
    assert!(add(&with, first, &["a.zip", "a.zip"]).await.is_err());
    for ours in ["MANIFEST", "notice-001.eml", "meadow-main.bundle"] {
        let refused = add(&with, first, &[ours]).await.unwrap_err().to_string();
        assert!(refused.contains(ours) && refused.contains("another name"), "{refused}");
    }

    // What only a plan can see: the name of a document it publishes.
    let page = format!("{}.html", story::PUBLIC_ID);
    let with = add(&with, first, &[&page]).await.unwrap();
    let refused = story::plan(&town, &with, PlanKind::Release).await.unwrap_err().to_string();
    assert!(refused.contains(&page) && refused.contains(first), "{refused}");
    assert!(refused.contains("document of"), "{refused}");
}

#[tokio::test]
async fn the_whole_text_of_brought_commits_and_tags_is_read_for_leaks() {
    let (town, disclosure) = prepared().await;
    let (line, next) = mended()[0];
    let quiet = bundle(&town, line, next, "Mend a line\n\nDetails follow shortly.");
    let telling = bundle(&town, line, next, "Mend a line\n\nIt is a heap overflow.");
    let branch = story::branch(line);
    let bring = async |bytes: &[u8]| {
        let now = story::again(&town.house, &disclosure).await.unwrap();
        candidates::bring(&town.house, BY, &now, &branch, bytes).await.unwrap().2
    };
    let findings: Vec<Finding> = bring(&quiet).await;
    assert!(findings.iter().all(|f| !f.code.starts_with("leak-")), "{findings:?}");
    let findings = bring(&telling).await;
    assert!(findings.iter().all(|f| f.severity != Severity::Stop), "{findings:?}");
    let of = |place: &str| {
        findings.iter().any(|f| f.code == "leak-weakness" && f.place.starts_with(place))
    };
    assert!(of("commit ") && of("message of tag "), "{findings:?}");
}

#[tokio::test]
async fn what_was_staged_for_another_instant_is_said() {
    let (town, disclosure) = prepared().await;
    let dated = async |disclosure: &Disclosure| -> Vec<Finding> {
        let all = disclosures::check(&town.house, disclosure).await.unwrap();
        all.into_iter().filter(|f| f.code == "candidate-dated-otherwise").collect()
    };
    assert!(dated(&disclosure).await.is_empty());
    let t0 = disclosure.t0.unwrap();
    let later = T0::new(t0.at.plus(Span::days(4)), t0.zone);
    let (moved, _) =
        disclosures::move_t0(&town.house, BY, &disclosure, later, "a test").await.unwrap();
    let found = dated(&moved).await;
    assert_eq!(found.len(), mended().len(), "{found:?}");
    assert!(found.iter().all(|f| f.severity == Severity::Warn));
    assert!(found[0].cure.contains("daybreak disclosure stage"));
    let (again, _) = story::stage(&town, moved).await.unwrap();
    assert!(dated(&again).await.is_empty());
}

#[tokio::test]
async fn nothing_is_promised_that_cannot_be_done() {
    let (town, disclosure) = prepared().await;
    let refused = story::plan(&town, &disclosure, PlanKind::Correction).await.unwrap_err();
    assert!(matches!(refused, TownError::Case(CaseError::NotNow { .. })), "{refused}");
    let off = disclosures::cancel(&town.house, BY, &disclosure, "a test").await.unwrap();
    let new = NewRelease {
        branch: story::branch(&LINES[0]),
        version: "9".to_owned(),
        tag: None,
        kind: ReleaseKind::Pinned,
        project: None,
        upload: vec![],
        expected: vec![],
        extra_commits: vec![],
    };
    let refused = releases::add(&town.house, BY, &off, new).await.unwrap_err().to_string();
    assert!(!refused.to_lowercase().contains("correction"), "{refused}");
}

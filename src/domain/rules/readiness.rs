//! Whether a case holds everything a Release plan pins.

use crate::domain::disclosure::{Candidate, Case, CellState, ReleaseKind};
use crate::domain::finding::Finding;
use crate::domain::time::At;

/// Everything that is still missing.
pub fn check(case: &Case) -> Vec<Finding> {
    let mut found = Vec::new();
    let patched = case.cells.iter().filter(|c| c.state == CellState::Patched).map(|c| &c.branch);
    let released = case.releases.iter().map(|r| &r.branch);
    let mut branches: Vec<_> = patched.chain(released).collect();
    branches.sort();
    branches.dedup();
    for branch in branches {
        if case.candidate(branch).is_none() {
            found.push(
                Finding::stop("not-staged", branch.to_string(), "its commits are not staged")
                    .cure("daybreak disclosure stage"),
            );
        }
    }
    for release in &case.releases {
        let place = format!("release {}", release.tag);
        let tagged = case.candidate(&release.branch).and_then(|c| c.tag.as_ref());
        if case.candidate(&release.branch).is_some() && tagged.is_none_or(|t| t.name != release.tag)
        {
            found.push(
                Finding::stop(
                    "tag-not-staged",
                    &place,
                    "the staged candidate does not carry this tag",
                )
                .cure("daybreak disclosure stage"),
            );
        }
        match release.kind {
            ReleaseKind::Pinned if release.artefacts.is_empty() && !release.upload.is_empty() => {
                found.push(
                    Finding::stop(
                        "artefacts-missing",
                        &place,
                        "it is pinned, but no file was added",
                    )
                    .cure("daybreak disclosure export-candidate, build, then add-artefact"),
                )
            }
            ReleaseKind::BuiltFromTag if release.expected.is_empty() => found.push(
                Finding::stop(
                    "expectation-missing",
                    &place,
                    "it is built from its tag, but no file is expected",
                )
                .cure("daybreak disclosure add-release --expect 'name-*.whl=3'"),
            ),
            _ => {}
        }
    }
    if case.posts.is_empty() && !case.advisories.is_empty() {
        found.push(
            Finding::warn("no-post", "posts", "no mailing list hears of it")
                .cure("daybreak disclosure add-post"),
        );
    }
    found
}

/// Commits and tags that carry another date than T0: staged before it was set or moved.
pub fn dates(case: &Case, t0: Option<At>) -> Vec<Finding> {
    let Some(t0) = t0 else { return Vec::new() };
    let otherwise = |c: &&Candidate| c.dated.is_some_and(|at| at.secs() != t0.secs());
    let say = |c: &Candidate| {
        Finding::warn(
            "candidate-dated-otherwise",
            c.branch.to_string(),
            "its commits and tag carry another date than T0: they were staged before it was moved",
        )
        .cure("daybreak disclosure stage, then build and add its files again")
    };
    case.candidates.iter().filter(otherwise).map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::disclosure::{BranchRef, Release};
    use crate::domain::ids::ReleaseId;

    #[test]
    fn an_unstaged_release_without_files_says_so() {
        let release = Release {
            id: ReleaseId::new(At::from_secs(1), [0; 10]),
            branch: BranchRef { repository: "m".into(), branch: "main".into() },
            version: "1".into(),
            tag: "1".into(),
            kind: ReleaseKind::Pinned,
            project: "m".into(),
            upload: vec!["pypi".into()],
            artefacts: vec![],
            expected: vec![],
            extra_commits: vec![],
        };
        let case = Case { releases: vec![release], ..Default::default() };
        let codes: Vec<_> = check(&case).into_iter().map(|f| f.code).collect();
        assert_eq!(codes, ["not-staged", "artefacts-missing"]);
    }
}

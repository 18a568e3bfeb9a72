//! Whether every advisory is decided on every supported branch.

use crate::domain::disclosure::{BranchRef, Case, CellState};
use crate::domain::finding::Finding;
use crate::domain::ids::AdvisoryId;

/// `named` gives each advisory's public id for people.
pub fn check(case: &Case, supported: &[BranchRef], named: &[(AdvisoryId, String)]) -> Vec<Finding> {
    let mut found = Vec::new();
    if case.advisories.is_empty() && case.releases.is_empty() {
        found.push(
            Finding::stop(
                "nothing-to-disclose",
                "advisories",
                "there is neither an advisory nor a release",
            )
            .cure("daybreak disclosure new --advisory ID, or add-release"),
        );
    }
    for advisory in &case.advisories {
        let name = named.iter().find(|(id, _)| id == advisory).map_or("?", |(_, n)| n.as_str());
        for branch in supported {
            let place = format!("{name} on {branch}");
            match case.cell(*advisory, branch) {
                None => found.push(
                    Finding::stop("cell-open", &place, "nothing is decided for this branch").cure(
                        "daybreak disclosure add-patch, or daybreak disclosure mark … not-affected | will-not-fix",
                    ),
                ),
                Some(CellState::Patched) if !is_patched(case, *advisory, branch) => found.push(
                    Finding::stop("patch-missing", &place, "it is marked patched but no patch fixes it here")
                        .cure("daybreak disclosure add-patch"),
                ),
                Some(_) => {}
            }
        }
    }
    found
}

fn is_patched(case: &Case, advisory: AdvisoryId, branch: &BranchRef) -> bool {
    case.patches.iter().any(|p| p.branch == *branch && p.fixes.contains(&advisory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::At;

    #[test]
    fn every_open_cell_is_named() {
        let advisory = AdvisoryId::new(At::from_secs(1), [0; 10]);
        let branch = |b: &str| BranchRef { repository: "meadow".into(), branch: b.into() };
        let mut case = Case { advisories: vec![advisory], ..Default::default() };
        case.set_cell(advisory, branch("main"), CellState::Patched);
        case.set_cell(advisory, branch("1.x"), CellState::NotAffected);
        let supported = [branch("main"), branch("1.x"), branch("2.x")];
        let found = check(&case, &supported, &[(advisory, "x_m-1".into())]);
        let seen: Vec<_> = found.iter().map(|f| (f.code.as_str(), f.place.as_str())).collect();
        assert_eq!(
            seen,
            [("patch-missing", "x_m-1 on meadow:main"), ("cell-open", "x_m-1 on meadow:2.x")]
        );
    }

    #[test]
    fn nothing_at_all_is_refused() {
        assert_eq!(check(&Case::default(), &[], &[])[0].code, "nothing-to-disclose");
    }
}

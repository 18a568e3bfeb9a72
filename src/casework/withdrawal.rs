//! An advisory leaves an open disclosure: its fix turned out bad, or it needs more time. What was
//! made with it leaves too: its cells, the patches that fix it alone, the commits staged with them.
//! Whoever heard of it learns by the next notice that it is no part of this disclosure any more;
//! it stays as secret as it was.

use std::collections::BTreeSet;

use super::disclosures::change;
use super::{Case, CaseError, House, disclosures};
use crate::domain::advisory::{Advisory, AdvisoryText};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{BranchRef, Case as Content, CellState, Disclosure};
use crate::domain::finding::Finding;
use crate::domain::secret::Reason;

/// Takes an advisory out; what must be done after it is returned. What stops it: a patch that fixes
/// others as well, files that nobody knows the owner of, and whatever stays and names it.
pub async fn withdraw(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    advisory: &Advisory,
) -> Case<(Disclosure, Vec<Finding>)> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    let id = advisory.id;
    if !content.advisories.contains(&id) {
        return Err(CaseError::invalid(
            "advisory",
            "is not part of this disclosure",
            "`daybreak disclosure show DISC` lists those that are",
        ));
    }
    let shared = content.patches.iter().filter(|p| p.fixes.contains(&id) && p.fixes.len() > 1);
    let shared: Vec<_> = shared.map(|p| mixed(&p.branch.to_string())).collect();
    if !shared.is_empty() {
        return Err(CaseError::Blocked(shared));
    }
    let gone = advisory.text.open(Reason::Review);
    let mut named = traces(gone, &content);
    for other in disclosures::advisories_of(house, &content).await?.iter().filter(|a| a.id != id) {
        named.extend(mentions(gone, other.text.open(Reason::Review)));
    }
    if !named.is_empty() {
        return Err(CaseError::Blocked(named));
    }
    let patched = content.patches.iter().filter(|p| p.fixes.contains(&id)).map(|p| &p.branch);
    // Brought commits may mend it without a patch of ours.
    let brought = content
        .cells
        .iter()
        .filter(|c| c.advisory == id && c.state == CellState::Patched)
        .map(|c| &c.branch);
    let branches: BTreeSet<BranchRef> = patched.chain(brought).cloned().collect();
    content.advisories.retain(|a| *a != id);
    content.cells.retain(|c| c.advisory != id);
    content.patches.retain(|p| !p.fixes.contains(&id));
    content.candidates.retain(|c| !branches.contains(&c.branch));
    let findings: Vec<Finding> = branches.iter().map(|b| restage(&b.to_string())).collect();
    let verb = "disclosure-drop-advisory";
    let changed = change(house, actor, verb, disclosure, content, vec![]).await?;
    Ok((changed, findings))
}

fn mixed(branch: &str) -> Finding {
    Finding::stop("patch-shared", branch, "a patch fixes this advisory and others together")
        .cure("daybreak disclosure drop-patch, then add-patch with a series for the others alone")
}

fn restage(branch: &str) -> Finding {
    Finding::warn("restage", branch, "its patch is out, and so are the commits staged with it")
        .cure("daybreak disclosure stage, build again, then make the plans again")
}

/// What stays in the case beside the texts and may tell of it.
fn traces(gone: &AdvisoryText, content: &Content) -> Vec<Finding> {
    let mut found = Vec::new();
    if !content.attachments.is_empty() {
        found.push(
            Finding::stop("attachment-of-whom", "attachments", "nobody can tell whose they are")
                .cure(
                    "daybreak disclosure remove-attachment; add those of the others again after it",
                ),
        );
    }
    let names = |text: &str| names_of(gone).any(|n| text.contains(n));
    for post in content.posts.iter().filter(|p| p.subject.as_deref().is_some_and(names)) {
        found.push(
            Finding::stop(
                "names-withdrawn",
                format!("post to {}", post.list),
                "its subject names it",
            )
            .cure("open the disclosure with a post of another subject"),
        );
    }
    for release in &content.releases {
        for commit in &release.extra_commits {
            let texts = commit.files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes));
            if names(&commit.message) || texts.into_iter().any(|t| names(&t)) {
                let place = format!("{}: extra commits", release.version);
                found.push(Finding::stop("names-withdrawn", place, "they name it").cure(
                    "daybreak disclosure add-release: the version again, with other commits",
                ));
            }
        }
    }
    found
}

fn names_of(gone: &AdvisoryText) -> impl Iterator<Item = &str> {
    std::iter::once(&gone.public_id).chain(&gone.aliases).map(String::as_str)
}

/// A text that stays and names what went would make it public.
fn mentions(gone: &AdvisoryText, stays: &AdvisoryText) -> Vec<Finding> {
    let AdvisoryText { title, description, remedy, mitigation, .. } = stays;
    let mut fields = vec![
        ("title", title.as_str()),
        ("description", description),
        ("remedy", remedy),
        ("mitigation", mitigation),
    ];
    fields.extend(stays.references.iter().map(|r| ("references", r.url.as_str())));
    fields.extend(stays.aliases.iter().map(|a| ("aliases", a.as_str())));
    let found = fields.into_iter().filter(|(_, text)| names_of(gone).any(|n| text.contains(n)));
    found
        .map(|(field, _)| {
            let place = format!("{}: {field}", stays.public_id);
            Finding::stop("names-withdrawn", place, "it names the advisory that was taken out")
                .cure("daybreak advisory edit: take the name out before anything is made of it")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_still_names_it_is_found() {
        let gone = AdvisoryText {
            public_id: "x_m-3".to_owned(),
            aliases: vec!["CVE-2026-3".to_owned()],
            ..AdvisoryText::default()
        };
        let silent = AdvisoryText { public_id: "x_m-1".to_owned(), ..AdvisoryText::default() };
        assert!(mentions(&gone, &silent).is_empty());
        let description = "See also CVE-2026-3.".to_owned();
        let found = mentions(&gone, &AdvisoryText { description, ..silent });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "x_m-1: description");
    }
}

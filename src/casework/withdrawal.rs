//! An advisory leaves an open disclosure: its fix turned out bad, or it needs more time. What was
//! made with it leaves too: its cells, the patches that fix it alone, the commits staged with them.
//! Whoever heard of it learns by the next notice that it is no part of this disclosure any more;
//! it stays as secret as it was.

use super::disclosures::change;
use super::{Case, CaseError, House, disclosures};
use crate::domain::advisory::{Advisory, AdvisoryText};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::Finding;
use crate::domain::secret::Reason;

/// Takes an advisory out; what must be done after it is returned. A patch that fixes others as
/// well stops it: nobody can tell which lines are whose.
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
    let branches: Vec<_> = content
        .patches
        .iter()
        .filter(|p| p.fixes.contains(&id))
        .map(|p| p.branch.clone())
        .collect();
    content.advisories.retain(|a| *a != id);
    content.cells.retain(|c| c.advisory != id);
    content.patches.retain(|p| !p.fixes.contains(&id));
    content.candidates.retain(|c| !branches.contains(&c.branch));
    let mut findings: Vec<Finding> = branches.iter().map(|b| restage(&b.to_string())).collect();
    let gone = advisory.text.open(Reason::Review);
    for other in disclosures::advisories_of(house, &content).await? {
        findings.extend(mentions(gone, other.text.open(Reason::Review)));
    }
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
    let names = || std::iter::once(&gone.public_id).chain(&gone.aliases);
    let found = fields.into_iter().filter(|(_, text)| names().any(|n| text.contains(n.as_str())));
    found
        .map(|(field, _)| {
            let place = format!("{}: {field}", stays.public_id);
            Finding::warn("names-withdrawn", place, "it names the advisory that was taken out")
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

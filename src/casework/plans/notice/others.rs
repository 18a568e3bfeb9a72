//! What the team's own words would tell a reporter of flaws that others found. They go to
//! everybody who hears, and a reporter knows of their own advisories alone.

use std::iter::once;

use crate::casework::disclosures::advisories_of;
use crate::casework::{Case, House};
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::Finding;
use crate::domain::secret::Reason;
use crate::domain::view::AdvisoryView;
use crate::formats::leak::leaks;

/// Words for somebody whose advisories are `own`, of all that are in the disclosure. Their own
/// names are no news to them.
pub(super) fn of_others(
    own: &[AdvisoryView],
    all: &[AdvisoryView],
    words: &[&str],
) -> Vec<Finding> {
    let theirs = |id: &str| own.iter().any(|a| a.public_id == id);
    let others: Vec<_> = all.iter().filter(|a| !theirs(&a.public_id)).cloned().collect();
    if others.is_empty() {
        return Vec::new();
    }
    let names = || own.iter().flat_map(|a| once(&a.public_id).chain(&a.aliases));
    let judged = |text: &&str| {
        let blank = |text: String, name: &String| text.replace(&name.to_lowercase(), " ");
        leaks("words for reporters", &names().fold(text.to_lowercase(), blank), &others)
    };
    words.iter().flat_map(judged).collect()
}

/// The same for every reporter of a disclosure, before the words are written down for good.
pub(in crate::casework) async fn told_of_others(
    house: &House,
    disclosure: &Disclosure,
    words: &str,
) -> Case<Vec<Finding>> {
    let advisories = advisories_of(house, disclosure.case.open(Reason::Judging)).await?;
    let texts: Vec<_> = advisories.iter().map(|a| a.text.open(Reason::Judging)).collect();
    let all: Vec<AdvisoryView> = texts.iter().map(|t| AdvisoryView::of(t)).collect();
    let mut found = Vec::new();
    for reporter in texts.iter().flat_map(|t| &t.reporters) {
        let own =
            texts.iter().filter(|t| t.reporters.iter().any(|r| r.address == reporter.address));
        let own: Vec<AdvisoryView> = own.map(|t| AdvisoryView::of(t)).collect();
        for finding in of_others(&own, &all, &[words]) {
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
    Ok(found)
}

//! Names of groups of distributors. There is no list of them: a group is there when somebody
//! is in it.

use super::{Case, CaseError, House};
use crate::domain::secret::Reason;

/// The names as they are kept: each once, in order; refused when one could not be typed or
/// printed.
pub(super) fn named(mut groups: Vec<String>) -> Case<Vec<String>> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = |g: &String| !g.is_empty() && g.len() <= 40 && g.chars().all(plain);
    if let Some(bad) = groups.iter().find(|g| !good(g)) {
        return Err(CaseError::invalid(
            "group",
            format!("`{bad}` is not a usable name"),
            "use at most 40 lower-case letters, digits and `-`",
        ));
    }
    groups.sort();
    groups.dedup();
    Ok(groups)
}

/// The same for groups that somebody must be in already: a misspelt one would tell nobody.
pub(super) async fn known(house: &House, groups: Vec<String>) -> Case<Vec<String>> {
    let wanted = named(groups)?;
    let distributors = house.store.read(|r| r.distributors()).await?;
    let all: Vec<&String> =
        distributors.iter().flat_map(|d| &d.record.open(Reason::Judging).groups).collect();
    match wanted.iter().find(|g| !all.contains(g)) {
        None => Ok(wanted),
        Some(stranger) => {
            let there: Vec<String> = all.into_iter().cloned().collect();
            let there = named(there)?;
            let cure = match there.as_slice() {
                [] => {
                    "no distributor is in a group yet: daybreak distributor edit DIST --group NAME"
                        .to_owned()
                }
                some => format!("there are: {}", some.join(", ")),
            };
            Err(CaseError::unknown("group", stranger, cure))
        }
    }
}

//! Affected and fixed versions as people read them, for pages and mails alike.

use serde::Serialize;

use crate::domain::affected::{Affected, Event, Range, RangeKind};

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageWords {
    /// `PyPI`.
    pub ecosystem: String,
    /// Its name.
    pub name: String,
    /// `from 1.0 before 1.4.2`, one for each run of versions.
    pub affected: Vec<String>,
    /// `1.4.2`, in the order written; empty when no fix is named.
    pub fixed: Vec<String>,
    /// Repositories and commits, when ranges of commits are given.
    pub commits: Vec<String>,
}

/// Every package, in order.
pub fn spoken(affected: &[Affected]) -> Vec<PackageWords> {
    affected.iter().map(package).collect()
}

fn package(it: &Affected) -> PackageWords {
    let of_commits = |r: &&Range| r.kind == RangeKind::Git;
    let mut words: Vec<String> =
        it.ranges.iter().filter(|r| !of_commits(r)).flat_map(|r| stretches(&r.events)).collect();
    if words.is_empty() && !it.versions.is_empty() {
        words.push(it.versions.join(", "));
    }
    let mut fixed: Vec<String> = Vec::new();
    for event in it.ranges.iter().filter(|r| !of_commits(r)).flat_map(|r| &r.events) {
        if let Event::Fixed(version) = event
            && !fixed.contains(version)
        {
            fixed.push(version.clone());
        }
    }
    let commits = it
        .ranges
        .iter()
        .filter(of_commits)
        .flat_map(|r| {
            let repo = r.repo.clone().unwrap_or_default();
            stretches(&r.events).into_iter().map(move |s| format!("{repo}: {s}"))
        })
        .collect();
    PackageWords {
        ecosystem: it.ecosystem.clone(),
        name: it.name.clone(),
        affected: words,
        fixed,
        commits,
    }
}

/// Each stretch from an introduction to its end.
fn stretches(events: &[Event]) -> Vec<String> {
    let mut found = Vec::new();
    let mut since: Option<&str> = None;
    for event in events {
        match event {
            Event::Introduced(version) => {
                if let Some(open) = since.replace(version) {
                    found.push(stretch(open, None));
                }
            }
            Event::Fixed(v) => found.push(stretch(since.take().unwrap_or("0"), Some((v, false)))),
            Event::LastAffected(v) => {
                found.push(stretch(since.take().unwrap_or("0"), Some((v, true))));
            }
            // A bound of what was looked at, not of what is affected.
            Event::Limit(_) => {}
        }
    }
    found.extend(since.map(|open| stretch(open, None)));
    found
}

fn stretch(since: &str, end: Option<(&str, bool)>) -> String {
    match (since, end) {
        ("0", None) => "all versions".to_owned(),
        ("0", Some((version, false))) => format!("all before {version}"),
        ("0", Some((version, true))) => format!("all up to and including {version}"),
        (_, None) => format!("from {since} on"),
        (_, Some((version, false))) => format!("from {since} before {version}"),
        (_, Some((version, true))) => format!("from {since} up to and including {version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(events: Vec<Event>) -> Vec<String> {
        let range = Range { kind: RangeKind::Ecosystem, repo: None, events };
        let it = Affected {
            ecosystem: "PyPI".into(),
            name: "meadow".into(),
            purl: None,
            ranges: vec![range],
            versions: vec![],
        };
        package(&it).affected
    }

    #[test]
    fn stretches_of_versions_read_like_a_sentence() {
        use Event::{Fixed, Introduced, LastAffected};
        assert_eq!(
            words(vec![
                Introduced("0".into()),
                Fixed("1.3.9".into()),
                Introduced("1.4.0".into()),
                Fixed("1.4.2".into()),
            ]),
            ["all before 1.3.9", "from 1.4.0 before 1.4.2"]
        );
        assert_eq!(
            words(vec![Introduced("2.0".into()), LastAffected("3.10".into())]),
            ["from 2.0 up to and including 3.10"]
        );
        assert_eq!(words(vec![Introduced("0".into())]), ["all versions"]);
    }
}

//! What a later revision says differs: one sentence a change, from what the reader has to what
//! they get now.

use super::interdiff::{Series, commits};
use super::rating::rate;
use crate::domain::view::{AdvisoryView, NoticePatch, NoticeView};

/// One sentence for each change. `moved` is why the instant is another.
pub fn changes(old: &NoticeView, new: &NoticeView, moved: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    if old.t0.at != new.t0.at {
        let why = moved.map(|why| format!(" Reason: {why}")).unwrap_or_default();
        let (was, now) = (old.t0.spoken(), new.t0.spoken());
        found.push(format!("THE DATE: it was {was} and is now {now}.{why}"));
    }
    advisories(&mut found, old, new);
    for branch in &new.branches {
        let same = |b: &&crate::domain::view::BranchView| {
            b.branch == branch.branch && b.public_id == branch.public_id
        };
        let was = old.branches.iter().find(same).map(|b| b.state.as_str());
        if was != Some(branch.state.as_str()) {
            let was = was.map(|was| format!("was {was}, ")).unwrap_or_default();
            found.push(format!(
                "Branch {}, {}: {was}now {}.",
                branch.branch, branch.public_id, branch.state
            ));
        }
    }
    let gone = old.branches.iter().filter(|b| {
        !new.branches.iter().any(|n| n.branch == b.branch && n.public_id == b.public_id)
    });
    found.extend(gone.map(|b| format!("Branch {}, {}: no longer listed.", b.branch, b.public_id)));
    releases(&mut found, old, new);
    patches(&mut found, old, new);
    found
}

fn advisories(found: &mut Vec<String>, old: &NoticeView, new: &NoticeView) {
    for now in &new.advisories {
        match old.advisories.iter().find(|a| a.public_id == now.public_id) {
            Some(was) => advisory(found, was, now),
            None => found.push(format!("{}: this advisory is new.", now.public_id)),
        }
    }
    let gone = old
        .advisories
        .iter()
        .filter(|a| !new.advisories.iter().any(|n| n.public_id == a.public_id));
    found.extend(gone.map(|a| format!("{}: no longer part of this disclosure.", a.public_id)));
}

/// Field by field, in the order in which the text prints them.
fn advisory(found: &mut Vec<String>, was: &AdvisoryView, now: &AdvisoryView) {
    let id = &now.public_id;
    if was.title != now.title {
        found.push(format!("{id}, title: was \"{}\", now \"{}\".", was.title, now.title));
    }
    for (field, was, now) in [
        ("other ids", listed(&was.aliases), listed(&now.aliases)),
        ("severity", severity(was), severity(now)),
        ("weakness", listed(&was.cwe), listed(&now.cwe)),
    ] {
        if was != now {
            found.push(format!("{id}, {field}: was {was}, now {now}."));
        }
    }
    for (field, same) in [
        ("affected and fixed versions", was.affected == now.affected),
        ("description", was.description == now.description),
        ("remedy", was.remedy == now.remedy),
        ("mitigation", was.mitigation == now.mitigation),
        ("references", was.references == now.references),
        ("credits", was.credits == now.credits),
    ] {
        if !same {
            found.push(format!("{id}, {field}: changed, see below."));
        }
    }
}

fn listed(all: &[String]) -> String {
    if all.is_empty() { "none".to_owned() } else { all.join(" ") }
}

fn severity(of: &AdvisoryView) -> String {
    match rate(&of.severity) {
        Ok(ratings) if !ratings.is_empty() => {
            let spoken =
                |r: &super::rating::Rating| format!("{} {} ({})", r.word, r.score, r.vector);
            ratings.iter().map(spoken).collect::<Vec<_>>().join(" ")
        }
        _ => listed(&of.severity),
    }
}

fn releases(found: &mut Vec<String>, old: &NoticeView, new: &NoticeView) {
    for now in &new.releases {
        match old.releases.iter().find(|r| r.branch == now.branch) {
            None => found.push(format!(
                "Release {} from {}, tag {}: new.",
                now.version, now.branch, now.tag
            )),
            Some(was) if was != now && !new.releases.contains(was) => found.push(format!(
                "Release from {}: was {}, tag {}, now {}, tag {}.",
                now.branch, was.version, was.tag, now.version, now.tag
            )),
            Some(_) => {}
        }
    }
    let gone = old.releases.iter().filter(|r| !new.releases.iter().any(|n| n.branch == r.branch));
    found.extend(gone.map(|r| format!("Release {} from {}: not issued.", r.version, r.branch)));
}

fn patches(found: &mut Vec<String>, old: &NoticeView, new: &NoticeView) {
    for now in &new.patches {
        let name = &now.file_name;
        let Some(was) = old.patches.iter().find(|p| p.file_name == *name) else {
            found.push(format!("{name}: a new patch, on {}.", now.base));
            continue;
        };
        if was.base != now.base {
            found.push(format!("{name}, base: was {}, now {}.", was.base, now.base));
        }
        if was.bytes != now.bytes {
            found.extend(series(was, now).into_iter().map(|what| format!("{name}, {what}.")));
        }
    }
    let gone =
        old.patches.iter().filter(|p| !new.patches.iter().any(|n| n.file_name == p.file_name));
    found.extend(gone.map(|p| format!("{}: withdrawn, do not use it.", p.file_name)));
}

/// Commit by commit, found again by its title.
fn series(was: &NoticePatch, now: &NoticePatch) -> Vec<String> {
    let (was, now) = (commits_of(was), commits_of(now));
    let mut left: Vec<&(String, Vec<u8>)> = was.iter().collect();
    let mut found = Vec::new();
    for (n, (title, text)) in (1_usize..).zip(&now) {
        let Some(at) = left.iter().position(|(old, _)| old == title) else {
            found.push(format!("commit {n} \"{title}\": new"));
            continue;
        };
        if left.remove(at).1 != *text {
            found.push(format!("commit {n} \"{title}\": changed"));
        }
    }
    found.extend(left.into_iter().map(|(title, _)| format!("commit \"{title}\": dropped")));
    if found.is_empty() {
        found.push("changed in its form only".to_owned());
    }
    found
}

/// Title and text of each commit, without what changes whenever a series is made again: its
/// id and its number.
fn commits_of(patch: &NoticePatch) -> Vec<(String, Vec<u8>)> {
    let series = Series { name: &patch.file_name, bytes: &patch.bytes };
    let lines: Vec<&[u8]> = series.bytes.split_inclusive(|b| *b == b'\n').collect();
    let fleeting = |l: &&&[u8]| l.starts_with(b"From ") || l.starts_with(b"Subject: [PATCH");
    commits(&lines)
        .into_iter()
        .map(|commit| {
            let own = lines.get(commit.lines).unwrap_or_default();
            (
                commit.title,
                own.iter().filter(|l| !fleeting(l)).copied().collect::<Vec<_>>().concat(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;

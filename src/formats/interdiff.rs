//! From the patches a reader has to the patches of the next revision: a unified diff of the
//! series files themselves.
//!
//! It must stay true in the plainest sense: `git apply` over the old files makes the new ones,
//! byte for byte. Each hunk says in which commit it stands.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Above this many lines in both files together a file is shown as replaced: comparing would
/// take long, and nobody reads such a comparison.
const MOST: usize = 20_000;

/// One series as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series<'a> {
    /// Its file name.
    pub name: &'a str,
    /// The mbox.
    pub bytes: &'a [u8],
}

/// The whole difference; empty when there is none.
pub fn interdiff(old: &[Series<'_>], new: &[Series<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for was in old {
        match new.iter().find(|n| n.name == was.name) {
            Some(now) if now.bytes == was.bytes => {}
            Some(now) => file(&mut out, Some(was), Some(now)),
            None => file(&mut out, Some(was), None),
        }
    }
    for now in new.iter().filter(|n| !old.iter().any(|o| o.name == n.name)) {
        file(&mut out, None, Some(now));
    }
    out
}

fn file(out: &mut Vec<u8>, old: Option<&Series<'_>>, new: Option<&Series<'_>>) {
    let name = old.or(new).map(|s| s.name).unwrap_or_default();
    out.extend_from_slice(format!("diff --git a/{name} b/{name}\n").as_bytes());
    let (from, to) = match (old, new) {
        (None, _) => ("/dev/null".to_owned(), format!("b/{name}")),
        (_, None) => (format!("a/{name}"), "/dev/null".to_owned()),
        _ => (format!("a/{name}"), format!("b/{name}")),
    };
    if old.is_none() {
        out.extend_from_slice(b"new file mode 100644\n");
    }
    if new.is_none() {
        out.extend_from_slice(b"deleted file mode 100644\n");
    }
    out.extend_from_slice(format!("--- {from}\n+++ {to}\n").as_bytes());
    let (was, now) = (lines(old), lines(new));
    for ops in group_diff_ops(compare(&was, &now), CONTEXT) {
        hunk(out, &ops, &was, &now);
    }
}

fn lines<'a>(of: Option<&Series<'a>>) -> Vec<&'a [u8]> {
    of.map(|s| s.bytes.split_inclusive(|b| *b == b'\n').collect()).unwrap_or_default()
}

fn compare(old: &[&[u8]], new: &[&[u8]]) -> Vec<DiffOp> {
    if old.len().saturating_add(new.len()) <= MOST {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    let (old_len, new_len) = (old.len(), new.len());
    vec![DiffOp::Replace { old_index: 0, old_len, new_index: 0, new_len }]
}

fn hunk(out: &mut Vec<u8>, ops: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) {
    let span = |of: fn(&DiffOp) -> Range<usize>| {
        let start = ops.first().map_or(0, |op| of(op).start);
        start..ops.last().map_or(start, |op| of(op).end)
    };
    let (was, now) = (span(DiffOp::old_range), span(DiffOp::new_range));
    let mut head = format!("@@ -{} +{} @@", place(&was), place(&now));
    let first_change = ops.iter().find(|op| !matches!(op, DiffOp::Equal { .. }));
    let at = first_change.map_or(now.start, |op| op.new_range().start);
    if let Some(title) = title_at(new, at) {
        head.push(' ');
        head.push_str(&title);
    }
    out.extend_from_slice(head.as_bytes());
    out.push(b'\n');
    for op in ops {
        if matches!(op, DiffOp::Equal { .. }) {
            write(out, b' ', old.get(op.old_range()));
        } else {
            write(out, b'-', old.get(op.old_range()));
            write(out, b'+', new.get(op.new_range()));
        }
    }
}

fn write(out: &mut Vec<u8>, sign: u8, lines: Option<&[&[u8]]>) {
    for line in lines.unwrap_or_default() {
        out.push(sign);
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

/// `start,count` as unified diffs count: from 1, and from 0 where there is no line.
fn place(range: &Range<usize>) -> String {
    let start = if range.is_empty() { range.start } else { range.start.saturating_add(1) };
    format!("{start},{}", range.len())
}

/// The title of the commit that line `at` stands in.
fn title_at(lines: &[&[u8]], at: usize) -> Option<String> {
    let commits = commits(lines);
    let found = commits.iter().rfind(|c| c.lines.start <= at).or(commits.first());
    found.map(|c| c.title.clone())
}

/// One commit of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    /// Its subject without `[PATCH n/m]`.
    pub title: String,
    /// Where it stands in the file.
    pub lines: Range<usize>,
}

/// The commits of an mbox as git writes it: each begins with `From`, an object id and a date.
pub(super) fn commits(lines: &[&[u8]]) -> Vec<Commit> {
    let starts: Vec<usize> =
        lines.iter().enumerate().filter(|(_, l)| begins(l)).map(|(n, _)| n).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let commit = |(start, end): (usize, usize)| Commit {
        title: title(lines.get(start..end).unwrap_or_default()),
        lines: start..end,
    };
    starts.iter().copied().zip(ends).map(commit).collect()
}

fn begins(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"From ").unwrap_or_default();
    let id = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    id >= 40 && rest.get(id) == Some(&b' ')
}

fn title(commit: &[&[u8]]) -> String {
    let mut text = String::new();
    for line in commit.iter().take_while(|l| **l != b"\n" && **l != b"\r\n") {
        let line = String::from_utf8_lossy(line);
        match line.strip_prefix("Subject: ") {
            Some(subject) => text = subject.trim_end().to_owned(),
            None if !text.is_empty() && line.starts_with([' ', '\t']) => {
                text.push(' ');
                text.push_str(line.trim());
            }
            None if !text.is_empty() => break,
            None => {}
        }
    }
    let bare = match text.strip_prefix("[PATCH").and_then(|rest| rest.split_once(']')) {
        Some((_, title)) => title.trim().to_owned(),
        None => text,
    };
    bare.chars().filter(|c| !c.is_control()).take(72).collect()
}

#[cfg(test)]
mod tests;

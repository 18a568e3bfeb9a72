//! Ranges of one package: checked against what schema and clients demand, then joined into
//! one range where that provably means the same.

use super::super::FormatError;
use super::pypi::is_version;
use crate::domain::affected::{Affected, Event, Range, RangeKind};

/// The ranges of `affected[at]`, or the field that cannot stand.
pub(super) fn checked(at: usize, it: &Affected) -> Result<Vec<Range>, FormatError> {
    let python = it.ecosystem == "PyPI";
    for (n, version) in it.versions.iter().enumerate() {
        if python && !is_version(version) {
            return Err(not_pep_440(format!("affected[{at}].versions[{n}]")));
        }
    }
    let mut made = Vec::new();
    for (n, range) in it.ranges.iter().enumerate() {
        let field = format!("affected[{at}].ranges[{n}]");
        check_shape(&field, range)?;
        let mut range = range.clone();
        if python && range.kind != RangeKind::Git {
            range.kind = RangeKind::Ecosystem;
            for event in &range.events {
                let version = version_of(event);
                if version != "0" && !is_version(version) {
                    return Err(not_pep_440(format!("{field}.events")));
                }
            }
        }
        made.push(range);
    }
    Ok(made)
}

fn not_pep_440(field: String) -> FormatError {
    FormatError::field(
        field,
        "holds a version that PyPI does not know",
        "write versions by PEP 440, such as 1.4.2 or 2.0rc1",
    )
}

fn check_shape(field: &str, range: &Range) -> Result<(), FormatError> {
    let wrong = |wrong: &str, right: &str| Err(FormatError::field(field, wrong, right));
    if !range.events.iter().any(|e| matches!(e, Event::Introduced(_))) {
        return wrong("does not say where it begins", "add an `introduced` event, `0` for all");
    }
    let has = |wanted: fn(&Event) -> bool| range.events.iter().any(wanted);
    if has(|e| matches!(e, Event::Fixed(_))) && has(|e| matches!(e, Event::LastAffected(_))) {
        return wrong("has both `fixed` and `last_affected`", "keep `fixed`, or use two ranges");
    }
    if range.kind == RangeKind::Git {
        if range.repo.as_deref().is_none_or(str::is_empty) {
            return wrong("is of commits and names no repository", "fill in `repo`");
        }
        if !range.events.iter().all(|e| is_commit(version_of(e))) {
            return wrong(
                "holds something that is not a full commit id",
                "use 40 or 64 lower-case hexadecimal digits, or `0`",
            );
        }
    }
    Ok(())
}

fn version_of(event: &Event) -> &str {
    match event {
        Event::Introduced(v) | Event::Fixed(v) | Event::LastAffected(v) | Event::Limit(v) => v,
    }
}

fn is_commit(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text == "0" || (matches!(text.len(), 40 | 64) && text.bytes().all(hex))
}

/// Joins the version ranges of one package into one, because clients show the fixes of a
/// single range only; kept apart where they overlap or cannot be compared.
pub(super) fn merged(ranges: Vec<Range>) -> Vec<Range> {
    let (versions, rest): (Vec<_>, Vec<_>) =
        ranges.into_iter().partition(|r| r.kind == RangeKind::Ecosystem);
    let mut out = match joined(&versions) {
        Some(one) => vec![one],
        None => versions,
    };
    for range in rest {
        if !out.contains(&range) {
            out.push(range);
        }
    }
    out
}

/// Versions from one up to, not including, another.
struct Span<'a> {
    from: Vec<u64>,
    to: Option<Vec<u64>>,
    events: &'a [Event],
}

fn joined(ranges: &[Range]) -> Option<Range> {
    let mut spans: Vec<Span<'_>> = Vec::new();
    for events in ranges.iter().flat_map(|range| range.events.chunks(2)) {
        let (from, to) = match events {
            [Event::Introduced(from), Event::Fixed(to)] => (numbers(from)?, Some(numbers(to)?)),
            [Event::Introduced(from)] => (numbers(from)?, None),
            _ => return None,
        };
        if !spans.iter().any(|span| (&span.from, &span.to) == (&from, &to)) {
            spans.push(Span { from, to, events });
        }
    }
    spans.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    let apart = spans.windows(2).all(|pair| match pair {
        [first, second] => first.to.as_ref().is_some_and(|end| *end <= second.from),
        _ => false,
    });
    let events: Vec<_> = spans.iter().flat_map(|span| span.events.iter().cloned()).collect();
    let kind = RangeKind::Ecosystem;
    (apart && !events.is_empty()).then_some(Range { kind, repo: None, events })
}

/// `1.4.2` as numbers without final zeros, so that `1.0` equals `1`; `None` for anything else.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let mut parts: Vec<u64> =
        version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    while parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(events: &[(&str, &str)]) -> Range {
        let events = events
            .iter()
            .map(|(kind, v)| match *kind {
                "introduced" => Event::Introduced((*v).into()),
                "fixed" => Event::Fixed((*v).into()),
                _ => Event::LastAffected((*v).into()),
            })
            .collect();
        Range { kind: RangeKind::Ecosystem, repo: None, events }
    }

    #[test]
    fn ranges_that_lie_apart_become_one_in_order() {
        let two = vec![
            range(&[("introduced", "1.10"), ("fixed", "1.10.2")]),
            range(&[("introduced", "0"), ("fixed", "1.9.9")]),
        ];
        let one = range(&[
            ("introduced", "0"),
            ("fixed", "1.9.9"),
            ("introduced", "1.10"),
            ("fixed", "1.10.2"),
        ]);
        assert_eq!(merged(two), [one]);
    }

    #[test]
    fn ranges_that_overlap_or_cannot_be_compared_stay_apart() {
        for two in [
            vec![
                range(&[("introduced", "0"), ("fixed", "2")]),
                range(&[("introduced", "1"), ("fixed", "3")]),
            ],
            vec![
                range(&[("introduced", "0"), ("fixed", "2rc1")]),
                range(&[("introduced", "3"), ("fixed", "4")]),
            ],
            vec![
                range(&[("introduced", "0"), ("fixed", "2")]),
                range(&[("introduced", "3"), ("last_affected", "4")]),
            ],
        ] {
            assert_eq!(merged(two.clone()), two);
        }
    }
}

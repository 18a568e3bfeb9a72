//! The leak rule: what may not stand in anything the world sees before GO. It judges masked
//! commit messages, tag messages, clear subjects, ref names and file names.
//!
//! It stops on names of the flaw, on telling words of its title and on words of weaknesses;
//! it warns on paths inside the tree. It is a net, not a proof: a person still reads.

use std::collections::BTreeSet;

use crate::domain::finding::Finding;
use crate::domain::view::AdvisoryView;

/// Words of a title that say nothing about the flaw.
pub(super) const HARMLESS: &str = "about addressed advisory affected affects after allow allowed allows also another any \
    because been before being between both branch bug can cannot cause causes certain change \
    changes could detail details does during each every fix fixed fixes follow follows from \
    given has have into issue issues its lead leads library may might more most multiple new \
    not old only other over package patch possible problem project python release released \
    releases security several shortly should some such than that the their them then there \
    these they this those through under update updates upon user users using various version \
    versions very via was were when where which while will with within without would your";

/// Beginnings of words that tell what kind of flaw it is.
const TELLING: &str = "arbitrar attack bleichenbacher bypass clickjack corrupt craft crash csrf deadlock deref \
    deserial escalat escape exfiltrat exploit forged forgery hijack impersonat inject leak \
    malicious malform oob overflow overread overrun overwrit poison privilege rce redos \
    segfault sandbox sidechannel smuggl spoof sqli ssrf toctou travers tamper uaf unauthent \
    unauthor underflow uninitiali unsanit untrusted xss xxe zeroday";

/// Runs of words that do the same.
const TELLING_PHRASES: &str = "buffer over, code execution, denial of service, double free, format string, heap over, \
    information disclosure, information exposure, integer over, man in the middle, memory \
    safety, null pointer, open redirect, out of bounds, path travers, race condition, side \
    channel, stack over, timing attack, type confusion, use after free, zero day";

/// Judges `text`, which the world would see before GO at `place`.
pub fn leaks(place: &str, text: &str, views: &[AdvisoryView]) -> Vec<Finding> {
    let mut found = Vec::new();
    let lower = text.to_lowercase();
    let spoken = words(&lower);
    for id in named_ids(&lower, views) {
        found.push(
            Finding::stop("leak-id", place, format!("it names `{id}`"))
                .cure("take the id out: it is published at T0"),
        );
    }
    let titles = title_words(views);
    let hits: BTreeSet<&str> =
        spoken.iter().map(String::as_str).filter(|w| titles.iter().any(|t| akin(t, w))).collect();
    for word in hits {
        found.push(
            Finding::stop(
                "leak-title",
                place,
                format!("`{word}` is a word of an advisory's title"),
            )
            .cure("say only that it is a security fix and that details follow"),
        );
    }
    let line = format!(" {} ", spoken.join(" "));
    let telling = spoken
        .iter()
        .map(String::as_str)
        .filter(|word| TELLING.split(' ').any(|start| word.starts_with(start)))
        .chain(TELLING_PHRASES.split(", ").filter(|p| line.contains(&format!(" {p}"))))
        .collect::<BTreeSet<_>>();
    for word in telling {
        found.push(
            Finding::stop(
                "leak-weakness",
                place,
                format!("`{word}` tells what kind of flaw it is"),
            )
            .cure("say only that it is a security fix and that details follow"),
        );
    }
    for path in paths(text) {
        found.push(
            Finding::warn("leak-path", place, format!("`{path}` looks like a place in the tree"))
                .cure("leave it out if it points to the flaw"),
        );
    }
    found
}

/// Lower-case runs of letters and digits.
pub(super) fn words(lower: &str) -> Vec<String> {
    lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether one word is the other with a short ending more: `latch` and `latches`.
fn akin(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short == long || (short.len() >= 4 && long.len() - short.len() <= 3 && long.starts_with(short))
}

fn named_ids(lower: &str, views: &[AdvisoryView]) -> BTreeSet<String> {
    let own =
        views.iter().flat_map(|v| std::iter::once(&v.public_id).chain(&v.aliases).chain(&v.cwe));
    let mut ids: BTreeSet<String> = own
        .filter(|id| !id.trim().is_empty() && lower.contains(&id.to_lowercase()))
        .cloned()
        .collect();
    // Anything shaped like an id, even one we do not know: somebody does.
    for word in lower.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let parts: Vec<&str> = word.split('-').collect();
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let shaped = parts.windows(2).any(|w| matches!(w, ["cwe", n] if number(n)))
            || parts.windows(3).any(|w| matches!(w, ["cve", y, n] if number(y) && number(n)))
            || parts.windows(4).any(|w| match w {
                ["ghsa", rest @ ..] => rest.iter().all(|part| part.len() == 4),
                _ => false,
            });
        if shaped && !ids.iter().any(|id| id.eq_ignore_ascii_case(word)) {
            ids.insert(word.to_owned());
        }
    }
    ids
}

/// The telling words of all titles; the names of the packages are no secret.
fn title_words(views: &[AdvisoryView]) -> BTreeSet<String> {
    let packages: BTreeSet<String> = views
        .iter()
        .flat_map(|v| &v.affected)
        .flat_map(|a| words(&format!("{} {}", a.name, a.ecosystem).to_lowercase()))
        .collect();
    views
        .iter()
        .flat_map(|v| words(&v.title.to_lowercase()))
        .filter(|w| w.chars().count() >= 4 || w.chars().any(|c| c.is_ascii_digit()))
        .filter(|w| !w.bytes().all(|b| b.is_ascii_digit()))
        .filter(|w| !HARMLESS.split(' ').any(|h| h == w) && !packages.contains(w))
        .collect()
}

/// Words with a slash and an ending, and bare file names of source code.
fn paths(text: &str) -> BTreeSet<&str> {
    let inside = |c: char| c.is_alphanumeric() || "._-/+".contains(c);
    text.split(|c: char| !inside(c))
        .map(|word| word.trim_matches(['.', '/', '-']))
        .filter(|word| {
            let (folder, file) = word.rsplit_once('/').unwrap_or(("", word));
            let ending = file.rsplit_once('.').map(|(name, end)| (name.is_empty(), end));
            let Some((false, end)) = ending else { return false };
            let code = ["c", "h", "cc", "cpp", "py", "rs", "go", "js", "ts", "java", "rb", "pyx"];
            code.contains(&end)
                || (!folder.is_empty()
                    && end.len() <= 4
                    && end.chars().all(|c| c.is_ascii_alphabetic()))
        })
        .filter(|word| !word.contains("//"))
        .collect()
}

#[cfg(test)]
mod tests;

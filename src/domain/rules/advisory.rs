//! Whether an advisory's text can be published so that every scanner reads it.

use crate::domain::address;
use crate::domain::advisory::{AdvisoryText, Reporter};
use crate::domain::affected::{Affected, Event, RangeKind};
use crate::domain::finding::Finding;

/// Prefixes the OSV schema knows (ossf/osv-schema, `$defs.prefix`), besides `x_`.
const REGISTERED: &[&str] = &[
    "ALPINE-",
    "ALSA-",
    "ASB-A-",
    "AZL-",
    "BELL-",
    "BIT-",
    "CGA-",
    "CLSA-",
    "CURL-",
    "CVE-",
    "DEBIAN-",
    "DLA-",
    "DRUPAL-",
    "DSA-",
    "DTSA-",
    "ECHO-",
    "EEF-",
    "ELA-",
    "FreeBSD-",
    "GHSA-",
    "GO-",
    "GSD-",
    "HSEC-",
    "JLSEC-",
    "KUBE-",
    "LBSEC-",
    "LSN-",
    "MAL-",
    "MGASA-",
    "MINI-",
    "OESA-",
    "OSEC-",
    "OSV-",
    "PHSA-",
    "PSF-",
    "PUB-A-",
    "PYSEC-",
    "RHBA-",
    "RHEA-",
    "RHSA-",
    "RLSA-",
    "ROOT-",
    "RSEC-",
    "RUSTSEC-",
    "RXSA-",
    "UBUNTU-",
    "USN-",
    "V8-",
    "openSUSE-SU-",
];

/// OSV `references[].type`.
const REFERENCE_TYPES: &[&str] = &[
    "ADVISORY",
    "ARTICLE",
    "DETECTION",
    "DISCUSSION",
    "EVIDENCE",
    "FIX",
    "GIT",
    "INTRODUCED",
    "PACKAGE",
    "REPORT",
    "WEB",
];

/// OSV `credits[].type`.
const CREDIT_TYPES: &[&str] = &[
    "ANALYST",
    "COORDINATOR",
    "FINDER",
    "OTHER",
    "REMEDIATION_DEVELOPER",
    "REMEDIATION_REVIEWER",
    "REMEDIATION_VERIFIER",
    "REPORTER",
    "SPONSOR",
    "TOOL",
];

/// Everything about one text.
pub fn check(text: &AdvisoryText) -> Vec<Finding> {
    let mut found = Vec::new();
    check_id(&text.public_id, &mut found);
    check_words(text, &mut found);
    if text.affected.is_empty() {
        found.push(
            Finding::stop("affected-missing", "affected", "no affected package is named")
                .cure("add [[affected]] with ecosystem, name and ranges"),
        );
    }
    for (i, affected) in text.affected.iter().enumerate() {
        check_affected(&format!("affected[{i}]"), affected, &mut found);
    }
    check_severity(text, &mut found);
    check_lists(text, &mut found);
    for (i, reporter) in text.reporters.iter().enumerate() {
        check_reporter(&format!("reporters[{i}]"), reporter, &mut found);
    }
    found
}

fn check_id(id: &str, found: &mut Vec<Finding>) {
    let known = REGISTERED.iter().any(|p| id.starts_with(p)) || id.starts_with("x_");
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
    if !known || !plain || id.len() > 100 || id.ends_with(['-', '_', '.']) {
        found.push(
            Finding::stop(
                "id-malformed",
                "public_id",
                format!("`{id}` is no id that scanners accept"),
            )
            .cure("use x_PROJECT-YEAR-NUMBER, or a prefix registered with OSV"),
        );
    }
}

fn check_words(text: &AdvisoryText, found: &mut Vec<Finding>) {
    if text.title.trim().is_empty() || text.title.chars().any(char::is_control) {
        found.push(
            Finding::stop("title-malformed", "title", "the title is empty or has a line break")
                .cure("write one line that says what goes wrong"),
        );
    }
    if text.title.chars().count() > 120 {
        found.push(
            Finding::warn("title-long", "title", "the title is longer than 120 characters")
                .cure("shorten it: it becomes the subject of mails"),
        );
    }
    if text.description.trim().is_empty() {
        found.push(
            Finding::stop("description-missing", "description", "there is no description")
                .cure("describe the flaw in full: distributors and the list get this text"),
        );
    }
    if text.remedy.trim().is_empty() {
        found.push(
            Finding::warn("remedy-missing", "remedy", "no remedy is described")
                .cure("say what to do: which version to install, what else to change"),
        );
    }
    for (place, words) in [
        ("title", &text.title),
        ("description", &text.description),
        ("remedy", &text.remedy),
        ("mitigation", &text.mitigation),
    ] {
        if ["TODO", "FIXME", "XX:"].iter().any(|w| words.contains(w)) {
            found.push(
                Finding::warn("unfinished-words", place, "it still says TODO, FIXME or the like")
                    .cure("finish the text"),
            );
        }
    }
}

fn check_affected(place: &str, affected: &Affected, found: &mut Vec<Finding>) {
    if affected.ecosystem.trim().is_empty() || affected.name.trim().is_empty() {
        found.push(
            Finding::stop("package-malformed", place, "ecosystem or name is empty")
                .cure("name the ecosystem as OSV does (PyPI, crates.io, npm, …) and the package"),
        );
    }
    if let Some(purl) = &affected.purl
        && purl.parse::<packageurl::PackageUrl<'_>>().is_err()
    {
        found.push(
            Finding::stop("purl-malformed", format!("{place}.purl"), "it is no package URL")
                .cure("write it as pkg:pypi/name, or leave it out"),
        );
    }
    if affected.ranges.is_empty() && affected.versions.is_empty() {
        found.push(
            Finding::stop("ranges-missing", place, "neither ranges nor versions are given")
                .cure("add a range with introduced and fixed"),
        );
    }
    for (i, range) in affected.ranges.iter().enumerate() {
        let place = format!("{place}.ranges[{i}]");
        if !range.events.iter().any(|e| matches!(e, Event::Introduced(_))) {
            found.push(
                Finding::stop("introduced-missing", &place, "no event says `introduced`")
                    .cure("add { introduced = \"0\" } if every earlier version is affected"),
            );
        }
        let fixed = range.events.iter().any(|e| matches!(e, Event::Fixed(_)));
        let last = range.events.iter().any(|e| matches!(e, Event::LastAffected(_)));
        if fixed && last {
            found.push(
                Finding::stop(
                    "fixed-and-last",
                    &place,
                    "`fixed` and `last_affected` exclude each other",
                )
                .cure("keep `fixed` where a fix exists"),
            );
        }
        if range.kind == RangeKind::Git && range.repo.is_none() {
            found.push(
                Finding::stop("repo-missing", &place, "a GIT range needs `repo`")
                    .cure("add the repository's public address"),
            );
        }
        if range.kind == RangeKind::Semver && affected.ecosystem == "PyPI" {
            found.push(
                Finding::stop("range-type", &place, "PyPI ranges are of type ECOSYSTEM")
                    .cure("write type = \"ECOSYSTEM\""),
            );
        }
    }
}

fn check_severity(text: &AdvisoryText, found: &mut Vec<Finding>) {
    for (i, vector) in text.severity.iter().enumerate() {
        let known = vector.starts_with("CVSS:3.") || vector.starts_with("CVSS:4.0");
        if !known || vector.parse::<cvss::Cvss>().is_err() {
            found.push(
                Finding::stop(
                    "severity-malformed",
                    format!("severity[{i}]"),
                    "it is no CVSS 3.1 or 4.0 vector",
                )
                .cure("write the whole vector, CVSS:3.1/AV:N/…"),
            );
        }
    }
    if text.severity.is_empty() {
        found.push(
            Finding::note("severity-missing", "severity", "no severity is given")
                .cure("add a CVSS vector, or leave it if the project does not rate"),
        );
    }
}

fn check_lists(text: &AdvisoryText, found: &mut Vec<Finding>) {
    for (i, cwe) in text.cwe.iter().enumerate() {
        let digits = cwe.strip_prefix("CWE-").unwrap_or_default();
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
            found.push(
                Finding::stop(
                    "cwe-malformed",
                    format!("cwe[{i}]"),
                    format!("`{cwe}` is no CWE id"),
                )
                .cure("write CWE- and the number"),
            );
        }
    }
    for (i, reference) in text.references.iter().enumerate() {
        let web = reference.url.starts_with("https://") || reference.url.starts_with("http://");
        if !web || reference.url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            found.push(
                Finding::stop(
                    "reference-url",
                    format!("references[{i}].url"),
                    "it is no web address",
                )
                .cure("write https://…"),
            );
        }
        if !REFERENCE_TYPES.contains(&reference.kind.as_str()) {
            found.push(
                Finding::stop(
                    "reference-type",
                    format!("references[{i}].type"),
                    format!("`{}` is unknown to OSV", reference.kind),
                )
                .cure(format!("use one of {}", REFERENCE_TYPES.join(", "))),
            );
        }
    }
    for (i, credit) in text.credits.iter().enumerate() {
        if !CREDIT_TYPES.contains(&credit.role.as_str()) {
            found.push(
                Finding::stop(
                    "credit-role",
                    format!("credits[{i}].role"),
                    format!("`{}` is unknown to OSV", credit.role),
                )
                .cure(format!("use one of {}", CREDIT_TYPES.join(", "))),
            );
        }
    }
    for (i, alias) in text.aliases.iter().enumerate() {
        if alias == &text.public_id
            || alias.trim().is_empty()
            || alias.chars().any(char::is_whitespace)
        {
            found.push(
                Finding::stop(
                    "alias-malformed",
                    format!("aliases[{i}]"),
                    "it is empty, has a space or is the advisory's own id",
                )
                .cure("write a CVE, GHSA or other id, or leave it out"),
            );
        }
    }
}

fn check_reporter(place: &str, reporter: &Reporter, found: &mut Vec<Finding>) {
    if !address::is_plain(&reporter.address) {
        found.push(
            Finding::stop(
                "reporter-address",
                format!("{place}.address"),
                "it is no plain mail address",
            )
            .cure("write name@host without display name, spaces or line breaks"),
        );
    }
    if reporter.received().is_none() {
        found.push(
            Finding::stop("received-at", format!("{place}.received_at"), "it is no instant")
                .cure("write it as 2026-11-01T09:30:00Z"),
        );
    }
    if reporter.credit_consent && reporter.credit.is_none() {
        found.push(
            Finding::warn(
                "credit-words",
                format!("{place}.credit"),
                "they agreed to be credited, but no words are given",
            )
            .cure("ask how they want to be named"),
        );
    }
    if reporter.credit.is_some() && !reporter.credit_consent {
        found.push(
            Finding::note(
                "credit-consent",
                format!("{place}.credit_consent"),
                "the credit is not used until they agree",
            )
            .cure("set credit_consent = true once they have"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::affected::Range;

    fn good() -> AdvisoryText {
        AdvisoryText {
            public_id: "x_meadow-2026-0001".into(),
            title: "Reading past the end".into(),
            description: "…".into(),
            remedy: "Update.".into(),
            severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N".into()],
            affected: vec![Affected {
                ecosystem: "PyPI".into(),
                name: "meadow".into(),
                purl: Some("pkg:pypi/meadow".into()),
                ranges: vec![Range {
                    kind: RangeKind::Ecosystem,
                    repo: None,
                    events: vec![Event::Introduced("0".into()), Event::Fixed("1.3".into())],
                }],
                versions: vec![],
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_good_text_has_no_findings() {
        assert_eq!(check(&good()), []);
    }

    #[test]
    fn an_empty_text_hears_everything_at_once() {
        let codes: Vec<_> = check(&AdvisoryText::default()).into_iter().map(|f| f.code).collect();
        for code in ["id-malformed", "title-malformed", "description-missing", "affected-missing"] {
            assert!(codes.iter().any(|c| c == code), "{code} missing in {codes:?}");
        }
    }

    #[test]
    fn each_mistake_is_named() {
        type Spoil = fn(&mut AdvisoryText);
        let cases: [(&str, Spoil); 9] = [
            ("id-malformed", |t| t.public_id = "MEADOW-1".into()),
            ("title-malformed", |t| t.title = "two\nlines".into()),
            ("severity-malformed", |t| t.severity = vec!["high".into()]),
            ("cwe-malformed", |t| t.cwe = vec!["787".into()]),
            ("alias-malformed", |t| t.aliases = vec![t.public_id.clone()]),
            ("introduced-missing", |t| {
                t.affected[0].ranges[0].events.retain(|e| matches!(e, Event::Fixed(_)))
            }),
            ("fixed-and-last", |t| {
                t.affected[0].ranges[0].events.push(Event::LastAffected("1".into()))
            }),
            ("purl-malformed", |t| t.affected[0].purl = Some("pypi/meadow".into())),
            ("unfinished-words", |t| t.remedy = "TODO".into()),
        ];
        for (code, spoil) in cases {
            let mut text = good();
            spoil(&mut text);
            let found = check(&text);
            assert!(
                found.iter().any(|f| f.code == code && !f.cure.is_empty()),
                "{code}: {found:?}"
            );
        }
    }
}

//! The public announcement that a security release is coming: date and hour, versions, the
//! number of issues and the highest severity. Its view has room for nothing else, and
//! [`judge`] holds what a team's own template or a version's name could still give away.

use std::collections::BTreeSet;

use serde::Serialize;

use super::FormatError;
use super::leak::{HARMLESS, leaks, words};
use super::rating;
use super::templates::Templates;
use crate::domain::finding::{Finding, Severity};
use crate::domain::view::{AdvisoryView, HeadsupView};

const NAME: &str = "headsup.txt";
/// Shortest word that can give something away.
const TELLING: usize = 4;
/// What may stand between the numbers of a version.
const MARKS: &str =
    "a b c v r rc rev alpha beta dev pre preview post final ga lts esr sp p release";

#[derive(Serialize)]
struct Context<'a> {
    team: &'a str,
    contact: &'a str,
    base_url: &'a str,
    t0: String,
    versions: &'a [String],
    count: usize,
    severity: &'static str,
}

/// Subject and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadsupText {
    /// One line, without a list's prefix.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Renders it.
pub fn render(templates: &Templates, view: &HeadsupView) -> Result<HeadsupText, FormatError> {
    let context = Context {
        team: &view.team,
        contact: &view.contact,
        base_url: &view.base_url,
        t0: view.t0.spoken(),
        versions: &view.versions,
        count: view.count,
        severity: rating::highest(&rating::rate(&view.severity)?).unwrap_or_default(),
    };
    Ok(HeadsupText { subject: subject(view), text: templates.render(NAME, context)? })
}

/// The UTC day; the hour stands in the text.
fn subject(view: &HeadsupView) -> String {
    let day: String = view.t0.at.rfc3339().chars().take(10).collect();
    let versions: String =
        view.versions.iter().map(|v| format!(" {v}")).collect::<Vec<_>>().join(",");
    format!("Upcoming security release of {}{versions} on {day}", view.team)
}

/// What must not stand in a Headsup.
pub struct Secrets<'a> {
    /// The advisories.
    pub advisories: &'a [AdvisoryView],
    /// Reporters, their addresses, branches, files: whatever else tells something.
    pub names: &'a [String],
}

/// Judges the final text, whatever template made it. The words that our own template says to
/// everybody tell nothing; any other is held against everything that is known of the flaws.
pub fn judge(
    said: &HeadsupText,
    view: &HeadsupView,
    secrets: &Secrets<'_>,
) -> Result<Vec<Finding>, FormatError> {
    let ours = render(&Templates::load(None)?, view)?;
    let spoken = |it: &HeadsupText| -> BTreeSet<String> {
        words(&format!("{} {}", it.subject, it.text).to_lowercase()).into_iter().collect()
    };
    // Versions are text of the team's: they are judged, not trusted.
    let versions: BTreeSet<String> =
        words(&view.versions.join(" ").to_lowercase()).into_iter().collect();
    let harmless: BTreeSet<String> = spoken(&ours).difference(&versions).cloned().collect();
    let mut found = Vec::new();
    for (place, text) in [("headsup subject", &said.subject), ("headsup", &said.text)] {
        let more = leaks(place, text, secrets.advisories).into_iter();
        let known = |f: &Finding| {
            f.code == "leak-title"
                && harmless.iter().any(|w| f.message.starts_with(&format!("`{w}`")))
        };
        found.extend(more.filter(|f| !known(f)).map(|f| Finding { severity: Severity::Stop, ..f }));
    }
    let secret = secret_words(secrets);
    for word in spoken(said).difference(&harmless).filter(|w| secret.contains(*w)) {
        found.push(
            Finding::stop(
                "leak-headsup",
                "headsup",
                format!("`{word}` is known to come from the advisory, its patches or its people"),
            )
            .cure("say date, versions, number and severity only: see the template headsup.txt"),
        );
    }
    found.extend(view.versions.iter().filter(|v| !is_version(v)).map(|version| {
        Finding::stop(
            "headsup-version",
            "headsup",
            format!("`{version}` is more than a version number"),
        )
        .cure("name the release by its number: daybreak disclosure add-release --version")
    }));
    Ok(found)
}

/// Every word that tells something of the flaws or of whom they came from.
fn secret_words(secrets: &Secrets<'_>) -> BTreeSet<String> {
    let mut texts: Vec<&str> = secrets.names.iter().map(String::as_str).collect();
    for advisory in secrets.advisories {
        texts.extend([
            advisory.title.as_str(),
            &advisory.description,
            &advisory.remedy,
            &advisory.mitigation,
        ]);
        texts.extend(advisory.affected.iter().map(|a| a.name.as_str()));
        texts.extend(advisory.credits.iter().map(|c| c.name.as_str()));
    }
    let tells = |w: &String| {
        w.chars().count() >= TELLING
            && !w.bytes().all(|b| b.is_ascii_digit())
            && !HARMLESS.split(' ').any(|h| h == w)
    };
    texts.iter().flat_map(|t| words(&t.to_lowercase())).filter(tells).collect()
}

/// Numbers, the signs between them, and the few words that versions are made of.
fn is_version(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+-_!".contains(c);
    let mut letters = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty());
    text.chars().any(|c| c.is_ascii_digit())
        && text.len() <= 40
        && text.chars().all(plain)
        && letters.all(|word| MARKS.split(' ').any(|mark| mark.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zone::T0;
    use crate::formats::sample;
    use rstest::rstest;

    fn view() -> HeadsupView {
        HeadsupView {
            team: "Meadow".into(),
            contact: "security@meadow.example".into(),
            base_url: "https://security.meadow.example".into(),
            t0: T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap(),
            versions: vec!["2.0.1".into(), "1.4.3rc1".into()],
            count: 2,
            severity: sample::advisory().severity,
        }
    }

    fn judged(templates: &Templates, view: &HeadsupView) -> Vec<String> {
        let advisories = [sample::advisory()];
        let names = ["Maren Quillfeather".to_owned(), "stable-latch".to_owned()];
        let secrets = Secrets { advisories: &advisories, names: &names };
        let said = render(templates, view).unwrap();
        let found = judge(&said, view, &secrets).unwrap();
        assert!(found.iter().all(|f| f.severity == Severity::Stop));
        found.into_iter().map(|f| f.code).collect()
    }

    #[test]
    fn it_says_date_hour_versions_number_and_severity_and_no_more() {
        let said = render(&Templates::load(None).unwrap(), &view()).unwrap();
        assert_eq!(
            said.subject,
            "Upcoming security release of Meadow 2.0.1, 1.4.3rc1 on 2026-12-01"
        );
        assert_eq!(
            said.text,
            "The Meadow project will make a security release at\n\n  \
             2026-12-01 15:00:00 UTC (Tuesday); 2026-12-01 16:00 in Europe/Berlin\n\n\
             Versions that will be released\n\n  2.0.1\n  1.4.3rc1\n\n\
             Security issues: 2\nHighest severity: high\n\n\
             Please plan to update soon after that instant. This is all we can say\n\
             before it; then everything will be told here and on\n\n  \
             https://security.meadow.example/\n\n\
             How to reach us: security@meadow.example\n"
        );
        assert_eq!(judged(&Templates::load(None).unwrap(), &view()), [""; 0]);
        let bare = HeadsupView { versions: vec![], count: 0, severity: vec![], ..view() };
        let said = render(&Templates::load(None).unwrap(), &bare).unwrap();
        assert!(!said.text.contains("ersions") && !said.text.contains("issues"), "{}", said.text);
        assert!(said.text.contains("16:00 in Europe/Berlin\n\nPlease"), "{}", said.text);
    }

    #[rstest]
    #[case::an_id("See CVE-2026-12345.", &["leak-id"])]
    #[case::any_id("See CVE-1999-0001.", &["leak-id"])]
    #[case::a_title("It is about latches.", &["leak-headsup", "leak-title"])]
    #[case::a_description("Mind your balanced shelves.", &["leak-headsup"])]
    #[case::a_reporter("Thanks to Quillfeather!", &["leak-headsup"])]
    #[case::a_branch("From stable-latch.", &["leak-headsup", "leak-title"])]
    #[case::a_weakness("A buffer overflow.", &["leak-weakness"])]
    #[case::a_path("Look at src/gate.py.", &["leak-headsup", "leak-path"])]
    #[case::nothing("Nice weather on Sunday.", &[])]
    fn a_template_of_the_teams_own_is_held_against_all_that_is_known(
        #[case] more: &str,
        #[case] expected: &[&str],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{}\n{more}\n", include_str!("../../templates/headsup.txt"));
        std::fs::write(folder.path().join(NAME), text).unwrap();
        let mut codes = judged(&Templates::load(Some(folder.path())).unwrap(), &view());
        codes.sort();
        codes.dedup();
        assert_eq!(codes, expected, "{more}");
    }

    #[rstest]
    #[case("2.0.1", true)]
    #[case("v3.1.0-beta.2", true)]
    #[case("1!4.2.post1+lts", true)]
    #[case("3.0-latch-fix", false)]
    #[case("next", false)]
    #[case("2.0 and more", false)]
    fn only_version_numbers_are_versions(#[case] version: &str, #[case] good: bool) {
        assert_eq!(is_version(version), good);
        let view = HeadsupView { versions: vec![version.into()], ..view() };
        let codes = judged(&Templates::load(None).unwrap(), &view);
        assert_eq!(codes.is_empty(), good, "{codes:?}");
    }
}

//! Whether the team's own templates can be used, before the day on which they must: every kind
//! of notice is made of sample data for every audience, and what an override says by itself is
//! looked through for names of flaws, because it says them in every mail and on every page.

use super::leak::leaks;
use super::notice_text::{must, render, template};
use super::templates::Templates;
use crate::domain::advisory::{Credit, Reference};
use crate::domain::affected::{Affected, Event, Range, RangeKind};
use crate::domain::finding::{Finding, Severity};
use crate::domain::news::{News, NoticeKind};
use crate::domain::time::At;
use crate::domain::view::{
    AdvisoryView, Audience, BranchView, FitView, NoticePatch, NoticeView, ReleaseView,
};
use crate::domain::zone::T0;

/// What the flaw rule says that holds for any text of ours, mails of general advice included.
const TELLING: &[&str] = &["leak-id", "leak-title"];

/// Everything that is wrong with the templates in use.
pub fn lint(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for audience in [Audience::Distributor, Audience::Reporter] {
        for news in every_news() {
            let revised = news.kind() == NoticeKind::Revision;
            if !(revised && audience == Audience::Reporter) {
                found.extend(one(templates, &sample(audience), &news));
            }
        }
    }
    found.dedup();
    found.extend(spoken(templates, &[]));
    found
}

/// What overrides say by themselves of `secret`, which is not public yet.
pub fn spoken(templates: &Templates, secret: &[AdvisoryView]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, text) in templates.overrides() {
        let place = format!("templates/{name}");
        let told = leaks(&place, text, secret).into_iter();
        found.extend(told.filter(|f| TELLING.contains(&f.code.as_str())).map(|mut f| {
            // A word of a title may stand in any text by chance; an id does not.
            if f.code != "leak-id" {
                f.severity = Severity::Warn;
            }
            f.cure("take it out: a template says the same in every mail and on every page")
        }));
    }
    found
}

fn one(templates: &Templates, view: &NoticeView, news: &News) -> Vec<Finding> {
    let name = template(news.kind(), view.audience);
    let place = format!("templates/{name}");
    let text = match render(templates, view, news) {
        Ok(text) => text,
        Err(error) => {
            let what = error.to_string();
            return vec![
                Finding::stop("template-unusable", place, what)
                    .cure("mend it, or delete the file to use the embedded one"),
            ];
        }
    };
    let gone = must::missing(&text, &must::useful(view, news));
    gone.into_iter()
        .map(|field| {
            let what = format!("a {} notice made of it prints nothing of `{field}`", news.kind());
            Finding::warn("template-silent", &place, what)
                .cure(format!("print {{{{ {field} }}}}, if readers shall find it"))
        })
        .collect()
}

fn t0(day: i64) -> T0 {
    T0::new(At::from_secs(1_796_137_200 + day * 86_400), chrono_tz::Tz::Europe__Berlin)
}

fn every_news() -> Vec<News> {
    let (reason, public) = ("Sample reason.".to_owned(), "Sample of what is public.".to_owned());
    let may_say = "Sample of what may be said.".to_owned();
    let holds = "Sample of what holds.".to_owned();
    let changes = vec!["Sample change one.".to_owned(), "Sample change two.".to_owned()];
    let off = |holds| News::Cancellation { told: t0(-3), reason: reason.clone(), holds };
    vec![
        News::First,
        News::Revision { since: 1, changes, interdiff: b"sample".to_vec() },
        News::Schedule { old: t0(-3), reason: reason.clone() },
        News::Broken { old: None, public: public.clone(), may_say: may_say.clone() },
        News::Broken { old: Some(t0(-3)), public: public.clone(), may_say },
        News::AtOnce { old: Some(t0(-3)), public },
        off(String::new()),
        off(holds),
    ]
}

fn sample(audience: Audience) -> NoticeView {
    let public_id = "x_sample-0000-0001".to_owned();
    let branch = "sample-branch".to_owned();
    let events = vec![Event::Introduced("0".into()), Event::Fixed("7.8.9".into())];
    let range = Range { kind: RangeKind::Ecosystem, repo: None, events };
    let affected = Affected {
        ecosystem: "PyPI".into(),
        name: "sample".into(),
        purl: None,
        ranges: vec![range],
        versions: Vec::new(),
    };
    let advisory = AdvisoryView {
        public_id: public_id.clone(),
        title: "Sample title".into(),
        description: "Sample description.".into(),
        aliases: vec!["CVE-0000-0001".into()],
        affected: vec![affected],
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into()],
        cwe: vec!["CWE-1".into()],
        remedy: "Sample remedy.".into(),
        mitigation: "Sample mitigation.".into(),
        references: vec![Reference { kind: "WEB".into(), url: "https://sample.example/".into() }],
        credits: vec![Credit { name: "Sample Finder".into(), role: "FINDER".into() }],
    };
    let patch = NoticePatch {
        branch: branch.clone(),
        file_name: "sample-1.patch".into(),
        base: "5a".repeat(20),
        sha256: "6b".repeat(32),
        apply_command: "git am sample-1.patch".into(),
        fits: vec![FitView { place: "tip".into(), commit: "7c".repeat(20), applies: true }],
        bytes: Vec::new(),
    };
    NoticeView {
        audience,
        team: "Sample".into(),
        reply_to: "security@sample.example".into(),
        reference: "sampleref".into(),
        revision: 4321,
        t0: t0(0),
        made_at: t0(-7).at,
        advisories: vec![advisory],
        patches: vec![patch],
        files: Vec::new(),
        machine_readable: true,
        releases: vec![ReleaseView {
            branch: branch.clone(),
            version: "7.8.9".into(),
            tag: "v7.8.9".into(),
        }],
        branches: vec![BranchView { branch, public_id, state: "sample state".into() }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[(&str, &str)]) -> Templates {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Templates::load(Some(folder.path())).unwrap()
    }

    fn codes(files: &[(&str, &str)]) -> Vec<(String, String)> {
        lint(&with(files)).into_iter().map(|f| (f.code, f.place)).collect()
    }

    #[test]
    fn our_own_templates_are_sound() {
        assert_eq!(lint(&Templates::load(None).unwrap()), []);
    }

    #[test]
    fn what_cannot_be_made_and_what_says_nothing_is_found() {
        let whole = "{{ reference }} {{ t0 }} {{ news.old }} {{ news.reason }} {{ reply_to }}";
        assert_eq!(codes(&[("notice_schedule.txt", whole)]), []);
        let unusable = |name: &str| ("template-unusable".to_owned(), format!("templates/{name}"));
        for (name, text) in [
            ("notice_schedule.txt", "{{ reference }} {{ t0 }} {{ news.reason }} {{ reply_to }}"),
            ("notice_schedule.txt", "{{ t0 }} {{ news.old }} {{ news.reason }} {{ reply_to }}"),
            ("notice_schedule.txt", "{{ advisories[0].title }}"),
            ("notice_broken.txt", "{{ reference }} {{ t0 }} {{ news.public }} {{ reply_to }}"),
            ("notice_cancellation.txt", "{{ reference }} {{ reply_to }} {{ news.reason }}"),
            ("notice_revision.txt", "{% extends 'notice.txt' %}"),
            ("notice_reporter.txt", "{{ reference }} {{ nobody }}"),
        ] {
            assert!(codes(&[(name, text)]).contains(&unusable(name)), "{name}: {text}");
        }
        // The block of changes was lost: a revision would not say what changed.
        let first = "{{ reference }} {{ t0 }}";
        let found = codes(&[("notice.txt", first)]);
        assert!(found.contains(&unusable("notice_revision.txt")), "{found:?}");
        let silent = ("template-silent".to_owned(), "templates/notice.txt".to_owned());
        assert!(found.contains(&silent), "{found:?}");
    }

    #[test]
    fn an_override_names_no_flaw() {
        let named = format!("CVE-2026-12345 {}", include_str!("../../templates/post.txt"));
        let found = lint(&with(&[("post.txt", &named)]));
        assert!(found.iter().any(|f| f.code == "leak-id" && f.severity == Severity::Stop));
        let secret = [super::super::sample::advisory()];
        let page = with(&[("not_found.html", "Nothing about latches here")]);
        let found = spoken(&page, &secret);
        assert!(found.iter().any(|f| f.code == "leak-title"), "{found:?}");
        assert!(spoken(&Templates::load(None).unwrap(), &secret).is_empty());
    }
}

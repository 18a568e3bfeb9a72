//! A shelf of publications that a test fills, breaks and watches.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use daybreak::domain::advisory::{Credit, Reference};
use daybreak::domain::affected::{Affected, Event, Range, RangeKind};
use daybreak::domain::blob::Sha256;
use daybreak::domain::time::At;
use daybreak::domain::view::{AdvisoryView, BranchView, PublicView, ReleaseView};
use daybreak::formats::masthead::Masthead;
use daybreak::formats::templates::Templates;
use daybreak::formats::tree::{Papers, PublishedAdvisory, PublishedFile};
use daybreak::formats::{entry, osv, page};
use daybreak::web::{Shown, Unavailable};

/// Text that would be markup anywhere it is not escaped.
pub const HOSTILE: &str = "<script>alert('1')</script>\"'><img src=x onerror=alert(1)>{{ 7 }}";

/// What the fake house holds.
pub struct Shelf {
    pub base_url: &'static str,
    pub templates: Templates,
    pub published: Mutex<Vec<PublishedAdvisory>>,
    /// The database cannot be read.
    pub down: AtomicBool,
    /// The database does not answer.
    pub hanging: AtomicBool,
    pub unready: AtomicBool,
    /// Stands in the edition's word: one house's words mean nothing to another.
    pub history: &'static str,
    /// How often the publications were read whole.
    pub whole_reads: AtomicU32,
    /// How often anything was asked.
    pub asked: AtomicU32,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            base_url: "https://security.meadow.example",
            templates: Templates::load(None).unwrap(),
            published: Mutex::default(),
            down: AtomicBool::default(),
            hanging: AtomicBool::default(),
            unready: AtomicBool::default(),
            history: "",
            whole_reads: AtomicU32::default(),
            asked: AtomicU32::default(),
        }
    }
}

impl Shelf {
    pub fn with(published: Vec<PublishedAdvisory>) -> Self {
        Self { published: Mutex::new(published), ..Self::default() }
    }

    pub fn put(&self, advisory: PublishedAdvisory) {
        self.published.lock().unwrap().push(advisory);
    }

    async fn reach(&self) -> Result<(), Unavailable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.down.load(Ordering::SeqCst) { Err(Unavailable) } else { Ok(()) }
    }
}

#[async_trait]
impl Shown for Shelf {
    fn masthead(&self) -> Masthead {
        Masthead {
            team: "Meadow".into(),
            contact: "security@meadow.example".into(),
            base_url: self.base_url.into(),
        }
    }
    fn templates(&self) -> &Templates {
        &self.templates
    }
    async fn edition(&self) -> Result<String, Unavailable> {
        self.reach().await?;
        let published = self.published.lock().unwrap();
        let history = std::iter::once(self.history.to_owned());
        Ok(history.chain(published.iter().map(|p| format!(" {}", Sha256::of(&p.entry)))).collect())
    }
    async fn publications(&self) -> Result<Vec<PublishedAdvisory>, Unavailable> {
        self.reach().await?;
        self.whole_reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.published.lock().unwrap().clone())
    }
    async fn papers(&self) -> Result<Papers, Unavailable> {
        self.reach().await?;
        Ok(papers())
    }
    async fn ready(&self) -> bool {
        !self.unready.load(Ordering::SeqCst)
    }
}

pub fn papers() -> Papers {
    let armored =
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let text = "Contact: mailto:security@meadow.example\nExpires: 2027-06-01T00:00:00Z\n";
    Papers { certificate: armored.into(), security_txt: text.into() }
}

/// An advisory as a maintainer would write it.
pub fn advisory(id: &str) -> AdvisoryView {
    let events = vec![Event::Introduced("1.2.0".into()), Event::Fixed("1.4.2".into())];
    let older = vec![Event::Introduced("0".into()), Event::Fixed("1.1.9".into())];
    let range = |events| Range { kind: RangeKind::Ecosystem, repo: None, events };
    AdvisoryView {
        public_id: id.into(),
        title: "Gate parser accepts unbalanced latches".into(),
        description: "When a gate file holds a **latch** that is never closed, the parser reads \
            past the end of its buffer and takes what it finds there for the next gate.\n\n\
            A file from a stranger is enough:\n\n```\nfrom meadow import gate\ngate.read(path)\n\
            ```\n\nPrograms that read only their own gate files are not affected."
            .into(),
        aliases: vec!["CVE-2026-12345".into()],
        affected: vec![Affected {
            ecosystem: "PyPI".into(),
            name: "meadow".into(),
            purl: None,
            ranges: vec![range(older), range(events)],
            versions: vec![],
        }],
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H".into()],
        cwe: vec!["CWE-125".into()],
        remedy: "Upgrade to 1.4.2 or 1.1.9.".into(),
        mitigation: "Refuse gate files from strangers, or set `strict = true`.".into(),
        references: vec![Reference {
            kind: "FIX".into(),
            url: "https://git.meadow.example/meadow/commit/0f2b6c1".into(),
        }],
        credits: vec![
            Credit { name: "Ada Brook".into(), role: "FINDER".into() },
            Credit { name: "Tom Field".into(), role: "REMEDIATION_DEVELOPER".into() },
        ],
    }
}

/// Full of markup wherever text may stand.
pub fn hostile(id: &str) -> AdvisoryView {
    let mut it = advisory(id);
    it.title = HOSTILE.into();
    it.description = HOSTILE.into();
    it.remedy = HOSTILE.into();
    it.mitigation = HOSTILE.into();
    it.aliases = vec![HOSTILE.into()];
    it.cwe = vec![HOSTILE.into()];
    it.credits = vec![Credit { name: HOSTILE.into(), role: "FINDER".into() }];
    let url = "https://e.example/\"><script>alert(1)</script>".into();
    it.references = vec![Reference { kind: "WEB".into(), url }];
    it
}

/// An advisory as the site outlet leaves it: final documents, slots filled.
pub fn published(it: &AdvisoryView, base_url: &str, at: &str) -> PublishedAdvisory {
    let release = |branch: &str, version: &str| ReleaseView {
        branch: branch.into(),
        version: version.into(),
        tag: format!("v{version}"),
    };
    let branch = |branch: &str, state: &str| BranchView {
        branch: branch.into(),
        public_id: it.public_id.clone(),
        state: state.into(),
    };
    let public = PublicView {
        team: "Meadow".into(),
        contact: "security@meadow.example".into(),
        base_url: base_url.into(),
        advisories: vec![it.clone()],
        releases: vec![release("main", "1.4.2"), release("1.1", "1.1.9")],
        patches: vec![],
        branches: vec![
            branch("main", "patched"),
            branch("1.1", "patched"),
            branch("1.0", "will not fix: reached its end in May"),
        ],
    };
    let templates = Templates::load(None).unwrap();
    let documents = [
        page::advisory(&templates, it, &public).unwrap(),
        osv::export(it, &public).unwrap(),
        entry::document(it, &public).unwrap(),
    ];
    let at = At::parse_rfc3339(at).unwrap();
    let [page, osv, entry] = documents.map(|d| PublishedFile {
        name: d.name.clone(),
        media_type: d.media_type.to_owned(),
        bytes: d.blob().filled(at).unwrap(),
    });
    PublishedAdvisory { entry: entry.bytes, documents: vec![page, osv] }
}

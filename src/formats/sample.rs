//! Views that the tests of this floor and the next render.

use crate::domain::advisory::{Credit, Reference};
use crate::domain::affected::{Affected, Event, Range, RangeKind};
use crate::domain::blob::Sha256;
use crate::domain::time::At;
use crate::domain::view::{
    AdvisoryView, Audience, BranchView, FitView, NoticePatch, NoticeView, PatchView, PublicView,
    ReleaseView,
};
use crate::domain::zone::T0;

/// Text that would be markup anywhere it is not escaped.
pub const HOSTILE: &str = "<script>alert('1')</script>\"'><img src=x onerror=alert(1)>{{ 7 }}";

/// A patch in git's own form, with lines that mail likes to break.
pub const PATCH: &str = "From 0123 Mon Sep 17 00:00:00 2001\nFrom: Ada <ada@meadow.example>\n\
Subject: [PATCH] Close the gate\n\n---\n gate.py | 2 +-\n\n--- a/gate.py\n+++ b/gate.py\n\
@@ -1 +1 @@\n-open = True \n+open = False\n.\n-- \n2.39.2\n";

pub fn affected() -> Affected {
    let events = vec![Event::Introduced("0".into()), Event::Fixed("1.4.2".into())];
    Affected {
        ecosystem: "PyPI".into(),
        name: "Meadow_Gate".into(),
        purl: None,
        ranges: vec![Range { kind: RangeKind::Ecosystem, repo: None, events }],
        versions: vec!["1.4.0".into(), "1.4.1".into(), "1.10".into()],
    }
}

pub fn advisory() -> AdvisoryView {
    AdvisoryView {
        public_id: "x_meadow-2026-0001".into(),
        title: "Gate parser accepts unbalanced latches".into(),
        description: "A **latch** that is not balanced opens the gate.\n\nSecond paragraph.".into(),
        aliases: vec!["CVE-2026-12345".into()],
        affected: vec![affected()],
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into()],
        cwe: vec!["CWE-476".into()],
        remedy: "Upgrade to 1.4.2.".into(),
        mitigation: "Keep the gate shut.".into(),
        references: vec![Reference { kind: "WEB".into(), url: "https://e.example/a".into() }],
        credits: vec![Credit { name: "Ada".into(), role: "FINDER".into() }],
    }
}

pub fn hostile() -> AdvisoryView {
    let mut it = advisory();
    it.title = HOSTILE.into();
    it.description = HOSTILE.into();
    it.remedy = HOSTILE.into();
    it.mitigation = HOSTILE.into();
    it.aliases = vec![HOSTILE.into()];
    it.cwe = vec![HOSTILE.into()];
    it.credits = vec![Credit { name: HOSTILE.into(), role: "FINDER".into() }];
    it.affected[0].name = HOSTILE.into();
    it.affected[0].ecosystem = HOSTILE.into();
    it.affected[0].versions = vec![HOSTILE.into()];
    it
}

pub fn public(advisory: AdvisoryView) -> PublicView {
    PublicView {
        team: "Meadow".into(),
        contact: "security@meadow.example".into(),
        base_url: "https://security.meadow.example".into(),
        releases: vec![ReleaseView {
            branch: "main".into(),
            version: "1.4.2".into(),
            tag: "v1.4.2".into(),
        }],
        patches: vec![PatchView {
            branch: "main".into(),
            file_name: "meadow-main.patch".into(),
            commits: vec!["ab".repeat(20)],
            bytes: PATCH.as_bytes().to_vec(),
        }],
        branches: vec![BranchView {
            branch: "main".into(),
            public_id: advisory.public_id.clone(),
            state: "patched".into(),
        }],
        advisories: vec![advisory],
    }
}

pub fn notice(audience: Audience) -> NoticeView {
    let public = public(advisory());
    NoticeView {
        audience,
        team: public.team,
        reply_to: public.contact,
        reference: "MDW-7F3A".into(),
        revision: 1,
        t0: T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap(),
        made_at: At::parse_rfc3339("2026-11-20T10:00:00Z").unwrap(),
        advisories: public.advisories,
        patches: vec![NoticePatch {
            branch: "main".into(),
            file_name: "meadow-main.patch".into(),
            base: "cd".repeat(20),
            sha256: Sha256::of(PATCH.as_bytes()).to_string(),
            apply_command: "git am meadow-main.patch".into(),
            fits: vec![FitView {
                place: "the tip of main".into(),
                commit: "cd".repeat(20),
                applies: true,
            }],
            bytes: PATCH.as_bytes().to_vec(),
        }],
        files: vec![],
        machine_readable: true,
        releases: public.releases,
        branches: public.branches,
    }
}

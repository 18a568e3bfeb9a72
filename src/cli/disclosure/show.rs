//! How a disclosure is shown: who knows, when, the matrix of branches, and everything that
//! will become public.

use serde_json::{Value, json};

use crate::casework::mitigations::open_branches;
use crate::casework::{advisories, disclosures, plans};
use crate::cli::desk::Desk;
use crate::cli::print::table;
use crate::cli::words;
use crate::domain::disclosure::{AttachmentKind, Case, Disclosure};
use crate::domain::ids::AdvisoryId;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::secret::Reason;

/// Public ids by id.
type Names = Vec<(AdvisoryId, String)>;

async fn names(desk: &Desk) -> anyhow::Result<Names> {
    let all = advisories::list(&desk.house).await?;
    Ok(all.iter().map(|a| (a.id, a.text.open(Reason::Review).public_id.clone())).collect())
}

fn name(names: &Names, id: AdvisoryId) -> &str {
    names.iter().find(|(known, _)| *known == id).map_or("?", |(_, name)| name)
}

fn instant(disclosure: &Disclosure) -> String {
    disclosure.t0.map_or_else(|| "to be set".to_owned(), |t| t.spoken())
}

fn in_short(disclosure: &Disclosure, names: &Names) -> Value {
    let case = disclosure.case.open(Reason::Review);
    let advisories: Vec<_> = case.advisories.iter().map(|a| name(names, *a)).collect();
    json!({
        "id": disclosure.id, "stage": disclosure.stage, "revision": disclosure.revision,
        "t0": disclosure.t0.map(|t| t.at.rfc3339()),
        "zone": disclosure.t0.map(|t| t.zone.to_string()),
        "advisories": advisories, "open": open_branches(disclosure),
    })
}

pub async fn list(desk: &Desk) -> anyhow::Result<()> {
    let all = disclosures::list(&desk.house).await?;
    let names = names(desk).await?;
    let json: Vec<_> = all.iter().map(|d| in_short(d, &names)).collect();
    desk.print.either(&json, || {
        let rows = all.iter().map(|d| {
            let case = d.case.open(Reason::Review);
            let advisories: Vec<_> = case.advisories.iter().map(|a| name(&names, *a)).collect();
            let stage = match open_branches(d).len() {
                0 => d.stage.to_string(),
                _ => format!("{}, no fix yet", d.stage),
            };
            vec![d.id.to_string(), stage, instant(d), advisories.join(", ")]
        });
        table(&["id", "stage", "T0", "advisories"], rows)
    })
}

pub async fn one(desk: &Desk, disclosure: &Disclosure) -> anyhow::Result<()> {
    let names = names(desk).await?;
    let plans = plans::of(&desk.house, disclosure.id).await?;
    if desk.print.is_json() {
        let mut value = in_short(disclosure, &names);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("case".to_owned(), json!(disclosure.case.open(Reason::Review)));
            fields.insert(
                "plans".to_owned(),
                plans.iter().map(super::super::plan::as_json).collect(),
            );
        }
        return desk.print.json(&value);
    }
    let case = disclosure.case.open(Reason::Review);
    let armed = plans
        .iter()
        .any(|p| p.kind == PlanKind::Release && p.state == PlanState::Approved && !p.held);
    let mut head = vec![
        vec!["id".to_owned(), disclosure.id.to_string()],
        vec!["stage".to_owned(), disclosure.stage.to_string()],
        vec!["T0".to_owned(), instant(disclosure)],
        vec![
            "armed".to_owned(),
            if armed { "yes: an approved release plan waits" } else { "no" }.to_owned(),
        ],
    ];
    match &case.without_notice {
        Some(reason) => head.push(vec!["without notice".to_owned(), reason.clone()]),
        None => {
            let all = "every active distributor".to_owned();
            let some = || format!("only the groups {}", words::listed(&case.groups));
            let who = if case.groups.is_empty() { all } else { some() };
            head.push(vec!["hear in advance".to_owned(), who]);
        }
    }
    for leak in &case.leaks {
        head.push(vec!["public at".to_owned(), format!("{} ({})", leak.url, leak.at.spoken())]);
    }
    if let Some(only) = &case.mitigation_only {
        let open = open_branches(disclosure);
        let open = if open.is_empty() {
            String::new()
        } else {
            format!("; open: {}", words::listed(&open))
        };
        head.push(vec!["mitigation only".to_owned(), format!("{}{open}", only.reason)]);
    }
    if let Some(why) = case.moves.last().and_then(|m| m.overridden.as_ref()) {
        head.push(vec!["moved although".to_owned(), why.clone()]);
    }
    let supported = desk.house.supported();
    let mut parts = vec![table(&[], head)];
    parts.extend(matrix(case, &supported, &names));
    parts.extend(contents(case, &names));
    parts.extend(plan_list(&plans));
    desk.print.data(&parts.join("\n\n"))
}

/// Advisory x supported branch; what is open stands out.
fn matrix(
    case: &Case,
    supported: &[crate::domain::disclosure::BranchRef],
    names: &Names,
) -> Option<String> {
    if case.advisories.is_empty() || supported.is_empty() {
        return None;
    }
    let rows = case.advisories.iter().flat_map(|id| {
        supported.iter().map(move |branch| {
            let state =
                case.cell(*id, branch).map_or_else(|| "OPEN".to_owned(), ToString::to_string);
            vec![name(names, *id).to_owned(), branch.to_string(), state]
        })
    });
    Some(table(&["advisory", "branch", "what happens"], rows))
}

fn contents(case: &Case, names: &Names) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = |head: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            parts.push(table(head, rows));
        }
    };
    let patches = case.patches.iter().map(|p| {
        let fixes: Vec<_> = p.fixes.iter().map(|a| name(names, *a)).collect();
        let fits = p
            .fits
            .iter()
            .map(|f| format!("{} {}", if f.applies { "fits" } else { "DOES NOT FIT" }, f.place));
        vec![
            p.id.to_string(),
            p.branch.to_string(),
            fixes.join(", "),
            fits.collect::<Vec<_>>().join(", "),
        ]
    });
    part(&["patch", "branch", "fixes", ""], patches.collect());
    let attachments = case.attachments.iter().map(|a| {
        let who = match a.kind {
            AttachmentKind::Poc => "contacts that asked for it",
            AttachmentKind::File => "every distributor that hears",
        };
        let (kind, who) = (a.kind.word().to_owned(), who.to_owned());
        vec![a.id.to_string(), a.file_name.clone(), kind, who]
    });
    part(&["attachment", "file", "kind", "for"], attachments.collect());
    let candidates = case.candidates.iter().map(|c| {
        let tag = c.tag.as_ref().map(|t| t.name.clone()).unwrap_or_default();
        vec![c.id.to_string(), c.branch.to_string(), c.tip.clone(), tag]
    });
    part(&["candidate", "branch", "tip", "tag"], candidates.collect());
    let releases = case.releases.iter().map(|r| {
        let files = r.artefacts.iter().map(|a| a.file_name.clone());
        let wanted = r.expected.iter().map(|e| format!("{} x{}", e.pattern, e.count));
        let files: Vec<_> = files.chain(wanted).collect();
        vec![
            r.id.to_string(),
            r.branch.to_string(),
            r.tag.clone(),
            r.kind.word().to_owned(),
            r.upload.join(", "),
            files.join(", "),
        ]
    });
    part(&["release", "branch", "tag", "kind", "upload", "files"], releases.collect());
    let posts = case.posts.iter().map(|p| {
        let subject = p.subject.clone().unwrap_or_else(|| "(made from the advisories)".to_owned());
        vec![p.id.to_string(), p.list.clone(), subject]
    });
    part(&["post", "list", "subject"], posts.collect());
    parts
}

fn plan_list(plans: &[Plan]) -> Option<String> {
    (!plans.is_empty()).then(|| super::super::plan::rows(plans))
}

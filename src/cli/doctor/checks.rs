//! What can be judged without reaching out.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Looked;
use crate::casework::identity::{self, Standing};
use crate::casework::preflight::clock as watched;
use crate::casework::{
    House, advisories, audits, disclosures, distributors, inbound, ledger, opening, plans,
    publications,
};
use crate::cli::config::{named_files, templates};
use crate::config::Config;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ledger::DeliveryState;
use crate::domain::time::At;
use crate::signing::Purpose;
use crate::store::Verdict;

pub fn configuration(dir: &Path) -> anyhow::Result<Looked> {
    let config = Config::load(&dir.join(opening::CONFIG))?;
    let said = format!(
        "{} repositories, {} lists, {} commands",
        config.repository.len(),
        config.list.len(),
        config.command.len()
    );
    let mut findings = named_files(&config);
    findings.extend(templates(dir));
    if config.repository.is_empty() {
        findings.push(
            Finding::warn("no-repository", "repository", "none is configured")
                .cure("add a [repository.NAME] section to daybreak.toml"),
        );
    }
    if config.plans.release == 1 {
        findings.push(Finding::note(
            "one-approval",
            "plans.release",
            "one person alone can publish",
        ));
    }
    Ok(Looked::new("configuration", said, findings))
}

/// Overridden texts that name what is still secret: they say it on every page.
pub async fn spoken(house: &House) -> anyhow::Result<Looked> {
    let findings = advisories::named_in_templates(house).await?;
    let said = format!("{} of your own", house.templates.overrides().len());
    Ok(Looked::new("templates", said, findings))
}

/// Nobody but the owner may read what lies in the data directory.
pub fn modes(dir: &Path) -> Looked {
    let mut findings = Vec::new();
    let mut judge = |path: &Path, name: &str, right: u32| {
        let Ok(about) = std::fs::metadata(path) else { return };
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            findings.push(
                Finding::stop(
                    "mode-open",
                    name,
                    format!("its mode is {mode:03o}: others may read it"),
                )
                .cure(format!("chmod {right:o} {}", path.display())),
            );
        }
    };
    judge(dir, "data directory", 0o700);
    for name in [opening::VAULT_KEY, opening::TEAM_KEY] {
        judge(&dir.join(name), name, 0o600);
    }
    if std::fs::read_dir(dir.join("drafts")).is_ok_and(|mut entries| entries.next().is_some()) {
        findings.push(
            Finding::note("drafts-left", "drafts", "texts that were not taken lie there in clear")
                .cure("take them in with --from, then delete them"),
        );
    }
    Looked::new("file modes", "for the owner only", findings)
}

pub async fn database(house: &House) -> anyhow::Result<Looked> {
    let revision = house.store.revision().await?;
    Ok(Looked::new("database", format!("open, {revision} writes"), vec![]))
}

/// What is public can be shown: nothing else of the site depends on what does not.
pub async fn publications(house: &House) -> anyhow::Result<Looked> {
    let findings = publications::findings(&house.store).await?;
    Ok(Looked::new("publications", "every one can be shown", findings))
}

pub async fn audit(house: &House) -> anyhow::Result<Looked> {
    let (said, findings) = match audits::verify(house).await? {
        Verdict::Intact { lines, head } => (format!("intact, {lines} lines, head {head}"), vec![]),
        Verdict::Broken { seq, .. } => (
            String::new(),
            vec![
                Finding::stop("audit-broken", format!("line {seq}"), "it is not as it was written")
                    .cure("daybreak audit verify says how; keep the database as evidence"),
            ],
        ),
    };
    Ok(Looked::new("audit chain", said, findings))
}

/// Open instants, so that keys are judged when they are needed.
async fn instants(house: &House) -> anyhow::Result<Vec<At>> {
    let now = house.now();
    let all = disclosures::list(house).await?;
    let open = all.iter().filter(|d| d.stage.is_open()).filter_map(|d| d.t0);
    Ok(std::iter::once(now).chain(open.map(|t| t.at).filter(|at| *at > now)).collect())
}

pub async fn signers(house: &House) -> anyhow::Result<Looked> {
    let instants = instants(house).await?;
    let mut findings = Vec::new();
    for purpose in Purpose::ALL {
        let certificate = house.keys.of(purpose).certificate();
        let bad =
            instants.iter().find(|at| certificate.valid_signing_fingerprints(**at).is_empty());
        if let Some(at) = bad {
            findings.push(
                Finding::stop(
                    "signer-not-valid",
                    format!("signing.{}", purpose.word()),
                    format!("its certificate cannot sign at {}", at.spoken()),
                )
                .cure("extend or renew the key, then give its certificate in team.asc"),
            );
        }
    }
    let said = match instants.len().saturating_sub(1) {
        0 => "good now".to_owned(),
        n => format!("good now and at {n} open T0"),
    };
    Ok(Looked::new("signers", said, findings))
}

pub async fn distributors(house: &House) -> anyhow::Result<Looked> {
    let all = distributors::check(house).await?;
    let mut findings: Vec<Finding> = all.into_iter().flat_map(|h| h.findings).collect();
    findings.retain(|f| f.severity > Severity::Note);
    // One bad certificate blocks its own contact and nobody else.
    for finding in &mut findings {
        finding.severity = finding.severity.min(Severity::Warn);
    }
    Ok(Looked::new("distributors", "every certificate is good now and at each open T0", findings))
}

/// Receivers are never called ahead: only what is on this machine is judged.
pub fn webhooks(house: &House) -> Looked {
    let all = &house.config.webhook;
    let mut findings: Vec<Finding> =
        all.iter().filter_map(crate::outlets::webhook::check_secret).collect();
    findings.extend(crate::outlets::pager::check(&house.config.bells));
    Looked::new("webhooks", format!("{} configured, their secrets are usable", all.len()), findings)
}

/// Whether this is the house that the machine knows.
pub async fn identity(house: &House) -> anyhow::Result<Looked> {
    let doubt = match identity::stands(&house.store, &house.dir).await? {
        Standing::New => {
            return Ok(Looked::new("house", "no engine has run yet", vec![]));
        }
        Standing::Known(known) => {
            return Ok(Looked::new(
                "house",
                format!("{}, as this machine knows it", known.id),
                vec![],
            ));
        }
        Standing::Doubted(doubt) => doubt,
    };
    let rearmed = house.store.read(|r| r.quarantine()).await?.map_or(0, |q| q.rearmed.len());
    let needed = house.config.plans.release;
    let finding = Finding::stop(
        "quarantine",
        "house",
        format!("nothing is sent or published: {}; {rearmed} of {needed} re-armed it", doubt.words()),
    )
    .cure("make sure that no other copy of it runs, then daybreak house rearm --as MEMBER --reason TEXT");
    Ok(Looked::new("house", "", vec![finding]))
}

/// Who leads can be read; whether they live can only be told by watching.
pub async fn leader(house: &House) -> anyhow::Result<Looked> {
    let lease = house.store.read(|r| r.lease()).await?;
    let Some(holder) = lease.holder else {
        let finding = Finding::note("no-engine-yet", "lease", "no engine leads now")
            .cure("run `daybreak serve`: without it nothing is sent or published");
        return Ok(Looked::new("engine", "", vec![finding]));
    };
    let said = format!(
        "{holder} leads or led last: started {}, epoch {}, beat {}; one that lives beats every 5 s",
        holder.made_at().spoken(),
        lease.epoch,
        lease.beat
    );
    Ok(Looked::new("engine", said, vec![]))
}

pub async fn clock(house: &House) -> anyhow::Result<Looked> {
    let findings = watched::behind(house).await?.into_iter().collect();
    Ok(Looked::new("clock", house.now().spoken(), findings))
}

/// Mail of nobody, and bells that no relay has taken yet.
pub async fn mail(house: &House) -> anyhow::Result<Looked> {
    let room = inbound::room(house).await?;
    let owed = house.store.read(|r| r.owed_bells()).await?.len();
    let mut findings = Vec::new();
    if room.is_scarce() {
        findings.push(
            Finding::warn(
                "inbound-full",
                "inbound.room_mib",
                "mail of nobody takes nearly all of it",
            )
            .cure("daybreak mail list, then daybreak mail forget; or raise inbound.room_mib"),
        );
    }
    if owed > 0 {
        findings.push(
            Finding::warn(
                "alarm-unheard",
                "mail",
                format!("{owed} answers in clear, and no relay took the team's bell"),
            )
            .cure("daybreak mail list shows them; `daybreak doctor --live` looks at the relay"),
        );
    }
    let said = format!("{} of {} MiB taken by mail of nobody", room.used >> 20, room.all >> 20);
    Ok(Looked::new("mail", said, findings))
}

/// Notices that somebody still lacks, and approved plans that an edit made void.
pub async fn notices(house: &House) -> anyhow::Result<Looked> {
    let open: Vec<_> =
        disclosures::list(house).await?.into_iter().filter(|d| d.stage.is_open()).collect();
    let mut findings = Vec::new();
    for disclosure in &open {
        for worry in ledger::worries(house, disclosure.id).await? {
            let plan = worry.plan;
            let finding = match (worry.step, worry.code.as_str()) {
                (None, _) => Finding::warn(
                    "notice-void",
                    format!("plan {plan}"),
                    "it was approved, is void now, and no other took its place: nobody is told",
                )
                .cure("daybreak plan make DISCLOSURE --kind notice, and have it approved"),
                (Some(step), code) => {
                    let state = worry.state;
                    let said = if code.is_empty() {
                        state.to_string()
                    } else {
                        format!("{state} ({code})")
                    };
                    Finding::warn(code_of(state), format!("step {step}"), said)
                        .cure("daybreak notice status DISCLOSURE; then notice mark or resend")
                }
            };
            findings.push(finding);
        }
    }
    Ok(Looked::new("notices", format!("{} open disclosures", open.len()), findings))
}

const fn code_of(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Bounced => "notice-bounced",
        DeliveryState::Silent => "notice-silent",
        _ => "notice-blocked",
    }
}

/// Who else knows the time, and whether it agrees. Nothing is sent by a clock that a heeded
/// witness does not trust: a stop as soon as something waits for it.
pub async fn witnesses(house: &House) -> anyhow::Result<Vec<Looked>> {
    let armed = !house.store.read(|r| r.live_plans()).await?.is_empty();
    let mut all = Vec::new();
    for witness in &house.witnesses {
        let asked = house.now();
        let said = witness.testify().await;
        let (words, wrong) = watched::testimony(house, said, (asked, house.now()));
        let findings = wrong.map(|(code, heeded, cure)| {
            let place = format!("the {}", witness.name());
            let finding = match (heeded, armed) {
                (false, _) => Finding::note(code, place, format!("{words}; it is not heeded")),
                (true, false) => Finding::warn(code, place, &words),
                (true, true) => Finding::stop(code, place, &words),
            };
            if heeded { finding.cure(cure) } else { finding }
        });
        let said = format!("the {}: {words}", witness.name());
        all.push(Looked::new("time witness", said, findings.into_iter().collect()));
    }
    Ok(all)
}

/// The cached state of every step against its log, and what waits for a person.
pub async fn plans(house: &House) -> anyhow::Result<Looked> {
    let live = house.store.read(|r| r.live_plans()).await?;
    let mut findings = Vec::new();
    for id in live.iter().copied() {
        let plan = house.store.read(move |r| r.plan(id)).await?;
        let standing = plans::standing(house, &plan).await?;
        let rows = house.store.read(move |r| r.steps(id)).await?;
        for row in rows {
            let Some(progress) = standing.run.progress(row.id) else { continue };
            let word = progress.status.word();
            // A person's event is folded into the cache when an engine next looks.
            if row.state != word
                && standing.events.iter().rfind(|e| e.step == row.id).is_some_and(|e| e.epoch != 0)
            {
                findings.push(
                    Finding::warn(
                        "state-stale",
                        format!("step {}", row.id),
                        format!("its row says {}, its log says {word}", row.state),
                    )
                    .cure("the log is right; the engine mends the row when it next works on it"),
                );
            }
        }
        for step in standing.run.blocked() {
            findings.push(
                Finding::warn("step-blocked", format!("step {step}"), "it waits for a person")
                    .cure("daybreak plan show PLAN, then plan done, skip or retry"),
            );
        }
    }
    Ok(Looked::new("plans", format!("{} approved or running", live.len()), findings))
}

//! `daybreak bench hostile`: what a mail that wants to hurt costs at most.
//!
//! Each is taken by a process of its own, as a mail server's pipe would start one, in a house
//! made for it; the process says at its end how much of the processor and of memory it had. A
//! parent's account would not do: the peak that the system keeps of a child begins with what
//! its parent held when it was made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::super::exit::{Ended, Exit, refuse};
use super::super::print::{Print, table};
use super::super::{desk::open_house, mail};
use super::fanout::cpu;
use crate::casework::distributors::{self, NewContact, NewDistributor};
use crate::casework::inbound::{self, Arrived};
use crate::casework::opening::{self, KeySource, Setup};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::deed::Actor;
use crate::domain::party::{ContactKind, Profile};
use crate::domain::time::Span;
use crate::exec::Process;
use crate::pgp::hostile::sealed;
use crate::pgp::{Certificate, ResidentSigner, Signer as _, samples};
use crate::town::attacks::{Attack, attacks, inline};

/// Milliseconds of a processor that one mail may cost; an unoptimised build needs longer.
const TIME: f64 = if cfg!(debug_assertions) { 5000.0 } else { 2000.0 };
/// Bytes of memory that one mail may cost.
const MEMORY: u64 = 256 << 20;
/// Bytes inside the largest honest answer: near what a mail may have.
const LARGEST: usize = if cfg!(debug_assertions) { 2 << 20 } else { 16 << 20 };
/// The word for one that was taken.
const TAKEN: &str = "taken";

/// Feed mail that wants to hurt to processes of its own, and print the worst they took
#[derive(Debug, Args)]
#[command(
    after_help = "A release build tells the truth.\n\nExample:\n  daybreak bench hostile --json"
)]
pub struct Hostile {
    /// In the child: take the mail on standard input in this house
    #[arg(long, hide = true, value_name = "DIR")]
    measured: Option<PathBuf>,
}

/// What one mail took.
#[derive(Debug, Serialize, Deserialize)]
struct Took {
    /// The word with which it was refused.
    code: String,
    cpu_ms: f64,
    peak_bytes: u64,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    #[serde(flatten)]
    took: Took,
}

/// What came out.
#[derive(Serialize)]
struct Figures {
    mails: Vec<Row>,
    /// Of those that were refused.
    worst_cpu_ms: f64,
    /// Of all.
    worst_peak_bytes: u64,
    /// The bounds, for this build.
    cpu_ms_at_most: f64,
    peak_bytes_at_most: u64,
    optimised: bool,
    met: bool,
}

pub async fn run(args: &Hostile, print: Print) -> Ended {
    if let Some(dir) = &args.measured {
        print.json(&measure(dir).await?)?;
        return Ok(Exit::Ok);
    }
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let dir = folder.path().join("house");
    let mut mails = Vec::new();
    for Attack { name, code, mail } in furnish(&dir).await? {
        let took = in_a_child(&dir, mail).await?;
        if took.code != code {
            let what = format!("`{name}` ended with {} instead of {code}", took.code);
            return Err(refuse(Exit::Failure, what, "report this: no figure is worth anything"));
        }
        mails.push(Row { name, took });
    }
    // What an honest mail costs is its writer's work; what is refused must be refused quickly.
    let refused = mails.iter().filter(|r| r.took.code != TAKEN);
    let worst_cpu_ms = refused.map(|r| r.took.cpu_ms).fold(0.0, f64::max);
    let worst_peak_bytes = mails.iter().map(|r| r.took.peak_bytes).max().unwrap_or(0);
    let figures = Figures {
        mails,
        worst_cpu_ms,
        worst_peak_bytes,
        cpu_ms_at_most: TIME,
        peak_bytes_at_most: MEMORY,
        optimised: !cfg!(debug_assertions),
        met: worst_cpu_ms < TIME && worst_peak_bytes < MEMORY,
    };
    print.either(&figures, || shown(&figures))?;
    if !figures.optimised {
        print.talk("this build is not optimised: build with --release for figures that count");
    }
    Ok(if figures.met { Exit::Ok } else { Exit::Failure })
}

/// A house with one organisation on its list, and everything that is sent to it: the attacks,
/// then two honest mails, the second as large as may be.
async fn furnish(dir: &Path) -> anyhow::Result<Vec<Attack>> {
    let clock = SystemClock::new();
    let setup = Setup {
        name: "Meadow".to_owned(),
        address: "security@meadow.example".to_owned(),
        base_url: "https://security.meadow.example".to_owned(),
        database: "sqlite:daybreak.sqlite".to_owned(),
        threshold: 1,
        key: KeySource::Generate,
    };
    opening::create(dir, &setup, &clock)?;
    let house = open_house(dir)?;
    let now = clock.wall();
    let key = samples::cv25519("Heath <security@heath.example>", now.plus(Span::mins(-5)))?;
    let armored = key.certificate.armored().into_bytes();
    let contact = NewContact {
        address: "security@heath.example".to_owned(),
        kind: ContactKind::Person,
        profile: Profile::default(),
        certificates: vec![("key.asc".to_owned(), armored)],
    };
    let new = NewDistributor {
        name: "Heath".to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        groups: Vec::new(),
        contact,
        accept_unusable: false,
    };
    distributors::add(&house, Actor::Operator, new).await?;
    let team = std::fs::read(dir.join(opening::TEAM_CERTIFICATE)).context("no certificate")?;
    let team = Certificate::import(&team)?;
    let signer = ResidentSigner::new(&key)?;
    let mut all = attacks(&team, &signer, now).await?;
    let honest = sealed(&signer.sign_message(b"hello", &[], now).await?, &team, now)?;
    all.push(Attack { name: "an honest answer", code: TAKEN, mail: inline(&honest) });
    let text = vec![b'x'; LARGEST];
    let large = sealed(&signer.sign_message(&text, &[], now).await?, &team, now)?;
    all.push(Attack { name: "the largest answer", code: TAKEN, mail: inline(&large) });
    Ok(all)
}

async fn in_a_child(dir: &Path, mail: Vec<u8>) -> anyhow::Result<Took> {
    let ourselves = std::env::current_exe().context("cannot find this program")?;
    let child = Process::new(ourselves)
        .args(["--json", "bench", "hostile", "--measured"])
        .arg(dir)
        .stdin(mail);
    let out = child.run(&SystemClock::new()).await?;
    ensure!(out.ok(), "the measured process failed: {}", out.complaint());
    serde_json::from_slice(&out.stdout).context("the measured process says something else")
}

/// In the child: takes one mail and looks at its own account.
async fn measure(dir: &Path) -> anyhow::Result<Took> {
    let code = match mail::read() {
        Err(_) => "too-large",
        Ok(bytes) => {
            let house = Arc::new(open_house(dir)?);
            let arrived = Arrived { bytes, recipient: None };
            match inbound::receive(&house, Actor::Operator, arrived).await {
                Ok(_) => TAKEN,
                Err(refused) => refused.code(),
            }
        }
    };
    let status = std::fs::read_to_string("/proc/self/status").context("no /proc")?;
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let peak_bytes = kib.context("/proc/self/status is of another form")?.saturating_mul(1024);
    Ok(Took { code: code.to_owned(), cpu_ms: cpu::own(), peak_bytes })
}

fn shown(figures: &Figures) -> String {
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let seconds = |ms: f64| format!("{:.2} s", ms / 1000.0);
    let row = |r: &Row| {
        let name = r.name.to_owned();
        vec![name, r.took.code.clone(), seconds(r.took.cpu_ms), mib(r.took.peak_bytes)]
    };
    let met = if figures.met { "met" } else { "missed" };
    let worst = vec![
        "worst".to_owned(),
        format!("below {} and {}: {met}", seconds(TIME), mib(MEMORY)),
        seconds(figures.worst_cpu_ms),
        mib(figures.worst_peak_bytes),
    ];
    let rows = figures.mails.iter().map(row).chain([worst]);
    table(&["mail", "ends with", "processor", "memory"], rows)
}

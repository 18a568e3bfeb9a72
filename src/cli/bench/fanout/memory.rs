//! Peak memory of sealing, measured in a process of its own that does nothing else.
//!
//! The sealed bytes are streamed away as they come: it is the sealing that is measured, with
//! bodies larger than any notice may be.

use std::io::Write;
use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{available_parallelism, scope};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::super::super::exit::{Ended, Exit};
use super::super::super::print::Print;
use super::super::patch::Patch;
use super::super::resident;
use super::ours::Way;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::time::Span;
use crate::exec::Process;
use crate::pgp::{
    Certificate, Recipients, ResidentSigner, SealError, SignedBody, samples, seal_into,
};

/// What one run took, bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Used {
    way: String,
    recipients: u32,
    size: u32,
    /// Resident before it began, keys made.
    idle_bytes: u64,
    /// The most that was resident.
    peak_bytes: u64,
}

/// Both ways, to so many and to ten times as many.
pub async fn run(recipients: u32, size: u32, print: Print) -> Ended {
    let mut all = Vec::new();
    for way in Way::ALL {
        for many in [recipients, recipients.saturating_mul(10)] {
            print.talk(format!("{}: {size} bytes to {many}", way.words()));
            all.push(in_a_child(way, many, size).await?);
        }
    }
    let line = |used: &Used| {
        let above = used.peak_bytes.saturating_sub(used.idle_bytes) as f64 / f64::from(1 << 20);
        format!(
            "{}: {} bytes to {}: {above:.1} MiB above idle",
            used.way, used.size, used.recipients
        )
    };
    print.either(&all, || all.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(Exit::Ok)
}

async fn in_a_child(way: Way, recipients: u32, size: u32) -> anyhow::Result<Used> {
    let ourselves = std::env::current_exe().context("cannot find this program")?;
    let word = match way {
        Way::Full => "full",
        Way::Shared => "shared",
    };
    let (recipients, size) = (recipients.to_string(), size.to_string());
    let child = Process::new(ourselves)
        .args(["--json", "bench", "fanout", "--memory-of", word])
        .args(["--recipients", &recipients, "--size", &size])
        .allow(Span::mins(60));
    let out = child.run(&SystemClock::new()).await?;
    ensure!(out.ok(), "the measured process failed: {}", out.complaint());
    serde_json::from_slice(&out.stdout).context("the measured process says something else")
}

/// In the child: seals on all cores and looks at its own memory.
pub fn measure(way: Way, recipients: u32, size: u32) -> anyhow::Result<Used> {
    let at = SystemClock::new().wall();
    let (signer, reader) = match way {
        Way::Full => (samples::cv25519("Team <t@meadow.example>", at)?, "Reader <r@larch.example>"),
        Way::Shared => {
            (samples::rsa4096("Team <t@meadow.example>", at)?, "Reader <r@larch.example>")
        }
    };
    let signer = ResidentSigner::new(&signer)?;
    let reader: Certificate = samples::cv25519(reader, at)?.certificate;
    let to = Recipients::of(&[reader], at)?;
    resident::forget_peak()?;
    let idle_bytes = resident::now()?;
    let shared = match way {
        Way::Shared => Some(SignedBody::read(Patch::new(size), size as usize, &signer, at)?),
        Way::Full => None,
    };
    let next = AtomicU32::new(0);
    let work = || -> Result<(), SealError> {
        while next.fetch_add(1, Ordering::Relaxed) < recipients {
            match &shared {
                Some(body) => body.seal_into(Away, &to)?,
                None => seal_into(Away, Patch::new(size), &to, &signer, at)?,
            }
        }
        Ok(())
    };
    scope(|s| {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..cores).map(|_| s.spawn(work)).collect();
        let done = threads.into_iter().map(|t| t.join().unwrap_or(Err(SealError::Failed)));
        done.collect::<Result<Vec<()>, _>>()
    })?;
    let way = way.words().to_owned();
    Ok(Used { way, recipients, size, idle_bytes, peak_bytes: resident::peak()? })
}

/// Where the sealed bytes go.
struct Away;

impl Write for Away {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

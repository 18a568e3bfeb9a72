//! What is printed: a table for people, JSON for programs.

use serde::Serialize;

use super::super::super::print::table;
use super::super::cpu::Spent;
use super::{Against, Run};

/// Medians of one side's runs, for the whole list.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Side {
    #[serde(flatten)]
    spent: Spent,
    /// The most that its main process had resident.
    peak_bytes: f64,
    /// One mail on the wire.
    mail_bytes: f64,
}

impl Side {
    pub fn of(runs: &[Run]) -> Self {
        let of = |figure: fn(&Run) -> f64| median(runs.iter().map(figure).collect());
        let one = |run: &Run| median(run.mails.iter().map(|m| m.bytes.len() as f64).collect());
        Self {
            spent: Spent { cpu_ms: of(|r| r.spent.cpu_ms), wall_ms: of(|r| r.spent.wall_ms) },
            peak_bytes: of(|r| r.peak_bytes as f64),
            mail_bytes: median(runs.iter().map(one).collect()),
        }
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Schleuder with one kind of list key.
#[derive(Debug, Serialize)]
struct Versus {
    key: &'static str,
    #[serde(flatten)]
    side: Side,
    /// Its figures by ours.
    times_less_cpu: f64,
    times_faster: f64,
    times_less_memory: f64,
}

#[derive(Debug, Serialize)]
pub struct Report {
    release_build: bool,
    recipients: u32,
    size: u32,
    rounds: u32,
    cores: usize,
    version: String,
    ours: Side,
    schleuder: Vec<Versus>,
}

impl Report {
    pub fn new(
        args: &Against,
        version: String,
        ours: Side,
        lists: Vec<(&'static str, Side)>,
    ) -> Self {
        let versus = |(key, side): (&'static str, Side)| Versus {
            key,
            times_less_cpu: side.spent.cpu_ms / ours.spent.cpu_ms,
            times_faster: side.spent.wall_ms / ours.spent.wall_ms,
            times_less_memory: side.peak_bytes / ours.peak_bytes,
            side,
        };
        Self {
            release_build: !cfg!(debug_assertions),
            recipients: args.recipients,
            size: args.size,
            rounds: args.rounds,
            cores: crate::pgp::press::cores(),
            version,
            ours,
            schleuder: lists.into_iter().map(versus).collect(),
        }
    }

    pub fn text(&self) -> String {
        let row = |name: String, side: &Side, ratio: String| {
            vec![
                name,
                format!("{:.0}", side.spent.cpu_ms),
                format!("{:.0}", side.spent.wall_ms),
                format!("{:.1}", side.peak_bytes / f64::from(1 << 20)),
                format!("{:.0}", side.mail_bytes),
                ratio,
            ]
        };
        let ours = row("ours, Ed25519".to_owned(), &self.ours, String::new());
        let theirs = self.schleuder.iter().map(|it| {
            let name = format!("schleuder {}, {}", self.version, it.key);
            row(name, &it.side, format!("{:.1}", it.times_less_cpu))
        });
        let head = ["", "CPU ms", "wall ms", "peak MiB", "bytes a mail", "CPU by ours"];
        let table = table(&head, std::iter::once(ours).chain(theirs));
        format!(
            "{} bytes of text to {} subscribers, medians of {} rounds:\n{table}",
            self.size, self.recipients, self.rounds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert!(median(vec![]).is_nan());
    }
}

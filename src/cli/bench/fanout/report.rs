//! What is printed: a table for people, JSON for programs.

use serde::Serialize;

use super::super::super::print::table;
use super::super::cpu::Spent;
use super::Fanout;
use super::ours::Way;

/// One way of signing, ours beside gpg's, milliseconds a message.
#[derive(Debug, Serialize)]
pub struct Row {
    way: Way,
    ours: Spent,
    gpg: Spent,
    /// gpg's CPU time by ours.
    times_less_cpu: f64,
    /// gpg's wall time by ours.
    times_faster: f64,
    /// What the primitives alone would take; absent without openssl.
    bound_ms: Option<f64>,
    /// Our CPU time by the bound.
    distance: Option<f64>,
}

impl Row {
    pub fn new(
        way: Way,
        mine: &[Spent],
        theirs: &[Spent],
        recipients: u32,
        bound_ms: Option<f64>,
    ) -> Self {
        let (ours, gpg) = (a_message(mine, recipients), a_message(theirs, recipients));
        Self {
            way,
            ours,
            gpg,
            times_less_cpu: gpg.cpu_ms / ours.cpu_ms,
            times_faster: gpg.wall_ms / ours.wall_ms,
            bound_ms,
            distance: bound_ms.map(|bound| ours.cpu_ms / bound),
        }
    }
}

/// The medians of all rounds, for one message.
fn a_message(rounds: &[Spent], recipients: u32) -> Spent {
    let median = |of: fn(&Spent) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN) / f64::from(recipients)
    };
    Spent { cpu_ms: median(|s| s.cpu_ms), wall_ms: median(|s| s.wall_ms) }
}

#[derive(Debug, Serialize)]
pub struct Report {
    release_build: bool,
    recipients: u32,
    size: u32,
    rounds: u32,
    cores: usize,
    rows: Vec<Row>,
}

impl Report {
    pub fn new(args: &Fanout, rows: Vec<Row>) -> Self {
        Self {
            release_build: !cfg!(debug_assertions),
            recipients: args.recipients,
            size: args.size,
            rounds: args.rounds,
            cores: crate::pgp::press::cores(),
            rows,
        }
    }

    pub fn text(&self) -> String {
        let figure = |value: f64| format!("{value:.3}");
        let maybe = |value: Option<f64>, places| {
            value.map_or("not run".to_owned(), |v| format!("{v:.places$}"))
        };
        let rows = self.rows.iter().map(|row| {
            vec![
                row.way.words().to_owned(),
                figure(row.ours.cpu_ms),
                figure(row.ours.wall_ms),
                figure(row.gpg.cpu_ms),
                figure(row.gpg.wall_ms),
                format!("{:.1}", row.times_less_cpu),
                maybe(row.bound_ms, 3),
                maybe(row.distance, 2),
            ]
        });
        let head = [
            "signed with",
            "ours CPU ms",
            "wall",
            "gpg CPU ms",
            "wall",
            "CPU ratio",
            "bound ms",
            "distance",
        ];
        let table = table(&head, rows);
        format!(
            "{} bytes to {} recipients, medians of {} rounds, a message:\n{table}",
            self.size, self.recipients, self.rounds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_round_counts() {
        let spent = |cpu_ms| Spent { cpu_ms, wall_ms: 2.0 * cpu_ms };
        let row = Row::new(
            Way::Full,
            &[spent(10.0), spent(900.0), spent(20.0)],
            &[spent(100.0), spent(80.0), spent(1.0)],
            10,
            Some(1.0),
        );
        assert_eq!((row.ours.cpu_ms, row.gpg.cpu_ms, row.times_less_cpu), (2.0, 8.0, 4.0));
        assert_eq!(row.distance, Some(2.0));
    }
}

//! `daybreak bench smtp`: how fast mail leaves, against Python's smtplib into the same sink.
//!
//! Ours is the outlet itself, as notices leave it. Every round measures all of them in turn,
//! so that whatever else the machine does falls on each alike; a mail that the sink kept is
//! compared with what was sent before any figure is printed.

use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;

use super::super::bar::bar;
use super::super::exit::{Ended, Exit, refuse};
use super::super::print::{Print, table};
use crate::clock::{Clock, Generator, SystemClock, random};
use crate::config::Relay;
use crate::exec::{ExecError, Process};
use crate::letters::bell::BellMail;
use crate::letters::bell::probe::{Random, Size, compose};
use crate::outlets::mail::MailOutlet;
use crate::town::sink::Sink;

/// What ours must reach of smtplib's mails per second, on one connection each.
const OF_PEER: f64 = 0.9;
/// What four connections must reach of one.
const OF_ONE: f64 = 2.0;

/// The peer: sends standard input COUNT times over one connection, prints the seconds it took.
const PEER: &str = "
import smtplib, socket, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
mail = sys.stdin.buffer.read()
smtp = smtplib.SMTP('127.0.0.1', port, local_hostname='meadow.example')
began = time.perf_counter()
for _ in range(count):
    smtp.sendmail('security@meadow.example', ['security@meadow.example'], mail)
print(time.perf_counter() - began)
smtp.quit()
";

/// Mails per second over a loopback connection, ours and Python's smtplib in turn
#[derive(Debug, Args)]
#[command(after_help = "A release build tells the truth.\n\nExample:\n  \
                  daybreak bench smtp --json\n  daybreak bench smtp --mails 200 --rounds 3")]
pub struct Smtp {
    /// Mails a round
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    mails: u32,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Bytes of a mail, about
    #[arg(long, default_value_t = 20_000)]
    bytes: usize,
}

/// What came out.
#[derive(Serialize)]
struct Figures {
    bytes: usize,
    mails: u32,
    rounds: u32,
    /// Mails per second, the median of all rounds.
    one_connection: f64,
    four_connections: f64,
    /// `null` when there is no Python here.
    smtplib: Option<f64>,
    /// Ours on one connection by smtplib's; at least 0.9.
    of_smtplib: Option<f64>,
    /// Four connections by one; at least 2.
    four_by_one: f64,
    optimised: bool,
    met: bool,
}

pub async fn run(args: &Smtp, print: Print) -> Ended {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let sink = Sink::start().context("cannot open a loopback port")?;
    let mail = Arc::new(mail(args.bytes, clock.as_ref()).await?);
    let (mut one, mut four, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    let mut with_peer = true;
    let bar = bar(usize::try_from(args.rounds)?, "rounds", print);
    for round in 0..args.rounds {
        one.push(ours(&sink, &mail, args.mails, 1, &clock).await?);
        if sink.last() != mail.bytes() {
            return Err(refuse(
                Exit::Failure,
                "the sink has another mail than was sent: no figure is worth anything",
                "report this",
            ));
        }
        if with_peer {
            match smtplib(&sink, &mail, args.mails, clock.as_ref()).await? {
                Some(per_second) => peer.push(per_second),
                None => with_peer = false,
            }
        }
        four.push(ours(&sink, &mail, args.mails, 4, &clock).await?);
        bar.set_position(u64::from(round).saturating_add(1));
    }
    bar.finish_and_clear();
    let figures = figures(args, mail.bytes().len(), (median(one), median(four), median(peer)));
    print.either(&figures, || shown(&figures))?;
    if figures.smtplib.is_none() {
        print.talk("not run: no python3, so nothing was measured against smtplib");
    }
    if !figures.optimised {
        print.talk("this build is not optimised: build with --release for figures that count");
    }
    Ok(Exit::Ok)
}

async fn mail(bytes: usize, clock: &dyn Clock) -> anyhow::Result<BellMail> {
    let rng = Generator::from_system().context("the system has no randomness")?;
    let words = random::<16>(&rng);
    let (id, boundary) = (format!("{}@meadow.example", hex::encode(words)), hex::encode(words));
    let team = "security@meadow.example";
    let random = Random { message_id: &id, boundary: &boundary };
    Ok(compose(team, team, &random, clock.wall(), Size::About(bytes)).await?)
}

/// Mails per second through the outlet, over that many connections.
async fn ours(
    sink: &Sink,
    mail: &Arc<BellMail>,
    mails: u32,
    connections: u32,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<f64> {
    let settings = format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = {connections}\n",
        sink.port()
    );
    let relay: Relay = toml::from_str(&settings)?;
    let outlet = Arc::new(MailOutlet::new(relay, "meadow.example", Arc::clone(clock)));
    let (before, began) = (sink.taken(), clock.mono());
    let mut senders = JoinSet::new();
    for n in 0..connections {
        let (outlet, mail) = (Arc::clone(&outlet), Arc::clone(mail));
        let share = (n..mails).step_by(usize::try_from(connections).unwrap_or(1)).count();
        senders.spawn(async move {
            for _ in 0..share {
                outlet.ring(&mail).await?;
            }
            Ok::<_, crate::domain::receipt::OutletError>(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.context("a sender broke")?.context("the sink did not take a mail")?;
    }
    let took = clock.mono().since(began).as_millis();
    let taken = sink.taken().saturating_sub(before);
    anyhow::ensure!(taken == usize::try_from(mails)?, "{taken} of {mails} mails arrived");
    Ok(f64::from(mails) / (took.max(1) as f64 / 1000.0))
}

/// The peer's mails per second over one connection; `None` when it is not installed.
async fn smtplib(
    sink: &Sink,
    mail: &BellMail,
    mails: u32,
    clock: &dyn Clock,
) -> anyhow::Result<Option<f64>> {
    let before = sink.taken();
    let peer = Process::new("python3")
        .args(["-c", PEER])
        .args([sink.port().to_string(), mails.to_string()])
        .stdin(mail.bytes());
    let out = match peer.run(clock).await {
        Err(ExecError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    anyhow::ensure!(out.ok(), "smtplib failed: {}", out.complaint());
    let taken = sink.taken().saturating_sub(before);
    anyhow::ensure!(taken == usize::try_from(mails)?, "{taken} of smtplib's {mails} mails arrived");
    anyhow::ensure!(sink.last() == mail.bytes(), "smtplib sent other bytes");
    let seconds: f64 = out.text().trim().parse().context("smtplib printed no time")?;
    Ok(Some(f64::from(mails) / seconds.max(0.001)))
}

/// The middle one, or the upper of the two in the middle; `None` of nothing.
fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

type Medians = (Option<f64>, Option<f64>, Option<f64>);

fn figures(args: &Smtp, bytes: usize, (one, four, peer): Medians) -> Figures {
    let rounded = |x: f64| (x * 100.0).round() / 100.0;
    let (one, four) = (one.unwrap_or_default(), four.unwrap_or_default());
    let (of_smtplib, four_by_one) = (peer.map(|p| rounded(one / p)), rounded(four / one));
    Figures {
        bytes,
        mails: args.mails,
        rounds: args.rounds,
        one_connection: one.round(),
        four_connections: four.round(),
        smtplib: peer.map(f64::round),
        of_smtplib,
        four_by_one,
        optimised: !cfg!(debug_assertions),
        met: of_smtplib.is_none_or(|r| r >= OF_PEER) && four_by_one >= OF_ONE,
    }
}

fn shown(figures: &Figures) -> String {
    let of = |ratio: f64, goal: f64| {
        format!("{ratio:.2} (at least {goal}: {})", if ratio >= goal { "met" } else { "missed" })
    };
    let mut rows = vec![
        vec!["mails of".to_owned(), format!("{} bytes", figures.bytes)],
        vec!["one connection".to_owned(), format!("{} mails/s", figures.one_connection)],
        vec!["four connections".to_owned(), format!("{} mails/s", figures.four_connections)],
        vec!["four by one".to_owned(), of(figures.four_by_one, OF_ONE)],
    ];
    if let (Some(peer), Some(ratio)) = (figures.smtplib, figures.of_smtplib) {
        rows.push(vec!["smtplib".to_owned(), format!("{peer} mails/s")]);
        rows.push(vec!["one by smtplib".to_owned(), of(ratio, OF_PEER)]);
    }
    table(&[], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }

    #[tokio::test]
    async fn every_mail_is_counted_and_compared() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sink = Sink::start().unwrap();
        let mail = Arc::new(mail(20_000, clock.as_ref()).await.unwrap());
        assert!(ours(&sink, &mail, 10, 4, &clock).await.unwrap() > 0.0);
        assert_eq!((sink.taken(), sink.last() == mail.bytes()), (10, true));
        let Some(peer) = smtplib(&sink, &mail, 3, clock.as_ref()).await.unwrap() else { return };
        assert!(peer > 0.0 && sink.taken() == 13);
    }
}

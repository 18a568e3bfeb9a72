//! `daybreak watch`: a dead man's switch for a second machine that holds nothing of the house.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::exit::{Ended, Exit};
use super::print::Print;
use crate::clock::{Clock, SystemClock, sleep};
use crate::domain::time::{At, Mono, Span};
use crate::exec::Process;
use crate::outlets::pulse::Pulse;

/// Run a command when no engine has shown that it lives for too long; needs no data directory
#[derive(Debug, Args)]
#[command(
    after_help = "Several sources are several machines of one house: one that lives is enough.\n\n\
                  Example:\n  \
                  daybreak watch https://security.meadow.example/heartbeat --after 2m -- page-everybody\n  \
                  daybreak watch /run/daybreak/heartbeat --once"
)]
pub struct Watch {
    /// Files or web addresses that show a heartbeat
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// How often to look: 30s, 1m
    #[arg(long, default_value = "30s", value_parser = span, value_name = "SPAN")]
    pub every: Span,
    /// How long the engine may be silent: 2m, 90s, 1h
    #[arg(long, default_value = "2m", value_parser = span, value_name = "SPAN")]
    pub after: Span,
    /// File with the secret that heartbeats are signed with
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Look once, and end with 1 when the engine is silent
    #[arg(long)]
    pub once: bool,
    /// What to run; it is told on its standard input, and again at every look until it exits with 0
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is no span: write 30s, 2m or 1h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let span = match unit {
        "s" => Span::secs(number),
        "m" => Span::mins(number),
        "h" => Span::hours(number),
        _ => return Err(wrong()),
    };
    if (1..=24 * 60 * 60).contains(&span.as_secs()) {
        return Ok(span);
    }
    Err(format!("`{text}` is not between a second and a day"))
}

/// What was heard so far.
struct Watched {
    newest: Option<At>,
    /// How long it had been silent at an instant.
    silent: (Span, Mono),
}

impl Watched {
    const fn new(now: Mono) -> Self {
        Self { newest: None, silent: (Span::ZERO, now) }
    }

    /// Only a heartbeat that is newer than all before shows life: clocks of two machines differ,
    /// and an old copy can be shown again. The first one is as old as its time says.
    fn hear(&mut self, at: At, wall: At, now: Mono) {
        if self.newest.is_some_and(|newest| at <= newest) {
            return;
        }
        let age = if self.newest.is_none() { wall.since(at).max(Span::ZERO) } else { Span::ZERO };
        (self.newest, self.silent) = (Some(at), (age, now));
    }

    fn silent(&self, now: Mono) -> Span {
        let (silent, since) = self.silent;
        Span::millis(silent.as_millis().saturating_add(now.since(since).as_millis()))
    }
}

pub async fn run(args: &Watch, print: Print) -> Ended {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let pulse = Pulse::new(Arc::clone(&clock));
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut watched = Watched::new(clock.mono());
    let mut told = false;
    loop {
        let why = look(args, &pulse, &mut watched, clock.as_ref()).await?;
        // Whoever looks once has heard nothing before: nothing at all is silence.
        let never = args.once && watched.newest.is_none();
        let silent = watched.silent(clock.mono());
        let dead = never || silent >= args.after;
        if dead && !told {
            tracing::error!(seconds = silent.as_secs(), "the engine is silent");
            print.talk(format!(
                "The engine is silent for {} s. {}",
                silent.as_secs(),
                why.join("; ")
            ));
            told = tell(args, silent, clock.as_ref()).await;
        } else if told && !dead {
            print.talk("The engine lives again.");
            told = false;
        }
        if args.once {
            let age = watched.newest.map(|_| silent.as_secs());
            print.either(&json!({ "alive": !dead, "seconds": age }), || {
                if dead { "silent".to_owned() } else { "alive".to_owned() }
            })?;
            return Ok(if dead { Exit::Failure } else { Exit::Ok });
        }
        tokio::select! {
            () = sleep(clock.as_ref(), args.every) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
            _ = terminate.recv() => return Ok(Exit::Ok),
        }
    }
}

/// Asks every source; what is wrong with those that show nothing.
async fn look(
    args: &Watch,
    pulse: &Pulse,
    watched: &mut Watched,
    clock: &dyn Clock,
) -> anyhow::Result<Vec<String>> {
    let key = match &args.secret_file {
        Some(file) => {
            let key = tokio::fs::read(file).await.context("--secret-file cannot be read")?;
            Some(Zeroizing::new(key))
        }
        None => None,
    };
    let mut why = Vec::new();
    for source in &args.sources {
        match pulse.listen(source, key.as_ref().map(|k| k.as_slice())).await {
            Ok(at) => watched.hear(at, clock.wall(), clock.mono()),
            Err(wrong) => why.push(format!("{source}: {wrong}")),
        }
    }
    Ok(why)
}

/// Whether the command was run and exited with 0; without one, whoever reads the log is told.
async fn tell(args: &Watch, silent: Span, clock: &dyn Clock) -> bool {
    let Some((program, rest)) = args.command.split_first() else { return true };
    let text = format!(
        "The engine of Daybreak has not shown that it lives for {} seconds.\n\
         Look at its machine; `daybreak doctor` there says more.\n",
        silent.as_secs()
    );
    match Process::new(program).args(rest).stdin(text).run(clock).await {
        Ok(out) if out.ok() => true,
        _ => {
            tracing::error!("the command failed; it is run again at the next look");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_with_their_unit() {
        assert_eq!(span("90s"), Ok(Span::secs(90)));
        assert_eq!((span("2m"), span("1h")), (Ok(Span::mins(2)), Ok(Span::hours(1))));
        for bad in ["", "s", "0s", "-1m", "25h", "10", "1d", "5µ"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_news_shows_life() {
        let (mono, at) = (|s: u64| Mono::from_millis(s * 1000), At::from_secs);
        let mut watched = Watched::new(mono(0));
        assert_eq!(watched.silent(mono(50)), Span::secs(50), "nothing was ever heard");
        watched.hear(at(1000), at(1030), mono(60));
        assert_eq!(watched.silent(mono(60)), Span::secs(30), "it was old already");
        watched.hear(at(1000), at(1090), mono(120));
        assert_eq!(watched.silent(mono(120)), Span::secs(90), "the same again");
        watched.hear(at(1010), at(5000), mono(130));
        assert_eq!(watched.silent(mono(131)), Span::secs(1), "the clocks differ, and it lives");
        watched.hear(at(990), at(5000), mono(140));
        assert_eq!(watched.silent(mono(141)), Span::secs(11), "an old copy");
    }
}

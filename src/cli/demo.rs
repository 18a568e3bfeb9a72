//! `daybreak demo`: the whole story on this machine.

use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::{Ended, Exit, refuse};
use super::print::Print;
use crate::clock::SystemClock;
use crate::domain::time::Span;
use crate::town::demo::{Promise, Teller, run as play};
use crate::town::{Database, Options, find_twine};

/// Show the whole story on this machine, from a private draft to everything public
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak demo --keep town")]
pub struct Demo {
    /// Leave the town in this directory for looking around
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Use this database instead of a file: postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

pub fn run(demo: &Demo, print: Print) -> Ended {
    if let Some(folder) = &demo.keep
        && folder.exists()
    {
        return Err(refuse(
            Exit::Usage,
            "`--keep` names something that exists",
            "name a new directory",
        ));
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("cannot start")?.block_on(show(demo, print))
}

async fn show(demo: &Demo, print: Print) -> Ended {
    let mut options = Options::live(1);
    options.keep.clone_from(&demo.keep);
    if let Some(url) = &demo.database {
        options.database = Database::Postgres(url.clone());
    }
    options.twine = find_twine(&SystemClock::new()).await;
    let screen = Screen { print, bar: Mutex::new(None) };
    let promises = play(options, &screen).await?;
    screen.scene("Where each promise was kept");
    let mut broken = 0_usize;
    for Promise { text, kept, whereabouts } in &promises {
        if !kept {
            broken = broken.saturating_add(1);
        }
        print.data(&format!("{} {text}", if *kept { "kept  " } else { "BROKEN" }))?;
        print.data(&format!("       {whereabouts}"))?;
    }
    if let Some(folder) = &demo.keep {
        print.data(&format!("\nThe town is in {}. Look around with:", folder.display()))?;
        print.data(&format!("  daybreak --dir {}/house disclosure list", folder.display()))?;
        print.data(&format!(
            "  daybreak --dir {}/house audit export {}",
            folder.display(),
            crate::town::story::PUBLIC_ID
        ))?;
        print.data(&format!("  ls {}/mails", folder.display()))?;
    }
    if broken > 0 {
        print.data(&format!("\n{broken} of {} promises were broken", promises.len()))?;
        return Ok(Exit::Failure);
    }
    print.data(&format!("\nall {} promises were kept", promises.len()))?;
    Ok(Exit::Ok)
}

/// The terminal: lines as they come, and a bar that runs down to T0.
struct Screen {
    print: Print,
    bar: Mutex<Option<(ProgressBar, Span)>>,
}

impl Teller for Screen {
    fn scene(&self, title: &str) {
        let _closed_pipe = self.print.data(&format!("\n== {title}"));
    }

    fn line(&self, text: &str) {
        let _closed_pipe = self.print.data(text);
    }

    fn countdown(&self, left: Span) {
        let mut kept = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (bar, whole) = kept.get_or_insert_with(|| {
            let length = u64::try_from(left.as_millis()).unwrap_or(0);
            let bar = ProgressBar::new(length);
            if let Ok(style) = ProgressStyle::with_template("{bar:40} T0 in {msg}") {
                bar.set_style(style);
            }
            (bar, left)
        });
        let gone = whole.as_millis().saturating_sub(left.as_millis());
        bar.set_position(u64::try_from(gone).unwrap_or(0));
        bar.set_message(format!("{} s", left.as_secs()));
        if left <= Span::ZERO {
            bar.finish_with_message("0 s: now");
        }
    }
}

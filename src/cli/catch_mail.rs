//! `daybreak catch-mail`: a stand-in relay for trying things out.
//!
//! What must stay true: it delivers nothing and is reached from this machine only; what the
//! other side calls a recipient never becomes a path; a file that is there is whole.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Ended, Exit, refuse};
use super::files;
use super::print::Print;
use crate::clock::SystemClock;
use crate::town::catcher::{Catcher, Caught, Setup};

/// Take mail like a relay and only keep it, for trying things out
#[derive(Debug, Args)]
#[command(
    after_help = "It delivers nothing: each message becomes DIR/NNN-RECIPIENT.eml, its envelope in the\n\
    first lines (Return-Path, Delivered-To).\n\nExample:\n  \
    daybreak catch-mail --listen 127.0.0.1:2525 --into mail"
)]
pub struct CatchMail {
    /// Where it listens: an address of this machine alone, and a port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// The folder for the messages; a new or empty one
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
}

pub async fn run(args: &CatchMail, print: Print) -> Ended {
    if !args.listen.ip().is_loopback() {
        return Err(refuse(
            Exit::Usage,
            format!("--listen {} can be reached from other machines", args.listen),
            "use 127.0.0.1:PORT; a real relay is the thing for real mail",
        ));
    }
    files::empty_folder(&args.into)?;
    let setup = Setup { listen: Some(args.listen), ..Setup::default() };
    let catcher = Catcher::start(setup, Arc::new(SystemClock::new())).await;
    let catcher = catcher.with_context(|| format!("cannot listen on {}", args.listen))?;
    print.talk(format!(
        "catching mail on {}, into {}; end with Ctrl-C",
        catcher.address(),
        args.into.display()
    ));
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut kept = 0_usize;
    loop {
        let mails = tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
            _ = terminate.recv() => return Ok(Exit::Ok),
            mails = catcher.wait_for(kept.saturating_add(1)) => mails,
        };
        for mail in mails.iter().skip(kept) {
            kept = kept.saturating_add(1);
            let path = keep(&args.into, kept, mail)?;
            print.data(&path.display().to_string())?;
        }
    }
}

/// Written under another name first: whoever waits for `*.eml` never reads half of one.
fn keep(folder: &Path, nth: usize, mail: &Caught) -> anyhow::Result<PathBuf> {
    let path = folder.join(file_name(nth, mail));
    let unfinished = path.with_extension("unfinished");
    files::write_new(&unfinished, &with_envelope(mail))?;
    std::fs::rename(&unfinished, &path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn file_name(nth: usize, mail: &Caught) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+');
    let to = mail.to.first().map(String::as_str).unwrap_or_default();
    let to: String = to.chars().map(|c| if plain(c) { c } else { '_' }).take(100).collect();
    format!("{nth:03}-{to}.eml")
}

fn with_envelope(mail: &Caught) -> Vec<u8> {
    let mut bytes = format!("Return-Path: <{}>\r\n", mail.from).into_bytes();
    for to in &mail.to {
        bytes.extend_from_slice(format!("Delivered-To: {to}\r\n").as_bytes());
    }
    bytes.extend_from_slice(&mail.bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::At;

    #[test]
    fn a_recipient_is_no_path_and_the_envelope_stands_first() {
        let mail = Caught {
            from: "security@meadow.example".to_owned(),
            to: vec!["../../etc/x@fen.example".to_owned(), "y@fen.example".to_owned()],
            asked: vec![],
            bytes: b"Subject: [...]\r\n\r\nhello\r\n".to_vec(),
            at: At::from_secs(1_795_132_800),
            sealed: false,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = keep(folder.path(), 7, &mail).unwrap();
        assert_eq!(path, folder.path().join("007-.._.._etc_x@fen.example.eml"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with(
            "Return-Path: <security@meadow.example>\r\nDelivered-To: ../../etc/x@fen.example\r\n\
             Delivered-To: y@fen.example\r\nSubject: [...]\r\n"
        ));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

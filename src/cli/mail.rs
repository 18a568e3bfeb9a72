//! `daybreak mail`: what comes to us. It is shown, never sent on.
//!
//! Under `--pipe` a mail server listens: it learns one of sysexits.h's codes and a fixed word,
//! because whatever is printed may end in a bounce to anybody.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Global;
use super::desk::Desk;
use super::exit::{Ended, Exit, refuse};
use super::files;
use super::print::{Print, table};
use crate::casework::inbound::{self, Arrived, NotTaken, Taken};
use crate::casework::{find_disclosure, find_message};
use crate::domain::message::{Message, MessageKind, Standing};
use crate::domain::secret::Reason;
use crate::letters::inbound::LARGEST;

#[derive(Debug, Subcommand)]
pub enum Mail {
    Receive(Receive),
    /// Show what came, or what came for one disclosure
    #[command(after_help = "Example:\n  daybreak mail list x_example-2026-0001")]
    List {
        /// Id, or the public id of one of its advisories
        disclosure: Option<String>,
    },
    /// Show one message; what could steer a terminal is written as an escape
    #[command(after_help = "Example:\n  \
        daybreak mail show 4f2a9c01\n  \
        daybreak mail show 4f2a9c01 --raw --out reply.eml")]
    Show {
        /// Id
        message: String,
        /// The bytes as they came, instead of what was inside
        #[arg(long, requires = "out")]
        raw: bool,
        /// Write the whole message to a new file, attachments and all
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Remove mail that belongs to no case and nobody on the list, and make room for other
    #[command(after_help = "Example:\n  daybreak mail forget 4f2a9c01")]
    Forget {
        /// Ids
        #[arg(required = true)]
        messages: Vec<String>,
    },
}

/// Take one mail from standard input: an answer, or a report on a delivery
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    cat reply.eml | daybreak mail receive\n  \
    daybreak mail receive --pipe --recipient n-0123456789abcdef0123456789abcdef@bounces.example.org\n\n\
    Exit codes under --pipe: 0 taken, 65 refused, 67 no such address, 75 try again later. \
    Anything else is a mistake in the command line or the machine's: let the server keep the mail.")]
pub struct Receive {
    /// The address it was delivered to (from its headers unless said)
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// For a mail server's pipe: exit codes of sysexits.h, and no word of the mail
    #[arg(long)]
    pipe: bool,
}

pub async fn run(verb: Mail, global: &Global, print: Print) -> Ended {
    match verb {
        Mail::Receive(args) if args.pipe => Ok(piped(args, global, print).await),
        Mail::Receive(args) => {
            let desk = Desk::open(global, print).await?;
            by_hand(&desk, taken(&desk, args).await)
        }
        Mail::List { disclosure } => list(&Desk::open(global, print).await?, disclosure).await,
        Mail::Show { message, raw, out } => {
            show(&Desk::open(global, print).await?, &message, raw, out).await
        }
        Mail::Forget { messages } => forget(&Desk::open(global, print).await?, &messages).await,
    }
}

/// One byte more than is taken, so that the rest of a flood is never read.
pub(super) fn read() -> anyhow::Result<Vec<u8>> {
    files::read(std::path::Path::new("-"), LARGEST as u64)
}

async fn taken(desk: &Desk, args: Receive) -> anyhow::Result<Result<Taken, NotTaken>> {
    let arrived = Arrived { bytes: read()?, recipient: args.recipient };
    Ok(inbound::receive(&desk.house, desk.actor, arrived).await)
}

async fn piped(args: Receive, global: &Global, print: Print) -> Exit {
    let recipient = args.recipient.clone();
    let Ok(desk) = Desk::open(global, print).await else {
        print.talk("try-later");
        return Exit::TryLater;
    };
    let Ok(bytes) = read() else {
        print.talk("too-large");
        return Exit::BadMail;
    };
    match inbound::receive(&desk.house, desk.actor, Arrived { bytes, recipient }).await {
        Ok(_) => Exit::Ok,
        Err(error) => {
            print.talk(error.code());
            match error {
                NotTaken::Case(_) | NotTaken::NoRoom => Exit::TryLater,
                NotTaken::Foreign if args.recipient.is_some() => Exit::NoSuchAddress,
                _ => Exit::BadMail,
            }
        }
    }
}

fn by_hand(desk: &Desk, taken: anyhow::Result<Result<Taken, NotTaken>>) -> Ended {
    let taken = match taken? {
        Ok(taken) => taken,
        Err(NotTaken::Case(error)) => return Err(error.into()),
        Err(full @ NotTaken::NoRoom) => {
            let help = "look with `daybreak mail list` and `daybreak mail forget` what may go, or \
                        raise inbound.room_mib";
            return Err(refuse(Exit::Failure, full.to_string(), help));
        }
        Err(refused) => {
            let help = format!("nothing of it was kept [{}]", refused.code());
            return Err(refuse(Exit::Failure, refused.to_string(), help));
        }
    };
    let Taken { message, known, happened, proofs, alarm } = &taken;
    let record = message.record.open(Reason::Review);
    let json = serde_json::json!({
        "id": message.id, "known": known, "kind": record.kind.word(),
        "standing": record.standing.word(), "disclosure": message.disclosure,
        "step": record.step, "happened": happened, "proofs": proofs, "alarm": alarm.is_some(),
    });
    desk.print.either(&json, || message.id.to_string())?;
    if *known {
        desk.print.talk("The same mail was taken before; nothing was done again.");
    }
    match record.kind {
        MessageKind::Unopened => desk.print.talk(
            "Kept, but not opened: it is not encrypted to a key that this machine can use now. A \
             key in gpg may be locked: unlock it, then hand the same mail over again: `daybreak \
             mail show ID --raw --out FILE`, then `daybreak mail receive < FILE`.",
        ),
        MessageKind::PlainReply => desk.print.talk(
            "This answer came in CLEAR TEXT. Do not quote it. Tell its writer by another way.",
        ),
        _ => {}
    }
    if *alarm == Some(false) {
        desk.print.talk("The team's bell could not be rung: tell them yourself.");
        return Ok(Exit::Partly);
    }
    Ok(Exit::Ok)
}

async fn list(desk: &Desk, disclosure: Option<String>) -> Ended {
    let of = match disclosure {
        Some(name) => Some(find_disclosure(&desk.house, &name).await?.id),
        None => None,
    };
    let all = inbound::list(&desk.house, of).await?;
    if desk.print.is_json() {
        let json: Vec<_> = all.iter().map(|m| as_json(m, false)).collect();
        desk.print.bytes(escaped_json(&serde_json::Value::from(json)).as_bytes())?;
        return Ok(Exit::Ok);
    }
    let rows = all.iter().map(|m| {
        let record = m.record.open(Reason::Review);
        vec![
            m.id.to_string(),
            m.received_at.rfc3339(),
            record.kind.word().to_owned(),
            who(&record.standing),
            escaped(&record.from, false),
            escaped(&record.subject, false),
        ]
    });
    desk.print
        .data(&table(&["message", "received", "kind", "signed by", "from", "subject"], rows))?;
    Ok(Exit::Ok)
}

async fn show(desk: &Desk, name: &str, raw: bool, out: Option<PathBuf>) -> Ended {
    let message = find_message(&desk.house, name).await?;
    if let Some(path) = out {
        files::write_new(&path, &inbound::bytes(&desk.house, &message, raw).await?)?;
        desk.print.talk(format!("Written to {}, for your eyes only.", path.display()));
        return Ok(Exit::Ok);
    }
    if desk.print.is_json() {
        desk.print.bytes(escaped_json(&as_json(&message, true)).as_bytes())?;
        return Ok(Exit::Ok);
    }
    let record = message.record.open(Reason::Review);
    let or_none = |id: Option<String>| id.unwrap_or_else(|| "none".to_owned());
    let enclosed = record.enclosed.iter().map(|e| {
        let (name, kind) = (escaped(&e.name, false), escaped(&e.media_type, false));
        vec!["enclosed".to_owned(), format!("{name} {kind}, {} bytes", e.len)]
    });
    let head = [
        vec!["message".to_owned(), message.id.to_string()],
        vec!["received".to_owned(), message.received_at.rfc3339()],
        vec!["kind".to_owned(), record.kind.word().to_owned()],
        vec!["signed by".to_owned(), who(&record.standing)],
        vec!["disclosure".to_owned(), or_none(message.disclosure.map(|d| d.to_string()))],
        vec!["step".to_owned(), or_none(record.step.map(|s| s.to_string()))],
        // Written outside the encryption, where anybody on the way can write.
        vec!["says it answers".to_owned(), or_none(record.hint.map(|s| format!("{s} (unproven)")))],
        vec!["from".to_owned(), escaped(&record.from, false)],
        vec!["subject".to_owned(), escaped(&record.subject, false)],
    ];
    if let Some(whole) = record.cut {
        let kept = desk.house.config.inbound.keep_each_kib;
        desk.print.talk(format!("Of {whole} bytes the first {kept} KiB were kept at most."));
    }
    let head = table(&[], head.into_iter().chain(enclosed));
    desk.print.data(&format!("{head}\n\n{}", escaped(&record.text, true)))?;
    Ok(Exit::Ok)
}

async fn forget(desk: &Desk, names: &[String]) -> Ended {
    let mut gone = Vec::new();
    for name in names {
        let message = find_message(&desk.house, name).await?;
        inbound::forget(&desk.house, desk.actor, &message).await?;
        gone.push(message.id);
    }
    desk.print
        .either(&gone, || gone.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok(Exit::Ok)
}

fn who(standing: &Standing) -> String {
    match standing {
        Standing::Verified { name, .. } => escaped(name, false),
        other => format!("({})", other.word()),
    }
}

fn as_json(message: &Message, whole: bool) -> serde_json::Value {
    let record = message.record.open(Reason::Review);
    let mut value = serde_json::json!({
        "id": message.id, "received_at": message.received_at.rfc3339(),
        "disclosure": message.disclosure, "step": record.step, "hint": record.hint,
        "kind": record.kind,
        "standing": record.standing, "from": record.from, "subject": record.subject,
        "counts": message.counts, "cut": record.cut,
    });
    if let Some(object) = value.as_object_mut().filter(|_| whole) {
        object.insert("text".to_owned(), record.text.clone().into());
        object.insert("enclosed".to_owned(), serde_json::json!(record.enclosed));
    }
    value
}

/// What moves the cursor, hides text or turns its direction.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Somebody else's text for a terminal.
fn escaped(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if lines => out.push(c),
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// JSON that a terminal shows as it is: such characters stand in strings only.
fn escaped_json(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            c if steers(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_cannot_steer_the_terminal() {
        let text = "a\u{1b}[2J\u{9b}31m\rb\u{202e}c\u{200b}d\n\te";
        assert_eq!(escaped(text, true), "a\\u{1b}[2J\\u{9b}31m\\u{d}b\\u{202e}c\\u{200b}d\n\te");
        assert!(!escaped(text, false).contains('\n'));
        let json = escaped_json(&serde_json::json!({ "t": text }));
        assert!(json.trim_end().chars().all(|c| c == '\n' || !steers(c)), "{json}");
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["t"], text);
    }
}

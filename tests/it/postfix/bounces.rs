//! What Postfix does with mail on its own: it hands our mails on without touching them, and
//! returns a real bounce for an address that the last host does not know.

use std::sync::Arc;

use daybreak::clock::{SystemClock, within};
use daybreak::config::Tls;
use daybreak::domain::action::Action;
use daybreak::domain::effect::{ApprovedPlan, Effect, Permit};
use daybreak::domain::ids::PlanId;
use daybreak::domain::time::{At, Span};
use daybreak::outlets::Outlet as _;
use daybreak::outlets::mail::MailOutlet;
use daybreak::town::catcher::{Catcher, Caught, Fault, Setup, Times};
use mail_parser::{MessageParser, MimeHeaders as _};

use super::as_sent;
use super::relay::{NAME, Postfix};
use crate::outlets::mail::{config, letter};

/// A bounce as Postfix wrote it on 2026-11-20, for everybody who must read such mails.
const SAMPLE: &[u8] = include_bytes!("bounce.eml");
const UNKNOWN: &str = "nobody@fen.example";
const TOKEN: &str = "00112233445566778899aabbccddeeff";
const MESSAGE: &str = "From: security@meadow.example\r\nTo: nobody@fen.example\r\n\
    Date: Fri, 20 Nov 2026 00:00:00 +0000\r\nSubject: [...]\r\n\
    Message-ID: <00112233445566778899aabbccddeeff@meadow.example>\r\n\
    Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain\r\n\r\n.dot\r\n..dots\r\nFrom here\r\n";

async fn send(postfix: &Postfix) {
    let clock = Arc::new(SystemClock::new());
    let relay = config("127.0.0.1", postfix.port, Tls::None);
    let outlet = MailOutlet::new(relay, "meadow.example", clock);
    let plan = PlanId::new(At::from_secs(0), [0; 10]);
    let permit = Permit::Notice(ApprovedPlan::witnessed(plan, 1));
    let mut mail = letter(UNKNOWN, MESSAGE);
    if let Action::Mail { message_id, .. } = &mut mail.action {
        *message_id = format!("{TOKEN}@meadow.example");
    }
    let effect = Effect::new(mail, true, permit).unwrap();
    let receipt = outlet.act(&effect).await.unwrap();
    assert!(receipt.detail.starts_with("250 2.0.0 Ok: queued as "), "{}", receipt.detail);
}

async fn first(catcher: &Catcher, postfix: &Postfix) -> Caught {
    let came = within(&SystemClock::new(), Span::mins(1), catcher.wait_for(1)).await;
    let Some(mails) = came else { panic!("{}", postfix.log()) };
    mails.into_iter().next().unwrap()
}

async fn catcher() -> Catcher {
    Catcher::start(Setup::default(), Arc::new(SystemClock::new())).await.unwrap()
}

#[tokio::test]
async fn our_bytes_pass_through_untouched() {
    let catcher = catcher().await;
    let Some(postfix) = Postfix::start(catcher.port(), None, &[]) else { return };
    send(&postfix).await;
    let mail = first(&catcher, &postfix).await;
    assert_eq!(as_sent(&mail), MESSAGE);
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("security@meadow.example", &[UNKNOWN.to_owned()][..])
    );
}

/// What a reader of bounces goes by: types of the parts, and the fields of the report.
fn shape(bounce: &[u8]) -> Vec<String> {
    let mail = MessageParser::default().parse(bounce).unwrap();
    let mut shape = vec![format!("auto {}", mail.header_raw("Auto-Submitted").unwrap().trim())];
    for part in &mail.parts {
        let kind = part.content_type().unwrap();
        let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
        shape.push(match kind.attribute("report-type") {
            Some(report) => format!("{name} {report}"),
            None => name.clone(),
        });
        if name == "message/delivery-status" {
            let text = String::from_utf8_lossy(part.contents()).into_owned();
            let fields = text.lines().filter(|l| !l.starts_with([' ', '\t']));
            shape.extend(fields.map(|l| match l.split_once(':') {
                Some((n @ ("Action" | "Status" | "Final-Recipient"), v)) => format!("{n}:{v}"),
                Some((n, _)) => n.to_owned(),
                None => l.to_owned(),
            }));
        }
    }
    shape
}

#[tokio::test]
async fn an_unknown_user_comes_back_as_a_report_of_the_known_shape() {
    let catcher = catcher().await;
    let refuse = Fault::RefuseRecipient { address: UNKNOWN.to_owned(), code: 550 };
    catcher.script(refuse, Times::Always);
    let Some(postfix) = Postfix::start(catcher.port(), None, &[]) else { return };
    send(&postfix).await;
    let bounce = first(&catcher, &postfix).await;
    assert_eq!(
        (bounce.from.as_str(), bounce.to.as_slice()),
        ("", &["security@meadow.example".to_owned()][..])
    );
    if let Some(to) = std::env::var_os("DAYBREAK_SAVE_BOUNCE") {
        std::fs::write(to, &bounce.bytes).unwrap();
    }
    let text = String::from_utf8_lossy(&bounce.bytes).into_owned();
    assert!(text.contains(NAME));
    // Our name for it comes back, and so do our headers; nothing of the body does.
    assert!(text.contains(&format!("\nOriginal-Envelope-Id: {TOKEN}\r\n")), "{text}");
    assert!(text.contains(&format!("\nMessage-ID: <{TOKEN}@meadow.example>\r\n")), "{text}");
    assert!(!text.contains("From here"), "{text}");
    let shape = shape(&bounce.bytes);
    assert_eq!(shape, self::shape(SAMPLE));
    for line in [
        "multipart/report delivery-status",
        "text/rfc822-headers",
        "Original-Envelope-Id",
        "Action: failed",
        "Final-Recipient: rfc822; nobody@fen.example",
    ] {
        assert!(shape.iter().any(|s| s == line), "{line} is not in {shape:?}");
    }
}

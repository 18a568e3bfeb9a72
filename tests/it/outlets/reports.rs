//! What relays are asked to report (RFC 3461): with sealed mail and bells, where it is offered.

use daybreak::config::Tls;
use daybreak::domain::deed::Subject;
use daybreak::formats::bell_text::{Attention, Bell, Code};
use daybreak::letters::bell::compose;
use daybreak::outlets::mail::MailOutlet;
use daybreak::town::catcher::{Catcher, Setup};

use super::mail::{MESSAGE, config, letter};
use super::relays::noticed;
use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const TO: &str = "security@vendor1.example";

async fn relay(dsn: bool) -> (Catcher, MailOutlet) {
    let catcher = Catcher::start(Setup { dsn, ..Setup::default() }, clock()).await.unwrap();
    let settings = config("127.0.0.1", catcher.port(), Tls::None);
    (catcher, MailOutlet::new(settings, "meadow.example", clock()))
}

/// A mail under that sender and that Message-ID.
fn sent_by(envelope: &str, id: &str) -> Intended {
    let mut mail = letter(TO, MESSAGE);
    if let Action::Mail { envelope_from, message_id, .. } = &mut mail.action {
        (*envelope_from, *message_id) = (envelope.to_owned(), id.to_owned());
    }
    mail
}

fn bell() -> daybreak::letters::bell::BellMail {
    let bell = Bell::TeamAttention(Attention {
        code: "x",
        subject: Subject::house(),
        step: None,
        call: Code::new([7; 8]),
        tier: None,
    });
    let team = "security@meadow.example";
    compose(&bell, team, team, &format!("{TOKEN}@meadow.example"), At::from_secs(0)).unwrap()
}

#[tokio::test]
async fn sealed_mail_and_bells_ask_for_bare_reports() {
    let (catcher, outlet) = relay(true).await;
    let team = "security@meadow.example";
    for (mail, name) in [
        (sent_by(&format!("n-{TOKEN}@b.meadow.example"), "1@meadow.example"), Some(TOKEN)),
        (sent_by(&format!("bounces+n-{TOKEN}@meadow.example"), "1@meadow.example"), Some(TOKEN)),
        (sent_by(team, &format!("{TOKEN}@meadow.example")), Some(TOKEN)),
        // What is not random might say something.
        (sent_by(team, "CVE-2026-1234@meadow.example"), None),
    ] {
        outlet.act(&noticed(mail)).await.unwrap();
        let asked = catcher.mails().pop().unwrap().asked;
        let name = name.map(|n| format!(" ENVID={n}")).unwrap_or_default();
        // Ours is not ASCII, which is said too.
        let sender = format!("BODY=8BITMIME RET=HDRS{name}");
        assert_eq!(asked, [sender, "NOTIFY=FAILURE,DELAY".to_owned()]);
    }
    outlet.ring(&bell()).await.unwrap();
    let asked = catcher.mails().pop().unwrap().asked;
    assert_eq!(asked, [format!("RET=HDRS ENVID={TOKEN}"), "NOTIFY=FAILURE,DELAY".to_owned()]);
    assert_eq!(catcher.conversations(), 1);
}

#[tokio::test]
async fn a_post_asks_for_nothing() {
    let (catcher, outlet) = relay(true).await;
    outlet.act(&effect(letter(TO, MESSAGE))).await.unwrap();
    assert_eq!(catcher.mails()[0].asked, ["BODY=8BITMIME", ""]);
}

#[tokio::test]
async fn where_no_reports_are_offered_none_are_asked_for() {
    let (catcher, outlet) = relay(false).await;
    outlet.act(&noticed(letter(TO, MESSAGE))).await.unwrap();
    outlet.ring(&bell()).await.unwrap();
    let asked: Vec<_> = catcher.mails().into_iter().flat_map(|m| m.asked).collect();
    assert_eq!(asked, ["BODY=8BITMIME", "", "", ""]);
}

//! The mail outlet against the catcher, over real TCP.

use daybreak::config::Tls;
use daybreak::domain::time::Span;
use daybreak::outlets::mail::{MailOutlet, Patience};
use daybreak::town::catcher::{Catcher, Caught, Fault, Setup, Times};

use std::sync::Mutex;

use super::*;

/// Dots at line starts, 8-bit text, an empty line at the end: what transports like to change.
pub(super) const MESSAGE: &str = "From: security@meadow.example\r\nSubject: zanzibarite\r\n\r\n\
    .\r\n..two\r\n.one\r\nn\u{e4}chste\r\n\r\n";
const TO: &str = "zanzibarite@vendor.example";

pub(super) struct Relay {
    catcher: Mutex<Option<Catcher>>,
    config: daybreak::config::Relay,
    password: tempfile::NamedTempFile,
}

/// A relay's configuration as the file would say it.
pub fn config(host: &str, port: u16, tls: Tls) -> daybreak::config::Relay {
    let text = format!("host = \"{host}\"\nport = {port}\n");
    let mut relay: daybreak::config::Relay = toml::from_str(&text).unwrap();
    relay.tls = tls;
    relay
}

pub fn letter(to: &str, bytes: &str) -> Intended {
    let blob = Blob::new("post.eml", bytes.as_bytes().to_vec(), vec![]);
    let from = "security@meadow.example".to_owned();
    let action = Action::Mail {
        envelope_from: from.clone(),
        from,
        to: to.to_owned(),
        message_id: "1@meadow.example".to_owned(),
        message: blob.about.clone(),
    };
    intended(action, vec![blob])
}

/// How many different mails these are: the same bytes to the same address are one.
pub(super) fn distinct(mails: &[Caught]) -> usize {
    let all: std::collections::BTreeSet<_> = mails.iter().map(|m| (&m.to, &m.bytes)).collect();
    all.len()
}

impl Relay {
    pub(super) async fn new() -> Self {
        let account = Some(("daybreak".to_owned(), "zanzibarite-password".to_owned()));
        let setup = Setup { account, ..Setup::default() };
        let catcher = Catcher::start(setup, clock()).await.unwrap();
        let mut config = config("127.0.0.1", catcher.port(), Tls::None);
        let password = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(password.path(), "zanzibarite-password\n").unwrap();
        config.user = Some("daybreak".to_owned());
        config.password_file = Some(password.path().to_owned());
        Self { catcher: Mutex::new(Some(catcher)), config, password }
    }

    fn script(&self, fault: Fault) {
        self.catcher.lock().unwrap().as_ref().unwrap().script(fault, Times::Always);
    }

    fn mails(&self) -> Vec<Caught> {
        self.catcher.lock().unwrap().as_ref().map(Catcher::mails).unwrap_or_default()
    }

    fn hasty(&self) -> MailOutlet {
        let short = Span::millis(300);
        let patience = Patience { message: short, ..Patience::default() };
        MailOutlet::new(self.config.clone(), "meadow.example", clock()).patience(patience)
    }
}

#[async_trait]
impl World for Relay {
    fn name(&self) -> &'static str {
        "mail"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        Arc::new(MailOutlet::new(self.config.clone(), "meadow.example", clock))
    }
    fn intended(&self) -> Intended {
        letter(TO, MESSAGE)
    }
    fn ends(&self) -> Ends {
        Ends::HandedOver
    }
    async fn copies(&self) -> Option<usize> {
        Some(distinct(&self.mails()))
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Refuses => std::fs::write(self.password.path(), "another").unwrap(),
            Trouble::LosesTheAnswer => self.script(Fault::LoseAnswer),
            Trouble::Unreachable => {
                let catcher = self.catcher.lock().unwrap().take().unwrap();
                let address = catcher.address();
                drop(catcher);
                // The port is free again once the listener has really gone.
                while std::net::TcpListener::bind(address).is_err() {
                    tokio::task::yield_now().await;
                }
            }
            Trouble::Busy => self.script(Fault::AnswerAfterDot(451)),
            Trouble::Hangs => self.script(Fault::Hang),
            // Nobody can look: another mail is no matter, and nothing appears.
            Trouble::HoldsAnother | Trouble::ShowsLate => return false,
        }
        true
    }
}

#[tokio::test]
async fn bytes_and_envelope_arrive_unchanged() {
    let relay = Relay::new().await;
    let receipt = act(&relay).await.unwrap();
    assert!(receipt.detail.starts_with("250 2.0.0 taken"), "{}", receipt.detail);
    let mails = relay.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].bytes, MESSAGE.as_bytes());
    assert_eq!(mails[0].from, "security@meadow.example");
    assert_eq!(mails[0].to, [TO]);
}

/// What an act gives under a fault, and how many messages the catcher then has.
async fn under(fault: Fault) -> (Retry, String, usize) {
    let relay = Relay::new().await;
    relay.script(fault);
    let result = relay.hasty().act(&effect(relay.intended())).await;
    prints_nothing("mail", &result);
    let error = result.unwrap_err();
    (error.retry, error.code, relay.mails().len())
}

#[tokio::test]
async fn every_failure_falls_on_its_side_of_the_messages_first_byte() {
    let refuse = |code| Fault::RefuseRecipient { address: TO.to_owned(), code };
    for (fault, retry, code, kept) in [
        (refuse(550), Retry::Never, "recipient-refused", 0),
        (refuse(450), Retry::Later, "recipient-deferred", 0),
        (refuse(421), Retry::Later, "recipient-deferred", 0),
        (Fault::AnswerAfterDot(451), Retry::Later, "message-deferred", 0),
        (Fault::AnswerAfterDot(554), Retry::Never, "message-refused", 0),
        (Fault::DropInside, Retry::Unknown, "answer-lost", 0),
        (Fault::LoseAnswer, Retry::Unknown, "answer-lost", 1),
        (Fault::Hang, Retry::Unknown, "answer-lost", 0),
    ] {
        let told = under(fault.clone()).await;
        assert_eq!(told, (retry, code.to_owned(), kept), "{fault:?}");
    }
}

#[tokio::test]
async fn one_refused_recipient_does_not_stop_the_next() {
    let relay = Relay::new().await;
    relay.script(Fault::RefuseRecipient { address: TO.to_owned(), code: 550 });
    assert!(act(&relay).await.is_err());
    let other = effect(letter("security@other.example", MESSAGE));
    assert!(relay.outlet().act(&other).await.is_ok());
    assert_eq!(relay.mails()[0].to, ["security@other.example"]);
}

#[tokio::test]
async fn what_could_break_the_protocol_is_never_sent() {
    let relay = Relay::new().await;
    for (to, bytes, code) in [
        (TO, "a\n.\nMAIL FROM:<x@y>\n", "bare-newline"),
        (TO, "a\rb", "bare-newline"),
        ("a@b>\r\nRCPT TO:<c@d", "a\r\n", "bad-address"),
    ] {
        let error = relay.outlet().act(&effect(letter(to, bytes))).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.retry), (code, Retry::Never));
        assert!(any_stop(&relay.outlet().check(&letter(to, bytes)).await));
    }
    assert!(relay.mails().is_empty());
}

#[tokio::test]
async fn a_check_finds_what_would_fail_and_sends_nothing() {
    let setup = Setup { size: Some(1000), ..Setup::default() };
    let catcher = Catcher::start(setup, clock()).await.unwrap();
    let outlet =
        MailOutlet::new(config("localhost", catcher.port(), Tls::None), "meadow.example", clock());
    let codes = |findings: Vec<daybreak::domain::finding::Finding>| {
        findings.into_iter().map(|f| f.code).collect::<Vec<_>>()
    };
    let long = format!("{}\r\n", "x".repeat(70)).repeat(20);
    assert_eq!(codes(outlet.check(&letter(TO, &long)).await), ["mail-too-large"]);
    assert_eq!(codes(outlet.check(&letter(TO, "short\r\n")).await), [""; 0]);

    let relay = Relay::new().await;
    relay.trouble(Trouble::Refuses).await;
    assert_eq!(codes(relay.outlet().check(&relay.intended()).await), ["relay-auth"]);
    relay.trouble(Trouble::Unreachable).await;
    assert_eq!(codes(relay.outlet().check(&relay.intended()).await), ["relay-unreachable"]);
    assert!(catcher.mails().is_empty() && relay.mails().is_empty());
}

#[tokio::test]
async fn unknown_mail_is_repeated_with_the_same_bytes_as_configured() {
    let relay = Relay::new().await;
    let repeat = relay.outlet().repeat();
    assert_eq!(repeat, Repeat::SameBytes { after: Span::secs(120), max: 1 });
}

#[tokio::test]
async fn the_catcher_can_be_waited_for() {
    let relay = Relay::new().await;
    let catcher = relay.catcher.lock().unwrap().take().unwrap();
    let outlet = relay.outlet();
    let effect = effect(relay.intended());
    let (mails, sent) = tokio::join!(catcher.wait_for(1), outlet.act(&effect));
    assert!(sent.is_ok());
    assert_eq!(mails.len(), 1);
}

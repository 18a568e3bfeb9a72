//! A real Postfix as relay: refusals, delays, a relay that dies inside a message, and its
//! bounces. Nobody waits for another, and nobody gets another mail than was approved.

mod bounces;
mod fault_run;
mod gate;
mod policy;
mod relay;

use daybreak::town::catcher::Caught;

/// A mail as it was before Postfix wrote its own lines on top.
fn as_sent(mail: &Caught) -> String {
    let text = String::from_utf8(mail.bytes.clone()).unwrap();
    let begins = text.find("From: ").unwrap();
    let (ours, before) = (text[begins..].to_owned(), &text[..begins]);
    assert!(before.starts_with("Received: "), "{before}");
    ours
}

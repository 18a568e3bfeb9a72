//! Two hundred notices at once: each addresses one person, and nothing that a stranger on the
//! way can see ties one to another, or to what it says.

use std::collections::BTreeSet;

use daybreak::engine::Engine;
use daybreak::town::catcher::Caught;

use crate::crowd::{Crowd, address};
use crate::story::TEAM;
use crate::whole_day::{armor, field, halves};

const MANY: usize = 200;

#[tokio::test]
async fn two_hundred_notices_share_nothing_but_their_size() {
    let crowd = Crowd::new(MANY, 7, |_| {}).await;
    let mut engine = Engine::start(crowd.town.house.clone()).await.unwrap();
    engine.settle().await.unwrap();
    let mut mails = crowd.town.catcher.mails();
    mails.retain(|m| m.to != [TEAM]);
    let everybody: BTreeSet<String> = (1..=MANY).map(address).collect();
    let heard: BTreeSet<String> = mails.iter().flat_map(|m| m.to.clone()).collect();
    assert_eq!((mails.len(), &heard), (MANY, &everybody));
    let mut tokens = BTreeSet::new();
    let mut sizes = BTreeSet::new();
    for mail in &mails {
        let [to] = mail.to.as_slice() else { panic!("{:?}", mail.to) };
        let (head, body) = halves(&mail.bytes);
        assert_eq!(&field(&head, "To"), to);
        let whole = String::from_utf8_lossy(&mail.bytes);
        let others = whole.matches("@vendor").count();
        assert_eq!(others, 1, "another address stands in the mail to {to}");
        for token in random_words(&mail.bytes) {
            assert!(tokens.insert(token), "the mail to {to} shares an identifier");
        }
        // The same bucket; the address and two integers of OpenPGP vary by a few bytes.
        sizes.insert((body.len() / 256) * 256);
    }
    assert!(sizes.len() <= 2, "{sizes:?}");
    let sent: Vec<&String> = mails.iter().flat_map(|m| &m.to).collect();
    let listed: Vec<String> = (1..=MANY).map(address).collect();
    assert_ne!(crowd.order(), listed, "the list's own order");
    let close = |order: Vec<&String>| {
        let pairs = order.windows(2).filter(|p| number(p[1]) == number(p[0]) + 1);
        pairs.count()
    };
    // By chance one pair of neighbours stays together; in the list's order 199 would.
    assert!(close(sent) < 20, "the list's order shows");
}

fn number(address: &str) -> usize {
    address.trim_start_matches("security@vendor").trim_end_matches(".example").parse().unwrap()
}

/// Everything random in a mail: Message-ID, boundary, and its ciphertext line by line.
fn random_words(mail: &[u8]) -> Vec<String> {
    let (head, _) = halves(mail);
    let kind = field(&head, "Content-Type");
    let (_, boundary) = kind.split_once("boundary=\"").unwrap();
    let boundary = boundary.split('"').next().unwrap().to_owned();
    let lines = armor(mail);
    // The first lines name the key, which is one for all here.
    let lines = lines.lines().filter(|l| l.len() == 64).skip(2).map(str::to_owned);
    [field(&head, "Message-ID"), boundary].into_iter().chain(lines).collect()
}

#[tokio::test]
async fn the_order_is_shuffled_and_a_seed_repeats_it() {
    let order = |seed| async move { Crowd::new(9, seed, |_| {}).await.order() };
    let (one, again, other) = (order(1).await, order(1).await, order(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

/// A mail as a stranger sees it, with everything blank that is random or the day's.
fn outside(mail: &Caught) -> String {
    let (head, body) = halves(&mail.bytes);
    let mut text = format!("{}\n{:?}\n{head}\n{body}", mail.from, mail.to);
    for word in random_words(&mail.bytes).iter().take(2) {
        text = text.replace(word.as_str(), "RANDOM");
    }
    text = text.replace(&field(&head, "Date"), "DATE");
    text.replace(armor(&mail.bytes).trim_end(), "CIPHERTEXT")
}

#[tokio::test]
async fn no_clear_byte_of_a_notice_depends_on_the_advisory() {
    let mut runs = Vec::new();
    for other in [false, true] {
        let crowd = Crowd::new(5, if other { 3 } else { 4 }, |text| {
            if other {
                text.public_id = "x_meadow-2026-0717".to_owned();
                text.title = "Weeds in the hedge".to_owned();
                text.description = "Something else, and at greater length. ".repeat(100);
                text.severity.clear();
                text.aliases.clear();
            }
        })
        .await;
        let mut engine = Engine::start(crowd.town.house.clone()).await.unwrap();
        engine.settle().await.unwrap();
        let mut mails = crowd.town.catcher.mails();
        mails.sort_by(|a, b| a.to.cmp(&b.to));
        let seen: Vec<(String, usize)> =
            mails.iter().map(|m| (outside(m), m.bytes.len() / 1024)).collect();
        assert_eq!(seen.len(), 5, "bells among them");
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
}

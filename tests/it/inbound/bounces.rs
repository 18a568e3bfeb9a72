//! Reports on deliveries, as Postfix writes them, in every way of marking senders.

use std::collections::BTreeSet;

use daybreak::casework::controls;
use daybreak::casework::inbound::{NotTaken, list};
use daybreak::domain::deed::Actor;
use daybreak::domain::event::Happened;
use daybreak::domain::message::MessageKind;
use daybreak::domain::plan::PlanState;
use daybreak::domain::time::Span;
use daybreak::town::catcher::Caught;
use daybreak::town::story;
use rstest::rstest;

use super::{arrives, crlf, id_of, notice, notice_to, record, taken, words};
use crate::ground::Db;
use crate::whole_day::Told;
use crate::world::town;

pub const VERP: &str = "sender_mode = \"verp\"\nbounce_domain = \"bounces.meadow.example\"";
const PLUS: &str = "sender_mode = \"plus\"\nenvelope_from = \"return@meadow.example\"";
const FIXED: &str = "envelope_from = \"return@meadow.example\"";

/// Everybody told, by a house whose `[mail]` says more.
pub async fn told_with(db: Db, mail: &str) -> Option<Told> {
    let mut town = town(db).await?;
    let file = town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("tls = \"none\"", &format!("tls = \"none\"\n{mail}"));
    std::fs::write(&file, text).unwrap();
    town.reopen().unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    Some(Told::from(town, prepared.disclosure).await)
}

/// A report as Postfix 3.7 sends it; `sender` was MAIL FROM of what it is about.
pub(super) fn postfix(
    sender: &str,
    message_id: &str,
    to: &str,
    action: &str,
    status: &str,
) -> Vec<u8> {
    crlf(&format!(
        "Return-Path: <>\n\
         X-Original-To: {sender}\n\
         Delivered-To: {sender}\n\
         Received: by mx.example (Postfix)\n\tid 3F2A1C0; Fri, 27 Nov 2026 12:00:00 +0000 (UTC)\n\
         Date: Fri, 27 Nov 2026 12:00:00 +0000 (UTC)\n\
         From: MAILER-DAEMON@mx.example (Mail Delivery System)\n\
         Subject: Undelivered Mail Returned to Sender\n\
         To: {sender}\n\
         Auto-Submitted: auto-replied\n\
         MIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\
         \tboundary=\"4BD5F1FE.1795132800/mx.example\"\n\
         Message-Id: <20261127120000.3F2A1C0@mx.example>\n\n\
         This is a MIME-encapsulated message.\n\n\
         --4BD5F1FE.1795132800/mx.example\n\
         Content-Description: Notification\n\
         Content-Type: text/plain; charset=us-ascii\n\n\
         This is the mail system at host mx.example.\n\n\
         I'm sorry to have to inform you that your message could not\n\
         be delivered to one or more recipients. It's attached below.\n\n\
         --4BD5F1FE.1795132800/mx.example\n\
         Content-Description: Delivery report\n\
         Content-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example\n\
         X-Postfix-Queue-ID: 4BD5F1FE\n\
         X-Postfix-Sender: rfc822; {sender}\n\
         Arrival-Date: Fri, 27 Nov 2026 11:59:58 +0000 (UTC)\n\n\
         Final-Recipient: rfc822; {to}\n\
         Original-Recipient: rfc822;{to}\n\
         Action: {action}\n\
         Status: {status}\n\
         Remote-MTA: dns; mail.{to}\n\
         Diagnostic-Code: smtp; 550 {status} <{to}>: Recipient address rejected: User\n    unknown\n\n\
         --4BD5F1FE.1795132800/mx.example\n\
         Content-Description: Undelivered Message Headers\n\
         Content-Type: text/rfc822-headers\n\n\
         Return-Path: <{sender}>\n\
         From: security@meadow.example\n\
         To: {to}\n\
         Subject: [...]\n\
         Message-ID: <{message_id}>\n\n\
         --4BD5F1FE.1795132800/mx.example--\n"
    ))
}

/// The name of a transaction that relays were told, and the other words with it.
fn named(mail: &Caught) -> &str {
    let [sender, recipient] = mail.asked.as_slice() else { panic!("{:?}", mail.asked) };
    assert_eq!(recipient, "NOTIFY=FAILURE,DELAY");
    sender.strip_prefix("RET=HDRS ENVID=").unwrap()
}

#[rstest]
#[case(VERP)]
#[case(PLUS)]
#[case(FIXED)]
#[tokio::test]
async fn relays_are_told_a_name_that_says_nothing_and_is_enough(#[case] mail: &str) {
    let told = told_with(Db::Sqlite, mail).await.unwrap();
    let mut names = BTreeSet::new();
    for mail in &told.mails {
        let name = named(mail);
        assert!(name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
        assert!(names.insert(name), "two mails share a name");
    }
    // A report to another address, without our headers: the name alone finds its delivery.
    let gone = "vulns@fennel.example";
    let name = named(notice_to(&told, gone));
    let report = postfix("postmaster@meadow.example", "x@y", gone, "failed", "5.1.1");
    let report = String::from_utf8(report).unwrap();
    let with = format!("Original-Envelope-Id: {name}\r\nX-Postfix-Queue-ID");
    let report = report.replace("X-Postfix-Queue-ID", &with).into_bytes();
    assert_eq!(taken(&told.town, &report).await.happened, Some("bounced"));
    assert!(matches!(&words(&told, gone).await[..], [Happened::Bounced { .. }]));
}

#[rstest]
#[case(Db::Sqlite, VERP)]
#[case(Db::Postgres, VERP)]
#[case(Db::Sqlite, PLUS)]
#[case(Db::Sqlite, FIXED)]
#[tokio::test]
async fn a_report_reaches_the_log_of_its_delivery(#[case] db: Db, #[case] mail: &str) {
    let Some(told) = told_with(db, mail).await else { return };
    let town = &told.town;
    let (gone, late) = ("vulns@fennel.example", "security@larch.example");
    let [first, second] = [gone, late].map(|a| notice_to(&told, a));
    let own_senders = first.from != second.from;
    assert_eq!(own_senders, mail != FIXED, "{} {}", first.from, second.from);

    let bounced = postfix(&first.from, &id_of(first), gone, "failed", "5.1.1");
    let report = taken(town, &bounced).await;
    assert_eq!(report.happened, Some("bounced"));
    assert_eq!(record(&report.message).kind, MessageKind::Report);
    assert_eq!(report.message.disclosure, Some(told.disclosure.id));
    let delayed = postfix(&second.from, &id_of(second), late, "delayed", "4.2.2");
    assert_eq!(taken(town, &delayed).await.happened, Some("delayed"));

    let said = "550 5.1.1 <vulns@fennel.example>: Recipient address rejected: User unknown";
    let bounce = Happened::Bounced { code: "5.1.1".to_owned(), said: said.to_owned() };
    assert_eq!(words(&told, gone).await, [bounce]);
    assert!(
        matches!(&words(&told, late).await[..], [Happened::Delayed { code, .. }] if code == "4.2.2")
    );

    // The same mail once more is the same message, and says nothing new.
    let again = arrives(town, &bounced, None).await.unwrap();
    assert!(again.known && again.message.id == report.message.id && again.happened.is_none());
    assert_eq!(words(&told, gone).await.len(), 1);
    // A later failure of what was only delayed is news, also when the plan has ended.
    let plan = notice(&told).await.plan;
    controls::abort(&town.house, Actor::Operator, &plan, "enough").await.unwrap();
    assert_eq!(notice(&told).await.plan.state, PlanState::Void);
    let gave_up = postfix(&second.from, &id_of(second), late, "failed", "4.4.7");
    assert_eq!(taken(town, &gave_up).await.happened, Some("bounced"));
    assert_eq!(words(&told, late).await.len(), 2);

    // What names nothing of ours is not taken, whatever else it knows.
    let zero = "0".repeat(32);
    let mut foreign =
        vec![postfix(&format!("n-{zero}@bounces.meadow.example"), "x@y", gone, "failed", "5.1.1")];
    if own_senders {
        // Everybody on the way knows the Message-ID; only the token is a proof.
        foreign.push(postfix("security@meadow.example", &id_of(first), gone, "failed", "5.1.1"));
    } else {
        foreign.push(postfix(&first.from, "0@meadow.example", gone, "failed", "5.1.1"));
    }
    for report in foreign {
        let refused = arrives(town, &report, None).await;
        assert!(matches!(refused, Err(NotTaken::Foreign)), "{refused:?}");
    }
    // Who the server says it was for counts, not what the mail says.
    let elsewhere = postfix(&first.from, "x@y", gone, "delayed", "4.0.0");
    let refused = arrives(town, &elsewhere, Some("postmaster@meadow.example")).await;
    assert!(matches!(refused, Err(NotTaken::Foreign)), "{refused:?}");
    assert_eq!(list(&town.house, None).await.unwrap().len(), 3);
}

//! After everything is public, on a whole day of the town: receivers are called, once the pages
//! they are told of are there, and the plan ends when the list shows its post.

use daybreak::casework::opening::CONFIG;
use daybreak::casework::plans::preview;
use daybreak::domain::plan::{Phase, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::town::story;

use super::peer::{Manner, Peer};
use super::*;
use crate::ground::Db;
use crate::story::{Point, Story};

/// A day whose Release plan knows a receiver and a mailbox.
async fn told(peer: &Peer, mailbox: &std::path::Path) -> Story {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (config, secret) = (story.town.dir().join(CONFIG), story.town.world().join("hook-secret"));
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let look = format!(
        "[list.announce]\nlook = [\"sh\", \"-c\", 'grep -F -- \"$1\" \"$2\" || exit 1', \"sh\", \"{{0}}\", {mailbox:?}]"
    );
    let hook = format!(
        "\n[[webhook]]\nname = \"chat\"\nurl = {:?}\nsecret_file = {secret:?}\n",
        peer.url("/hook")
    );
    let text = std::fs::read_to_string(&config).unwrap().replace("[list.announce]", &look) + &hook;
    std::fs::write(config, text).unwrap();
    story.town.reopen().unwrap();
    story.told().await
}

#[tokio::test]
async fn receivers_are_called_after_the_pages_and_a_post_is_waited_for() {
    let (peer, folder) = (Peer::new().await, tempfile::tempdir().unwrap());
    let mailbox = folder.path().join("mailbox");
    std::fs::write(&mailbox, "").unwrap();
    peer.behave(Manner::Answers(503, "Retry-After: 30\r\n"));
    let story = told(&peer, &mailbox).await;
    let release = story.release().clone();

    // What people approve: the address, and bytes without content.
    let files = preview::files(&story.town.house, &release).await.unwrap();
    let event = files.iter().find(|f| f.name == "disclosure-published.json").unwrap();
    let text = String::from_utf8(event.bytes.clone()).unwrap();
    assert!(story::PLANTED.iter().all(|word| !text.contains(word)), "{text}");
    let call = story.step(&release, |s| s.outlet == "webhook:chat");
    assert!(call.phase == Phase::FollowUp && !call.after.is_empty());
    let arrival = story.step(&release, |s| s.outlet == "await:list:announce");

    let mut engine = story.engine().await;
    story.pass(&mut engine, &[Span::mins(61)]).await;
    assert!(peer.asked().is_empty(), "nobody is called ahead");
    story.at_t0(&mut engine).await;
    assert_eq!(peer.asked().len(), 1);
    assert_eq!(story.stage().await, Stage::Public, "a busy receiver stops nothing");
    peer.behave(Manner::Answers(204, ""));
    story.pass(&mut engine, &[Span::secs(29)]).await;
    assert_eq!(peer.asked().len(), 1, "it asked to be left alone");
    story.pass(&mut engine, &[Span::secs(1)]).await;
    assert_eq!(story.word(&release, call.id).await, "done");
    let calls = peer.asked();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].headers["webhook-id"], call.id.to_string());
    assert_eq!(calls[0].body, calls[1].body, "the same bytes");
    let body: serde_json::Value = serde_json::from_slice(&calls[1].body).unwrap();
    assert_eq!(body["timestamp"], story.t0.at.rfc3339());
    assert_eq!(body["data"]["advisories"][0]["id"], story::PUBLIC_ID);

    // The relay took the post; the list has not sent it.
    assert_eq!(story.word(&release, arrival.id).await, "retry");
    assert!(!story.rang("step-not-seen"));
    story.pass(&mut engine, &[Span::mins(5), Span::mins(6), Span::secs(1)]).await;
    assert!(story.rang("step-not-seen"), "{:?}", story.bells());
    assert_eq!(story.state(&release).await, PlanState::Running);
    let Action::Await { args, .. } = &arrival.action else { panic!() };
    std::fs::write(&mailbox, format!("Message-ID: <{}>\n", args[0])).unwrap();
    story.pass(&mut engine, &[Span::secs(10)]).await;
    assert_eq!(story.state(&release).await, PlanState::Finished);
    let seen = story.standing(&release).await.run.progress(arrival.id).unwrap().receipt.clone();
    assert_eq!(seen.unwrap().evidence, Evidence::Seen);
    engine.end().await.unwrap();
}

//! `daybreak notice` as a person types it, on a house that an engine has worked for.

use assert_cmd::Command;
use daybreak::town::story::PUBLIC_ID;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::ground::{BRACKEN, FENNEL, LARCH, MOSS, TARN, bounced, read};
use crate::ground::Db;
use crate::story::{Point, Story};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn daybreak(story: &Story, args: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("DAYBREAK_DIR", story.town.dir())
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_who_lacks_it_and_a_mark_mends_that() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    story.finished(&mut engine).await;
    engine.end().await.unwrap();
    let plan = &story.notice;
    // Whatever the machine's date is: what is proved stays so.
    for address in story.letters().into_iter().flat_map(|m| m.to) {
        story.hear(plan, &address, read()).await;
    }
    let status = ["notice", "status", PUBLIC_ID];
    let said = daybreak(&story, &status);
    assert_eq!(said.code, 0, "{} {}", said.out, said.err);
    assert!(
        said.err.contains("Up to revision 1: 7 of 7 have theirs, 7 have read it; 2 skipped."),
        "{}",
        said.err
    );
    let head = said.out.lines().next().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(head, ["revision", "distributor", "address", "state", "since", "detail"]);
    assert_eq!(said.out.lines().count(), 10, "{}", said.out);
    let line = said.out.lines().find(|l| l.contains(TARN)).unwrap();
    assert!(line.starts_with("1 ") && line.contains("Tarn Cloud") && line.contains("acknowledged"));

    let said = daybreak(&story, &["notice", "mark", PUBLIC_ID, "--contact", MOSS, "--by-hand"]);
    assert_eq!(said.code, 2, "no evidence: {}", said.err);
    let mark = |address| {
        let args = ["--evidence", "Ada rang them on Monday"];
        let args = [&["notice", "mark", PUBLIC_ID, "--contact", address, "--by-hand"][..], &args];
        daybreak(&story, &args.concat())
    };
    let refused = mark(FENNEL);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("acknowledged already"), "{}", refused.err);
    let said = mark(MOSS);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("stp_") && said.err.contains("is by-hand now"), "{}", said.err);
    let said = daybreak(&story, &["--json", "notice", "status", PUBLIC_ID]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &json["of"], &json["have"], &json["read"]),
        (0, &8.into(), &8.into(), &7.into())
    );
    let deliveries = json["deliveries"].as_array().unwrap();
    let of = |address: &str| deliveries.iter().find(|d| d["address"] == address).unwrap();
    assert_eq!(of(MOSS)["state"], "by-hand");
    assert!(of(MOSS)["detail"].as_str().unwrap().contains("on Monday"));
    assert_eq!(
        (&of(BRACKEN)["state"], &of(LARCH)["state"]),
        (&"skipped".into(), &"acknowledged".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_makes_it_partly_done() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let said = daybreak(&story, &["notice", "status", PUBLIC_ID]);
    assert_eq!(said.code, 5, "approved, and nobody has it: {}", said.err);
    let mut engine = story.engine().await;
    story.finished(&mut engine).await;
    engine.end().await.unwrap();
    for address in story.letters().into_iter().flat_map(|m| m.to).filter(|to| to != LARCH) {
        story.hear(&story.notice, &address, read()).await;
    }
    story.hear(&story.notice, LARCH, bounced()).await;
    let said = daybreak(&story, &["notice", "status", PUBLIC_ID]);
    assert_eq!(said.code, 5);
    assert!(
        said.err.contains("6 of 7 have theirs, 6 have read it; 1 bounced, 2 skipped."),
        "{}",
        said.err
    );
    let line = said.out.lines().find(|l| l.contains(LARCH)).unwrap();
    assert!(line.contains("bounced") && line.contains("5.1.1: no such user"), "{line}");
}

#[expect(clippy::disallowed_methods, reason = "the binary beside the test, read line by line")]
fn follow(dir: &std::path::Path) -> tokio::process::Child {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(["notice", "status", PUBLIC_ID, "--follow"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("DAYBREAK_DIR", dir)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Beside an engine at work, as two programs on one database.
#[tokio::test(flavor = "multi_thread")]
async fn following_ends_with_the_last_mail_and_is_plain_text_where_nobody_looks() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    let mut child = follow(&story.town.dir());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    assert!(first.contains("0 of 9 have theirs") && first.contains("9 queued"), "{first}");
    // Nobody has heard, and it waits.
    assert!(child.try_wait().unwrap().is_none());
    story.finished(&mut engine).await;
    engine.end().await.unwrap();
    let mut last = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        assert!(!line.contains(['\u{1b}', '\r']), "{line:?}");
        last = line;
    }
    assert!(last.contains("7 of 7 have theirs") && last.contains("2 skipped"), "{last}");
    let ended = child.wait_with_output().await.unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    assert!(
        out.starts_with("revision") && out.contains(TARN) && out.lines().count() == 10,
        "{out}"
    );
}

//! A second machine sees whether the engine lives, and nothing else.

use assert_cmd::Command;
use daybreak::casework::disclosures::{cancel, create};
use daybreak::domain::deed::Actor;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::formats::heartbeat;
use daybreak::town::story;
use daybreak::web::{Serving, Web, serve};

use crate::ground::Db;
use crate::story::{Point, Story};

const SECRET: [u8; 32] = [9; 32];

/// A story whose engine shows that it lives, on its site too.
async fn shown() -> (Story, Engine, Serving) {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let file = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(story.town.dir().join("pulse.key"), SECRET).unwrap();
    let section = "[heartbeat]\nfile = \"pulse\"\nsecret_file = \"pulse.key\"\non_site = true\n";
    std::fs::write(&file, format!("{text}\n{section}")).unwrap();
    story.town.reopen().unwrap();
    let web = Web::of_house(story.town.house.clone());
    let site = serve("127.0.0.1:0".parse().unwrap(), web).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    (story, engine, site)
}

async fn get(site: &Serving) -> (u16, String) {
    let url = format!("http://{}/heartbeat", site.address());
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// With the text's time and signature aside, every byte.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_hexdigit() { '#' } else { c }).collect()
}

#[tokio::test]
async fn a_heartbeat_says_nothing_of_what_the_house_holds() {
    let (story, mut engine, site) = shown().await;
    let (status, with) = get(&site).await;
    assert_eq!(status, 200, "{with}");
    let written = std::fs::read_to_string(story.town.dir().join("pulse")).unwrap();
    assert_eq!(with, written, "the file and the site show the same");
    let at = heartbeat::read(&with, Some(&SECRET)).unwrap();
    assert!((0..10).contains(&story.hand_now().since(at).as_secs()));

    // Two more embargoes are on their way, the first one ends, and the others are given up.
    let mut others = Vec::new();
    for days in [9, 20] {
        let t0 = Some(story::t0_in(&story.town, Span::days(days)));
        let house = &story.town.house;
        others.push(create(house, Actor::Operator, t0, vec![], None).await.unwrap().0);
    }
    story.pass(&mut engine, &[Span::secs(6)]).await;
    let (_, three) = get(&site).await;
    story.at_t0(&mut engine).await;
    for other in &others {
        cancel(&story.town.house, Actor::Operator, other, "no need").await.unwrap();
    }
    story.pass(&mut engine, &[Span::secs(6)]).await;
    let open = story.town.house.store.read(|r| r.disclosures()).await.unwrap();
    assert!(open.iter().all(|d| !d.stage.is_open()), "there is nothing left");
    assert_eq!(shape(&three), shape(&with));
    let (status, without) = get(&site).await;
    assert_eq!((status, shape(&without)), (200, shape(&with)));
    assert_ne!(with, without);
    engine.end().await.unwrap();
    site.stop().await;
}

#[tokio::test]
async fn an_engine_that_died_is_seen_from_elsewhere() {
    let (story, engine, site) = shown().await;
    drop(engine);
    story.hand.advance(Span::secs(59));
    assert_eq!(get(&site).await.0, 200);
    story.hand.advance(Span::secs(11));
    assert_eq!(get(&site).await, (503, "silent\n".to_owned()));
    site.stop().await;
}

/// The program itself, where there is no house at all.
#[tokio::test]
async fn a_watcher_needs_no_house_and_runs_its_command_when_nothing_lives() {
    let folder = tempfile::tempdir().unwrap();
    let [pulse, key, told] = ["pulse", "key", "told"].map(|n| folder.path().join(n));
    std::fs::write(&key, SECRET).unwrap();
    let watch = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybreak"));
        command.current_dir(folder.path()).env_clear().env("PATH", std::env::var("PATH").unwrap());
        command.args(["watch", "pulse", "--secret-file", "key"]).args(args);
        command.timeout(std::time::Duration::from_secs(60)).output().unwrap()
    };
    let now = || {
        let clock = daybreak::clock::SystemClock::new();
        daybreak::clock::Clock::wall(&clock)
    };
    std::fs::write(&pulse, heartbeat::write(now(), Some(&SECRET)).unwrap()).unwrap();
    let out = watch(&["--once", "--json", "--", "touch", "told"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(said["alive"], true);
    assert!(!told.exists());

    let note = ["--", "/bin/sh", "-c", "cat > told"];
    let old = now().plus(Span::mins(-3));
    for (what, text) in [
        ("an old one", heartbeat::write(old, Some(&SECRET)).unwrap()),
        ("one by somebody else", heartbeat::write(now(), Some(&[1; 32])).unwrap()),
        ("an unsigned one", heartbeat::write(now(), None).unwrap()),
    ] {
        std::fs::write(&pulse, text).unwrap();
        let out = watch(&[["--once"].as_slice(), note.as_slice()].concat());
        assert_eq!(out.status.code(), Some(1), "{what}");
        assert!(std::fs::read_to_string(&told).unwrap().contains("has not shown that it lives"));
        std::fs::remove_file(&told).unwrap();
    }
    std::fs::remove_file(&pulse).unwrap();
    assert_eq!(watch(&["--once"]).status.code(), Some(1), "nothing there");
}

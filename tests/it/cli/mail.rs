//! The way mail takes, as a person tries it: a probe out and back, and figures.

use std::sync::Arc;

use daybreak::clock::SystemClock;
use daybreak::town::catcher::{Catcher, Setup};

use super::bench::Bench;

/// A house whose relay is the catcher.
fn house(catcher: &Catcher) -> Option<Bench> {
    let bench = Bench::new()?;
    let house = bench.path("house");
    let team = "security@meadow.example";
    bench.ok(&["init", house.to_str().unwrap(), "--name", "Meadow", "--address", team]);
    let file = house.join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let ours = format!("port = {}\n", catcher.port());
    std::fs::write(&file, text.replace("port = 25\n", &ours)).unwrap();
    Some(bench)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_tells_what_the_way_does_to_mail() {
    let catcher = Catcher::start(Setup::default(), Arc::new(SystemClock::new())).await.unwrap();
    let Some(bench) = house(&catcher) else { return };
    bench.refused(&["doctor", "--mail", "--read", "x.eml"], 1, &["no probe was sent"]);
    let sent = bench.json(&["doctor", "--mail"]);
    assert!(sent["relay"].as_str().unwrap().starts_with("250 "), "{sent}");
    let mail = catcher.mails().remove(0);
    assert_eq!(mail.to, ["security@meadow.example"]);
    let arrived = String::from_utf8(mail.bytes).unwrap();
    assert!(arrived.contains("\r\nSubject: [...]\r\n") && arrived.contains("BEGIN PGP MESSAGE"));

    // As a mail program saves it: a line of its host's on top, line ends of its machine.
    let saved = format!("Received: from here\n\tby there\n{}", arrived.replace('\r', ""));
    bench.write("saved.eml", &saved);
    let read = bench.json(&["doctor", "--mail", "--read", "saved.eml"]);
    assert_eq!((&read["body"], &read["findings"]), (&"same".into(), &serde_json::json!([])));
    let fates = read["fields"].as_array().unwrap();
    assert!(fates.iter().all(|f| (f["fate"] == "added") == (f["name"] == "Received")), "{read}");

    let (_, id) = saved.split_once("Message-ID: <").unwrap();
    let id = id.split('>').next().unwrap();
    bench.write("other.eml", saved.replace(id, "1@relay.example"));
    let said = bench.run(&["doctor", "--mail", "--read", "other.eml"]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("rewrites_message_id = true"), "{said:?}");

    let broken =
        saved.replace("-----BEGIN PGP MESSAGE-----\n\n", "-----BEGIN PGP MESSAGE-----\n\nA");
    let said = bench.run_with(&["doctor", "--mail", "--read", "-"], broken.as_bytes());
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("[body-changed]"), "{said:?}");
}

#[test]
fn the_bench_measures_all_and_says_what_it_did() {
    let Some(bench) = Bench::new() else { return };
    let figures = bench.json(&["bench", "smtp", "--mails", "8", "--rounds", "1"]);
    assert!(figures["one_connection"].as_f64().unwrap() > 0.0, "{figures}");
    assert!(figures["four_by_one"].as_f64().unwrap() > 0.0, "{figures}");
    let bytes = figures["bytes"].as_u64().unwrap();
    assert!((19_000..21_000).contains(&bytes), "{figures}");
}

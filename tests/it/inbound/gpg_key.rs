//! A team whose key lives with gpg: answers are opened by our own code, under its own bounds,
//! with nothing of gpg's but the session key.

use super::crlf;
use super::hostile::inline;
use crate::cli::bench::{Bench, text};

const TEAM: &str = "security@meadow.example";
const HEATH: &str = "security@heath.example";

/// gpg in a home of the team's own.
fn teams(bench: &Bench, args: &[&str], stdin: &[u8]) -> Vec<u8> {
    let home = bench.path("team");
    bench.gpg(&[&["--homedir", text(&home)], args].concat(), stdin)
}

/// A house whose gpg knows the team's certificate, and not its secret key yet.
fn house() -> Option<Bench> {
    let bench = Bench::new()?;
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let home = bench.path("team");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, closed).unwrap();
    bench.key(&format!("Meadow <{TEAM}>"), &[]);
    let certificate = bench.certificate(TEAM);
    teams(&bench, &["--import", text(&certificate)], b"");
    let house = bench.path("house");
    let init = ["init", text(&house), "--name", "Meadow", "--address", TEAM];
    bench.ok(&[&init[..], &["--gpg", text(&certificate)]].concat());
    let file = house.join("daybreak.toml");
    let toml = std::fs::read_to_string(&file).unwrap();
    let ours = format!("with = \"gpg\", home = \"{}\",", text(&home));
    std::fs::write(&file, toml.replace("with = \"gpg\",", &ours)).unwrap();
    bench.distributor("Heath");
    Some(bench)
}

#[test]
fn answers_to_a_key_in_gpg_are_opened_and_judged_by_us() {
    let Some(bench) = house() else { return };
    let sealed = |user: &str, words: &[u8]| {
        let args = ["--armor", "--sign", "--local-user", user, "--encrypt", "--recipient", TEAM];
        inline(&String::from_utf8(bench.gpg(&args, words)).unwrap())
    };
    let receive = |mail: &[u8]| -> serde_json::Value {
        let said = bench.run_with(&["--json", "mail", "receive"], mail);
        assert_eq!(said.code, 0, "{said:?}");
        serde_json::from_str(&said.out).unwrap()
    };
    // Locked, or not there: kept, nobody asked, nothing lost.
    let mail = sealed(HEATH, &crlf("Content-Type: text/plain\n\nwe have it\n"));
    let kept = receive(&mail);
    assert_eq!((&kept["kind"], &kept["known"]), (&"unopened".into(), &false.into()));
    assert_eq!(receive(&mail)["known"], true);

    // The key is there: the same mail is tried again.
    let secret = bench.gpg(&["--export-secret-keys", TEAM], b"");
    teams(&bench, &["--import"], &secret);
    let opened = receive(&mail);
    assert_eq!((&opened["id"], &opened["known"]), (&kept["id"], &false.into()));
    assert_eq!((&opened["kind"], &opened["standing"]), (&"encrypted".into(), &"verified".into()));
    assert_eq!(opened["proofs"], 1);
    let shown = bench.json(&["mail", "show", opened["id"].as_str().unwrap()]);
    assert_eq!(shown["text"], "we have it\n");
    let again = receive(&mail);
    assert_eq!((&again["known"], &again["proofs"]), (&true.into(), &0.into()));
    assert_eq!(bench.json(&["mail", "list"]).as_array().unwrap().len(), 1);

    // A stranger's is a stranger's, whoever gpg itself may know.
    bench.key("Stranger <s@elsewhere.example>", &[]);
    let theirs = receive(&sealed("s@elsewhere.example", b"trust me\n"));
    assert_eq!((&theirs["kind"], &theirs["standing"]), (&"encrypted".into(), &"stranger".into()));

    // Our bounds hold, and gpg is given nothing that could unfold.
    let zip = ["--compress-algo", "zip", "-z", "9", "--armor", "--encrypt", "--recipient", TEAM];
    let bomb = bench.gpg(&zip, &vec![0; 70 << 20]);
    let bomb = inline(&String::from_utf8(bomb).unwrap());
    let said = bench.run_with(&["mail", "receive", "--pipe"], &bomb);
    assert_eq!((said.code, said.err.trim()), (65, "opens-too-large"));
    let _ended = std::fs::remove_dir_all(bench.path("team"));
}

//! The README's tutorial, typed as it stands: every block, in order, in one bash, against a
//! repository of the reader's own, on both databases. What it led to is judged from outside.

mod reader;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::time::At;
use rstest::rstest;

use crate::ground::Db;
use crate::postgres;
use reader::{Reader, have};

const VERSION: &str = "7.4.1";
const ID: &str = "x_bulrush-2026-0007";

/// The tutorial's blocks.
fn blocks() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let (_, tutorial) = text.split_once("\n## Tutorial\n").unwrap();
    let tutorial = tutorial.split("\n## ").next().unwrap();
    let blocks: Vec<_> = tutorial
        .split("\n```bash\n")
        .skip(1)
        .map(|rest| rest.split_once("\n```\n").unwrap().0.to_owned())
        .collect();
    let fences = tutorial.lines().filter(|l| l.starts_with("```")).count();
    assert_eq!(fences, 2 * blocks.len(), "the tutorial has a block that is not bash");
    blocks
}

fn nth(blocks: &[String], with: &str) -> usize {
    let found: Vec<_> = (0..blocks.len()).filter(|n| blocks[*n].contains(with)).collect();
    assert_eq!(found.len(), 1, "`{with}` stands in the tutorial {} times", found.len());
    found[0]
}

#[rstest]
fn every_command_of_the_tutorial_works(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    if !["bash", "curl", "git", "gpg", "tar"].into_iter().all(have) {
        return;
    }
    let database = match db {
        Db::Sqlite => None,
        Db::Postgres => match postgres::fresh_schema() {
            Some(url) => Some(url),
            None => return,
        },
    };
    let blocks = blocks();
    let waiting = nth(&blocks, "until daybreak plan show");
    let ending = nth(&blocks, "kill \"$SERVE\"");
    assert_eq!(ending, blocks.len() - 1, "something comes after the end");

    let mut reader = Reader::new(VERSION, ID, database.as_deref());
    let theirs = reader.refs(&reader.repository());
    for block in &blocks[..waiting] {
        reader.types(block);
    }
    let t0 = reader.t0();
    let public = reader.lab("public.git");
    assert_eq!(reader.refs(&public), theirs, "something was pushed before T0");
    assert_eq!(reader.status(&format!("/advisories/{ID}.html")), 404);
    assert_eq!(reader.names("downloads"), Vec::<String>::new());
    assert_eq!(reader.mails("announce@lists.tutorial.example").len(), 0);
    assert!(SystemClock::new().wall() < t0, "getting ready took too long: T0 passed");
    for block in &blocks[waiting..ending] {
        reader.types(block);
    }

    the_tag_is_pushed_and_verifies(&reader, t0);
    the_site_shows_it(&reader);
    the_post_and_the_files_are_out(&reader, t0);
    the_notice_is_for_its_reader_alone(&reader, t0);
    assert!(reader.daybreak(&["audit", "verify"]).contains("intact"));
    assert_eq!(reader.refs(&reader.repository()), theirs, "the reader's own was changed");

    reader.types(&blocks[ending]);
    assert_eq!(reader.running(), Vec::<String>::new(), "something still runs");
}

fn the_tag_is_pushed_and_verifies(reader: &Reader, t0: At) {
    let public = reader.lab("public.git");
    let verified = reader.git(&public, &["verify-tag", "--raw", VERSION]);
    assert!(verified.contains("[GNUPG:] GOODSIG"), "{verified}");
    let of_tag = reader.git(&public, &["rev-parse", &format!("{VERSION}^{{commit}}")]);
    assert_eq!(of_tag, reader.git(&public, &["rev-parse", "trunk"]));
    let limits = reader.git(&public, &["show", "trunk:LIMITS.txt"]);
    assert!(limits.contains("1000 brackets"), "{limits}");
    assert_eq!(reader.git(&public, &["show", "trunk:VERSION"]).trim(), VERSION);
    let log = reader.git(&public, &["log", "-2", "--format=%B", "trunk"]);
    assert!(log.contains("security") && !log.contains("too many brackets"), "{log}");
    for name in [format!("refs/tags/{VERSION}"), "refs/heads/trunk".to_owned()] {
        assert!(written(&public.join(&name)) >= t0, "{name} was there before T0");
    }
}

fn the_site_shows_it(reader: &Reader) {
    let page = reader.get(&format!("/advisories/{ID}.html"));
    assert!(page.contains("Crafted input ends the program"), "{page}");
    let record: serde_json::Value =
        serde_json::from_str(&reader.get(&format!("/osv/{ID}.json"))).unwrap();
    assert_eq!(record["id"], ID);
    assert_eq!(record["affected"][0]["ranges"][0]["events"][1]["fixed"], VERSION);
    assert!(reader.get("/feed.atom").contains(ID));
}

fn the_post_and_the_files_are_out(reader: &Reader, t0: At) {
    let posts = reader.mails("announce@lists.tutorial.example");
    assert_eq!(posts.len(), 1);
    assert!(written(&posts[0]) >= t0, "the post was there before T0");
    let text = std::fs::read_to_string(&posts[0]).unwrap();
    assert!(text.contains("Crafted input") && text.contains("BEGIN PGP SIGNATURE"), "{text}");
    let file = format!("project-{VERSION}.tar.gz");
    assert_eq!(reader.names("downloads"), [file.as_str()]);
    let out = reader.lab("downloads").join(&file);
    let built = std::fs::read(reader.lab(&file)).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), built, "the file is not what was built");
    assert!(written(&out) >= t0, "the file was there before T0");
}

fn the_notice_is_for_its_reader_alone(reader: &Reader, t0: At) {
    let notices = reader.mails("security@downstream.example");
    assert_eq!(notices.len(), 1);
    assert!(written(&notices[0]) < t0);
    let wire = std::fs::read_to_string(&notices[0]).unwrap();
    assert!(wire.contains("Subject: [...]") && !wire.contains("brackets"), "{wire}");
    let (read, said) = reader.gpg("distributor-keys", &["--decrypt"], &notices[0]);
    assert!(read.contains("EMBARGOED until") && read.contains("project-trunk-1.patch"), "{read}");
    assert!(said.contains("[GNUPG:] GOODSIG"), "{said}");
    let (nothing, _) = reader.gpg("keys", &["--decrypt"], &notices[0]);
    assert_eq!(nothing, "", "the approvers' keys open it, too");
}

/// When a file got its content.
fn written(path: &Path) -> At {
    let about = std::fs::metadata(path).unwrap();
    At::from_millis(about.mtime() * 1000 + about.mtime_nsec() / 1_000_000)
}

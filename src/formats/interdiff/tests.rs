//! Tests of `interdiff`: real git makes the new files from the old ones and our words.

use super::*;
use crate::clock::SystemClock;
use crate::exec::Process;

fn series(fix: &str, second: &str) -> String {
    let commit = |n: u8, title: &str, body: &str| {
        format!(
            "From {} Mon Sep 17 00:00:00 2001\nFrom: Ada <ada@meadow.example>\nSubject: [PATCH \
             {n}/2] {title}\n\n---\n gate.py | 2 +-\n\n--- a/gate.py\n+++ b/gate.py\n@@ -1 +1 @@\n\
             -open = True\n+{body}\n-- \n2.39.2\n\n",
            format!("{n:x}").repeat(40)
        )
    };
    commit(1, "Close the gate", fix) + &commit(2, "Test the gate", second)
}

/// What git makes of the old files with our difference.
async fn applied(old: &[Series<'_>], diff: &[u8]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    for it in old {
        std::fs::write(folder.path().join(it.name), it.bytes).unwrap();
    }
    let git = Process::new("git")
        .args(["apply", "--whitespace=nowarn", "-"])
        .folder(folder.path())
        .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
        .stdin(diff)
        .run(&SystemClock::new())
        .await
        .unwrap();
    assert!(git.ok(), "{}", git.complaint());
    let mut found: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&p).unwrap()))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn git_makes_the_new_files_from_the_old_ones() {
    let (one, two) = (series("open = False", "a"), series("open = None", "a"));
    let long: String = (0..9_000).map(|n| format!("line {n}\n")).collect();
    let longer: String = (0..15_000).map(|n| format!("other {n}\n")).collect();
    let bare = "no line end";
    let latin: &[u8] = b"From caf\xe9\r\n+ \t\r\n";
    for (old, new) in [
        (vec![("m-1.patch", one.as_bytes())], vec![("m-1.patch", two.as_bytes())]),
        (vec![("m-1.patch", one.as_bytes())], vec![]),
        (vec![], vec![("m-1.patch", two.as_bytes())]),
        (
            vec![("a", one.as_bytes()), ("b", bare.as_bytes()), ("c", latin)],
            vec![("b", one.as_bytes()), ("c", bare.as_bytes()), ("d", latin)],
        ),
        (vec![("a", long.as_bytes())], vec![("a", longer.as_bytes())]),
    ] {
        let of = |files: &[(&'static str, &'_ [u8])]| -> Vec<(String, Vec<u8>)> {
            files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
        };
        let (old, wanted) = (of(&old), of(&new));
        let old: Vec<Series<'_>> = old.iter().map(|(name, bytes)| Series { name, bytes }).collect();
        let now: Vec<Series<'_>> =
            wanted.iter().map(|(name, bytes)| Series { name, bytes }).collect();
        let diff = interdiff(&old, &now);
        assert_eq!(applied(&old, &diff).await, wanted);
        assert!(interdiff(&old, &old).is_empty());
    }
}

#[test]
fn each_hunk_says_its_commit() {
    let (one, two) = (series("open = False", "a"), series("open = None", "b"));
    let diff = interdiff(
        &[Series { name: "m.patch", bytes: one.as_bytes() }],
        &[Series { name: "m.patch", bytes: two.as_bytes() }],
    );
    assert_eq!(
        String::from_utf8(diff).unwrap(),
        "diff --git a/m.patch b/m.patch\n\
         --- a/m.patch\n\
         +++ b/m.patch\n\
         @@ -9,7 +9,7 @@ Close the gate\n \
         +++ b/gate.py\n \
         @@ -1 +1 @@\n \
         -open = True\n\
         -+open = False\n\
         ++open = None\n \
         -- \n \
         2.39.2\n \
         \n\
         @@ -24,7 +24,7 @@ Test the gate\n \
         +++ b/gate.py\n \
         @@ -1 +1 @@\n \
         -open = True\n\
         -+a\n\
         ++b\n \
         -- \n \
         2.39.2\n \
         \n"
    );
}

#[test]
fn titles_are_unfolded_and_bare() {
    let id = "a".repeat(40);
    let text = format!(
        "From {id} Mon Sep 17 00:00:00 2001\nSubject: [PATCH 1/2] A title that\n is folded\n\nbody\n\
         From here it is text\nFrom {id} Mon Sep 17 00:00:00 2001\nSubject: Bare\n\n"
    );
    let lines: Vec<&[u8]> = text.as_bytes().split_inclusive(|b| *b == b'\n').collect();
    let titles: Vec<_> = commits(&lines).into_iter().map(|c| (c.title, c.lines)).collect();
    assert_eq!(titles, [("A title that is folded".into(), 0..6), ("Bare".into(), 6..9)]);
}

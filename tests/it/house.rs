//! The walls: who may use whom, what may be named where, how long a file may grow.
//!
//! It reads the source as text, so it also sees what only compiles by accident.

use std::fs;
use std::path::{Path, PathBuf};

/// Floors, lowest first.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["config", "clock"],
    &["pgp", "formats", "vault", "exec"],
    &["letters", "signing"],
    &["store", "outlets", "workshop"],
    &["casework"],
    &["engine"],
    &["web"],
    &["town"],
    &["cli"],
];

/// What is spoken only in some rooms.
const TONGUES: &[(&str, &[&str])] = &[
    ("diesel", &["store"]),
    ("sequoia_openpgp", &["pgp"]),
    ("lettre", &["outlets", "letters"]),
    ("actix_web", &["web", "town"]),
    ("reqwest", &["outlets"]),
    ("cron", &["config"]),
    ("chacha20poly1305", &["vault"]),
    // Sequoia speaks anyhow.
    ("anyhow", &["cli", "pgp"]),
];

/// Calls that only one room may make.
const CALLS: &[(&str, &[&str])] = &[
    ("ApprovedPlan::witnessed(", &["store"]),
    ("Go::witnessed(", &["store"]),
    ("process::Command", &["exec"]),
    ("SystemTime::now", &["clock"]),
    ("Instant::now", &["clock"]),
];

struct File {
    path: PathBuf,
    room: String,
    /// Code before the unit tests, comments stripped.
    code: String,
    lines: usize,
    first: String,
}

fn files() -> Vec<File> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                into.push(path);
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&source, &mut paths);
    paths.sort();
    let is_test = |p: &Path| p.file_name().is_some_and(|n| n == "tests.rs");
    paths.retain(|p| !is_test(p) && !p.components().any(|c| c.as_os_str() == "tests"));
    assert!(paths.len() > 20, "the source was not found");
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let production = without_tests(&text);
            let code = production
                .iter()
                .map(|l| l.split("//").next().unwrap_or_default())
                .collect::<Vec<_>>()
                .join("\n");
            let inside = path.strip_prefix(&source).unwrap();
            let room = inside.iter().next().unwrap().to_string_lossy().replace(".rs", "");
            File {
                room,
                code,
                lines: production.len(),
                first: text.lines().next().unwrap_or_default().to_owned(),
                path,
            }
        })
        .collect()
}

/// The lines that are compiled into the program: whatever follows `#[cfg(test)]` is left out,
/// one line or one block, and nothing after it.
fn without_tests(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        for skipped in lines.by_ref() {
            let one_line = skipped.trim_end().ends_with(';') && !skipped.contains('{');
            if skipped == end || (one_line && !skipped.starts_with(&" ".repeat(indent + 1))) {
                break;
            }
        }
    }
    kept
}

#[test]
fn only_tests_are_left_out() {
    let text = "a\n#[cfg(test)]\nmod x;\nb\n#[cfg(test)]\nmod tests {\n    use y;\n}\nc";
    assert_eq!(without_tests(text), ["a", "b", "c"]);
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Every room named as `crate::room` in `code`, nested imports included.
fn named_rooms(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for name in names {
            let word: String = name
                .trim()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !word.is_empty() {
                rooms.push(word);
            }
        }
    }
    rooms
}

fn complain(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_module_uses_lower_floors_only() {
    let mut faults = Vec::new();
    for file in files().iter().filter(|f| f.room != "lib" && f.room != "main") {
        let Some(own) = floor(&file.room) else {
            faults.push(format!("{}: `{}` has no floor", file.path.display(), file.room));
            continue;
        };
        for used in named_rooms(&file.code) {
            let allowed = used == file.room || floor(&used).is_some_and(|f| f < own);
            if !allowed {
                faults.push(format!("{}: uses crate::{used}", file.path.display()));
            }
        }
    }
    complain(&faults);
}

#[test]
fn the_wall_test_itself_sees_every_form() {
    assert_eq!(named_rooms("use crate::{store, outlets::mail};"), ["store", "outlets"]);
    assert_eq!(named_rooms("let x = crate::cli::main();"), ["cli"]);
}

#[test]
fn foreign_tongues_stay_in_their_rooms() {
    let mut faults = Vec::new();
    for file in files() {
        for (tongue, rooms) in TONGUES {
            let spoken = file.code.contains(&format!("{tongue}::"))
                || file.code.contains(&format!("use {tongue}"));
            if spoken && !rooms.contains(&file.room.as_str()) {
                faults.push(format!("{}: speaks {tongue}", file.path.display()));
            }
        }
        for (call, rooms) in CALLS {
            let defined = file.room == "domain" && call.contains("witnessed");
            if file.code.contains(call) && !rooms.contains(&file.room.as_str()) && !defined {
                faults.push(format!("{}: calls {call}", file.path.display()));
            }
        }
    }
    complain(&faults);
}

#[test]
fn files_are_small_and_say_why_they_exist() {
    let mut faults = Vec::new();
    for file in files() {
        if file.lines > 450 {
            faults.push(format!("{}: {} production lines", file.path.display(), file.lines));
        }
        if !file.first.starts_with("//!") {
            faults.push(format!("{}: does not open with //!", file.path.display()));
        }
    }
    complain(&faults);
}

#[test]
fn each_backend_is_spelled_out_at_most_five_times() {
    let uses: usize = files()
        .iter()
        .map(|f| {
            f.code.matches("on_each!").count() - f.code.matches("macro_rules! on_each").count()
        })
        .sum();
    assert!(uses <= 5, "on_each! is used {uses} times");
}

#[test]
fn every_outlet_and_format_is_on_its_list() {
    let mut faults = Vec::new();
    for list in ["outlets", "formats"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(list);
        let Ok(index) = fs::read_to_string(folder.join("mod.rs")) else { continue };
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().replace(".rs", "");
            if name != "mod" && !index.contains(&format!("mod {name};")) {
                faults.push(format!("src/{list}/{name} is not in src/{list}/mod.rs"));
            }
        }
    }
    complain(&faults);
}

//! The documents say what is there: the stage diagram is the table, the floors are the rooms,
//! every file and every command that is named exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use daybreak::domain::stage::MOVES;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Every document with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for folder in ["", "docs", "keys"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "md") {
                let text = fs::read_to_string(&path).unwrap();
                all.push((path, text));
            }
        }
    }
    assert!(all.len() >= 7, "{} documents", all.len());
    all
}

/// What stands between backticks in running text, line breaks as spaces.
fn spans(text: &str) -> Vec<String> {
    let running: Vec<&str> = text.split("\n```").step_by(2).collect();
    let running: Vec<String> =
        running.join("\n").split("\n\n").map(|p| p.replace('\n', " ")).collect();
    let inside = |p: &String| p.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    running.iter().flat_map::<Vec<String>, _>(inside).collect()
}

/// Targets of links within the repository.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(to, _)| to.to_owned()).filter(|to| !to.contains("://")).collect()
}

fn complain(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn the_stage_diagram_is_the_table_of_moves() {
    let text = read("docs/ARCHITECTURE.md");
    let (_, diagram) = text.split_once("stateDiagram-v2\n").unwrap();
    let drawn: Vec<&str> =
        diagram.lines().take_while(|l| !l.starts_with("```")).map(str::trim).collect();
    let table: Vec<String> = MOVES
        .iter()
        .map(|(from, by, to)| {
            let by = serde_json::to_value(by).unwrap();
            format!("{from} --> {to} : {}", by.as_str().unwrap())
        })
        .collect();
    assert_eq!(drawn, table);
}

#[test]
fn every_room_stands_in_the_floor_table() {
    let text = read("docs/ARCHITECTURE.md");
    let rooms: BTreeSet<String> = read("src/lib.rs")
        .lines()
        .filter_map(|l| Some(l.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned()))
        .collect();
    let listed: BTreeSet<String> = text
        .lines()
        .filter(|l| l.starts_with("| ") && l.contains("`src/"))
        .flat_map(spans)
        .filter_map(|s| Some(s.strip_prefix("src/")?.trim_end_matches(['/']).replace(".rs", "")))
        .collect();
    assert_eq!(listed, rooms);
}

#[test]
fn every_file_that_is_named_exists() {
    const OURS: [&str; 9] = [
        "src/",
        "tests/",
        "docs/",
        "scripts/",
        "templates/",
        "migrations/",
        "keys/",
        ".ci/",
        "docker-",
    ];
    let mut faults = Vec::new();
    let mut looked = 0;
    for (document, text) in documents() {
        let folder = document.parent().unwrap();
        let named = spans(&text)
            .into_iter()
            .filter(|s| !s.contains([' ', '*']) && OURS.iter().any(|o| s.starts_with(o)));
        let named = named.map(|s| root().join(s.trim_end_matches('/')));
        for path in named.chain(links(&text).into_iter().map(|l| folder.join(l))) {
            looked += 1;
            if !path.exists() {
                faults.push(format!("{}: {} does not exist", document.display(), path.display()));
            }
        }
    }
    complain(&faults);
    assert!(looked > 80, "only {looked} names were found");
}

#[test]
fn every_command_that_is_named_exists() {
    let mut commands = BTreeSet::new();
    for (_, text) in documents() {
        let blocks = text.split("\n```bash\n").skip(1).filter_map(|b| b.split_once("\n```"));
        let lines = blocks.flat_map(|(block, _)| block.lines().map(str::to_owned));
        for line in lines.chain(spans(&text)) {
            let Some(rest) = line.trim().strip_prefix("daybreak ") else { continue };
            commands.insert(verb(rest));
        }
    }
    assert!(commands.len() > 25, "{commands:?}");
    let mut faults = Vec::new();
    for command in commands {
        let done = Command::new(env!("CARGO_BIN_EXE_daybreak"))
            .args(&command)
            .arg("--help")
            .output()
            .unwrap();
        if !done.status.success() {
            faults.push(format!("there is no `daybreak {}`", command.join(" ")));
        }
    }
    complain(&faults);
}

/// The object and the verb: plain words before anything else, options before them left out.
fn verb(rest: &str) -> Vec<String> {
    let mut words = rest.split(' ').peekable();
    while words.next_if(|w| w.starts_with("--")).is_some() {
        words.next_if(|w| !w.starts_with("--"));
    }
    let plain = |w: &&str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    words.take_while(|w| plain(w) && !w.starts_with('-')).map(str::to_owned).collect()
}

#[test]
fn every_code_that_calls_a_person_is_explained() {
    let text = read("docs/OPERATING.md");
    let explained: BTreeSet<String> = text
        .lines()
        .filter(|l| l.starts_with("| `"))
        .flat_map(|l| spans(l.split('|').nth(1).unwrap_or_default()))
        .collect();
    let source = [
        "src/casework/inbound/clear.rs",
        "src/domain/preflight.rs",
        "src/domain/quarantine.rs",
        "src/domain/run.rs",
        "src/domain/run/pause.rs",
        "src/engine.rs",
        "src/engine/branches.rs",
        "src/engine/barred.rs",
        "src/engine/day.rs",
        "src/engine/deliveries.rs",
        "src/engine/deputies.rs",
        "src/engine/errands.rs",
        "src/engine/escalation.rs",
        "src/engine/housekeeping.rs",
        "src/engine/identity.rs",
        "src/engine/mailbox.rs",
        "src/engine/perform.rs",
        "src/engine/readability.rs",
        "src/engine/rehearsal.rs",
        "src/engine/troubled.rs",
        "src/engine/unarmed.rs",
        "src/engine/vouched.rs",
        "src/engine/watch.rs",
    ]
    .map(read)
    .concat();
    for code in &explained {
        assert!(source.contains(&format!("\"{code}\"")), "nothing says `{code}`");
    }
    // The places at which a page is made, and what they say.
    let flat = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut said: BTreeSet<String> = BTreeSet::new();
    for mark in [
        "Page { code: \"",
        ".page(id, \"",
        ".page(plan, \"",
        ".page(plan.id, \"",
        ".page(*contact, \"",
    ] {
        said.extend(flat.split(mark).skip(1).filter_map(|r| Some(r.split_once('"')?.0.to_owned())));
    }
    assert!(said.len() > 6, "{said:?}");
    let missing: Vec<_> = said.difference(&explained).collect();
    assert!(missing.is_empty(), "not explained: {missing:?}");
}

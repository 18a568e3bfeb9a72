//! A world for the real program and its real clock: it writes down what happens in it and when,
//! and can kill whoever acts on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use daybreak::clock::SystemClock;
use daybreak::domain::time::At;
use daybreak::town::catcher::{Catcher, Setup};

use crate::story::Story;

/// Notes each run of the upload, and kills the engine in the middle of one when told to.
const WATCHED: &str = r#"
world=$1; shift
names=; for file; do case $file in *.tar.gz|*.whl) names="$names ${file##*/}";; esac; done
echo "$(date +%s%3N) begin$names" >>"$world/runs.log"
if mv "$world/kill-command" "$world/killed" 2>/dev/null; then
    while [ ! -s "$world/engine.pid" ]; do sleep 0.05; done
    kill -9 "$(cat "$world/engine.pid")"
fi
sh "$@" && echo "$(date +%s%3N) end$names" >>"$world/runs.log"
"#;

/// Kills the engine while its push is under way; the push itself goes on.
const PRE_RECEIVE: &str = r#"#!/bin/sh
world=$(dirname "$0")/../..
if mv "$world/kill-git" "$world/killed" 2>/dev/null; then
    while [ ! -s "$world/engine.pid" ]; do sleep 0.05; done
    kill -9 "$(cat "$world/engine.pid")"
fi
exit 0
"#;

/// Notes which ref changed when.
const POST_RECEIVE: &str = r#"#!/bin/sh
world=$(dirname "$0")/../..
while read -r _ _ ref; do echo "$(date +%s%3N) $ref" >>"$world/refs.log"; done
"#;

/// The world of one case.
pub struct World {
    pub folder: PathBuf,
    pub catcher: Catcher,
}

/// The town's upload, as one of which nobody can tell what it did.
fn hostile_command(story: &Story) {
    let (file, world) = (story.town.dir().join("daybreak.toml"), story.town.world());
    std::fs::write(world.join("watched.sh"), WATCHED).unwrap();
    let mut text = std::fs::read_to_string(&file).unwrap();
    let watched = format!("run = [\"sh\", {:?}, {:?}, ", world.join("watched.sh"), world);
    text = text.replace("run = [\"sh\", ", &watched);
    let look = text.lines().find(|l| l.starts_with("look = ")).unwrap().to_owned();
    text = text.replace(&look, "look = [\"sh\", \"-c\", \"exit 3\"]");
    text = text.replace("safe_to_repeat = true", "safe_to_repeat = false");
    std::fs::write(&file, text).unwrap();
}

impl World {
    /// Around a story that nobody is at work in.
    pub async fn around(story: &mut Story) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let catcher = Catcher::start(Setup::as_usual(), Arc::new(SystemClock::new())).await;
        let (catcher, folder) = (catcher.unwrap(), story.town.world());
        hostile_command(story);
        let file = story.town.dir().join("daybreak.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let port = |n: u16| format!("\nport = {n}\n");
        let mail = format!("{}repeat_after = 1\n", port(catcher.port()));
        let changed = text.replace(&port(story.town.catcher.port()), &mail);
        assert_ne!(changed, text);
        std::fs::write(&file, changed).unwrap();
        // Whoever watches must know the same outlets.
        story.town.reopen().unwrap();
        let hooks = story.town.project.public().join("hooks");
        std::fs::create_dir_all(&hooks).unwrap();
        for (name, text) in [("pre-receive", PRE_RECEIVE), ("post-receive", POST_RECEIVE)] {
            std::fs::write(hooks.join(name), text).unwrap();
            let runs = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(hooks.join(name), runs).unwrap();
        }
        Self { folder, catcher }
    }

    /// Asks for the death of the engine in the next act of that kind.
    pub fn kill_in(&self, what: &str) {
        std::fs::write(self.folder.join(format!("kill-{what}")), "").unwrap();
    }

    /// Who is to die.
    pub fn names(&self, pid: u32) {
        std::fs::write(self.folder.join("engine.pid"), pid.to_string()).unwrap();
    }

    /// The lines of one of its records, with their instants.
    pub fn record(&self, name: &str) -> Vec<(At, String)> {
        let text = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let line = |l: &str| {
            let (at, what) = l.split_once(' ').unwrap();
            (At::from_millis(at.parse().unwrap()), what.to_owned())
        };
        text.lines().map(line).collect()
    }

    /// How often each line with that beginning is in a record.
    pub fn counted(&self, name: &str, begins: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, what) in self.record(name) {
            if let Some(rest) = what.strip_prefix(begins) {
                *counts.entry(rest.to_owned()).or_default() += 1;
            }
        }
        counts
    }
}

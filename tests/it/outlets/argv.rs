//! A configured command: real programs that copy a file into a folder and look for it.

use std::path::PathBuf;

use daybreak::config::Command;
use daybreak::outlets::command;

use super::*;

pub(super) struct Folder {
    root: tempfile::TempDir,
}

/// The files go where `{0}` says; the look compares what is there with what should be.
const CONFIG: &str = r#"
    kind = "argv"
    run = ["sh", "-c", 'cd "$1/.."; test ! -e hang || sleep 20; test ! -e busy || exit 1; cp -- "$2" "$1" && echo "$TOKEN" > "$1/../token"; test ! -e lose', "sh", "{0}", "{files}"]
    look = ["sh", "-c", 'test -z "$TOKEN" || exit 9; test -d "$1" || exit 7; test ! -e "$1/../late" || exit 1; f="$1/$(basename "$2")"; test -e "$f" || exit 1; cmp -s "$f" "$2" || exit 2', "sh", "{0}", "{files}"]
    safe_to_repeat = true
"#;

impl Folder {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("place")).unwrap();
        std::fs::write(root.path().join("secret"), format!("{PLANTED}\n")).unwrap();
        Self { root }
    }

    fn place(&self) -> PathBuf {
        self.root.path().join("place")
    }

    fn with(&self, change: impl FnOnce(&mut toml::Table)) -> Arc<dyn Outlet> {
        self.with_on(clock(), change)
    }

    fn mark(&self, name: &str) {
        std::fs::write(self.root.path().join(name), "").unwrap();
    }

    fn with_on(
        &self,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut toml::Table),
    ) -> Arc<dyn Outlet> {
        let mut table: toml::Table = toml::from_str(CONFIG).unwrap();
        let secret = self.root.path().join("secret").to_str().unwrap().to_owned();
        let mut secrets = toml::Table::new();
        secrets.insert("TOKEN".to_owned(), secret.into());
        table.insert("secret_files".to_owned(), secrets.into());
        change(&mut table);
        let config: Command = table.try_into().unwrap();
        command::outlet("copy", config, self.root.path().join("work"), clock)
    }
}

#[async_trait]
impl World for Folder {
    fn name(&self) -> &'static str {
        "command"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let late = self.root.path().join("late").exists();
        self.with_on(clock, |table| {
            if late {
                table.insert("settle".to_owned(), 60.into());
            }
        })
    }
    async fn appear(&self) {
        let _was_never_late = std::fs::remove_file(self.root.path().join("late"));
    }
    fn intended(&self) -> Intended {
        let blob = Blob::new("zanzibarite-1.0.txt", b"zanzibarite".to_vec(), vec![]);
        let action = Action::Run {
            command: "copy".to_owned(),
            args: vec![self.place().to_str().unwrap().to_owned()],
            files: vec![blob.about.clone()],
        };
        intended(action, vec![blob])
    }
    async fn copies(&self) -> Option<usize> {
        Some(std::fs::read_dir(self.place()).map_or(0, |dir| dir.count()))
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::LosesTheAnswer => self.mark("lose"),
            Trouble::ShowsLate => {
                self.mark("lose");
                self.mark("late");
            }
            Trouble::Busy => self.mark("busy"),
            Trouble::Hangs => self.mark("hang"),
            Trouble::HoldsAnother => {
                std::fs::write(self.place().join("zanzibarite-1.0.txt"), "other").unwrap();
            }
            // A missing secret stops it before anything is started.
            Trouble::Refuses => std::fs::remove_file(self.root.path().join("secret")).unwrap(),
            // The place is gone: the look says so by a code of its own.
            Trouble::Unreachable => return false,
        }
        true
    }
}

#[tokio::test]
async fn the_act_gets_its_secret_and_the_look_does_not() {
    let folder = Folder::new();
    let receipt = act(&folder).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::Seen, "the look saw no secret");
    let token = std::fs::read_to_string(folder.root.path().join("token")).unwrap();
    assert_eq!(token, format!("{PLANTED}\n"));
    let work = folder.root.path().join("work");
    assert_eq!(std::fs::read_dir(work).unwrap().count(), 0, "the work area is wiped");
}

#[tokio::test]
async fn failures_are_judged_by_what_is_seen() {
    let folder = Folder::new();
    let fails = |look: &str| {
        let look: toml::Value = vec!["sh", "-c", look].into();
        folder.with(|t| {
            t.insert("run".to_owned(), vec!["false"].into());
            t.insert("look".to_owned(), look);
        })
    };
    for (look, retry) in
        [("exit 1", Retry::Later), ("exit 2", Retry::AskHuman), ("exit 3", Retry::Unknown)]
    {
        let error = fails(look).act(&effect(folder.intended())).await.unwrap_err();
        assert_eq!(error.retry, retry, "{look}");
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_may_have_done_it() {
    let folder = Folder::new();
    let slow = folder.with(|t| {
        t.insert("run".to_owned(), vec!["sleep", "60"].into());
        t.insert("seconds".to_owned(), 1.into());
    });
    let error = slow.act(&effect(folder.intended())).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("command-timed-out", Retry::Unknown));
}

#[tokio::test]
async fn a_missing_program_is_found_before_it_is_needed() {
    let folder = Folder::new();
    let gone = folder.with(|t| {
        t.insert("run".to_owned(), vec!["no-such-program-here"].into());
    });
    let findings = gone.check(&folder.intended()).await;
    assert_eq!(findings[0].code, "command-missing");
    let error = gone.act(&effect(folder.intended())).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("command-missing", Retry::AskHuman));
}

#[tokio::test]
async fn only_what_is_declared_safe_is_repeated_unasked() {
    let folder = Folder::new();
    let unsafe_one = folder.with(|t| {
        t.remove("safe_to_repeat");
    });
    assert_eq!(unsafe_one.repeat(), Repeat::AskHuman);
    assert_eq!(folder.outlet().repeat(), Repeat::Safe);
}

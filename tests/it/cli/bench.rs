//! A maintainer's machine: a data directory, a gpg home with everybody's keys, a public
//! repository and a clone of it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::time::Span;
use tempfile::TempDir;

/// What a run said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub struct Bench {
    folder: TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ended = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.path("gpg"))
            .args(["--kill", "all"])
            .output();
    }
}

/// Whether a program is there; when it must be and is not, a failure.
pub fn have(program: &str) -> bool {
    if Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success()) {
        return true;
    }
    let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
    assert!(!required, "no {program}, and DAYBREAK_TEST_REQUIRE=all");
    eprintln!("not run: no {program}");
    false
}

impl Bench {
    /// A bare machine with gpg and git; `None`, said aloud, when they are missing.
    pub fn new() -> Option<Self> {
        if !have("gpg") || !have("git") {
            return None;
        }
        // Short: the agent's socket lies in it.
        let folder = tempfile::Builder::new().prefix("dbc").tempdir_in("/tmp").unwrap();
        let bench = Self { folder };
        std::fs::create_dir(bench.path("gpg")).unwrap();
        bench.close(&bench.path("gpg"));
        Some(bench)
    }

    /// The same after `init`, with a repository, a list, a command and two members.
    pub fn with_house() -> Option<Self> {
        let bench = Self::new()?;
        let house = bench.path("house");
        bench.ok(&[
            "init",
            text(&house),
            "--name",
            "Meadow",
            "--address",
            "security@meadow.example",
        ]);
        bench.public_repository();
        bench.configure(&bench.sections());
        for name in ["Ann", "Bob"] {
            let address = format!("{}@meadow.example", name.to_lowercase());
            bench.key(&format!("{name} <{address}>"), &[]);
            let certificate = bench.certificate(&address);
            bench.ok(&[
                "team",
                "add",
                "--name",
                name,
                "--address",
                &address,
                "--certificate",
                text(&certificate),
            ]);
        }
        Some(bench)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn close(&self, folder: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn sections(&self) -> String {
        format!(
            "[clock]\nrequire_sync = false\n\
             [repository.meadow]\nurl = \"{}\"\n\
             branches = [{{ name = \"main\" }}, {{ name = \"1.x\", last_release_tag = \"1.0.0\" }}]\n\
             [list.announce]\naddress = \"announce@lists.example\"\nsigning = \"clearsign\"\n\
             [command.files]\nkind = \"argv\"\nrun = [\"true\"]\nlook = [\"false\"]\n",
            self.path("public.git").display()
        )
    }

    /// Puts sections behind what `init` wrote.
    pub fn configure(&self, sections: &str) {
        let file = self.path("house/daybreak.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{text}\n{sections}")).unwrap();
    }

    // daybreak

    pub fn run_with(&self, args: &[&str], stdin: &[u8]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_daybreak"))
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("DAYBREAK_DIR", self.path("house"))
            .current_dir(self.folder.path())
            .write_stdin(stdin)
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, b"")
    }

    /// Runs what must go well; stdout without its last newline, as `$(...)` gives it.
    pub fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "daybreak {args:?}: {said:?}");
        said.out.trim_end_matches('\n').to_owned()
    }

    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(&[&["--json"], args].concat())).unwrap()
    }

    /// What is printed whatever the exit code.
    pub fn json_any(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.run(&[&["--json"], args].concat()).out).unwrap()
    }

    /// How many writes the intact audit chain records.
    pub fn writes(&self) -> u64 {
        let verdict = self.json(&["audit", "verify"]);
        assert_eq!(verdict["intact"], true);
        verdict["lines"].as_u64().unwrap()
    }

    /// Runs what must be refused: exit code, everything said, a cure, and nothing written.
    pub fn refused(&self, args: &[&str], code: i32, says: &[&str]) {
        self.refused_with(args, b"", code, says);
    }

    pub fn refused_with(&self, args: &[&str], stdin: &[u8], code: i32, says: &[&str]) {
        let before = self.writes();
        let said = self.run_with(args, stdin);
        assert_eq!(said.code, code, "daybreak {args:?}: {said:?}");
        for word in says {
            assert!(said.err.contains(word), "daybreak {args:?} does not say {word:?}: {said:?}");
        }
        assert!(said.err.contains("error: ") && said.err.contains("help: "), "{args:?}: {said:?}");
        assert_eq!(said.out, "", "daybreak {args:?} printed data");
        assert_eq!(self.writes(), before, "daybreak {args:?} wrote something");
    }

    /// An instant that far from now, as `--at` takes it.
    pub fn days_ahead(days: i64) -> String {
        SystemClock::new().wall().plus(Span::days(days)).rfc3339()
    }

    // gpg

    pub fn gpg(&self, args: &[&str], stdin: &[u8]) -> Vec<u8> {
        let output = Command::new("gpg")
            .arg("--homedir")
            .arg(self.path("gpg"))
            .args(["--batch", "--yes", "--no-tty", "--quiet", "--trust-model", "always"])
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(args)
            .write_stdin(stdin)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "gpg {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// A new key, Ed25519 and Cv25519.
    pub fn key(&self, user: &str, extra: &[&str]) {
        let expiry = if extra.is_empty() { "never" } else { "1y" };
        let command = ["--quick-generate-key", user, "future-default", "default", expiry];
        self.gpg(&[extra, &command].concat(), b"");
    }

    /// Its certificate as a file.
    pub fn certificate(&self, user: &str) -> PathBuf {
        let bytes = self.gpg(&["--armor", "--export", user], b"");
        self.write(&format!("{user}.asc"), bytes)
    }

    // git

    pub fn git(&self, folder: &str, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.path(folder))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@meadow.example")])
            .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@meadow.example")])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn commit(&self, message: &str) {
        self.git("work", &["add", "--all"]);
        self.git("work", &["commit", "--quiet", "-m", message]);
    }

    /// `public.git` with `main`, `1.x` and the tag `1.0.0`; in the clone `work` the branches
    /// `fix` and `fix-1.x` with one private commit each.
    fn public_repository(&self) {
        self.git(".", &["init", "--bare", "--quiet", "-b", "main", "public.git"]);
        self.git(".", &["init", "--quiet", "-b", "main", "work"]);
        let body: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        self.write("work/parser.py", &body);
        self.write("work/version.py", "VERSION = '1.0.0'\n");
        self.commit("first");
        self.git("work", &["tag", "-a", "-m", "1.0.0", "1.0.0"]);
        self.git("work", &["branch", "1.x"]);
        self.write("work/new.txt", "main only\n");
        self.commit("second");
        self.git("work", &["push", "--quiet", "../public.git", "main", "1.x", "1.0.0"]);
        for (branch, onto) in [("fix", "main"), ("fix-1.x", "1.x")] {
            self.git("work", &["checkout", "--quiet", "-b", branch, onto]);
            self.write("work/parser.py", body.replace("line 10\n", "line 10, bounded\n"));
            self.commit("Bound the parser's stack");
        }
    }

    // what a story needs

    /// The template, filled in.
    pub fn advisory_file(&self, public_id: &str) -> PathBuf {
        let template = self.ok(&["advisory", "new", "--template"]);
        let text = template.replace("TODO: ", "").replace("x_example-2026-0001", public_id);
        self.write(&format!("{public_id}.toml"), text)
    }

    pub fn advisory(&self, public_id: &str) -> String {
        self.ok(&["advisory", "new", "--from", text(&self.advisory_file(public_id))])
    }

    /// One organisation with a good key.
    pub fn distributor(&self, name: &str) -> String {
        let address = format!("security@{}.example", name.to_lowercase());
        self.key(&format!("{name} <{address}>"), &[]);
        let certificate = self.certificate(&address);
        self.ok(&[
            "distributor",
            "add",
            "--name",
            name,
            "--contact",
            &address,
            "--certificate",
            text(&certificate),
        ])
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

//! The real program on a data directory, as a child that can be killed and is never left behind.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use daybreak::clock::{Clock as _, SystemClock, sleep};
use daybreak::domain::time::Span;

/// Longer than any machine needs, PostgreSQL's thirty seconds of silence included.
pub const PATIENCE: Span = Span::secs(90);

/// `daybreak serve --only engine`.
pub struct Doomed(Child);

impl Doomed {
    /// Starts it, with a wish for its end; what it says is kept in `log`.
    #[expect(clippy::disallowed_methods, reason = "a child that is killed, not run to its end")]
    pub fn start(dir: &Path, log: &Path, wish: Option<String>) -> Self {
        // Its disk may be full: then writing fails, and no signal ends it.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_daybreak")]);
        command.arg("--dir").arg(dir).args(["serve", "--only", "engine"]);
        command.env("DAYBREAK_LOG", "info").env_remove("DAYBREAK_TEST_DIE_AT");
        command.envs(wish.map(|wish| ("DAYBREAK_TEST_DIE_AT", wish)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log).unwrap());
        Self(command.spawn().unwrap())
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// From outside, as an operator's mistake or the kernel's lack of memory does.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
    }

    /// Waits until it is dead; it must have been killed, not have ended.
    pub async fn dies(&mut self, about: &str) {
        let mut status = None;
        until(about, async || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        })
        .await;
        assert_eq!(status.unwrap().signal(), Some(9), "{about}: it ended otherwise");
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _it_may_be_dead = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Waits for something real; whether it came in a bounded time.
pub async fn in_time(mut so: impl AsyncFnMut() -> bool) -> bool {
    let machine = SystemClock::new();
    let begin = machine.mono();
    while !so().await {
        if machine.mono().since(begin) > PATIENCE {
            return false;
        }
        sleep(&machine, Span::millis(50)).await;
    }
    true
}

/// The same, where it must come.
pub async fn until(what: &str, so: impl AsyncFnMut() -> bool) {
    assert!(in_time(so).await, "never: {what}");
}

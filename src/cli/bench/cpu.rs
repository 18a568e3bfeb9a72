//! Milliseconds of CPU and of the wall, for us and for children.

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// What something took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Spent {
    /// User and system time, milliseconds.
    pub cpu_ms: f64,
    /// Milliseconds on the wall.
    pub wall_ms: f64,
}

/// CPU time of this process with all its threads, milliseconds.
pub fn own() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1000.0 + time.tv_nsec as f64 / 1_000_000.0
}

/// Milliseconds of a clock that only goes on, with their fractions.
pub fn steady() -> f64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as f64 * 1000.0 + time.tv_nsec as f64 / 1_000_000.0
}

/// CPU time of children that ended, milliseconds, in steps of ten.
pub fn children() -> anyhow::Result<f64> {
    fields("self", [13, 14])
}

/// From now on orphans among our descendants become our children, so that what they spend is
/// counted in [`children`] too: gpgme lets every gpg it starts be an orphan.
pub fn adopt_orphans() -> anyhow::Result<()> {
    let ourselves = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(ourselves)).context("cannot adopt orphans")
}

/// Counts the adopted ones that ended. To be called while nobody waits for a child.
pub fn bury_orphans() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

/// CPU time of another process that still lives, milliseconds, in steps of ten.
pub fn of(pid: &str) -> anyhow::Result<f64> {
    fields(pid, [11, 12])
}

/// Fields of `/proc/PID/stat` counted from the state, in ticks. Linux shows a hundred a second
/// to every program.
fn fields(pid: &str, which: [usize; 2]) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let text = text.context("cannot read CPU times from /proc")?;
    // The program's name stands in brackets and may hold spaces.
    let (_, after) = text.rsplit_once(") ").context("/proc/PID/stat is of another form")?;
    let values: Vec<&str> = after.split(' ').collect();
    let ticks = which.iter().filter_map(|n| values.get(*n)?.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() * 10.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_grows() {
        let before = super::own();
        let mut sum = 0_u64;
        while super::own() < before + 1.0 {
            sum = sum.wrapping_add(1);
        }
        assert!(sum > 0 && super::children().is_ok() && super::of("self").is_ok());
    }
}

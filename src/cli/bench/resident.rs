//! How much memory of a process is resident, and the most that ever was, bytes.

use anyhow::Context as _;

/// This process, now.
pub fn now() -> anyhow::Result<u64> {
    own("VmRSS:")
}

/// The most of this process so far.
pub fn peak() -> anyhow::Result<u64> {
    own("VmHWM:")
}

/// The peak is counted anew from here.
pub fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")
}

/// The most that is told by a copy of some process's `/proc/PID/status`.
pub fn peak_told(status: &str) -> anyhow::Result<u64> {
    line(status, "VmHWM:")
}

fn own(name: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status");
    line(&text.context("cannot read memory from /proc")?, name)
}

fn line(text: &str, name: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name));
    let kib = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.context("/proc/PID/status is of another form")?.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_status_is_read() {
        assert_eq!(super::peak_told("VmRSS:\t 7 kB\nVmHWM:\t 84928 kB\n").unwrap(), 84_928 << 10);
        assert!(super::peak_told("VmHWM: many").is_err());
        // Read one after the other, while other tests take and give back: no order holds.
        assert!(super::peak().unwrap() > 1 << 20 && super::now().unwrap() > 1 << 20);
    }
}

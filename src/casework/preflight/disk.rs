//! Room on the disk: a database that cannot write its journal stops the day half-way.

use std::path::Path;

use crate::casework::House;
use crate::domain::finding::Finding;
use crate::domain::manifest::Manifest;

/// A plan's bytes lie in the database already. On the day they are laid out for a command, or
/// unpacked for a push, and what is published is written once more.
const COPIES: u64 = 3;

/// Whether the plan's work fits beside the data.
pub(super) fn findings(house: &House, manifest: &Manifest) -> Vec<Finding> {
    let pinned: u64 = manifest.blobs().iter().map(|b| b.len).sum();
    let kept = u64::from(house.config.plans.free_mib).saturating_mul(1 << 20);
    let needed = pinned.saturating_mul(COPIES).saturating_add(kept);
    free(&house.dir).and_then(|free| short(free, needed)).into_iter().collect()
}

/// Bytes that we may still write there; `None` when the system does not say.
fn free(folder: &Path) -> Option<u64> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some(of.f_bavail.saturating_mul(of.f_frsize))
}

fn short(free: u64, needed: u64) -> Option<Finding> {
    (free < needed).then(|| {
        let message = format!("{} MiB are free, and {} are needed", free >> 20, mib(needed));
        Finding::stop("disk-short", "data directory", message)
            .cure("free the disk; `plans.free_mib` says what must be left beside the plan itself")
    })
}

const fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_short_by_a_byte_or_not_at_all() {
        assert_eq!(short(300 << 20, 300 << 20), None);
        let finding = short((300 << 20) - 1, 300 << 20).unwrap();
        assert_eq!(finding.message, "299 MiB are free, and 300 are needed");
        assert!(free(Path::new("/")).is_some_and(|bytes| bytes > 0));
        assert_eq!(free(Path::new("/no/such/folder")), None);
    }
}

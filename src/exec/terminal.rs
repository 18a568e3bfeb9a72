//! A program that gets the person's own terminal and environment: their editor. Nothing is
//! captured, and nothing bounds its time but the person.

use std::ffi::OsString;

use super::ExecError;

/// Runs `program` to its end; says whether it exited with 0.
#[expect(clippy::disallowed_methods, reason = "the one home of processes")]
pub fn hand_over(program: &str, args: &[OsString]) -> Result<bool, ExecError> {
    let status = std::process::Command::new(program).args(args).status();
    status.map(|s| s.success()).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
            ExecError::NotFound { program: program.to_owned() }
        }
        kind => ExecError::Io { program: program.to_owned(), kind },
    })
}

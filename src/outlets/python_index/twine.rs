//! Running `twine upload`: no prompt, no configuration file, no key ring, no home; the
//! password in its environment, never in its arguments.

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::PythonIndex;
use crate::domain::receipt::OutletError;
use crate::domain::time::Span;
use crate::exec::{ExecError, Process};
use crate::outlets::layout::Layout;
use crate::outlets::settle::Ended;

/// Uploads of some hundred MiB over a slow line.
const ALLOWED: Span = Span::mins(10);

/// User and password as twine wants them; both empty for an index without accounts.
pub(super) async fn credentials(
    index: &PythonIndex,
) -> Result<(String, Zeroizing<String>), OutletError> {
    let user = index.user.clone().unwrap_or_default();
    let Some(file) = &index.password_file else { return Ok((user, Zeroizing::default())) };
    let text = tokio::fs::read_to_string(file).await.map(Zeroizing::new).map_err(|_| {
        OutletError::ask_human("secret-unreadable", "the file in `password_file` cannot be read")
    })?;
    Ok((user, Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

/// Uploads every file of `layout`. The error means that nothing was started.
pub(super) async fn upload(
    index: &PythonIndex,
    layout: &Layout,
    clock: &dyn Clock,
) -> Result<Ended, OutletError> {
    let (user, password) = credentials(index).await?;
    let run = Process::new(index.twine.as_str())
        .args(["upload", "--non-interactive", "--disable-progress-bar"])
        .args(["--config-file", "/dev/null", "--repository-url", &index.upload_url])
        .args(layout.files())
        .env("TWINE_USERNAME", user)
        .env("TWINE_PASSWORD", password.as_str())
        .env("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .folder(layout.folder())
        .allow(ALLOWED)
        .run(clock)
        .await;
    Ok(match run {
        Ok(out) if out.ok() => Ended::Well("twine handed the files over".to_owned()),
        Ok(out) if out.code.is_none() => {
            Ended::BrokeOff("command-killed", "a signal ended twine".to_owned())
        }
        Ok(out) => Ended::Badly(judge(&format!("{}\n{}", out.text(), out.complaint()))),
        Err(ExecError::NotFound { .. }) => {
            return Err(OutletError::ask_human("command-missing", "twine is not installed"));
        }
        Err(ExecError::TooSlow { .. }) => {
            Ended::BrokeOff("command-timed-out", "twine took too long".to_owned())
        }
        Err(e) => Ended::BrokeOff("command-broke-off", e.to_string()),
    })
}

/// Words of Python's libraries for: never got through the door.
const NO_CONTACT: [&str; 4] = [
    "Failed to establish a new connection",
    "NameResolutionError",
    "ConnectTimeout",
    "Connection refused",
];

/// Twine ends with `HTTPError: 403 Forbidden from ...` when the index refused. Without a word
/// of the index, or with only a gateway's, it may have taken the file all the same; and one
/// that has such a file already may have it from us.
fn judge(said: &str) -> OutletError {
    let status = said
        .split_once("HTTPError: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .and_then(|code| code.parse::<u16>().ok());
    let exists = said.to_lowercase().contains("already exists");
    match status {
        Some(401 | 403) => OutletError::ask_human("index-auth", said),
        Some(409) => OutletError::unknown("index-has-the-file", said),
        Some(400) if exists => OutletError::unknown("index-has-the-file", said),
        Some(502 | 504) => OutletError::unknown("command-failed", said),
        Some(408 | 429 | 500..) => OutletError::later("command-failed", said),
        Some(400..=499) => OutletError::ask_human("index-refused", said),
        None if NO_CONTACT.iter().any(|w| said.contains(w)) => {
            OutletError::later("command-failed", said)
        }
        Some(_) | None => OutletError::unknown("command-failed", said),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::domain::receipt::Retry;

    #[test]
    fn refusals_are_told_from_bad_weather() {
        let said = |code| format!("ERROR    HTTPError: {code} from http://x/\n         y");
        assert_eq!(judge(&said("403 Forbidden")).code, "index-auth");
        assert_eq!(judge(&said("400 Bad Request")).retry, Retry::AskHuman);
        assert_eq!(judge(&said("503 Service Unavailable")).retry, Retry::Later);
        assert_eq!(judge(&said("504 Gateway Timeout")).retry, Retry::Unknown);
        assert_eq!(judge(&said("409 Conflict")).retry, Retry::Unknown);
        assert_eq!(judge(&said("400 File already exists.")).code, "index-has-the-file");
        assert_eq!(judge("ConnectionError: Connection aborted").retry, Retry::Unknown);
        assert_eq!(judge("NewConnectionError: Connection refused").retry, Retry::Later);
    }
}

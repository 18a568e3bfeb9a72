//! Filling an argument vector. Placeholders are replaced in one pass, so that a value that
//! looks like a placeholder stays a value; nothing is ever split or quoted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::receipt::OutletError;

/// `{files}` as a whole argument becomes one argument a file; `{0}`, `{1}` are replaced
/// anywhere. Other braces stay as they are.
pub(crate) fn fill(
    argv: &[String],
    args: &[String],
    files: &[PathBuf],
) -> Result<Vec<OsString>, OutletError> {
    let mut words = Vec::new();
    for word in argv {
        if word == "{files}" {
            words.extend(files.iter().map(|f| f.as_os_str().to_owned()));
        } else if word.contains("{files}") {
            return Err(OutletError::never(
                "bad-placeholder",
                "`{files}` must be an argument of its own",
            ));
        } else {
            words.push(replace(word, args)?.into());
        }
    }
    Ok(words)
}

fn replace(word: &str, args: &[String]) -> Result<String, OutletError> {
    let (mut done, mut rest) = (String::new(), word);
    while let Some((before, after)) = rest.split_once('{') {
        done.push_str(before);
        let number = after
            .split_once('}')
            .filter(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
        let Some((number, tail)) = number else {
            done.push('{');
            rest = after;
            continue;
        };
        let value = number.parse::<usize>().ok().and_then(|n| args.get(n)).ok_or_else(|| {
            OutletError::never("missing-argument", "the step has too few arguments for the command")
        })?;
        if done.is_empty() && value.starts_with('-') {
            return Err(OutletError::never(
                "option-like-argument",
                "an argument that starts with `-` could be taken for an option",
            ));
        }
        done.push_str(value);
        rest = tail;
    }
    done.push_str(rest);
    Ok(done)
}

/// Whether a program can be found: by its path, or by name along `PATH`.
pub(crate) fn installed(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    !program.is_empty() && std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(argv: &[&str], args: &[&str]) -> Result<Vec<OsString>, String> {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        fill(&own(argv), &own(args), &["/w/a".into(), "/w/b".into()]).map_err(|e| e.code)
    }

    #[test]
    fn values_are_never_read_again_or_split() {
        let words = filled(&["p", "v={1}", "{files}", "{x}{", "{0}"], &["{1} {files}; rm", "2"]);
        assert_eq!(words.unwrap(), ["p", "v=2", "/w/a", "/w/b", "{x}{", "{1} {files}; rm"]);
    }

    #[test]
    fn what_could_be_meant_otherwise_is_refused() {
        assert_eq!(filled(&["{0}"], &["-rf"]).unwrap_err(), "option-like-argument");
        assert_eq!(filled(&["{2}"], &["a", "b"]).unwrap_err(), "missing-argument");
        assert_eq!(filled(&["--f={files}"], &[]).unwrap_err(), "bad-placeholder");
    }
}

//! `daybreak config`: whether the configuration can be used, and what it comes to.

use std::path::Path;

use clap::Subcommand;

use super::Global;
use super::desk::whole;
use super::exit::{Ended, Exit};
use super::print::Print;
use crate::casework::opening;
use crate::config;
use crate::domain::finding::{Finding, any_stop};
use crate::formats::template_lint;
use crate::formats::templates::Templates;

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say what is wrong with daybreak.toml, the files it names and your own templates
    #[command(after_help = "Example:\n  daybreak --dir security config check")]
    Check,
    /// Show every setting with its default filled in; passwords are left out
    #[command(after_help = "Example:\n  daybreak --dir security config show")]
    Show,
}

pub fn run(verb: &Config, global: &Global, print: Print) -> Ended {
    let dir = whole(&global.dir)?;
    let config = config::Config::load(&dir.join(opening::CONFIG))?;
    match verb {
        Config::Check => {
            let mut findings = named_files(&config);
            findings.extend(templates(&dir));
            findings.extend(shared_body(&config));
            print.judged(&findings, "nothing to complain about")?;
            Ok(if any_stop(&findings) { Exit::Blocked } else { Exit::Ok })
        }
        Config::Show => {
            let text = without_passwords(&toml::to_string_pretty(&config)?);
            if print.is_json() {
                print.json(&toml::from_str::<toml::Value>(&text)?)?;
            } else {
                print.data(&text)?;
            }
            Ok(Exit::Ok)
        }
    }
}

/// What is wrong with the files the configuration names.
pub fn named_files(config: &config::Config) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut findings = Vec::new();
    for named in config.named_files() {
        let place = named.field.as_str();
        match std::fs::metadata(&named.path) {
            Err(e) => findings.push(
                Finding::stop(
                    "file-unreadable",
                    place,
                    format!("{}: {}", named.path.display(), e.kind()),
                )
                .cure("correct the path, or make the file"),
            ),
            Ok(about) if named.secret && about.permissions().mode() & 0o077 != 0 => findings.push(
                Finding::warn(
                    "secret-readable",
                    place,
                    format!("{} can be read by others", named.path.display()),
                )
                .cure(format!("chmod 600 {}", named.path.display())),
            ),
            Ok(_) if named.path.is_relative() => findings.push(
                Finding::warn(
                    "path-relative",
                    place,
                    format!("{} is relative", named.path.display()),
                )
                .cure("write the whole path: what it means depends on where daybreak is started"),
            ),
            Ok(_) => {}
        }
    }
    findings
}

/// What is wrong with the team's own templates.
pub fn templates(dir: &Path) -> Vec<Finding> {
    let folder = dir.join(opening::TEMPLATES);
    match Templates::load(folder.is_dir().then_some(folder.as_path())) {
        Ok(templates) => template_lint::lint(&templates),
        Err(error) => vec![
            Finding::stop("template-unusable", opening::TEMPLATES, error.to_string())
                .cure("mend it, or delete the file to use the embedded one"),
        ],
    }
}

/// What one signature for all copies of a notice costs.
fn shared_body(config: &config::Config) -> Option<Finding> {
    config.signing.shared_body.then(|| {
        Finding::warn(
            "shared-body",
            "signing.shared_body",
            "every copy of a notice carries the same signature: it does not name its recipient, \
             so a recipient can encrypt it to somebody else as if the team had sent it there; \
             To, Date and Message-ID are not inside, and there are no receipt codes \
             and no watermarks",
        )
        .cure(
            "leave it out unless the notice key is RSA and the list is long; with Ed25519 it \
             saves next to nothing",
        )
    })
}

/// The text with every password in an address (`scheme://user:password@host`,
/// `?password=...`) left out.
fn without_passwords(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", mask_query(&mask_userinfo(line)))).collect()
}

const MASK: &str = "[left out]";

fn mask_userinfo(line: &str) -> String {
    let mut parts = line.split("://");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        masked.push_str("://");
        // A password may itself hold an `@`: the host begins after the last one.
        let end = rest.find(['/', '?', '#', '"', '\'', ' ']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                let user = user.split(':').next().unwrap_or_default();
                masked.push_str(&format!("{user}:{MASK}@{host}"));
            }
            _ => masked.push_str(authority),
        }
        masked.push_str(after);
    }
    masked
}

fn mask_query(line: &str) -> String {
    let mut parts = line.split("password=");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        let end = rest.find(['&', '"', '\'', ' ']).unwrap_or(rest.len());
        masked.push_str(&format!("password={MASK}{}", rest.split_at(end).1));
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_signature_for_all_loses_is_said() {
        let text = include_str!("../../templates/daybreak.toml")
            .replace("@DATABASE@", "sqlite:daybreak.sqlite")
            .replace("@BASE_URL@", "https://security.meadow.example")
            .replace("@ADDRESS@", "security@meadow.example")
            .replace("@NAME@", "Meadow")
            .replace("@THRESHOLD@", "2");
        let said = |text: &str| shared_body(&config::Config::parse(text).unwrap());
        assert!(said(&text).is_none());
        let finding = said(&format!("{text}\n[signing]\nshared_body = true\n")).unwrap();
        assert_eq!(finding.place, "signing.shared_body");
        assert!(finding.message.contains("encrypt it to somebody else"));
    }

    #[test]
    fn passwords_in_addresses_are_left_out() {
        let cases = [
            (
                "database = \"postgres://u:hunter2@h/d\"",
                "database = \"postgres://u:[left out]@h/d\"",
            ),
            (
                "database = \"postgres://u:hun@ter2@h/d\"",
                "database = \"postgres://u:[left out]@h/d\"",
            ),
            (
                "d = \"postgres://h/d?user=u&password=hunter2&x=1\"",
                "d = \"postgres://h/d?user=u&password=[left out]&x=1\"",
            ),
            (
                "a = [\"https://u:hunter2@h/x\", \"ssh://git@h:22/x\"]",
                "a = [\"https://u:[left out]@h/x\", \"ssh://git@h:22/x\"]",
            ),
            ("base_url = \"https://h/@x:y\"", "base_url = \"https://h/@x:y\""),
        ];
        for (text, shown) in cases {
            assert_eq!(without_passwords(text), format!("{shown}\n"));
        }
    }
}

//! How the team is called: by mail, by a command, by a webhook; one `[[bells]]` each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::webhook::check_web;
use super::{ConfigError, check_address};

/// Ways at most.
const MOST: usize = 16;

/// Which bells a way takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every one.
    #[default]
    All,
    /// What a person must decide now.
    Urgent,
}

/// From which saying of an urgent bell on a way takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Begin {
    /// The first.
    #[default]
    #[serde(rename = "0m")]
    AtOnce,
    /// The one five minutes later, when nobody answered.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// The one ten minutes later.
    #[serde(rename = "10m")]
    TenMinutes,
    /// The last, twenty minutes later.
    #[serde(rename = "20m")]
    TwentyMinutes,
}

impl Begin {
    /// The tier, as a place in `domain::escalation::TIERS`.
    pub const fn tier(self) -> usize {
        match self {
            Self::AtOnce => 0,
            Self::FiveMinutes => 1,
            Self::TenMinutes => 2,
            Self::TwentyMinutes => 3,
        }
    }
}

/// One way to call the team.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum BellWay {
    /// A mail.
    Mail {
        /// To whom; the team's address unless said.
        #[serde(default)]
        to: Option<String>,
        /// Which bells.
        #[serde(default)]
        level: Level,
        /// From which saying on.
        #[serde(default)]
        from: Begin,
    },
    /// An argv without a shell that gets the bell's text on its standard input.
    Command {
        /// The program and its arguments.
        run: Vec<String>,
        /// Environment variable to file whose contents it gets.
        #[serde(default)]
        secret_files: BTreeMap<String, PathBuf>,
        /// Seconds it may take.
        #[serde(default = "default_seconds")]
        seconds: u32,
        /// Which bells.
        #[serde(default)]
        level: Level,
        /// From which saying on.
        #[serde(default)]
        from: Begin,
    },
    /// A call as Standard Webhooks 1.0 describes it, with code, id and time.
    Webhook {
        /// Where it is called: `https://`, or `http://` on this machine.
        url: String,
        /// File that holds its secret, `whsec_` and base64.
        secret_file: PathBuf,
        /// Which bells.
        #[serde(default)]
        level: Level,
        /// From which saying on.
        #[serde(default)]
        from: Begin,
    },
}

const fn default_seconds() -> u32 {
    30
}

impl BellWay {
    /// Which bells it takes, and from which saying on.
    pub const fn takes(&self) -> (Level, Begin) {
        match self {
            Self::Mail { level, from, .. }
            | Self::Command { level, from, .. }
            | Self::Webhook { level, from, .. } => (*level, *from),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Mail { to: Some(to), .. } => check_address("bells.to", to),
            Self::Mail { to: None, .. } => Ok(()),
            Self::Webhook { url, .. } => check_web("bells.url", url),
            Self::Command { run, seconds, .. } => {
                if run.first().is_none_or(String::is_empty) {
                    return Err(ConfigError::Wrong {
                        field: "bells.run".to_owned(),
                        wrong: "is empty".to_owned(),
                        right: "give the program and its arguments as a list".to_owned(),
                    });
                }
                if (1..=120).contains(seconds) {
                    return Ok(());
                }
                Err(ConfigError::Wrong {
                    field: "bells.seconds".to_owned(),
                    wrong: format!("is {seconds}"),
                    right: "use 1 to 120: a call must not wait longer".to_owned(),
                })
            }
        }
    }
}

/// Refuses ways of which none would take every bell at once.
pub(super) fn check_all(ways: &[BellWay]) -> Result<(), ConfigError> {
    ways.iter().try_for_each(BellWay::check)?;
    if ways.len() > MOST {
        return Err(ConfigError::Wrong {
            field: "bells".to_owned(),
            wrong: format!("has {} ways", ways.len()),
            right: format!("use at most {MOST}"),
        });
    }
    let all_at_once = |way: &BellWay| way.takes() == (Level::All, Begin::AtOnce);
    if ways.is_empty() || ways.iter().any(all_at_once) {
        return Ok(());
    }
    Err(ConfigError::Wrong {
        field: "bells".to_owned(),
        wrong: "has no way that takes every bell at once".to_owned(),
        right: "give one of them neither `level = \"urgent\"` nor `from`; the plainest is \
                `kind = \"mail\"`"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(text: &str) -> Result<Vec<BellWay>, String> {
        #[derive(Deserialize)]
        struct Ways {
            bells: Vec<BellWay>,
        }
        let ways: Ways = toml::from_str(text).map_err(|e| e.to_string())?;
        check_all(&ways.bells).map_err(|e| e.to_string())?;
        Ok(ways.bells)
    }

    #[test]
    fn each_way_says_what_it_takes() {
        let text = r#"
            [[bells]]
            kind = "mail"
            [[bells]]
            kind = "command"
            run = ["page", "all"]
            level = "urgent"
            [[bells]]
            kind = "webhook"
            url = "https://pager.example/"
            secret_file = "/etc/pager"
            from = "20m"
        "#;
        let takes: Vec<_> = ways(text).unwrap().iter().map(BellWay::takes).collect();
        assert_eq!(takes[0], (Level::All, Begin::AtOnce));
        assert_eq!(takes[1], (Level::Urgent, Begin::AtOnce));
        assert_eq!(takes[2], (Level::All, Begin::TwentyMinutes));
    }

    #[test]
    fn what_would_leave_bells_unheard_is_refused() {
        for (bad, why) in [
            ("kind = \"mail\"\nfrom = \"5m\"", "no way that takes every bell"),
            ("kind = \"mail\"\nlevel = \"urgent\"", "no way that takes every bell"),
            ("kind = \"mail\"\nfrom = \"7m\"", "unknown variant"),
            ("kind = \"mail\"\ncolour = 1", "unknown field"),
            ("kind = \"mail\"\nto = \"a b\"", "bells.to"),
            ("kind = \"command\"\nrun = []", "bells.run"),
            ("kind = \"command\"\nrun = [\"x\"]\nseconds = 0", "bells.seconds"),
            ("kind = \"webhook\"\nurl = \"http://x.example/\"\nsecret_file = \"s\"", "bells.url"),
        ] {
            let said = ways(&format!("[[bells]]\n{bad}")).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
    }
}

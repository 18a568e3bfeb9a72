//! `daybreak advisory`: the text of one vulnerability, from a file or an editor.

mod show;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::editor;
use super::exit::{Ended, Exit, refuse};
use super::files;
use super::print::Print;
use super::voided::Before;
use crate::casework::{advisories, find_advisory};
use crate::domain::advisory::{self, AdvisoryText};
use crate::domain::finding::{Finding, any_stop};
use crate::domain::secret::Reason;

/// What a new advisory starts from.
const TEMPLATE: &str = include_str!("../../templates/advisory.toml");

#[derive(Debug, Subcommand)]
pub enum Advisory {
    New(New),
    /// Change an advisory: every edit is a revision, and voids plans that pinned the old text
    #[command(after_help = "Example:\n  daybreak advisory edit x_meadow-2026-0001\n  \
        daybreak advisory edit x_meadow-2026-0001 --from advisory.toml")]
    Edit {
        /// Public id or id
        advisory: String,
        /// Take the new text from this TOML file (- for stdin) instead of an editor
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Show one advisory
    #[command(after_help = "Example:\n  daybreak advisory show x_meadow-2026-0001 --toml")]
    Show {
        /// Public id or id
        advisory: String,
        /// As the TOML that `advisory edit --from` takes
        #[arg(long)]
        toml: bool,
    },
    /// Show all advisories
    #[command(after_help = "Example:\n  daybreak advisory list")]
    List,
    /// List everything that is wrong or unwise with the text
    #[command(after_help = "Example:\n  daybreak advisory check x_meadow-2026-0001")]
    Check {
        /// Public id or id
        advisory: String,
    },
    /// Draft an advisory from an OSV record, JSON or YAML; prints its id
    #[command(after_help = "Example:\n  \
        daybreak advisory import PYSEC-2026-1.yaml --id x_meadow-2026-0002")]
    Import {
        /// The record
        file: PathBuf,
        /// The public id it shall have here; the record's own becomes an alias
        #[arg(long, value_name = "PUBLIC_ID")]
        id: Option<String>,
    },
}

/// Draft an advisory, in your editor unless a file is given; prints its id
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak advisory new --template > advisory.toml\n  \
    daybreak advisory new --from advisory.toml")]
pub struct New {
    /// Take the text from this TOML file (- for stdin)
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    from: Option<PathBuf>,
    /// Only print the commented template
    #[arg(long)]
    template: bool,
}

impl New {
    /// Whether nothing is to be made.
    pub const fn only_template(&self) -> bool {
        self.template
    }
}

pub fn print_template(print: Print) -> Ended {
    print.bytes(TEMPLATE.as_bytes())?;
    Ok(Exit::Ok)
}

pub async fn run(verb: Advisory, desk: &Desk) -> Ended {
    let (house, print) = (&desk.house, desk.print);
    match verb {
        Advisory::New(new) => {
            let make = async |text: String| {
                let text = parse(new.from.as_deref(), &text)?;
                Ok(advisories::create(house, desk.actor, text).await?)
            };
            let (made, findings) = match &new.from {
                Some(file) => make(files::read_text(file)?).await?,
                None => editor::edit(&house.dir, "advisory.toml", TEMPLATE, make).await?,
            };
            drafted(print, &made, &findings)?;
        }
        Advisory::Edit { advisory, from } => {
            let found = find_advisory(house, &advisory).await?;
            let before = Before::edit(desk).await?;
            let change = async |text: String| {
                let text = parse(from.as_deref(), &text)?;
                Ok(advisories::edit(house, desk.actor, &found, text).await?)
            };
            let (changed, findings) = match &from {
                Some(file) => change(files::read_text(file)?).await?,
                None => {
                    let text = show::as_toml(&found)?;
                    editor::edit(&house.dir, "advisory.toml", &text, change).await?
                }
            };
            print.talk(format!("Revision {}.", changed.revision));
            print.made(changed.id, &findings)?;
            return before.tell(desk, Ok(Exit::Ok)).await;
        }
        Advisory::Show { advisory, toml } => {
            let found = find_advisory(house, &advisory).await?;
            if toml {
                print.bytes(show::as_toml(&found)?.as_bytes())?;
            } else {
                print.either(&show::as_json(&found), || show::as_text(&found))?;
            }
        }
        Advisory::List => {
            let all = advisories::list(house).await?;
            let json: Vec<_> = all.iter().map(show::in_short).collect();
            print.either(&json, || show::as_table(&all))?;
        }
        Advisory::Check { advisory } => {
            let findings = advisories::check(&find_advisory(house, &advisory).await?);
            print.judged(&findings, "nothing to complain about")?;
            return Ok(if any_stop(&findings) { Exit::Blocked } else { Exit::Ok });
        }
        Advisory::Import { file, id } => {
            let bytes = files::read(&file, files::TEXT)?;
            let name = files::name(&file);
            let (made, findings) =
                advisories::import_osv(house, desk.actor, &bytes, &name, id).await?;
            drafted(print, &made, &findings)?;
        }
    }
    Ok(Exit::Ok)
}

fn drafted(print: Print, made: &advisory::Advisory, findings: &[Finding]) -> anyhow::Result<()> {
    print.made(made.id, findings)?;
    let id = &made.text.open(Reason::Review).public_id;
    print.talk(format!(
        "Drafted {id}. Next: daybreak disclosure new --at \"2026-12-01 16:00 Europe/Berlin\" --advisory {id}"
    ));
    Ok(())
}

/// A text from TOML; what cannot be read is named with its line and key.
fn parse(file: Option<&Path>, text: &str) -> anyhow::Result<AdvisoryText> {
    let name = file.map_or_else(|| "the text".to_owned(), |f| f.display().to_string());
    toml::from_str(text).map_err(|e: toml::de::Error| {
        refuse(
            Exit::Failure,
            format!("{name}: {}", e.to_string().trim_end()),
            "correct that line; `daybreak advisory new --template` shows every key",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Severity;
    use crate::domain::rules;

    #[test]
    fn the_template_is_a_text_that_nothing_stops() {
        let text = parse(None, TEMPLATE).unwrap();
        let findings = rules::advisory::check(&text);
        assert!(!any_stop(&findings), "{findings:?}");
        // Whoever leaves an example standing hears of it.
        let unfinished: Vec<_> =
            findings.iter().filter(|f| f.code == "unfinished-words").map(|f| &f.place).collect();
        assert_eq!(unfinished, ["title", "description", "remedy"]);
    }

    #[test]
    fn the_templates_commented_blocks_parse_too() {
        let from = TEMPLATE.find("# [[references]]").unwrap();
        let (plain, commented) = TEMPLATE.split_at(from);
        let is_key = |l: &str| {
            l.starts_with("# [[")
                || l.contains(" = ")
                || l.contains("PGP")
                || l == "# ..."
                || l == "# \"\"\""
        };
        let opened: String = commented
            .lines()
            .filter(|l| is_key(l) && !l.contains("public only with"))
            .map(|l| format!("{}\n", l.trim_start_matches("# ")))
            .collect();
        let text = parse(None, &format!("{plain}\n{opened}")).unwrap();
        assert_eq!((text.references.len(), text.credits.len(), text.reporters.len()), (1, 1, 1));
        let findings = rules::advisory::check(&text);
        let stops: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Stop).collect();
        assert!(stops.is_empty(), "{stops:?}");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parse(None, &TEMPLATE.replace("aliases = []", "alias = []")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("line 18") && text.contains("unknown field `alias`"), "{text}");
    }
}

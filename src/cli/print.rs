//! The one place that writes to the terminal: data on stdout, talk on stderr.
//!
//! What must stay true: a program that reads our stdout gets data and nothing else; a reader
//! that stops reading (`| head`) is no failure; text from outside cannot steer the terminal.

use std::io::{ErrorKind, IsTerminal as _, Write};

use anyhow::Context as _;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::domain::finding::{Finding, Severity};

/// How this run prints.
#[derive(Debug, Clone, Copy)]
pub struct Print {
    json: bool,
    colour: bool,
}

impl Print {
    /// `json` as asked for; colour only where a person looks and `NO_COLOR` is not set.
    pub fn new(json: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|t| t == "dumb");
        let colour = !json && !dumb && !set("NO_COLOR") && std::io::stderr().is_terminal();
        Self { json, colour }
    }

    /// Whether data goes out as JSON.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Data, byte for byte.
    pub fn bytes(self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write to stdout"),
            _ => Ok(()),
        }
    }

    /// Data as text, one final newline.
    pub fn data(self, text: &str) -> anyhow::Result<()> {
        self.bytes(format!("{}\n", tame(text.trim_end())).as_bytes())
    }

    /// Data as JSON.
    pub fn json(self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Data in either form; the text is made only when it is wanted.
    pub fn either(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json { self.json(value) } else { self.data(&text()) }
    }

    /// One of many, as it happens: a line of JSON, or of text.
    pub fn each(
        self,
        value: &serde_json::Value,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json { self.bytes(format!("{value}\n").as_bytes()) } else { self.data(&text()) }
    }

    /// What a command made: its id alone on stdout, what the rules say on stderr.
    pub fn made(self, id: impl ToString, findings: &[Finding]) -> anyhow::Result<()> {
        let id = id.to_string();
        if self.json {
            return self.json(&serde_json::json!({ "id": id, "findings": findings }));
        }
        self.findings(findings);
        self.data(&id)
    }

    /// Something for the person, not for a program. Silent under `--json`.
    pub fn talk(self, text: impl AsRef<str>) {
        if !self.json {
            say(&tame(text.as_ref()));
        }
    }

    /// Findings as talk.
    pub fn findings(self, findings: &[Finding]) {
        for finding in findings {
            self.talk(self.finding(finding));
        }
    }

    /// Findings as data; an empty answer is said as `nothing`.
    pub fn judged(self, findings: &[Finding], nothing: &str) -> anyhow::Result<()> {
        if self.json {
            return self.json(&findings);
        }
        if findings.is_empty() {
            return self.data(nothing);
        }
        let lines: Vec<String> = findings.iter().map(plain).collect();
        self.data(&lines.join("\n"))
    }

    /// Why nothing, or not everything, was done.
    pub fn failure(self, what: &str, help: Option<&str>, findings: &[Finding], code: u8) {
        if self.json {
            let value = serde_json::json!({
                "error": what, "help": help, "findings": findings, "exit": code,
            });
            say(&value.to_string());
            return;
        }
        self.findings(findings);
        say(&format!("{} {}", self.painted("error:", 31), tame(what)));
        if let Some(help) = help {
            say(&format!("{} {}", self.painted("help:", 36), tame(help)));
        }
    }

    fn finding(self, finding: &Finding) -> String {
        let colour = match finding.severity {
            Severity::Stop => 31,
            Severity::Warn => 33,
            Severity::Note => 34,
        };
        let word = self.painted(finding.severity.word(), colour);
        // The colour's own escapes must survive the taming of what comes from outside.
        format!("{word}{}", tame(plain(finding).trim_start_matches(finding.severity.word())))
    }

    fn painted(self, word: &str, colour: u8) -> String {
        if self.colour { format!("\u{1b}[1;{colour}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

/// `stop affected[0].ranges: what is wrong (cure) [code]`.
fn plain(finding: &Finding) -> String {
    let cure = match finding.cure.as_str() {
        "" => String::new(),
        cure => format!("; {cure}"),
    };
    let Finding { severity, place, message, code, .. } = finding;
    format!("{severity} {place}: {message}{cure} [{code}]")
}

/// One line or more to stderr. A closed stderr is nobody's to hear of.
fn say(text: &str) {
    let mut err = std::io::stderr().lock();
    let _nobody_listens = writeln!(err, "{text}").and_then(|()| err.flush());
}

/// Text without characters that would steer a terminal.
fn tame(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Rows in columns, without lines, for people and `cut` alike.
pub fn table<R, C>(head: &[&str], rows: R) -> String
where
    R: IntoIterator<Item = Vec<C>>,
    C: ToString,
{
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let flat = |text: String| text.replace(['\n', '\r'], " ");
    if !head.is_empty() {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row.into_iter().map(|c| flat(c.to_string())));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        column.set_cell_alignment(CellAlignment::Left);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_plain_columns() {
        let text = table(&["id", "name"], [vec!["adv_1", "two\nlines"], vec!["x", "y"]]);
        assert_eq!(text, "id     name\nadv_1  two lines\nx      y");
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        let finding = Finding::warn("x", "title", "red \u{1b}[31m").cure("back\u{202e}wards");
        let print = Print { json: false, colour: true };
        let shown = print.finding(&finding);
        assert_eq!(shown.matches('\u{1b}').count(), 2, "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
        assert_eq!(
            Print { json: false, colour: false }.finding(&Finding::note("c", "p", "m")),
            "note p: m [c]"
        );
    }
}

//! The templates: embedded, each overridable by a file of the same name in a folder.
//!
//! Strict: a variable that is not filled is an error, not an empty place. HTML is escaped by
//! itself. A file in the folder that overrides nothing is refused, so that a misspelt name
//! cannot be overlooked. Error texts name file, line and kind, never a value.

use std::fmt::Write as _;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    escape_formatter,
};
use serde::Serialize;

use super::FormatError;
use crate::domain::blob::Sha256;

/// Largest template file, in bytes.
const LARGEST: u64 = 256 * 1024;
/// Steps one rendering may take: an override that loops comes to an end.
const FUEL: u64 = 5_000_000;
/// Overridable like templates, served as they are.
const STYLE: &str = "site.css";
const ICON: &str = "icon.svg";

const EMBEDDED: [(&str, &str); 16] = [
    ("layout.html", include_str!("../../templates/layout.html")),
    ("advisory.html", include_str!("../../templates/advisory.html")),
    ("index.html", include_str!("../../templates/index.html")),
    ("not_found.html", include_str!("../../templates/not_found.html")),
    ("advisory.txt", include_str!("../../templates/advisory.txt")),
    ("notice.txt", include_str!("../../templates/notice.txt")),
    ("notice_reporter.txt", include_str!("../../templates/notice_reporter.txt")),
    ("notice_revision.txt", include_str!("../../templates/notice_revision.txt")),
    ("notice_schedule.txt", include_str!("../../templates/notice_schedule.txt")),
    ("notice_broken.txt", include_str!("../../templates/notice_broken.txt")),
    ("notice_at_once.txt", include_str!("../../templates/notice_at_once.txt")),
    ("notice_cancellation.txt", include_str!("../../templates/notice_cancellation.txt")),
    ("post.txt", include_str!("../../templates/post.txt")),
    ("headsup.txt", include_str!("../../templates/headsup.txt")),
    (STYLE, include_str!("../../templates/site.css")),
    (ICON, include_str!("../../templates/icon.svg")),
];

/// All templates, read and checked once.
pub struct Templates {
    environment: Environment<'static>,
    style: String,
    icon: String,
    digests: Vec<(&'static str, Sha256)>,
    overrides: Vec<(&'static str, String)>,
}

impl Templates {
    /// The embedded ones, overridden by files in `folder`.
    pub fn load(folder: Option<&Path>) -> Result<Self, FormatError> {
        if let Some(folder) = folder {
            refuse_strangers(folder)?;
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                .map_err(|e| mapped("layout.html", &e))?,
        );
        environment.set_debug(false);
        environment.set_formatter(escaped);
        environment.set_fuel(Some(FUEL));
        let (mut style, mut icon) = (String::new(), String::new());
        let (mut digests, mut overrides) = (Vec::new(), Vec::new());
        for (name, embedded) in EMBEDDED {
            let text = match folder {
                Some(folder) => override_of(&folder.join(name))?,
                None => None,
            };
            if let Some(text) = &text {
                overrides.push((name, text.clone()));
            }
            let text = text.unwrap_or_else(|| embedded.to_owned());
            digests.push((name, Sha256::of(text.as_bytes())));
            match name {
                STYLE => style = text,
                ICON => icon = text,
                _ => environment.add_template_owned(name, text).map_err(|e| mapped(name, &e))?,
            }
        }
        Ok(Self { environment, style, icon, digests, overrides })
    }

    /// File name and digest of every template in use, in a fixed order, for the MANIFEST.
    pub fn digests(&self) -> &[(&'static str, Sha256)] {
        &self.digests
    }

    /// Name and text of what is overridden.
    pub fn overrides(&self) -> &[(&'static str, String)] {
        &self.overrides
    }

    /// The stylesheet's text.
    pub fn style(&self) -> &str {
        &self.style
    }

    /// The icon, SVG.
    pub fn icon(&self) -> &str {
        &self.icon
    }

    /// Renders `name` with the fields of `context`.
    pub(super) fn render(
        &self,
        name: &str,
        context: impl Serialize,
    ) -> Result<String, FormatError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(context))))
            .map_err(|e| mapped(name, &e))
    }
}

/// Escapes as the engine does, but leaves `/` alone: addresses stay readable in the source.
fn escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match (state.auto_escape(), value.as_str()) {
        (AutoEscape::Html, Some(text)) if !value.is_safe() => text,
        _ => return escape_formatter(out, state, value),
    };
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&#x27;"),
            other => out.write_char(other),
        }
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "cannot write"))?;
    }
    Ok(())
}

fn override_of(path: &Path) -> Result<Option<String>, FormatError> {
    let wrong = |what: String| FormatError::Folder { path: path.to_owned(), what };
    match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(wrong(e.kind().to_string())),
        Ok(found) if found.len() > LARGEST => {
            return Err(wrong(format!("it is larger than {LARGEST} bytes")));
        }
        Ok(_) => {}
    }
    std::fs::read_to_string(path).map(Some).map_err(|e| wrong(e.kind().to_string()))
}

fn refuse_strangers(folder: &Path) -> Result<(), FormatError> {
    let wrong = |path: &Path, what: String| FormatError::Folder { path: path.to_owned(), what };
    let listing = std::fs::read_dir(folder).map_err(|e| wrong(folder, e.kind().to_string()))?;
    for entry in listing {
        let path = entry.map_err(|e| wrong(folder, e.kind().to_string()))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if !name.starts_with('.') && !EMBEDDED.iter().any(|(known, _)| *known == name) {
            let known: Vec<_> = EMBEDDED.iter().map(|(known, _)| *known).collect();
            let what = format!("it overrides nothing; known names are {}", known.join(", "));
            return Err(wrong(&path, what));
        }
    }
    Ok(())
}

/// Only what cannot carry a value: the template engine's details may quote one.
fn mapped(name: &str, error: &Error) -> FormatError {
    let what = match error.kind() {
        ErrorKind::UndefinedError => "it uses a variable that is not filled".to_owned(),
        ErrorKind::OutOfFuel => "it does not come to an end".to_owned(),
        ErrorKind::TemplateNotFound => "it includes a template that does not exist".to_owned(),
        kind => kind.to_string(),
    };
    let name = error.name().unwrap_or(name).to_owned();
    FormatError::Template { name, line: error.line().unwrap_or(0), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, text: &str) -> Result<Templates, FormatError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        Templates::load(Some(folder.path()))
    }

    #[test]
    fn a_file_overrides_the_embedded_template_and_its_digest() {
        let ours = Templates::load(None).unwrap();
        let theirs = with("post.txt", "only {{ team }}").unwrap();
        #[derive(Serialize)]
        struct Context {
            team: &'static str,
        }
        assert_eq!(theirs.render("post.txt", Context { team: "<M>" }).unwrap(), "only <M>");
        let differing: Vec<_> =
            ours.digests().iter().zip(theirs.digests()).filter(|(a, b)| a != b).collect();
        assert_eq!(differing.len(), 1);
        assert_eq!(differing[0].0.0, "post.txt");
    }

    #[test]
    fn an_unfilled_variable_is_an_error_that_names_file_and_line() {
        let broken = with("post.txt", "one\n{{ nobody }}").unwrap();
        let error = broken.render("post.txt", serde_json::json!({"secret": "plum"})).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("post.txt") && text.contains("line 2"), "{text}");
        assert!(!text.contains("plum"), "{text}");
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let both = with("index.html", "{{ a }} {{ b|join(',') }}").unwrap();
        let context = serde_json::json!({"a": "<'&\">/", "b": ["<i>"]});
        let html = both.render("index.html", context).unwrap();
        assert_eq!(html, "&lt;&#x27;&amp;&quot;&gt;/ &lt;i&gt;");
    }

    #[test]
    fn broken_endless_and_misspelt_files_are_refused() {
        assert!(matches!(with("post.txt", "{% if %}"), Err(FormatError::Template { .. })));
        assert!(matches!(with("psot.txt", ""), Err(FormatError::Folder { .. })));
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let error = with("post.txt", endless).unwrap().render("post.txt", ()).unwrap_err();
        assert!(error.to_string().contains("come to an end"), "{error}");
    }
}

//! The grammar as a newcomer meets it: every command has an example, and each one parses.

use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

/// Every command that does something, with its path.
fn leaves(command: &Command, path: &str, into: &mut Vec<(String, Command)>) {
    let mut subs = command.get_subcommands().filter(|c| c.get_name() != "help").peekable();
    if subs.peek().is_none() {
        into.push((path.to_owned(), command.clone()));
    }
    for sub in subs {
        leaves(sub, &format!("{path} {}", sub.get_name()), into);
    }
}

/// Words of a line as a shell splits them, enough for our examples.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => all.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    all
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_an_example_that_parses() {
    let mut all = Vec::new();
    leaves(&Cli::command(), "daybreak", &mut all);
    assert!(all.len() > 40, "{} commands", all.len());
    for (path, command) in all {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples: Vec<_> = help
            .lines()
            .flat_map(|l| l.split(" | "))
            .map(|l| l.trim().split(" > ").next().unwrap_or_default().to_owned())
            .filter(|l| l.starts_with("daybreak "))
            .collect();
        let verb = path.split(' ').skip(1).collect::<Vec<_>>();
        let own = |e: &&String| {
            let words = words(e);
            verb.iter().all(|v| words.iter().any(|w| w == v))
        };
        assert!(examples.iter().any(|e| own(&e)), "`{path}` has no example: {help:?}");
        for example in &examples {
            let parsed = Cli::try_parse_from(words(example));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
        assert!(command.get_about().is_some(), "`{path}` is not described");
    }
}

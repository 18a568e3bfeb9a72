//! What the person types, a line at a time, read by a thread of its own: a terminal that blocks
//! must not keep the journal from being shown.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use tokio::sync::mpsc;

/// Longest line that is looked at.
const LONGEST: u64 = 4096;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Let the phase begin that is asked about.
    Go,
    /// Hold the whole plan.
    Hold(String),
    /// Let a held plan go on.
    Resume,
    /// Ask no more.
    Leave,
    /// End this.
    Quit,
    /// Something else.
    Other,
}

impl Answer {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        Some(match word.to_ascii_lowercase().as_str() {
            // An empty line is no yes.
            "" => return None,
            "go" | "yes" => Self::Go,
            "hold" if !rest.trim().is_empty() => Self::Hold(rest.trim().to_owned()),
            "resume" => Self::Resume,
            "leave" => Self::Leave,
            "quit" | "exit" => Self::Quit,
            _ => Self::Other,
        })
    }
}

/// The lines of stdin.
pub struct Answers {
    lines: mpsc::Receiver<Answer>,
    terminal: bool,
}

impl Answers {
    /// Begins to read. The thread ends with stdin, or with the process.
    pub fn read() -> Self {
        let (tell, lines) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            let mut line = String::new();
            // What is not text is nobody who answers.
            while stdin.by_ref().take(LONGEST).read_line(&mut line).is_ok_and(|n| n > 0) {
                if let Some(answer) = Answer::of(&line)
                    && tell.blocking_send(answer).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        Self { lines, terminal: std::io::stdin().is_terminal() }
    }

    /// Whether a person types: then every line is heard at once. A pipe holds its answers all
    /// from the beginning, so each is kept for its own question.
    pub const fn are_typed(&self) -> bool {
        self.terminal
    }

    /// The next answer; `None` when there will be none.
    pub async fn next(&mut self) -> Option<Answer> {
        self.lines.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_is_a_yes() {
        assert_eq!(Answer::of("\n"), None);
        assert_eq!(Answer::of(" Go \r\n"), Some(Answer::Go));
        assert_eq!(
            Answer::of("hold the tag is wrong\n"),
            Some(Answer::Hold("the tag is wrong".into()))
        );
        assert_eq!(Answer::of("hold\n"), Some(Answer::Other));
        assert_eq!(Answer::of("good\n"), Some(Answer::Other));
    }
}

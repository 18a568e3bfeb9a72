//! Progress for a person who waits: on stderr, only where that is a terminal, never with
//! `--json`. Nothing of it is data, and it leaves no trace when it ends.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::print::Print;

/// So many things to do, counted in `words`.
pub fn bar(things: usize, words: &str, print: Print) -> ProgressBar {
    let target = if print.is_json() {
        ProgressDrawTarget::hidden()
    } else {
        // Draws only on a terminal.
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(as_length(things)), target)
        .with_finish(ProgressFinish::AndClear);
    let template = format!("{{bar:24}} {{pos}} of {{len}} {words}{{msg}}");
    // Without a style of ours the library's own is shown.
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A count as the library wants it.
pub fn as_length(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

//! The log: to stderr, and only what this program itself says. Libraries' own events may
//! carry addresses and contents, so they are never let through, whatever the level.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::print::Print;

/// Sets the level that is asked for more often, or `DAYBREAK_LOG`. With `tells_itself` the
/// command says in its own words what happens, and the log speaks only when asked to.
pub fn start(verbose: u8, tells_itself: bool, print: Print) {
    let by_flag = match verbose {
        0 if tells_itself => LevelFilter::OFF,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let wanted = std::env::var("DAYBREAK_LOG").unwrap_or_default();
    let level = match wanted.parse::<LevelFilter>() {
        Ok(level) if verbose == 0 && !wanted.is_empty() => level,
        Err(_) if !wanted.is_empty() => {
            print.talk("DAYBREAK_LOG is not off, error, warn, info, debug or trace: not followed");
            by_flag
        }
        _ => by_flag,
    };
    let shown = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let only_ours = Targets::new().with_target("daybreak", level);
    // A second start in one process, as in tests, changes nothing.
    let _first_one_stays = tracing_subscriber::registry().with(shown).with(only_ours).try_init();
}

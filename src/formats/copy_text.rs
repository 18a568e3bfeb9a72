//! The watermark of a notice: a line with a code that stands in one copy only, and the words
//! that say so. Who gets such a copy knows it from the copy itself.

use crate::domain::blob::COPY_BLANK;

/// What the line with the code begins with.
pub const LABEL: &str = "Copy: ";

/// What stands at the end of an individual copy, its code blank: ASCII, lines ended by line
/// feeds.
pub fn lines() -> String {
    format!(
        "\nThis copy is individual: the code below stands in no other copy, and tells\nus whose \
         it is. You agreed to that. Please do not pass the text on.\n\n{LABEL}{COPY_BLANK}\n"
    )
}

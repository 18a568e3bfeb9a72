//! Rules: pure functions that collect findings. All run, all are reported; a verb goes on
//! only when none stops.

pub mod advisory;
pub mod dates;
pub mod matrix;
pub mod mitigation;
pub mod moves;
pub mod readiness;
pub mod windows;

//! Floor 7: the public site. It serves the tree that `formats::tree` builds and nothing else.
//!
//! One handler answers everything: what is not a file of the tree is the same 404, whether it
//! never was or is not public yet. Nothing depends on the time of day, on counts or on the
//! database's revision. It runs on a thread and a runtime of its own: a flood of readers
//! cannot keep the engine waiting.

mod answer;
mod headers;
mod of_house;
mod problem;
mod served;
mod serving;
mod shown;

pub use serving::{ServeError, Serving, serve};
pub use shown::{Shown, Unavailable, Web};

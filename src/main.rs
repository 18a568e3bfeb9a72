//! Daybreak.
fn main() {}

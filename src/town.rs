//! Floor 8: a whole house plus a scripted world, for the demo and the tests.
//!
//! The parts of the world are real servers on loopback ports, with faults on demand.

pub mod catcher;
pub mod index;

//! The store on both databases: nothing half-written, nothing lost between two writers,
//! nothing readable without the key, nothing changed behind its back unnoticed.

mod audit;
mod made;
mod nouns;
mod opening;
mod sealing;
mod writing;

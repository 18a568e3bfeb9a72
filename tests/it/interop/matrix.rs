//! The printed matrix: a line a shape, a column a reader, two marks a cell.

use std::collections::BTreeMap;
use std::fmt;

use super::mailed::Kind;
use super::readers::{NAMES, Seen};

#[derive(Default)]
pub struct Matrix {
    cells: BTreeMap<(&'static str, &'static str), BTreeMap<Kind, Seen>>,
    shapes: Vec<(&'static str, Option<&'static str>)>,
    not_run: Vec<&'static str>,
}

impl Matrix {
    pub fn blocked(&mut self, shape: &'static str, why: &'static str) {
        self.shapes.push((shape, Some(why)));
    }

    pub fn not_run(&mut self, reader: &'static str) {
        self.not_run.push(reader);
    }

    pub fn cell(&mut self, shape: &'static str, reader: &'static str, kind: Kind, seen: Seen) {
        if !self.shapes.iter().any(|(s, _)| *s == shape) {
            self.shapes.push((shape, None));
        }
        self.cells.entry((shape, reader)).or_default().insert(kind, seen);
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| certificate | {} |", NAMES.join(" | "))?;
        writeln!(f, "|---|{}", "---|".repeat(NAMES.len()))?;
        let not_run = |reader: &str| self.not_run.contains(&reader);
        let mut shapes = self.shapes.clone();
        shapes.sort_by_key(|(name, why)| (why.is_some(), *name));
        for (shape, why) in &shapes {
            if let Some(why) = why {
                writeln!(f, "| {shape} | blocked: {why} {}|", "|".repeat(NAMES.len() - 1))?;
                continue;
            }
            write!(f, "| {shape} |")?;
            for reader in NAMES {
                let none = BTreeMap::new();
                let cell = self.cells.get(&(*shape, reader)).unwrap_or(&none);
                let word = |kind| cell.get(&kind).map_or("-", |s| s.word());
                match not_run(reader) {
                    true => write!(f, " not run |")?,
                    false => write!(f, " {} / {} |", word(Kind::Notice), word(Kind::Challenge))?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

//! A bound and what was measured against it, and the middle of several rounds.

use serde::Serialize;

use super::super::exit::{Ended, Exit};
use super::super::print::{Print, table};

/// On which side of its bound a figure must be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// One figure that has a bound, or is only told.
#[derive(Debug, Serialize)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// `null` for what is only told.
    bound: Option<Bound>,
    /// `null` without a bound.
    met: Option<bool>,
}

impl Figure {
    /// One that is only told.
    pub fn told(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value: rounded(value), unit, bound: None, met: None }
    }

    /// One that has a bound. What is no number meets none.
    pub fn bound(name: impl Into<String>, value: f64, unit: &'static str, bound: Bound) -> Self {
        let met = match bound {
            Bound::AtMost(most) => value <= most,
            Bound::AtLeast(least) => value >= least,
        };
        Self { bound: Some(bound), met: Some(met), ..Self::told(name, value, unit) }
    }

    fn row(&self) -> Vec<String> {
        let met = if self.met == Some(true) { "met" } else { "missed" };
        let bound = match self.bound {
            None => String::new(),
            Some(Bound::AtMost(most)) => format!("at most {most}: {met}"),
            Some(Bound::AtLeast(least)) => format!("at least {least}: {met}"),
        };
        vec![self.name.clone(), format!("{} {}", self.value, self.unit), bound]
    }
}

/// Whether every bound is met.
pub fn all_met(figures: &[Figure]) -> bool {
    figures.iter().all(|f| f.met != Some(false))
}

/// Prints what was measured; a failure when a bound is missed.
pub fn told(print: Print, report: &impl Serialize, figures: &[Figure]) -> Ended {
    print.either(report, || shown(figures))?;
    if cfg!(debug_assertions) {
        print.talk("this build is not optimised: build with --release for figures that count");
    }
    Ok(if all_met(figures) { Exit::Ok } else { Exit::Failure })
}

/// A line a figure.
fn shown(figures: &[Figure]) -> String {
    table(&["figure", "measured", "bound"], figures.iter().map(Figure::row))
}

/// Three digits behind the point: more would pretend.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The smallest value that this share of all does not exceed; no number of nothing.
pub fn quantile(all: &[f64], share: f64) -> f64 {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    let place = (all.len() as f64 * share).ceil() as usize;
    all.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The middle one, or the lower of the two in the middle.
pub fn median(all: &[f64]) -> f64 {
    quantile(all, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let all: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!((median(&all), quantile(&all, 0.99), quantile(&all, 1.0)), (50.0, 99.0, 100.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_missed_bound_is_not_met_and_neither_is_what_is_no_number() {
        let at_most = |value| [Figure::bound("a", value, "ms", Bound::AtMost(2.0))];
        assert!(all_met(&at_most(2.0)) && !all_met(&at_most(2.1)) && !all_met(&at_most(f64::NAN)));
        assert!(all_met(&[Figure::told("b", f64::NAN, "ms")]));
        assert!(shown(&at_most(2.1)).contains("at most 2: missed"));
    }
}

//! A release that cannot wait for its date: what is not asked of it, and what somebody waived by
//! name.

use crate::domain::finding::{Finding, Severity};

/// What follows from the hurry itself: the date is now, and nobody is told ahead of it.
const OF_ITSELF: &[&str] = &["t0-past", "t0-friday", "t0-weekend", "lead-short"];
/// What would keep it back though it only asks for time that is not there.
const NO_TIME: &[&str] = &["notice-missing"];
/// What no word can make right.
const NEVER: &[&str] = &["fixed-version-claimed", "cell-pending", "nothing-to-disclose"];

/// The hurry somebody is in.
#[derive(Debug, Clone, Default)]
pub struct Hurry {
    /// Codes of findings that shall not stop it.
    pub waived: Vec<String>,
    /// Whether it is public somewhere: then fewer people may decide.
    pub leaked: bool,
}

impl Hurry {
    /// What is left of the findings: the waived ones warn, so that approvers read them.
    pub(super) fn weigh(&self, findings: &mut Vec<Finding>) {
        findings.retain(|f| !OF_ITSELF.contains(&f.code.as_str()));
        let code = |f: &Finding, all: &[&str]| all.contains(&f.code.as_str());
        for finding in findings.iter_mut().filter(|f| f.severity == Severity::Stop) {
            let waived = self.waived.contains(&finding.code) && !code(finding, NEVER);
            if waived || code(finding, NO_TIME) {
                finding.severity = Severity::Warn;
            }
        }
    }
}

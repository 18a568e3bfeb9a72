//! What is looked at before a plan's hour, and what it led to: everything that stands in the
//! way, by family, so that a bell without content can still name a cure.
//!
//! What must stay true: a report decides nothing. It disarms no plan and moves no stage; red is
//! said to people, who mend it. Codes and cures are compiled in, so that a bell has no room for
//! anything else.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Severity};
use super::ids::PlanId;
use super::time::{At, Span};

/// What a bell and the record call a preflight that found nothing in the way.
pub const ALL_CLEAR: &str = "preflight-green";
/// From here to T0 the one green summary is due: distributors are getting ready.
pub const SUMMARY: Span = Span::hours(24);

/// What kind of thing stands in the way: one bell code and one cure each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Something of ours can be seen already.
    Public,
    /// The plan itself: approvals, pinned bytes, outlets that are gone.
    Plan,
    /// Refs that are not where the plan expects them.
    Branches,
    /// Places that cannot be reached, or do not take our credentials.
    Targets,
    /// Mails to lists: size and sender.
    Posts,
    /// OpenPGP keys that end.
    Keys,
    /// Passwords, tokens and SSH keys that end.
    Tokens,
    /// Room on the disk.
    Disk,
    /// The clock.
    Clock,
}

impl Family {
    /// Every family, the gravest first.
    pub const ALL: [Self; 9] = [
        Self::Public,
        Self::Plan,
        Self::Branches,
        Self::Targets,
        Self::Posts,
        Self::Keys,
        Self::Tokens,
        Self::Disk,
        Self::Clock,
    ];

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Plan => "plan",
            Self::Branches => "branches",
            Self::Targets => "targets",
            Self::Posts => "posts",
            Self::Keys => "keys",
            Self::Tokens => "tokens",
            Self::Disk => "disk",
            Self::Clock => "clock",
        }
    }

    /// What a bell and the log call it when it is red.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "preflight-red-public",
            Self::Plan => "preflight-red-plan",
            Self::Branches => "preflight-red-branches",
            Self::Targets => "preflight-red-targets",
            Self::Posts => "preflight-red-posts",
            Self::Keys => "preflight-red-keys",
            Self::Tokens => "preflight-red-tokens",
            Self::Disk => "preflight-red-disk",
            Self::Clock => "preflight-red-clock",
        }
    }

    /// What cures it, in words that any bell may carry.
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Public => "look at once who can see it, and decide whether it leaked",
            Self::Plan => "make the plan again and have it approved",
            Self::Branches => "stage again and make the plan again, or be there to merge",
            Self::Targets => "mend the place or our credentials for it",
            Self::Posts => "mend what list or relay refuse, and make the plan again",
            Self::Keys => "extend or renew the key",
            Self::Tokens => "renew the credential, and its date in daybreak.toml",
            Self::Disk => "free the disk",
            Self::Clock => "set the machine's clock by a time server",
        }
    }

    /// The cure that belongs to a bell's code, if it is one of these.
    pub fn cure_of(code: &str) -> Option<&'static str> {
        Self::ALL.into_iter().find(|f| f.code() == code).map(Self::cure)
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What it is about.
    pub family: Family,
    /// What it is.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A whole preflight of one plan.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whose.
    pub plan: PlanId,
    /// When it was made.
    pub at: At,
    /// The instant it looked ahead to.
    pub t0: At,
    /// How many targets were tried.
    pub tried: u32,
    /// Whether a person held the plan back then.
    pub held: bool,
    /// Everything that was found, the gravest first.
    pub found: Vec<Checked>,
}

impl Report {
    /// Puts what was found in order: the gravest first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.found.sort_by_key(|c| (std::cmp::Reverse(c.finding.severity), c.family));
        self
    }

    /// Whether anything stops.
    pub fn is_red(&self) -> bool {
        self.found.iter().any(|c| c.finding.severity == Severity::Stop)
    }

    /// The families that are red, with what tells this red from another one.
    pub fn reds(&self) -> Vec<(Family, String)> {
        let which = |family: Family| {
            let mine = self.found.iter().filter(|c| c.family == family);
            let red = mine.filter(|c| c.finding.severity == Severity::Stop);
            let words: Vec<_> =
                red.map(|c| format!("{} {}", c.finding.code, c.finding.place)).collect();
            (family, words.join("\n"))
        };
        Family::ALL.into_iter().map(which).filter(|(_, words)| !words.is_empty()).collect()
    }

    /// How many findings weigh so much.
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|c| c.finding.severity == severity).count()
    }

    /// Whether the green summary is due with it: a held plan is not ready, whatever was found.
    pub fn is_summary(&self) -> bool {
        !self.is_red() && !self.held && self.t0.since(self.at) <= SUMMARY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: At = At::from_secs(1_796_137_200);

    fn report(found: Vec<Checked>) -> Report {
        let plan = PlanId::new(T, [0; 10]);
        let at = T.plus(Span::hours(-24));
        Report { plan, at, t0: T, tried: 3, held: false, found }
    }

    #[test]
    fn a_warning_is_no_red_and_a_stop_is() {
        let (note, warn) = (Finding::note("a", "", ""), Finding::warn("b", "", ""));
        let of = |family, finding| Checked { family, finding };
        let calm = report(vec![of(Family::Keys, note), of(Family::Tokens, warn)]);
        assert!(!calm.is_red() && calm.is_summary() && calm.reds().is_empty());
        let held = Report { held: true, ..calm.clone() };
        assert!(!held.is_summary());
        let early = Report { at: calm.at.plus(Span::millis(-1)), ..calm.clone() };
        assert!(!early.is_summary());
        let mut red = calm;
        red.found.push(of(Family::Disk, Finding::stop("disk-short", "DIR", "")));
        let red = red.sorted();
        assert_eq!(red.reds(), [(Family::Disk, "disk-short DIR".to_owned())]);
        assert!(red.is_red() && !red.is_summary());
        assert_eq!(red.found[0].finding.code, "disk-short");
        let text = serde_json::to_string(&red).unwrap();
        assert!(serde_json::from_str::<Report>(&text).unwrap() == red);
    }

    #[test]
    fn each_family_has_its_code_and_cure() {
        for family in Family::ALL {
            assert_eq!(family.code(), format!("preflight-red-{}", family.word()));
            assert_eq!(Family::cure_of(family.code()), Some(family.cure()));
            assert!(family.cure().is_ascii());
        }
        assert_eq!(Family::cure_of("step-blocked"), None);
    }
}

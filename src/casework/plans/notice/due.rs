//! What an occasion asks of a notice plan: the content to be kept, which findings stop it, and
//! who already knows.

use std::collections::BTreeSet;

use super::past::Past;
use super::tell::Occasion;
use crate::casework::disclosures::{check, check_date};
use crate::casework::plans::views::Opened;
use crate::casework::windows::weigh;
use crate::casework::{Case, CaseError, House};
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::{Finding, Severity};
use crate::domain::rules::windows::POST_MISSING;
use crate::domain::secret::Reason;
use crate::domain::told::Told;
use crate::domain::zone::T0;

/// What a Release plan needs but a notice does not: it may follow later.
const NOT_YET: &[&str] = &[
    "not-staged",
    "tag-not-staged",
    "artefacts-missing",
    "expectation-missing",
    "no-post",
    "candidate-dated-otherwise",
    POST_MISSING,
];

/// The content is not ready for those who know nothing; the news for the others goes.
const HELD_BACK: &str = "first-held-back";

impl Occasion {
    /// The instant that its readers are told; the plan's own is the disclosure's.
    pub(super) const fn instant(&self, t0: T0) -> T0 {
        match self {
            Self::AtOnce { decided, .. } => *decided,
            _ => t0,
        }
    }

    /// What holds now, under the next revision: every notice plan that tells anew has its own.
    pub(super) fn told(&self, past: &Past, opened: &Opened, t0: T0) -> Told {
        let mut now = opened.told(t0, 1);
        let newest = past.newest();
        now.revision = newest.map_or(past.count(), |told| told.revision).saturating_add(1);
        now
    }

    /// Everything that is wrong. News without content must not wait for the content: what is
    /// missing there keeps only those from hearing who know nothing yet.
    pub(super) async fn findings(
        &self,
        house: &House,
        disclosure: &Disclosure,
        accept: &[String],
        last: Option<&Told>,
        now: &Told,
    ) -> Case<Vec<Finding>> {
        let same = |last: &Told| last.same_content(now) && last.files == now.files;
        let moved = |last: &Told| last.t0.at != now.t0.at && same(last);
        let urgent = match self {
            // Nothing of the content goes out, and no date is told that could be wrong.
            Self::Cancelled { .. } | Self::AtOnce { .. } => return Ok(Vec::new()),
            Self::Broken { .. } => true,
            Self::Due => last.is_some_and(moved),
        };
        let mut findings = check(house, disclosure).await?;
        findings.retain(|f| !NOT_YET.contains(&f.code.as_str()));
        weigh(&mut findings, accept);
        if !urgent {
            return Ok(findings);
        }
        let content = disclosure.case.open(Reason::Judging);
        check_date(house, disclosure.t0, &content.advisories, &content.groups).await?;
        let stops = |f: &Finding| f.severity == Severity::Stop;
        if findings.iter().any(stops) {
            findings.iter_mut().for_each(|f| {
                if stops(f) {
                    f.severity = Severity::Warn;
                }
            });
            findings.push(
                Finding::warn(
                    HELD_BACK,
                    "notice",
                    "whoever was not told yet is left out: the content is not ready",
                )
                .cure("mend what is said above, then make another notice plan for them"),
            );
        }
        Ok(findings)
    }

    /// Nothing would be sent.
    pub(super) fn nobody(&self, past: &Past) -> CaseError {
        if past.count() == 0 && !matches!(self, Self::Cancelled { .. }) {
            return CaseError::not_now(
                "nobody would hear of it",
                "add distributors, or open the disclosure with --without-notice REASON",
            );
        }
        CaseError::not_now(
            "everybody who should hear knows this already",
            "`daybreak plan list DISC` shows what was sent",
        )
    }
}

/// Whether those who know nothing yet are left out.
pub(super) fn hold_back_the_first(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.code == HELD_BACK)
}

impl Past {
    /// Who was told, is on the list no more, and so hears nothing now. `listed` are the ids of
    /// everybody who is.
    pub(super) fn left_behind(&self, listed: &BTreeSet<String>) -> Option<Finding> {
        let gone = self.recipients().into_iter().filter(|id| !listed.contains(*id)).count();
        (gone > 0).then(|| {
            Finding::warn(
                "told-and-gone",
                "notice",
                format!(
                    "{gone} of those who were told are no longer on the list: they do not hear"
                ),
            )
            .cure("reach them another way, if they should know")
        })
    }
}

impl Past {
    /// A plan still tells others: until this one is approved it goes on.
    pub(super) fn goes_on(&self) -> Option<Finding> {
        self.is_telling().then(|| {
            Finding::note(
                "running-plan-goes-on",
                "notice",
                "an earlier notice plan still tells others, and goes on until this one is approved; \
                 whenever it tells somebody before that, this one must be made again",
            )
            .cure("daybreak plan hold PLAN, if nobody else shall hear meanwhile")
        })
    }
}

/// How many know of a disclosure, and how many of them know another date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aware {
    /// Recipients who may have had a notice.
    pub told: usize,
    /// Those who may still count on the date being another than it is.
    pub misled: usize,
}

/// Who would hear of a moved date or a cancellation.
pub async fn aware(house: &House, disclosure: &Disclosure) -> Case<Aware> {
    let past = Past::read(house, disclosure.id).await?;
    let told = past.recipients();
    let now = disclosure.t0.map(|t0| t0.at);
    let misled = told
        .iter()
        .filter_map(|id| past.heard(id, ""))
        .filter(|heard| !heard.cancelled && Some(heard.t0.at) != now);
    Ok(Aware { misled: misled.count(), told: told.len() })
}

//! Which notice each recipient gets, if any: everything to those who know nothing, the news to
//! those who were told something else, silence to those who know it all.

use super::past::{Heard, Past};
use super::tell::Occasion;
use crate::casework::plans::content::FIRST;
use crate::domain::news::{News, NoticeKind};
use crate::domain::told::Told;
use crate::domain::view::NoticeView;
use crate::formats::changes::changes;
use crate::formats::interdiff::{Series, interdiff};

/// What is said when a date moved and nobody gave a reason.
const NO_REASON: &str = "The team gave none.";

/// What goes to one recipient.
pub(super) struct Letter {
    /// The news.
    pub news: News,
    /// Beginning of the content group's name: equal names mean equal bytes.
    pub stem: String,
    /// Message-IDs of what they got earlier.
    pub references: Vec<String>,
}

/// Knows what is to be told, and who knows what.
pub(super) struct Courier<'a> {
    pub occasion: &'a Occasion,
    pub past: &'a Past,
    /// What holds now.
    pub told: &'a Told,
    pub view: &'a NoticeView,
    /// Why the instant moved last.
    pub moved: Option<&'a str>,
    /// Whether those who know nothing yet are told now.
    pub latecomers: bool,
    /// Whether this plan, once approved, ends the one that runs: nobody may be left to that.
    pub replaces: bool,
}

impl Courier<'_> {
    /// What a distributor's contact gets: content only if it `hears` of disclosures for these
    /// groups, word of proofs of concept only if it gets them.
    pub(super) fn distributor(&self, recipient: &str, hears: bool, poc: bool) -> Option<Letter> {
        let Some(heard) = self.past.heard(recipient, "") else {
            return if hears { self.first(recipient, "") } else { None };
        };
        let date = heard.t0.at.secs();
        // Who left the groups hears dates, and no content that was added since.
        if let (Some((plan, had)), true) = (heard.content, self.is_due() && hears) {
            let files = had.file_changes(self.told, poc);
            if !files.is_empty() || !had.same_content(self.told) {
                let mut stem = format!("{}-since-{plan}-{date}", NoticeKind::Revision);
                stem.push_str(if files.is_empty() { "" } else { "-files" });
                stem.push_str(if poc && !files.is_empty() { "-poc" } else { "" });
                let news = self.revision(had, &heard, files);
                return Some(Letter { news, stem, references: heard.ids });
            }
        }
        let news = self.tidings(&heard)?;
        let stem = format!("{}-since-{date}", news.kind());
        Some(Letter { news, stem, references: heard.ids })
    }

    /// What a reporter gets: no patches and no revisions, but every date.
    pub(super) fn reporter(&self, recipient: &str, address: &str) -> Option<Letter> {
        let Some(heard) = self.past.heard(recipient, address) else {
            return self.first(recipient, address);
        };
        let news = self.tidings(&heard)?;
        Some(Letter { news, stem: String::new(), references: heard.ids })
    }

    /// What a person must tell a reporter to whom nothing can be sealed.
    pub(super) fn by_hand(&self, name: &str, address: &str) -> Option<String> {
        let told = self.past.told_by_hand(address);
        let now = self.view.t0.spoken();
        let what = match (self.occasion, told) {
            (Occasion::Cancelled { .. }, None) => return None,
            (Occasion::Cancelled { reason, .. }, Some(_)) => {
                format!("by hand that the disclosure is cancelled: {reason}")
            }
            (Occasion::Broken { public, .. }, _) => {
                format!("by hand that the embargo is broken ({public}), and the date: {now}")
            }
            (Occasion::AtOnce { .. }, None) => return None,
            (Occasion::AtOnce { public, .. }, Some(_)) => {
                format!("by hand that it is published at once ({public})")
            }
            (Occasion::Due, None) => format!("the date by hand: {now}"),
            (Occasion::Due, Some(old)) if old.at != self.view.t0.at => {
                format!("the new date by hand: {now}; it was {}", old.spoken())
            }
            (Occasion::Due, Some(_)) => return None,
        };
        Some(format!("Tell the reporter {name} <{address}> {what}"))
    }

    const fn is_due(&self) -> bool {
        matches!(self.occasion, Occasion::Due)
    }

    fn first(&self, recipient: &str, address: &str) -> Option<Letter> {
        // What is said at once is of no use to those who expect nothing.
        let over = matches!(self.occasion, Occasion::Cancelled { .. } | Occasion::AtOnce { .. });
        // A plan that only adds newcomers leaves the others to the plan that runs.
        let coming = self.is_due() && !self.replaces && self.past.is_coming(recipient, address);
        (self.latecomers && !over && !coming).then(|| Letter {
            news: News::First,
            stem: FIRST.to_owned(),
            references: Vec::new(),
        })
    }

    /// Mere news to somebody who knows: none when nothing is new to them.
    fn tidings(&self, heard: &Heard<'_>) -> Option<News> {
        let old = (heard.t0.at != self.view.t0.at).then_some(heard.t0);
        match self.occasion {
            Occasion::Cancelled { .. } if heard.cancelled => None,
            Occasion::Cancelled { reason, holds } => {
                let (told, reason, holds) = (heard.t0, reason.clone(), holds.clone());
                Some(News::Cancellation { told, reason, holds })
            }
            Occasion::Broken { public, may_say } => {
                Some(News::Broken { old, public: public.clone(), may_say: may_say.clone() })
            }
            Occasion::AtOnce { public, .. } => Some(News::AtOnce { old, public: public.clone() }),
            Occasion::Due => old.map(|old| News::Schedule {
                old,
                reason: self.moved.unwrap_or(NO_REASON).to_owned(),
            }),
        }
    }

    fn revision(&self, had: &Told, heard: &Heard<'_>, files: Vec<String>) -> News {
        // The instant may have moved since, in a notice without the content.
        let mut old = self.past.view(had, self.view);
        old.t0 = heard.t0;
        let mut all = changes(&old, self.view, self.moved);
        all.extend(files);
        News::Revision {
            since: had.revision,
            changes: all,
            interdiff: interdiff(&series(&old), &series(self.view)),
        }
    }
}

fn series(view: &NoticeView) -> Vec<Series<'_>> {
    view.patches.iter().map(|p| Series { name: &p.file_name, bytes: &p.bytes }).collect()
}

//! What a contact gets beside the text of a notice, by its profile. Contacts with the same
//! content share one pinned entity, and all entities of a plan have one size, so that neither
//! a mail's length nor the number of lengths tells who asked for what.

use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::news::News;
use crate::domain::party::Profile;
use crate::domain::planner::Notice;
use crate::domain::view::NoticeView;
use crate::letters::entity;

/// Beginning of the name of what a first notice holds.
pub(super) const FIRST: &str = "notice";

/// In the name of what is filled for each delivery.
pub(super) const MARKED: &str = "+copy";

/// One set of attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    patches: bool,
    poc: bool,
    json: bool,
    individual: bool,
}

impl Content {
    /// What `profile` gets of `whole`: a wish for something that is not there makes no group
    /// of its own.
    pub fn of(profile: &Profile, whole: &NoticeView) -> Self {
        Self {
            patches: !profile.without_patches || whole.patches.is_empty(),
            poc: profile.poc && whole.files.iter().any(|f| f.poc),
            json: !profile.without_json,
            individual: profile.watermark,
        }
    }

    /// Name of the pinned entity of a first notice.
    pub fn name(self) -> String {
        self.named(FIRST)
    }

    /// What of it goes with the news: mere news bring no patch and no file, and no difference
    /// leads anybody from patches they did not get.
    pub fn fit_for(self, news: &mut News) -> Self {
        if !news.kind().tells_all() {
            return Self { patches: true, poc: false, ..self };
        }
        if let (News::Revision { interdiff, .. }, false) = (news, self.patches) {
            interdiff.clear();
        }
        self
    }

    /// Name of the pinned entity, which approvers see beside each recipient.
    pub fn named(self, stem: &str) -> String {
        let mut name = stem.to_owned();
        let words = [
            (self.poc, "+poc"),
            (!self.patches, "-patches"),
            (!self.json, "-json"),
            (self.individual, MARKED),
        ];
        for (is, word) in words {
            name.push_str(if is { word } else { "" });
        }
        format!("{name}.entity")
    }

    /// Whether each copy has a code of its own.
    pub const fn is_individual(self) -> bool {
        self.individual
    }

    /// The same for a house whose copies are all equal.
    pub const fn equal(self) -> Self {
        Self { individual: false, ..self }
    }

    /// What of `whole` they get.
    pub fn view(self, whole: &NoticeView) -> NoticeView {
        let mut view = whole.clone();
        if !self.patches {
            view.patches.clear();
        }
        view.files.retain(|f| self.poc || !f.poc);
        view.machine_readable = self.json;
        view
    }
}

/// Gives every entity of a plan the size of its largest.
pub(super) fn level(blobs: &mut [Blob], notices: &mut [Notice]) {
    let largest = blobs.iter().map(|b| b.bytes.len()).max().unwrap_or_default();
    for blob in blobs.iter_mut().filter(|b| b.bytes.len() < largest) {
        let old = blob.about.clone();
        let mut bytes = std::mem::take(&mut blob.bytes);
        entity::lengthen(&mut bytes, largest);
        *blob = Blob::new(old.name.clone(), bytes, old.slots.clone());
        for notice in notices.iter_mut() {
            if let Action::Mail { message, .. } = &mut notice.mail
                && *message == old
            {
                *message = blob.about.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::view::{Audience, NoticeFile};
    use crate::formats::sample;

    #[test]
    fn wishes_make_groups_only_where_there_is_something_to_get() {
        let mut whole = sample::notice(Audience::Distributor);
        let name = |profile: &Profile, whole: &NoticeView| Content::of(profile, whole).name();
        let poc = Profile { poc: true, ..Profile::default() };
        assert_eq!(name(&Profile::default(), &whole), "notice.entity");
        assert_eq!(name(&poc, &whole), "notice.entity");
        whole.files.push(NoticeFile {
            file_name: "poc.py".into(),
            poc: true,
            sha256: String::new(),
            bytes: vec![],
        });
        assert_eq!(name(&poc, &whole), "notice+poc.entity");
        let bare = Profile { without_patches: true, without_json: true, ..Profile::default() };
        assert_eq!(name(&bare, &whole), "notice-patches-json.entity");
        let view = Content::of(&bare, &whole).view(&whole);
        assert!(view.patches.is_empty() && view.files.is_empty() && !view.machine_readable);
        assert_eq!(Content::of(&poc, &whole).view(&whole), whole);
    }
}

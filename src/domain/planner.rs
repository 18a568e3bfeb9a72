//! From prepared bytes to ordered steps: pure, and the only place that knows the order of
//! the day (law 12).
//!
//! Release: gates first (each tag, each branch, uploads, waiting for files that others
//! build from a tag), then announcements (own lists before others, the site beside them),
//! then the receivers that are called once everything is to be seen, and what is left for
//! people.

use super::action::{Action, Expected, RefMove};
use super::blob::{BlobRef, Sha256};
use super::disclosure::Candidate;
use super::ids::StepId;
use super::party::{Contact, DistributorRecord};
use super::plan::{OnMove, Phase, Sealing, Step};
use super::remake::Remake;
use super::time::At;
use super::zone::T0;

/// The outlet of git pushes.
pub const GIT: &str = "git";
/// The outlet of all mail.
pub const MAIL: &str = "mail";
/// The outlet of our own site.
pub const SITE: &str = "site";
/// The outlet of the static tree.
pub const STATIC: &str = "static-site";
/// The outlet of what only a person can do.
pub const PERSON: &str = "person";

/// The outlet of a configured command.
pub fn command_outlet(name: &str) -> String {
    format!("command:{name}")
}

/// What a step looks at that waits until a list has sent a post. No command has such a name.
pub fn arrival_look(list: &str) -> String {
    format!("list:{list}")
}

/// The outlet of a configured receiver of events.
pub fn webhook_outlet(name: &str) -> String {
    format!("webhook:{name}")
}

/// The outlet that waits for files at a configured place.
pub fn await_outlet(name: &str) -> String {
    format!("await:{name}")
}

/// A staged branch, ready to be pushed.
pub struct Push<'a> {
    /// What was staged.
    pub candidate: &'a Candidate,
    /// Its bundle in the plan.
    pub bundle: BlobRef,
    /// What to do when the branch moved.
    pub on_move: OnMove,
    /// What is made of it then, where `on_move` makes anything.
    pub remake: Option<Remake>,
    /// Where the repository's name leads now.
    pub place: Option<Sha256>,
}

/// Files of a pinned release for one command.
pub struct Upload {
    /// The command's name in the configuration.
    pub command: String,
    /// Project and version.
    pub args: Vec<String>,
    /// The files.
    pub files: Vec<BlobRef>,
}

/// Files that others build after a tag is pushed.
pub struct Wait {
    /// The release's tag.
    pub tag: String,
    /// The configured place to look at.
    pub look: String,
    /// Project and version.
    pub args: Vec<String>,
    /// What must appear.
    pub expected: Vec<Expected>,
}

/// A finished list mail.
pub struct Post {
    /// The list's name in the configuration.
    pub list: String,
    /// The mail.
    pub mail: Action,
    /// Lists with a lower number go first.
    pub order: u32,
    /// What a moderator must be told, if the list is moderated.
    pub moderation: Option<String>,
    /// What waits until the list has sent it, if that can be seen: an `Await` action.
    pub arrival: Option<Action>,
}

/// Everything a Release plan does.
pub struct ReleaseDay<'a> {
    /// The instant.
    pub t0: At,
    /// Branches and tags.
    pub pushes: Vec<Push<'a>>,
    /// Uploads.
    pub uploads: Vec<Upload>,
    /// Waits.
    pub waits: Vec<Wait>,
    /// List posts.
    pub posts: Vec<Post>,
    /// Advisory pages: `Publish` actions.
    pub pages: Vec<Action>,
    /// Whether a static tree is carried out too.
    pub static_tree: bool,
    /// Receivers by name, and what each is called with: `Post` actions.
    pub calls: Vec<(String, Action)>,
    /// Who is asked when a person is needed.
    pub owner: String,
}

impl ReleaseDay<'_> {
    /// A day on which nothing happens yet.
    pub const fn empty(t0: At, owner: String) -> Self {
        Self {
            t0,
            pushes: Vec::new(),
            uploads: Vec::new(),
            waits: Vec::new(),
            posts: Vec::new(),
            pages: Vec::new(),
            static_tree: false,
            calls: Vec::new(),
            owner,
        }
    }
}

/// The steps of a Release plan.
pub fn release(day: ReleaseDay<'_>, mut id: impl FnMut() -> StepId) -> Vec<Step> {
    let t0 = day.t0;
    let mut steps = Vec::new();
    let mut tags: Vec<(String, StepId)> = Vec::new();
    let step = |id, outlet: &str, phase, after, action| Step {
        id,
        outlet: outlet.to_owned(),
        phase,
        not_before: t0,
        after,
        action,
        sealing: None,
        on_move: None,
    };
    for push in &day.pushes {
        let candidate = push.candidate;
        let moved = |refs, remake| Action::Push {
            repository: candidate.branch.repository.clone(),
            place: push.place,
            refs,
            pack: push.bundle.clone(),
            remake,
        };
        if let Some(tag) = &candidate.tag {
            let name = format!("refs/tags/{}", tag.name);
            let tag_id = id();
            tags.push((tag.name.clone(), tag_id));
            let refs = vec![RefMove { name, old: None, new: tag.oid.clone() }];
            steps.push(step(tag_id, GIT, Phase::Gate, vec![], moved(refs, None)));
        }
        let name = format!("refs/heads/{}", candidate.branch.branch);
        let (old, new) = (Some(candidate.base.clone()), candidate.tip.clone());
        let refs = vec![RefMove { name, old, new }];
        let mut branch = step(id(), GIT, Phase::Gate, vec![], moved(refs, push.remake.clone()));
        branch.on_move = Some(push.on_move);
        steps.push(branch);
    }
    for upload in day.uploads {
        let outlet = command_outlet(&upload.command);
        let action =
            Action::Run { command: upload.command, args: upload.args, files: upload.files };
        steps.push(step(id(), &outlet, Phase::Gate, vec![], action));
    }
    for wait in day.waits {
        let outlet = await_outlet(&wait.look);
        let after = tags.iter().filter(|(tag, _)| *tag == wait.tag).map(|(_, id)| *id).collect();
        let action = Action::Await { look: wait.look, args: wait.args, expected: wait.expected };
        steps.push(step(id(), &outlet, Phase::Gate, after, action));
    }
    let mut posts = day.posts;
    posts.sort_by_key(|p| p.order);
    let mut before: Vec<StepId> = Vec::new();
    let (mut asks, mut arrivals) = (Vec::new(), Vec::new());
    for post in posts {
        let post_id = id();
        steps.push(step(post_id, MAIL, Phase::Announce, before.clone(), post.mail));
        before = vec![post_id];
        if let Some(instruction) = post.moderation {
            asks.push((post_id, instruction));
        }
        arrivals.extend(post.arrival.map(|action| (post_id, action)));
    }
    let mut shown = Vec::new();
    for page in day.pages {
        let page_id = id();
        shown.push((page_id, page.clone()));
        steps.push(step(page_id, SITE, Phase::Announce, vec![], page));
    }
    let mut public: Vec<StepId> = shown.iter().map(|(page_id, _)| *page_id).collect();
    if day.static_tree {
        // One after another, after all pages: an older tree must never overwrite a newer one.
        for (_, page) in shown {
            let tree_id = id();
            steps.push(step(tree_id, STATIC, Phase::Announce, public.clone(), page));
            public.push(tree_id);
        }
    }
    // What a receiver is told to look at must be there.
    for (name, call) in day.calls {
        let outlet = webhook_outlet(&name);
        steps.push(step(id(), &outlet, Phase::FollowUp, public.clone(), call));
    }
    for (post_id, action) in arrivals {
        let Action::Await { look, .. } = &action else { continue };
        let outlet = await_outlet(look);
        steps.push(step(id(), &outlet, Phase::FollowUp, vec![post_id], action));
    }
    for (post_id, instruction) in asks {
        let action = Action::Ask {
            owner: day.owner.clone(),
            deputy: String::new(),
            instruction,
            paste: String::new(),
            due: t0,
        };
        steps.push(step(id(), PERSON, Phase::FollowUp, vec![post_id], action));
    }
    steps
}

/// When a contact hears: T0 minus its distributor's lead at T0's wall-clock hour, never longer
/// ahead than it accepts, at once if that has passed.
pub fn notice_at(
    t0: &T0,
    record: &DistributorRecord,
    contact: &Contact,
    default_lead: u32,
    now: At,
) -> At {
    let lead = record.lead_days.unwrap_or(default_lead);
    let lead = record.longest_embargo(contact).map_or(lead, |longest| lead.min(longest));
    t0.days_before(lead).max(whole_second(now))
}

/// `not_before` is in whole seconds; a moment within one counts as begun.
pub const fn whole_second(at: At) -> At {
    At::from_secs(at.secs())
}

/// One sealed notice of a Notice plan.
pub struct Notice {
    /// The mail; its message is the pinned clear entity.
    pub mail: Action,
    /// To whom and how it is sealed.
    pub sealing: Sealing,
    /// When.
    pub not_before: At,
}

/// The steps of a Notice plan: each recipient is its own step, none waits for another.
pub fn notices(all: Vec<Notice>, mut id: impl FnMut() -> StepId) -> Vec<Step> {
    all.into_iter()
        .map(|notice| Step {
            id: id(),
            outlet: MAIL.to_owned(),
            phase: Phase::Prepare,
            not_before: notice.not_before,
            after: vec![],
            action: notice.mail,
            sealing: Some(notice.sealing),
            on_move: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::blob::Blob;
    use crate::domain::disclosure::{BranchRef, Origin, TagObject};
    use crate::domain::ids::{BlobId, CandidateId, ContactId};
    use crate::domain::party::{ContactKind, Profile};

    const T: At = At::from_secs(1_796_137_200);

    fn blob() -> BlobRef {
        Blob::new("b", vec![], vec![]).about
    }

    fn mail(to: &str) -> Action {
        Action::Mail {
            from: "s@m".into(),
            envelope_from: "s@m".into(),
            to: to.into(),
            message_id: "1@m".into(),
            message: blob(),
        }
    }

    fn ids() -> impl FnMut() -> StepId {
        let mut n = 0;
        move || {
            n += 1;
            StepId::new(T, [n; 10])
        }
    }

    #[test]
    fn the_day_has_its_order() {
        let candidate = Candidate {
            id: CandidateId::new(T, [0; 10]),
            branch: BranchRef { repository: "meadow".into(), branch: "main".into() },
            origin: Origin::Applied,
            base: "aa".into(),
            tip: "bb".into(),
            tag: Some(TagObject { name: "1.3".into(), oid: "cc".into() }),
            commits: vec![],
            bundle: BlobId::new(T, [0; 10]),
            sha256: Sha256::of(b""),
            staged_at: T,
            dated: Some(T),
        };
        let post = |list: &str, order, moderation| Post {
            list: list.into(),
            mail: mail(list),
            order,
            moderation,
            arrival: (order == 9).then(|| Action::Await {
                look: arrival_look(list),
                args: vec!["1@m".into()],
                expected: vec![],
            }),
        };
        let page = Action::Publish { public_id: "x_1".into(), documents: vec![], entries: vec![] };
        let day = ReleaseDay {
            t0: T,
            pushes: vec![Push {
                candidate: &candidate,
                bundle: blob(),
                on_move: OnMove::Hold,
                remake: None,
                place: Some(Sha256::of(b"there")),
            }],
            uploads: vec![],
            waits: vec![Wait {
                tag: "1.3".into(),
                look: "pypi".into(),
                args: vec![],
                expected: vec![],
            }],
            posts: vec![post("oss", 9, Some("release it".into())), post("own", 1, None)],
            pages: vec![page],
            static_tree: true,
            calls: vec![(
                "chat".into(),
                Action::Post {
                    webhook: "chat".into(),
                    url: "https://hooks.example/".into(),
                    event: blob(),
                },
            )],
            owner: "ada".into(),
        };
        let steps = release(day, ids());
        let words: Vec<_> =
            steps.iter().map(|s| (s.phase, s.action.word(), s.after.len())).collect();
        assert_eq!(
            words,
            [
                (Phase::Gate, "push", 0),
                (Phase::Gate, "push", 0),
                (Phase::Gate, "await", 1),
                (Phase::Announce, "mail", 0),
                (Phase::Announce, "mail", 1),
                (Phase::Announce, "publish", 0),
                (Phase::Announce, "publish", 1),
                (Phase::FollowUp, "post", 2),
                (Phase::FollowUp, "await", 1),
                (Phase::FollowUp, "ask", 1),
            ]
        );
        assert!(matches!(&steps[3].action, Action::Mail { to, .. } if to == "own"));
        assert!(matches!(&steps[0].action, Action::Push { refs, .. } if refs.len() == 1));
        for push in &steps[..2] {
            let there = Some(Sha256::of(b"there"));
            assert!(matches!(&push.action, Action::Push { place, .. } if *place == there));
        }
        assert_eq!(steps[1].on_move, Some(OnMove::Hold));
    }

    #[test]
    fn windows_open_at_the_wall_clock_hour_or_at_once() {
        let t0 = T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap();
        let record = |lead_days, longest_embargo_days| DistributorRecord {
            name: "D".into(),
            lead_days,
            longest_embargo_days,
            groups: vec![],
            contacts: vec![],
        };
        let contact = |kind| Contact {
            reply_certificates: vec![],
            id: ContactId::new(T, [0; 10]),
            address: "a@d".into(),
            kind,
            profile: Profile::default(),
            certificates: vec![],
        };
        let early = At::from_secs(0);
        let (person, list) = (contact(ContactKind::Person), contact(ContactKind::List));
        let to = |c: &Contact, record: &DistributorRecord, now| {
            notice_at(&t0, record, c, 7, now).rfc3339()
        };
        let at = |record: &DistributorRecord, now| to(&person, record, now);
        assert_eq!(to(&list, &record(Some(30), None), early), "2026-11-17T15:00:00Z");
        assert_eq!(to(&list, &record(Some(30), Some(20)), early), "2026-11-11T15:00:00Z");
        assert_eq!(at(&record(None, None), early), "2026-11-24T15:00:00Z");
        assert_eq!(at(&record(Some(14), None), early), "2026-11-17T15:00:00Z");
        assert_eq!(at(&record(Some(14), Some(5)), early), "2026-11-26T15:00:00Z");
        let late = At::parse_rfc3339("2026-11-30T10:00:00.900Z").unwrap();
        assert_eq!(at(&record(None, None), late), "2026-11-30T10:00:00Z");
    }
}

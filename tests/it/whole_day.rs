//! The day of the story in two halves, for suites that look at what it left behind: notices
//! told, then everything released.

use daybreak::casework::plans::preview::File;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::time::Span;
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::town::catcher::Caught;
use daybreak::town::{Town, story};

use crate::ground::Db;

/// How far ahead T0 is chosen: more than the lead of a week.
const AHEAD: Span = Span::days(12);

/// Everybody has heard; T0 is tomorrow.
pub struct Told {
    pub town: Town,
    pub engine: Engine,
    pub disclosure: Disclosure,
    pub t0: T0,
    /// What the approvers of the notice read.
    pub preview: Vec<File>,
    /// Every notice so far; the team's own bells are not among them.
    pub mails: Vec<Caught>,
}

/// Where the team's own bells go.
const TEAM: &str = "security@meadow.example";

/// Everything is public.
pub struct Done {
    pub told: Told,
    pub release: Plan,
    pub preview: Vec<File>,
    /// Every mail since, the team's own bells aside.
    pub posts: Vec<Caught>,
}

impl Told {
    /// `None`, said aloud, when there is no such database.
    pub async fn of(db: Db) -> Option<Self> {
        let town = crate::world::town(db).await?;
        let prepared = story::prepare(&town, AHEAD).await.unwrap();
        Some(Self::from(town, prepared.disclosure).await)
    }

    /// Tells everybody of a prepared case.
    pub async fn from(town: Town, disclosure: Disclosure) -> Self {
        let t0 = disclosure.t0.unwrap();
        let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
        let preview = story::look_through(&town, &notice).await.unwrap();
        let mut engine = Engine::start(town.house.clone()).await.unwrap();
        let hand = town.hand.clone().unwrap();
        for days in (1..=11).rev() {
            hand.advance_to(t0.days_before(days));
            engine.settle().await.unwrap();
        }
        let mut mails = town.catcher.mails();
        mails.retain(|m| m.to != [TEAM]);
        assert!(mails.len() > 5, "{} mails", mails.len());
        Self { town, engine, disclosure, t0, preview, mails }
    }

    /// The clear inside of the notice to `address`, as it was approved.
    pub fn approved(&self, address: &str) -> &File {
        let to = format!("\r\nTo: {address}\r\n");
        let wanted = |f: &&File| {
            f.name.starts_with("notice-") && String::from_utf8_lossy(&f.bytes).contains(&to)
        };
        self.preview.iter().find(wanted).unwrap()
    }

    /// Goes on to T0 and past it.
    pub async fn release(mut self) -> Done {
        let release =
            story::approved_plan(&self.town, &self.disclosure, PlanKind::Release).await.unwrap();
        let preview = story::look_through(&self.town, &release).await.unwrap();
        let before = self.town.catcher.mails().len();
        self.town.hand.clone().unwrap().advance_to(self.t0.at);
        self.engine.settle().await.unwrap();
        let id = release.id;
        let release = self.town.house.store.read(move |r| r.plan(id)).await.unwrap();
        assert_eq!(release.state, PlanState::Finished);
        let mut posts = self.town.catcher.mails().split_off(before);
        posts.retain(|m| m.to != [TEAM]);
        Done { told: self, release, preview, posts }
    }
}

/// Head and body of a mail.
pub fn halves(mail: &[u8]) -> (String, String) {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Names of the header fields of a mail, in order.
pub fn fields(head: &str) -> Vec<&str> {
    let folded = |l: &&str| !l.starts_with([' ', '\t']);
    head.split("\r\n").filter(folded).filter_map(|l| l.split_once(':').map(|(n, _)| n)).collect()
}

/// One header field's value, unfolded.
pub fn field(head: &str, name: &str) -> String {
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let value = head.split("\r\n").find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_default().to_owned()
}

/// The armored message in a notice.
pub fn armor(mail: &[u8]) -> String {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    let (_, rest) = text.split_once("-----BEGIN PGP MESSAGE-----").unwrap();
    let (inside, _) = rest.split_once("-----END PGP MESSAGE-----").unwrap();
    format!("-----BEGIN PGP MESSAGE-----{inside}-----END PGP MESSAGE-----\n")
}

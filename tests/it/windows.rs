//! Who hears when, and who gets what: windows and the longest embargo, groups, what each
//! contact asked for, and what telling a list obliges the team to.

use std::collections::BTreeSet;

use daybreak::casework::attachments::{self, NewAttachment};
use daybreak::casework::distributors::{self, ContactEdit, Edit};
use daybreak::casework::plans::{self, Order};
use daybreak::casework::{CaseError, disclosures, find_distributor};
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::{AttachmentKind, Disclosure};
use daybreak::domain::finding::{Finding, Severity};
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::time::Span;
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::letters::entity::BUCKETS;
use daybreak::town::people::{Letter, Reader};
use daybreak::town::{Town, TownError, config, story};
use rstest::rstest;

use crate::gpg::Gpg;
use crate::ground::Db;
use crate::story::{Point, Story};
use crate::whole_day::{armor, field};
use crate::world;

const ME: Actor = Actor::Operator;
/// In the proof of concept, and nowhere else.
const NEEDLE: &str = "Cinquefoil";

async fn edit(town: &Town, name: &str, edit: Edit) -> Vec<Finding> {
    let found = find_distributor(&town.house, name).await.unwrap();
    distributors::edit(&town.house, ME, &found, edit).await.unwrap().1
}

async fn wish(town: &Town, name: &str, edit: ContactEdit) -> Result<Vec<Finding>, CaseError> {
    let found = find_distributor(&town.house, name).await.unwrap();
    let address = reader(town, name).address;
    let edited = distributors::edit_contact(&town.house, ME, &found, address, edit).await;
    edited.map(|(_, findings)| findings)
}

fn reader<'a>(town: &'a Town, name: &str) -> &'a Reader {
    town.people.distributors.iter().find(|r| r.name == name).unwrap()
}

async fn attach(
    town: &Town,
    disclosure: &Disclosure,
    file_name: &str,
    kind: AttachmentKind,
    text: &str,
) -> Disclosure {
    let bytes = text.as_bytes().to_vec();
    let new = NewAttachment { file_name: file_name.to_owned(), kind, bytes };
    attachments::add(&town.house, ME, disclosure, new).await.unwrap().0
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.code.as_str()).collect()
}

/// The findings that kept a plan from being made.
fn blocked<T>(made: Result<T, TownError>) -> Vec<Finding> {
    match made.err().unwrap() {
        TownError::Case(CaseError::Blocked(findings)) => findings,
        other => panic!("{other}"),
    }
}

/// What gpg makes of a mail with its reader's first key; the same bytes as our own reading.
async fn read_by_gpg(town: &Town, reader: &Reader, mail: &[u8]) -> Letter {
    let now = town.house.now();
    let letter = reader.decrypt(mail, town.team_certificate(), now).unwrap();
    if let Some(gpg) = Gpg::at(now).await {
        gpg.import_secret(&reader.keys[0]).await;
        gpg.import(town.team_certificate()).await;
        let out = gpg.ok(&["--decrypt"], armor(mail).as_bytes()).await;
        assert_eq!(out.stdout, letter.entity, "{}", reader.name);
    }
    letter
}

fn names(letter: &Letter) -> BTreeSet<&str> {
    letter.attachments.iter().map(|a| a.name.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn each_contact_gets_what_it_asked_for_in_mails_of_one_size(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let (town, house) = (&story.town, &story.town.house);
    let poc = ContactEdit { poc: Some(true), ..ContactEdit::default() };
    wish(town, "Fennel OS", poc).await.unwrap();
    let bare =
        ContactEdit { patches: Some(false), json_advisory: Some(false), ..ContactEdit::default() };
    wish(town, "Larch Linux", bare).await.unwrap();
    assert_eq!(story.state(&story.notice).await, PlanState::Void, "it pinned other content");

    let large = format!("# {NEEDLE}\n{}", "latch(open)\n".repeat(9000));
    let disclosure = attach(town, &story.disclosure, "latch.py", AttachmentKind::Poc, &large).await;
    let disclosure =
        attach(town, &disclosure, "BUILD.txt", AttachmentKind::File, "make meadow\n").await;
    let notice = story::approved_plan(town, &disclosure, PlanKind::Notice).await.unwrap();
    let mut engine = story.engine().await;
    for days in [7, 3] {
        story.hand.advance_to(story.t0.days_before(days));
        engine.settle().await.unwrap();
    }

    let mut sizes = BTreeSet::new();
    let mut wire = BTreeSet::new();
    let mut groups: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for reader in town.people.distributors.iter().filter(|r| r.should_read) {
        let mails: Vec<_> =
            story.letters().into_iter().filter(|m| m.to == [reader.address]).collect();
        assert_eq!(mails.len(), 1, "{}", reader.name);
        let letter = read_by_gpg(town, reader, &mails[0].bytes).await;
        let got = names(&letter);
        match reader.name {
            "Fennel OS" => {
                let attached = letter.attachment("latch.py").unwrap();
                assert_eq!(attached.bytes, large.as_bytes());
                assert!(letter.text.contains("A proof of concept"), "{}", letter.text);
                assert_eq!(got.len(), 6, "{got:?}");
            }
            "Larch Linux" => {
                assert_eq!(got, ["BUILD.txt", "SHA256SUMS"].into());
                assert!(!letter.text.contains("git am"), "{}", letter.text);
            }
            name => {
                let patches = got.iter().filter(|n| n.ends_with(".patch")).count();
                assert_eq!((got.len(), patches), (5, 2), "{name}: {got:?}");
                let rest = ["BUILD.txt", "notice.json", "SHA256SUMS"];
                assert!(rest.iter().all(|n| got.contains(n)), "{name}: {got:?}");
            }
        }
        if reader.name != "Fennel OS" {
            assert!(!String::from_utf8_lossy(&letter.entity).contains("latch.py"));
        }
        sizes.insert(letter.entity.len());
        wire.insert(mails[0].bytes.len() / 2048);
        groups.insert(got.into_iter().map(str::to_owned).collect());
    }
    assert_eq!(groups.len(), 3, "{groups:?}");
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    assert!(sizes.iter().all(|s| BUCKETS.contains(s) && *s > BUCKETS[0]), "{sizes:?}");
    assert!(wire.len() <= 2, "only the number of keys differs: {wire:?}");
    // The reporter hears too: neither patch nor attachment, in a mail of the same size.
    let reporter = &town.people.reporter;
    let mails = story.letters();
    let mail = mails.iter().find(|m| m.to == [reporter.address]).unwrap();
    let letter = read_by_gpg(town, reporter, &mail.bytes).await;
    assert_eq!(names(&letter), ["SHA256SUMS", "notice.json"].into());
    assert!(sizes.contains(&letter.entity.len()), "{}", letter.entity.len());
    let manifest = plans::manifest_of(&notice).unwrap();
    let entities: BTreeSet<u64> = manifest.blobs().iter().map(|b| b.len).collect();
    assert_eq!((manifest.blobs().len(), entities.len()), (4, 1));

    // Nothing of it is ever public.
    let disclosure = story::again(house, &disclosure).await.unwrap();
    story::approved_plan(town, &disclosure, PlanKind::Release).await.unwrap();
    story.at_t0(&mut engine).await;
    let shown = world::WorldView::of(town).await;
    assert_eq!(shown.published.len(), 1);
    for name in &shown.published {
        for (file, bytes) in world::documents(town, name).await {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(NEEDLE) && !text.contains("latch.py"), "{file}");
        }
    }
    for mail in town.catcher.mails() {
        let text = String::from_utf8_lossy(&mail.bytes).into_owned();
        assert!(!text.contains(NEEDLE) && !text.contains("latch.py"), "{:?}", mail.to);
    }
    engine.end().await.unwrap();
}

#[tokio::test]
async fn what_concerns_one_group_is_told_to_that_group_alone() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (town, house) = (&story.town, &story.town.house);
    let misspelt = disclosures::tell(house, ME, &story.disclosure, vec!["embeded".into()]).await;
    assert!(misspelt.unwrap_err().to_string().contains("no distributor is in a group yet"));
    let in_group = |names: &[&str]| Edit {
        groups: Some(names.iter().map(|n| (*n).to_owned()).collect()),
        ..Edit::default()
    };
    edit(town, "Alder Embedded", in_group(&["embedded", "small"])).await;
    edit(town, "Larch Linux", in_group(&["desktop"])).await;
    // Everybody hears, whatever their groups: the plan of before still holds.
    let misspelt = disclosures::tell(house, ME, &story.disclosure, vec!["embeded".into()]).await;
    let said = misspelt.unwrap_err().to_string();
    assert!(said.contains("there are: desktop, embedded, small"), "{said}");

    let only = disclosures::tell(house, ME, &story.disclosure, vec!["embedded".into()]).await;
    let disclosure = only.unwrap();
    assert_eq!(story.state(&story.notice).await, PlanState::Void, "it was for everybody");
    let (notice, _) = story::plan(town, &disclosure, PlanKind::Notice).await.unwrap();
    assert_eq!(plans::manifest_of(&notice).unwrap().groups, ["embedded"]);
    let text = plans::approval_text(&notice).unwrap();
    assert!(!text.contains("embedded"), "the approval text is not sealed");
    story::approve_by_all(town, &notice).await.unwrap();

    let mut engine = story.engine().await;
    for days in [7, 3] {
        story.hand.advance_to(story.t0.days_before(days));
        engine.settle().await.unwrap();
    }
    let told: BTreeSet<_> = story.letters().into_iter().flat_map(|m| m.to).collect();
    let expected = ["response@alder.example", "maren@quillfeather.example"];
    assert_eq!(told, expected.map(str::to_owned).into());

    // Who is told and then left out is pointed at.
    let disclosure = story::again(house, &disclosure).await.unwrap();
    let desktop = disclosures::tell(house, ME, &disclosure, vec!["desktop".into()]).await.unwrap();
    let findings = disclosures::check(house, &desktop).await.unwrap();
    let left = findings.iter().find(|f| f.code == "told-but-left-out").unwrap();
    assert_eq!(left.place, "response@alder.example");
    // What is added for the others does not reach them.
    let file = AttachmentKind::File;
    let desktop = attach(town, &desktop, "desktop.txt", file, "for desktops\n").await;
    let (next, _) = story::plan(town, &desktop, PlanKind::Notice).await.unwrap();
    let steps = plans::manifest_of(&next).unwrap().steps;
    let to: Vec<String> = steps
        .into_iter()
        .filter_map(|s| match s.action {
            Action::Mail { to, .. } => Some(to),
            _ => None,
        })
        .collect();
    assert_eq!(to, ["security@larch.example"]);
    engine.end().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_window_never_opens_before_the_longest_embargo(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let (town, house) = (&story.town, &story.town.house);
    let short = Edit { longest_embargo_days: Some(Some(2)), ..Edit::default() };
    edit(town, "Larch Linux", short).await;
    let (notice, findings) = story::plan(town, &story.disclosure, PlanKind::Notice).await.unwrap();
    let shifted = findings.iter().find(|f| f.code == "window-shortened").unwrap();
    assert_eq!(
        (shifted.place.as_str(), shifted.severity),
        ("security@larch.example", Severity::Warn)
    );
    assert!(shifted.message.contains(&story.t0.days_before(2).spoken()), "{}", shifted.message);
    story::approve_by_all(town, &notice).await.unwrap();

    let mut engine = story.engine().await;
    for days in [7, 3] {
        story.hand.advance_to(story.t0.days_before(days));
        engine.settle().await.unwrap();
    }
    let heard = |address: &str| {
        story.letters().into_iter().filter(|m| m.to == [address]).map(|m| m.at).collect::<Vec<_>>()
    };
    assert!(heard("security@larch.example").is_empty());
    assert_eq!(heard("vulns@fennel.example"), [story.t0.days_before(7)]);

    // A later T0 breaks what was promised to those who know: it is said, and stops plans.
    let disclosure = story::again(house, &story.disclosure).await.unwrap();
    let later = T0::new(story.t0.at.plus(Span::days(8)), story.t0.zone);
    let (moved, findings) =
        disclosures::move_t0(house, ME, &disclosure, later, "a test").await.unwrap();
    let expected = ["vulns@fennel.example", "distros@lists.sedge.example"];
    let too_long = |findings: &[Finding], severity: Severity| -> BTreeSet<String> {
        let ours = findings.iter().filter(|f| f.code == "embargo-too-long");
        ours.filter(|f| f.severity == severity).map(|f| f.place.clone()).collect()
    };
    let expected: BTreeSet<String> = expected.map(str::to_owned).into();
    assert_eq!(too_long(&findings, Severity::Warn), expected, "14 days, and a list");
    let checked = disclosures::check(house, &moved).await.unwrap();
    assert_eq!(too_long(&checked, Severity::Warn), expected);
    let findings = blocked(story::plan(town, &moved, PlanKind::Release).await);
    assert_eq!(too_long(&findings, Severity::Stop), expected);
    // Those who count on the old date must hear of the new one all the same; nobody else is told.
    let (_, findings) = story::plan(town, &moved, PlanKind::Notice).await.unwrap();
    assert_eq!(too_long(&findings, Severity::Warn), expected);
    assert!(codes(&findings).contains(&"first-held-back"), "{findings:?}");
    let order = Order { accept: vec!["embargo-too-long".to_owned()], at: None, ..Order::default() };
    let (_, findings) = plans::make_as(house, ME, &moved, PlanKind::Notice, &order).await.unwrap();
    assert_eq!(too_long(&findings, Severity::Warn), expected);
    assert!(!codes(&findings).contains(&"first-held-back"), "{findings:?}");
    engine.end().await.unwrap();
}

#[tokio::test]
async fn an_edit_voids_what_has_still_to_be_told_and_nothing_else() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (town, house) = (&story.town, &story.town.house);
    let name = Edit { name: Some("Larch GNU".to_owned()), ..Edit::default() };
    edit(town, "Larch Linux", name).await;
    assert_eq!(story.state(&story.notice).await, PlanState::Approved, "a name is in no plan");
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    assert_eq!(story.state(&story.notice).await, PlanState::Running);

    let lead = || Edit { lead_days: Some(Some(2)), ..Edit::default() };
    edit(town, "Fennel OS", lead()).await;
    assert_eq!(story.state(&story.notice).await, PlanState::Running, "it has heard already");
    edit(town, "Tarn Cloud", lead()).await;
    assert_eq!(story.state(&story.notice).await, PlanState::Void, "its window was pinned");
    let found = find_distributor(house, "Tarn Cloud").await.unwrap();
    let again = distributors::edit(house, ME, &found, lead()).await.unwrap_err();
    assert!(again.to_string().contains("nothing would change"), "{again}");
    engine.end().await.unwrap();
}

/// A list such as linux-distros: its own clear subject, and a public post that is owed.
#[tokio::test]
async fn telling_a_list_needs_its_subject_and_obliges_to_a_public_post() {
    let town = world::town(Db::Sqlite).await.unwrap();
    let house = &town.house;
    story::add_members(&town).await.unwrap();
    let (_, findings) = story::add_distributors(&town).await.unwrap();
    assert!(codes(&findings).contains(&"list-subject"), "{findings:?}");
    let (advisory, _) = story::draft(&town).await.unwrap();
    let t0 = story::t0_in(&town, Span::days(30));
    let (disclosure, _) = story::open(&town, &advisory, t0).await.unwrap();
    let disclosure = story::patch(&town, disclosure, advisory.id).await.unwrap();
    let disclosure = story::release(&town, disclosure).await.unwrap();

    let list = |edit: ContactEdit| wish(&town, "Sedge Project", edit);
    let unknown = ContactEdit {
        requires_public_post: Some(Some("osss".to_owned())),
        ..ContactEdit::default()
    };
    assert!(list(unknown).await.unwrap_err().to_string().contains("configured are: announce"));
    let wanted = |subject: &str| ContactEdit {
        clear_subject: Some(Some(subject.to_owned())),
        requires_public_post: Some(Some(config::OSS_SECURITY.to_owned())),
        ..ContactEdit::default()
    };
    list(wanted("[vs] Strawdog in Meadow")).await.unwrap();
    let leaks = blocked(story::plan(&town, &disclosure, PlanKind::Notice).await);
    assert!(codes(&leaks).contains(&"leak-title"), "{leaks:?}");
    list(wanted("[vs] Upcoming Meadow release")).await.unwrap();
    let lead = Edit { lead_days: Some(Some(21)), ..Edit::default() };
    edit(&town, "Sedge Project", lead).await;

    let (notice, findings) = story::plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    assert!(codes(&findings).contains(&"window-shortened"), "{findings:?}");
    assert!(!codes(&findings).contains(&"public-post-missing"), "a notice may go before it");
    let checked = disclosures::check(house, &disclosure).await.unwrap();
    let owed = checked.iter().find(|f| f.code == "public-post-missing").unwrap();
    assert_eq!(owed.severity, Severity::Stop);
    assert!(owed.cure.ends_with("add-post DISC --list oss-security"), "{}", owed.cure);
    story::approve_by_all(&town, &notice).await.unwrap();

    let mut engine = Engine::start(house.clone()).await.unwrap();
    let hand = town.hand.clone().unwrap();
    hand.advance_to(t0.days_before(14).plus(Span::millis(-1)));
    engine.settle().await.unwrap();
    let to_list = || {
        let list = reader(&town, "Sedge Project").address;
        town.catcher.mails().into_iter().find(|m| m.to == [list])
    };
    assert!(to_list().is_none(), "more than 14 days ahead");
    hand.advance_to(t0.days_before(14));
    engine.settle().await.unwrap();
    let mail = to_list().unwrap();
    assert_eq!(
        field(&String::from_utf8_lossy(&mail.bytes), "Subject"),
        "[vs] Upcoming Meadow release"
    );
    let letter = read_by_gpg(&town, reader(&town, "Sedge Project"), &mail.bytes).await;
    assert!(letter.subject.contains("Strawdog"), "the real one is inside: {}", letter.subject);

    let disclosure = story::again(house, &disclosure).await.unwrap();
    let (disclosure, _) = story::stage(&town, disclosure).await.unwrap();
    let disclosure = story::build_files(&town, disclosure).await.unwrap();
    let announce = disclosures::add_post(house, ME, &disclosure, config::ANNOUNCE, None);
    let disclosure = announce.await.unwrap();
    let stopped = blocked(story::plan(&town, &disclosure, PlanKind::Release).await);
    let stopped: Vec<_> = stopped.iter().filter(|f| f.severity == Severity::Stop).collect();
    assert_eq!(stopped.len(), 1, "{stopped:?}");
    assert_eq!(stopped[0].code, "public-post-missing");
    let post = disclosures::add_post(house, ME, &disclosure, config::OSS_SECURITY, None);
    story::plan(&town, &post.await.unwrap(), PlanKind::Release).await.unwrap();
    engine.end().await.unwrap();
}

#[tokio::test]
async fn attachments_that_cannot_travel_are_refused_at_once() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = &story.town.house;
    let given = async |name: &str, bytes: Vec<u8>| {
        let kind = AttachmentKind::File;
        let new = NewAttachment { file_name: name.to_owned(), kind, bytes };
        attachments::add(house, ME, &story.disclosure, new).await
    };
    for (name, bytes, says) in [
        ("../latch.py", vec![1], "no plain file name"),
        ("Notice.JSON", vec![1], "another file of the notice"),
        ("meadow-MAIN-1.patch", vec![1], "another file of the notice"),
        ("latch.py", vec![], "has 0 bytes"),
        ("latch.py", vec![0; (5 << 20) + 1], "one mail"),
    ] {
        let refused = given(name, bytes).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{name}: {refused}");
    }
    let (disclosure, made) = given("latch.py", vec![1]).await.unwrap();
    let gone = attachments::remove(house, ME, &disclosure, "latch.py").await.unwrap();
    let again = attachments::remove(house, ME, &gone, &made.id.to_string()).await;
    assert!(again.unwrap_err().to_string().contains("attachment"));
}

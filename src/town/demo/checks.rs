//! Whether every promise held, judged from what the world shows.

use super::watcher::{Watched, get};
use super::{Promise, Town, TownError, audits, list_addresses, plans};
use crate::domain::audience_time;
use crate::domain::blob::equal_outside_slots;
use crate::domain::disclosure::Disclosure;
use crate::domain::plan::{Phase, Plan, PlanState};
use crate::domain::stage::Stage;
use crate::domain::time::{At, Span};
use crate::store::Verdict;
use crate::town::catcher::Caught;
use crate::town::story::{self, PLANTED, PUBLIC_ID};

/// First to last public effect on a quiet machine; a slow upload takes its time.
const TOGETHER: Span = Span::secs(20);

/// The promises being gathered.
struct Book(Vec<Promise>);

impl Book {
    fn add(&mut self, text: &str, kept: bool, whereabouts: impl Into<String>) {
        self.0.push(Promise { text: text.to_owned(), kept, whereabouts: whereabouts.into() });
    }
}

pub(super) async fn all(
    town: &Town,
    disclosure: &Disclosure,
    (notice, release): (&Plan, &Plan),
    notices: &[Caught],
    seen: &Watched,
    t0: At,
) -> Result<Vec<Promise>, TownError> {
    let mut book = Book(Vec::new());
    readable(town, notices, &mut book);
    as_approved(town, notice, notices, &mut book).await?;
    silent(notices, &mut book);
    book.add(
        "Nothing was public before T0",
        seen.early.is_empty() && seen.looks_before > 0,
        match seen.early.is_empty() {
            true => format!(
                "{} looks from outside saw the same page, repository and index",
                seen.looks_before
            ),
            false => format!("early: {}", seen.early.join(", ")),
        },
    );
    pushed(town, &mut book).await?;
    issued(town, release, &mut book).await?;
    posted(town, release, &mut book).await?;
    shown(town, &mut book).await;
    together(town, release, t0, &mut book).await?;
    let disclosure = story::again(&town.house, disclosure).await?;
    let id = release.id;
    let state = town
        .house
        .store
        .read(move |r| r.plan(id))
        .await
        .map_err(crate::casework::CaseError::from)?
        .state;
    book.add(
        "The day did not stop half-way",
        disclosure.stage == Stage::Public && state == PlanState::Finished,
        format!("the disclosure is {}, its release plan {state}", disclosure.stage),
    );
    let verdict = audits::verify(&town.house).await?;
    let (whole, lines) = match verdict {
        Verdict::Intact { lines, .. } => (true, format!("audit chain of {lines} lines")),
        Verdict::Broken { seq, .. } => (false, format!("the audit chain is broken at line {seq}")),
    };
    book.add("Every write is in the record", whole, lines);
    Ok(book.0)
}

fn readable(town: &Town, notices: &[Caught], book: &mut Book) {
    let (team, now) = (town.team_certificate(), town.house.now());
    let (mut read, mut wrong) = (0_usize, Vec::new());
    for reader in town.people.readers() {
        let mine: Vec<_> = notices.iter().filter(|m| m.to == [reader.address]).collect();
        let opened =
            |m: &&Caught| reader.decrypt(&m.bytes, team, now).is_ok_and(|l| l.signed_by.is_some());
        let fine = match reader.should_read {
            true => mine.len() == 1 && mine.iter().all(opened),
            false => mine.is_empty(),
        };
        let foreign = notices.iter().filter(|m| m.to != [reader.address]);
        let nosy = foreign.filter(|m| reader.decrypt(&m.bytes, team, now).is_ok()).count();
        if !fine || nosy > 0 {
            wrong.push(reader.address);
        } else if reader.should_read {
            read = read.saturating_add(1);
        }
    }
    book.add(
        "Notices are readable by exactly those who should",
        wrong.is_empty() && read > 0,
        match wrong.is_empty() {
            true => format!("{read} readers opened their own mail and nobody another's; unusable certificates got nothing"),
            false => format!("not so for {}", wrong.join(", ")),
        },
    );
    let reporter = notices.iter().find(|m| m.to == [town.people.reporter.address]);
    let first = notices.iter().map(|m| m.at).min();
    let late = reporter.zip(first).map(|(m, first)| m.at.since(first));
    book.add(
        "The reporter hears the date at the same moment",
        late.is_some_and(|l| l < Span::secs(5)),
        late.map_or("the reporter heard nothing".to_owned(), |l| {
            format!("{} ms after the first notice", l.as_millis())
        }),
    );
}

async fn as_approved(
    town: &Town,
    notice: &Plan,
    notices: &[Caught],
    book: &mut Book,
) -> Result<(), TownError> {
    let preview = story::look_through(town, notice).await?;
    let (team, now) = (town.team_certificate(), town.house.now());
    let same = |mail: &&Caught| {
        let letter = town.people.readers().find_map(|r| r.decrypt(&mail.bytes, team, now).ok());
        letter.is_some_and(|l| {
            preview.iter().any(|f| equal_outside_slots(&f.bytes, &l.entity, &f.slots))
        })
    };
    let equal = notices.iter().filter(same).count();
    book.add(
        "What was sent is what was approved, byte for byte",
        equal == notices.len() && equal > 0,
        format!("{equal} of {} notices equal the preview outside their Date", notices.len()),
    );
    Ok(())
}

fn silent(notices: &[Caught], book: &mut Book) {
    let telling = notices.iter().filter(|m| {
        let text = String::from_utf8_lossy(&m.bytes).into_owned();
        PLANTED.iter().any(|word| text.contains(word))
    });
    let (telling, all) = (telling.count(), notices.len());
    let one_each = notices.iter().all(|m| m.to.len() == 1);
    book.add(
        "No clear byte on the way tells anything, and no mail has two addressees",
        telling == 0 && one_each && all > 0,
        format!("{all} mails, {telling} with a secret word in clear"),
    );
}

async fn pushed(town: &Town, book: &mut Book) -> Result<(), TownError> {
    let log = town.project.ask(&["log", "--format=%s%n%b", "2.0.0..main"]).await?;
    let lower = log.to_lowercase();
    let silent = PLANTED.iter().all(|w| !log.contains(w)) && !lower.contains("outside");
    let says = lower.contains("security") && lower.contains("details");
    let refs = town.project.refs().await?;
    let tags = ["refs/tags/2.0.1", "refs/tags/1.4.3"].iter().all(|t| refs.contains(t));
    book.add(
        "Patches are public, their messages say `security` and do not describe the issue",
        silent && says && tags,
        format!("git -C {} log main", town.project.public().display()),
    );
    Ok(())
}

async fn issued(town: &Town, release: &Plan, book: &mut Book) -> Result<(), TownError> {
    let preview = story::look_through(town, release).await?;
    let files = town.uploads.files()?;
    let same = files
        .iter()
        .filter(|f| preview.iter().any(|p| p.name == f.name && p.bytes == f.bytes))
        .count();
    let names: Vec<_> = files.iter().map(|f| f.name.as_str()).collect();
    book.add(
        "The releases are issued, as approved",
        same == files.len() && same >= 4,
        names.join(", "),
    );
    Ok(())
}

async fn posted(town: &Town, release: &Plan, book: &mut Book) -> Result<(), TownError> {
    let preview = story::look_through(town, release).await?;
    let lists = list_addresses(town);
    let mails = town.catcher.mails();
    let posts: Vec<_> = mails.iter().filter(|m| m.to.iter().any(|t| lists.contains(t))).collect();
    let good = |m: &&&Caught| {
        let parsed = mail_parser::MessageParser::default().parse(&m.bytes);
        let text = parsed.and_then(|p| p.body_text(0).map(|t| t.into_owned())).unwrap_or_default();
        let tells = [PUBLIC_ID, "2.0.1", "1.4.3", "Ada Ngo"].iter().all(|w| text.contains(w));
        tells && preview.iter().any(|f| equal_outside_slots(&f.bytes, &m.bytes, &f.slots))
    };
    let fine = posts.iter().filter(good).count();
    book.add(
        "The lists hear it in detail, with the new releases and the credits, as approved",
        posts.len() == lists.len() && fine == posts.len(),
        lists.join(", "),
    );
    Ok(())
}

async fn shown(town: &Town, book: &mut Book) {
    let mut missing = Vec::new();
    for path in [
        format!("/advisories/{PUBLIC_ID}.html"),
        format!("/osv/{PUBLIC_ID}.json"),
        "/osv/all.json".to_owned(),
        "/feed.atom".to_owned(),
    ] {
        let (status, body) = get(town.site(), &path, town.clock.as_ref()).await;
        if status != 200 || !body.contains(PUBLIC_ID) {
            missing.push(path);
        }
    }
    let at = format!("http://{}/advisories/{PUBLIC_ID}.html", town.site());
    book.add(
        "Page, OSV record and feed show it",
        missing.is_empty(),
        if missing.is_empty() { at } else { format!("not on {}", missing.join(", ")) },
    );
}

async fn together(town: &Town, release: &Plan, t0: At, book: &mut Book) -> Result<(), TownError> {
    let standing = plans::standing(&town.house, release).await?;
    let times = |phase: Phase| {
        let of = standing.manifest.steps.iter().filter(move |s| s.phase == phase);
        of.map(|s| standing.run.progress(s.id).and_then(|p| p.settled_at))
            .collect::<Option<Vec<At>>>()
    };
    let (gates, telling) = (times(Phase::Gate), times(Phase::Announce));
    let (Some(gates), Some(telling)) = (gates, telling) else {
        book.add("Patches, releases and posts go out together", false, "some did not go out");
        return Ok(());
    };
    let first = gates.iter().chain(&telling).min().copied().unwrap_or(t0);
    let last = gates.iter().chain(&telling).max().copied().unwrap_or(t0);
    let (span, early) = (last.since(first), first < t0);
    book.add(
        "Patches, releases, posts and page go out together, at T0 and by themselves",
        !early && span <= TOGETHER,
        format!(
            "first at T0 {}, last at T0 {}: {} ms apart",
            audience_time::offset(first.since(t0)),
            audience_time::offset(last.since(t0)),
            span.as_millis()
        ),
    );
    Ok(())
}

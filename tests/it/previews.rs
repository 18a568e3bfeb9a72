//! What approvers looked at is what the world gets: byte for byte outside the slots, and
//! nothing of a public kind beside it. Notices are compared where gpg opens them.

use std::collections::BTreeSet;
use std::path::Path;

use daybreak::casework::papers;
use daybreak::casework::plans::manifest_of;
use daybreak::casework::plans::preview::File;
use daybreak::domain::action::Action;
use daybreak::domain::blob::{SlotName, equal_outside_slots};
use daybreak::town::{Town, story};
use daybreak::web::{Web, serve};

use crate::gpg::git;
use crate::ground::Db;
use crate::site::raw;
use crate::whole_day::{Done, Told};

/// The one file of a preview with that name.
fn named<'a>(preview: &'a [File], name: &str) -> &'a File {
    let found: Vec<_> = preview.iter().filter(|f| f.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

fn same(approved: &File, got: &[u8]) {
    let equal = equal_outside_slots(&approved.bytes, got, &approved.slots);
    assert!(equal, "{} is not what was approved", approved.name);
}

/// Every object of a repository, and of those it borrows from.
async fn objects(folder: &Path) -> BTreeSet<String> {
    let list = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    git(&list, folder).await.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_world_gets_what_was_approved_and_nothing_else() {
    let told = Told::of(Db::Sqlite).await.unwrap();
    let before = tempfile::tempdir().unwrap();
    let copy = before.path().join("before.git");
    let public = told.town.project.public().to_owned();
    let (from, to) = (public.to_str().unwrap(), copy.to_str().unwrap());
    git(&["clone", "--quiet", "--mirror", "--no-local", from, to], before.path()).await;
    let old_refs = refs(&public).await;
    assert_eq!(refs(&copy).await, old_refs);
    let done = told.release().await;

    posts(&done);
    uploads(&done);
    pages(&done.told.town, &done.preview).await;

    // The objects that became public are those of the bundles, no more and no fewer.
    let old = objects(&public).await.into_iter().filter(|o| !o.is_empty()).collect::<Vec<_>>();
    let known = objects(&copy).await;
    let new: BTreeSet<_> = old.into_iter().filter(|o| !known.contains(o)).collect();
    for (nth, bundle) in done.preview.iter().filter(|f| f.name.ends_with(".bundle")).enumerate() {
        assert!(bundle.slots.is_empty());
        let file = before.path().join(format!("{nth}.bundle"));
        std::fs::write(&file, &bundle.bytes).unwrap();
        git(&["bundle", "unbundle", file.to_str().unwrap()], &copy).await;
    }
    let approved: BTreeSet<_> = &objects(&copy).await - &known;
    assert!(approved.len() > 6, "{approved:?}");
    assert_eq!(new, approved);
    let mut expected: BTreeSet<String> = old_refs;
    for step in manifest_of(&done.release).unwrap().steps {
        let Action::Push { refs, .. } = step.action else { continue };
        for moved in refs {
            if let Some(old) = moved.old {
                assert!(expected.remove(&format!("{old} {}", moved.name)), "{}", moved.name);
            }
            expected.insert(format!("{} {}", moved.new, moved.name));
        }
    }
    assert_eq!(refs(&public).await, expected);
}

async fn refs(folder: &Path) -> BTreeSet<String> {
    let list = ["for-each-ref", "--format=%(objectname) %(refname)"];
    git(&list, folder).await.lines().map(str::to_owned).collect()
}

fn posts(done: &Done) {
    let approved = done.preview.iter().filter(|f| f.name.starts_with("post-"));
    let mut left: Vec<_> = done.posts.iter().collect();
    for file in approved {
        let fits = |m: &&daybreak::town::catcher::Caught| {
            equal_outside_slots(&file.bytes, &m.bytes, &file.slots)
        };
        let place = left.iter().position(fits).unwrap_or_else(|| panic!("{} not sent", file.name));
        let sent = left.remove(place);
        assert_eq!(sent.at, done.told.t0.at);
        let [slot] = file.slots.as_slice() else { panic!("{}", file.name) };
        assert_eq!((slot.name, slot.len), (SlotName::Date, 31));
        let filled = &sent.bytes[slot.offset..slot.offset + slot.len];
        assert_eq!(filled, done.told.t0.at.rfc5322().as_bytes());
    }
    assert!(left.is_empty(), "a mail that nobody approved");
}

fn uploads(done: &Done) {
    let files = done.told.town.uploads.files().unwrap();
    assert_eq!(files.len(), 4);
    for file in files {
        let approved = named(&done.preview, &file.name);
        assert!(approved.slots.is_empty());
        assert_eq!(approved.bytes, file.bytes, "{}", file.name);
    }
}

/// The page and the record as a reader fetches them.
async fn pages(town: &Town, preview: &[File]) {
    papers::renew(&town.house).await.unwrap();
    let web = Web::of_house(town.house.clone());
    let site = serve("127.0.0.1:0".parse().unwrap(), web).await.unwrap();
    let id = story::PUBLIC_ID;
    for (path, name) in [
        (format!("/advisories/{id}.html"), format!("{id}.html")),
        (format!("/osv/{id}.json"), format!("{id}.osv.json")),
    ] {
        let answer = raw(site.address(), "GET", &path).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        let approved = named(preview, &name);
        same(approved, body.as_bytes());
        assert_ne!(approved.bytes, body.as_bytes(), "the time was filled in");
        // No public text states the hour of T0 (law 3): a page's slots hold days alone.
        if path.ends_with(".html") {
            assert!(approved.slots.iter().all(|s| s.len == 10), "{:?}", approved.slots);
        }
    }
    site.stop().await;
}

//! The upload dies after seven of twelve files, and the world already builds from what is there.
//! What is missing comes later, nothing twice, and nobody is told before all is there.

use std::fs;

use daybreak::casework::audits;
use daybreak::casework::releases::{self, NewArtefact};
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;

use crate::ground::Db;
use crate::story::{Point, Story};

/// A team's own upload script, which leaves out what is there. Once, it dies after seven files.
const PUT: &str = r#"set -eu
folder=$1
shift
n=0
for file in "$@"; do
    name=${file##*/}
    cmp -s -- "$file" "$folder/$name" && continue
    n=$((n + 1))
    if test "$n" -gt 7 && ! test -e "$folder.died"; then
        touch "$folder.died"
        kill -9 $$
    fi
    cp -- "$file" "$folder.part"
    mv --backup=numbered -- "$folder.part" "$folder/$name"
done
"#;

#[tokio::test]
async fn what_is_missing_comes_later_and_the_announcement_waits_for_it() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let wheel = |n: u8| NewArtefact {
        file_name: format!("meadow-2.0.1-cp3{n}-cp3{n}-manylinux_2_17_x86_64.whl"),
        bytes: vec![n; 4000],
        sha256: None,
    };
    let wheels = (10..20).map(wheel).collect();
    let (house, me) = (&story.town.house, Actor::Operator);
    let more = releases::add_artefacts(house, me, &story.disclosure, "2.0.1", wheels).await;
    story.disclosure = more.unwrap();
    fs::write(story.town.world().join("put.sh"), PUT).unwrap();
    let story = story.told().await;
    let told = story.letters().len();
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::mins(1), Span::mins(1), Span::mins(5)]).await;
    assert!(story.town.world().join("index.died").exists(), "the first upload went through");
    let there = || story.town.uploads.files().unwrap().into_iter().map(|f| f.name);
    assert_eq!(there().filter(|n| n.contains("2.0.1")).count(), 12);
    assert!(!there().any(|n| n.contains('~')), "a file was uploaded twice");
    assert_eq!(story.letters().len(), told + 2, "both lists hear, once");
    assert_eq!(story.stage().await, Stage::Public);
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    story.is_recorded().await;

    let disclosure = story.disclosure_now().await;
    let lines = audits::timeline(&story.town.house, &disclosure).await.unwrap();
    let whats: Vec<_> = lines.iter().map(|l| l.what.as_str()).collect();
    let of = |what: &str, end: &str| -> Vec<usize> {
        let fits = |(_, w): &(usize, &&str)| w.contains(what) && w.ends_with(end);
        whats.iter().enumerate().filter(fits).map(|(n, _)| n).collect()
    };
    let (failed, uploaded) = (of("run index", "failed"), of("run index", "done"));
    let announced = of("mail to announce", "began");
    assert!(
        !failed.is_empty() && uploaded.last() < announced.first(),
        "half a release was announced: {whats:#?}"
    );
}

#[tokio::test]
async fn what_is_there_already_is_success_and_another_file_of_that_name_an_alarm() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    let files = daybreak::town::story::look_through(&story.town, story.release()).await.unwrap();
    let index = story.town.world().join("index");
    let named = |end: &str| files.iter().find(|f| f.name.ends_with(end)).unwrap();
    for same in ["meadow-1.4.3.tar.gz", "meadow-1.4.3-py3-none-any.whl"] {
        fs::write(index.join(same), &named(same).bytes).unwrap();
    }
    fs::write(index.join("meadow-2.0.1.tar.gz"), "another").unwrap();
    story.at_t0(&mut engine).await;
    let words = story.words(story.release()).await;
    let blocked = words.values().filter(|w| *w == "blocked conflict").count();
    assert_eq!(blocked, 1, "{words:?}");
    assert!(story.rang("step-blocked"));
    let there = story.town.uploads.files().unwrap();
    assert!(!there.iter().any(|f| f.name.contains('~')), "it was uploaded again");
    let other = there.iter().find(|f| f.name == "meadow-2.0.1.tar.gz").unwrap();
    assert_eq!(other.bytes, b"another", "it was written over");
}

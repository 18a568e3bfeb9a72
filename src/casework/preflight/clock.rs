//! The clock, as its witnesses and the database know it: GO is written by it, or not at all.

use crate::casework::{Case, House};
use crate::clock::witness::Testimony;
use crate::domain::finding::Finding;
use crate::domain::time::{At, Span};

/// How far the wall clock may lie behind what an engine has seen, or from another clock.
const BEHIND: Span = Span::secs(2);

/// What a witness says against the clock: a code, whether the house heeds it, and the cure.
pub type Wrong = (&'static str, bool, &'static str);

/// What keeps GO from being written by this clock.
pub(super) async fn findings(house: &House) -> Case<Vec<Finding>> {
    let mut findings: Vec<Finding> = behind(house).await?.into_iter().collect();
    for witness in &house.witnesses {
        let asked = house.now();
        let said = witness.testify().await;
        let (words, wrong) = testimony(house, said, (asked, house.now()));
        let place = format!("the {}", witness.name());
        findings.extend(wrong.map(|(code, heeded, cure)| match heeded {
            true => Finding::stop(code, place, words).cure(cure),
            false => Finding::note(code, place, format!("{words}; it is not heeded")),
        }));
    }
    Ok(findings)
}

/// Whether the wall shows less than an engine of this house has seen.
pub async fn behind(house: &House) -> Case<Option<Finding>> {
    let seen = house.store.read(|r| r.high_water()).await?;
    let now = house.now();
    let message = || format!("it shows {}, and an engine has seen {}", now.spoken(), seen.spoken());
    Ok((seen.since(now) > BEHIND).then(|| {
        Finding::stop("clock-behind", "clock", message())
            .cure("set the machine's clock (NTP); no GO is written on a clock that jumps")
    }))
}

/// What a witness said, between two readings of the wall, in words, and what is wrong with it.
pub fn testimony(house: &House, said: Testimony, between: (At, At)) -> (String, Option<Wrong>) {
    let heeds = &house.config.clock;
    match said {
        Testimony::Silent => ("it cannot tell".to_owned(), None),
        Testimony::Synchronised { within } => {
            (format!("a time server keeps the clock, within {} ms", within.as_millis()), None)
        }
        Testimony::Unsynchronised => {
            let cure = "start chrony or systemd-timesyncd: without it nothing is sent or \
                        published by the clock; where the host keeps the time unseen, set \
                        `require_sync = false` under [clock] in daybreak.toml";
            let wrong = ("clock-unsynchronised", heeds.require_sync, cure);
            ("no time server keeps this machine's clock".to_owned(), Some(wrong))
        }
        Testimony::Shows(at) => {
            let apart = between.0.since(at).max(at.since(between.1));
            let words = format!("its clock shows {}", at.spoken());
            let cure = "set both clocks by a time server: nothing is sent or published by \
                        clocks that disagree; or `ask_database = false` under [clock]";
            let wrong = ("clock-disagrees", heeds.ask_database, cure);
            (words, (apart > BEHIND).then_some(wrong))
        }
    }
}

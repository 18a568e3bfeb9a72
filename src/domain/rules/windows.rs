//! Who hears for how long, and what is owed to those who hear: a contact's longest embargo,
//! counted from its first mail, the groups a disclosure is for, and the public post that a
//! list asks of whoever tells it.

use crate::domain::finding::Finding;
use crate::domain::time::At;
use crate::domain::zone::T0;

/// Code of the finding that stops a plan unless somebody accepts it.
pub const TOO_LONG: &str = "embargo-too-long";
/// Code of the finding that stops a Release plan; a notice may go before the post is added.
pub const POST_MISSING: &str = "public-post-missing";

/// One contact as these rules see it.
#[derive(Debug, Clone)]
pub struct Listener<'a> {
    /// Its address.
    pub address: &'a str,
    /// Whether this disclosure is for its organisation, and it hears at all.
    pub hears: bool,
    /// Days before T0 at which its organisation hears.
    pub lead: u32,
    /// Longest embargo it accepts, in days.
    pub longest: Option<u32>,
    /// When its first mail of this disclosure may have left.
    pub told: Option<At>,
    /// The list at which telling it obliges us to post.
    pub requires_public_post: Option<&'a str>,
}

/// Everything about `all`; `posts` are the lists the disclosure posts to.
pub fn check(t0: Option<&T0>, all: &[Listener<'_>], posts: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for listener in all {
        if let Some(t0) = t0 {
            found.extend(too_long(t0, listener));
            found.extend(shortened(t0, listener));
        }
        found.extend(unposted(listener, posts));
        if listener.told.is_some() && !listener.hears {
            found.push(
                Finding::warn(
                    "told-but-left-out",
                    listener.address,
                    "it was told of this disclosure and hears only dates from now on",
                )
                .cure("tell it by hand what changes, or let it hear: daybreak disclosure tell"),
            );
        }
    }
    found
}

/// Told once, nobody can be told later: only an earlier T0 cures it.
fn too_long(t0: &T0, listener: &Listener<'_>) -> Option<Finding> {
    let (told, longest) = (listener.told?, listener.longest?);
    (told < t0.days_before(longest)).then(|| {
        Finding::warn(
            TOO_LONG,
            listener.address,
            format!(
                "it was told at {} and accepts an embargo of at most {longest} days: this T0 is later",
                told.spoken()
            ),
        )
        .cure(format!(
            "choose an earlier T0, or agree with it and make the plan with --accept {TOO_LONG}"
        ))
    })
}

/// Its window opens later than its lead says: a promise to it comes first.
fn shortened(t0: &T0, listener: &Listener<'_>) -> Option<Finding> {
    let longest = listener.longest.filter(|most| *most < listener.lead)?;
    (listener.hears && listener.told.is_none()).then(|| {
        Finding::warn(
            "window-shortened",
            listener.address,
            format!(
                "it accepts at most {longest} days: it hears at {}, not {} days ahead",
                t0.days_before(longest).spoken(),
                listener.lead
            ),
        )
        .cure("check that this is soon enough, or agree on more: daybreak distributor edit")
    })
}

/// Whoever tells such a list posts in public on the day.
fn unposted(listener: &Listener<'_>, posts: &[&str]) -> Option<Finding> {
    let list = listener.requires_public_post?;
    let owed = listener.hears || listener.told.is_some();
    (owed && !posts.contains(&list)).then(|| {
        Finding::stop(
            POST_MISSING,
            listener.address,
            format!("telling it obliges us to post to `{list}` at T0, and no such post is added"),
        )
        .cure(format!("daybreak disclosure add-post DISC --list {list}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn days_before(days: u32) -> At {
        t0().days_before(days)
    }

    fn t0() -> T0 {
        T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap()
    }

    fn listener() -> Listener<'static> {
        Listener {
            address: "distros@vs.example",
            hears: true,
            lead: 7,
            longest: Some(14),
            told: None,
            requires_public_post: None,
        }
    }

    fn codes(one: Listener<'_>, posts: &[&str]) -> Vec<String> {
        check(Some(&t0()), &[one], posts).into_iter().map(|f| f.code).collect()
    }

    #[rstest]
    #[case::within(Some(14), Some(7), &[])]
    #[case::to_the_day(Some(14), Some(14), &[])]
    #[case::a_day_over(Some(14), Some(15), &[TOO_LONG])]
    #[case::any_length(None, Some(90), &[])]
    #[case::not_told(Some(14), None, &[])]
    #[case::lead_longer(Some(5), None, &["window-shortened"])]
    #[case::told_in_time_all_the_same(Some(5), Some(5), &[])]
    fn embargoes(
        #[case] longest: Option<u32>,
        #[case] told: Option<u32>,
        #[case] expected: &[&str],
    ) {
        let one = Listener { longest, told: told.map(days_before), ..listener() };
        assert_eq!(codes(one, &[]), expected);
    }

    #[rstest]
    #[case::owed(true, None, &["announce"], &[POST_MISSING])]
    #[case::done(true, None, &["announce", "oss-security"], &[])]
    #[case::told_before(false, Some(3), &[], &[POST_MISSING, "told-but-left-out"])]
    #[case::never_told(false, None, &[], &[])]
    fn what_a_list_is_owed(
        #[case] hears: bool,
        #[case] told: Option<u32>,
        #[case] posts: &[&str],
        #[case] expected: &[&str],
    ) {
        let one = Listener {
            hears,
            told: told.map(days_before),
            requires_public_post: Some("oss-security"),
            ..listener()
        };
        assert_eq!(codes(one, posts), expected);
    }

    #[test]
    fn without_an_instant_only_what_needs_none_is_said() {
        let one = Listener { longest: Some(1), ..listener() };
        assert_eq!(check(None, &[one], &[]), []);
    }
}

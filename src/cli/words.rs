//! Values that several commands take, from what a person types.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};

use crate::casework::pauses::PHASES;
use crate::domain::disclosure::{AttachmentKind, ReleaseKind};
use crate::domain::manifest::Manifest;
use crate::domain::news::NoticeKind;
use crate::domain::party::ContactKind;
use crate::domain::plan::{Phase, PlanKind};
use crate::domain::time::Span;

/// `person`, `role` or `list`.
pub fn contact_kind() -> impl TypedValueParser<Value = ContactKind> {
    PossibleValuesParser::new(["person", "role", "list"])
        .try_map(|word| ContactKind::from_word(&word).ok_or("no such kind"))
}

/// `notice` or `release`; the other kinds are told apart by casework.
pub fn plan_kind() -> impl TypedValueParser<Value = PlanKind> {
    PossibleValuesParser::new(PlanKind::ALL.map(PlanKind::word))
        .try_map(|word| PlanKind::from_word(&word).ok_or("no such kind"))
}

/// `gate`, `announce` or `follow-up`: what somebody can be asked before.
pub fn phase() -> impl TypedValueParser<Value = Phase> {
    PossibleValuesParser::new(PHASES.map(Phase::word))
        .try_map(|word| Phase::from_word(&word).ok_or("no such phase"))
}

/// `90s` or `10m`.
pub fn short_span() -> impl TypedValueParser<Value = Span> {
    NonEmptyStringValueParser::new().try_map(|text| {
        let number = |n: &str| n.parse::<u16>().ok().map(i64::from);
        let seconds = text.strip_suffix('s').and_then(number).map(Span::secs);
        let minutes = || text.strip_suffix('m').and_then(number).map(Span::mins);
        seconds.or_else(minutes).ok_or("write seconds or minutes: 90s, 10m")
    })
}

/// `pinned` or `built-from-tag`.
pub fn release_kind() -> impl TypedValueParser<Value = ReleaseKind> {
    PossibleValuesParser::new(["pinned", "built-from-tag"])
        .try_map(|word| ReleaseKind::from_word(&word).ok_or("no such kind"))
}

/// `poc` or `file`.
pub fn attachment_kind() -> impl TypedValueParser<Value = AttachmentKind> {
    PossibleValuesParser::new(["poc", "file"])
        .try_map(|word| AttachmentKind::from_word(&word).ok_or("no such kind"))
}

/// `yes` or `no`.
pub fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["yes", "no"]).map(|word| word == "yes")
}

/// A reason or evidence: not empty, for it goes on record.
pub fn said() -> impl TypedValueParser<Value = String> {
    NonEmptyStringValueParser::new()
}

/// A span: `90s`, `30m`, `2h`, `1d`.
pub fn span() -> impl TypedValueParser<Value = Span> {
    NonEmptyStringValueParser::new().try_map(|text| {
        let unit = text.chars().last().unwrap_or_default();
        let count = text.strip_suffix(unit).and_then(|n| n.parse::<u32>().ok()).map(i64::from);
        match (count, unit) {
            (Some(n), 's') => Ok(Span::secs(n)),
            (Some(n), 'm') => Ok(Span::mins(n)),
            (Some(n), 'h') => Ok(Span::hours(n)),
            (Some(n), 'd') => Ok(Span::days(n)),
            _ => Err("write a number and its unit: 90s, 30m, 2h or 1d"),
        }
    })
}

/// How many hear what: `3 first, 24 schedule`.
pub fn told(manifest: &Manifest) -> String {
    let of = |kind: NoticeKind| {
        let sealings = manifest.steps.iter().filter_map(|s| s.sealing.as_ref());
        let count = sealings.filter(|s| s.notice == kind).count();
        (count > 0).then(|| format!("{count} {kind}"))
    };
    let all: Vec<String> = NoticeKind::ALL.into_iter().filter_map(of).collect();
    all.join(", ")
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub fn listed(all: &[String]) -> String {
    match all {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// `1 step`, `2 steps`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// `1 more member`, `2 more members`.
pub fn more(count: u32, noun: &str) -> String {
    counted(count as usize, &format!("more {noun}"))
}

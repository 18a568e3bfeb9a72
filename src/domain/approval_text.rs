//! What a person signs to say yes to a plan: short ASCII without embargoed content.

use super::blob::Sha256;
use super::ids::{DisclosureId, PlanId};
use super::manifest::Manifest;
use super::news::NoticeKind;
use super::plan::PlanKind;
use super::time::At;

/// First line of every approval text.
pub const FIRST_LINE: &str = "daybreak-approval 1";

/// What the text of an approval binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalText {
    /// Disclosure, an opaque reference.
    pub disclosure: DisclosureId,
    /// Plan.
    pub plan: PlanId,
    /// Number of the plan within the disclosure.
    pub number: i64,
    /// What for.
    pub kind: PlanKind,
    /// What a notice is about: everybody who signs knows whether it is the first or says that
    /// it is off.
    pub notice: Option<NoticeKind>,
    /// The instant that a Headsup announces.
    pub announces: Option<At>,
    /// The notice it sends again, unchanged, to one more contact.
    pub resends: Option<PlanId>,
    /// SHA-256 of the MANIFEST.
    pub manifest: Sha256,
    /// The disclosure instant; a Headsup's own, which is when it goes out.
    pub t0: At,
    /// How many members may start it before T0 without signing again.
    pub early_lift: u32,
    /// When the first byte leaves; `None` at once on the last approval.
    pub effect: Option<At>,
}

/// Text that approves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an approval text: sign exactly what `daybreak plan show PLAN --approval-text` prints")]
pub struct NotAnApproval;

impl ApprovalText {
    /// What approving `manifest` means; `digest` is that of its stored bytes.
    pub fn of(manifest: &Manifest, digest: Sha256) -> Self {
        Self {
            disclosure: manifest.disclosure,
            plan: manifest.plan,
            number: manifest.number,
            kind: manifest.kind,
            notice: manifest.notice(),
            announces: manifest.announces,
            resends: manifest.resends,
            manifest: digest,
            t0: manifest.t0.at,
            early_lift: manifest.early_lift,
            effect: manifest.first_effect(),
        }
    }

    /// The text, LF line ends.
    pub fn render(&self) -> String {
        let effect = match self.effect {
            Some(at) => format!("sends at {}", at.rfc3339()),
            None => "SENDS AT ONCE ON THE LAST APPROVAL".to_owned(),
        };
        let notice = self.notice.map(|n| format!("notice {n}\n")).unwrap_or_default();
        let announces =
            self.announces.map(|at| format!("announces {}\n", at.rfc3339())).unwrap_or_default();
        let resends = self.resends.map(|p| format!("resends {p}\n")).unwrap_or_default();
        format!(
            "{FIRST_LINE}\ndisclosure {}\nplan {}\nnumber {}\nkind {}\n{notice}{announces}{resends}manifest {}\nt0 {}\nearly-lift {}\nEFFECT: {effect}\n",
            self.disclosure,
            self.plan,
            self.number,
            self.kind,
            self.manifest,
            self.t0.rfc3339(),
            self.early_lift,
        )
    }

    /// From signed text. Line ends may have become CRLF on the way and blank lines or spaces
    /// may have been added at the end; nothing else may differ.
    pub fn parse(text: &[u8]) -> Result<Self, NotAnApproval> {
        let text = std::str::from_utf8(text).map_err(|_| NotAnApproval)?;
        let mut lines = text.trim_end().lines().map(str::trim_end).peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(NotAnApproval);
        }
        let mut maybe = |key: &str| {
            let value = lines.peek()?.strip_prefix(key)?.strip_prefix(' ')?;
            lines.next();
            Some(value)
        };
        let mut take = |key: &str| maybe(key).ok_or(NotAnApproval);
        let instant = |text: &str| At::parse_rfc3339(text).ok_or(NotAnApproval);
        let parsed = Self {
            disclosure: take("disclosure")?.parse().map_err(|_| NotAnApproval)?,
            plan: take("plan")?.parse().map_err(|_| NotAnApproval)?,
            number: take("number")?.parse().map_err(|_| NotAnApproval)?,
            kind: PlanKind::from_word(take("kind")?).ok_or(NotAnApproval)?,
            notice: match take("notice") {
                Ok(word) => Some(NoticeKind::from_word(word).ok_or(NotAnApproval)?),
                Err(NotAnApproval) => None,
            },
            announces: match take("announces") {
                Ok(at) => Some(instant(at)?),
                Err(NotAnApproval) => None,
            },
            resends: match take("resends") {
                Ok(plan) => Some(plan.parse().map_err(|_| NotAnApproval)?),
                Err(NotAnApproval) => None,
            },
            manifest: take("manifest")?.parse().map_err(|_| NotAnApproval)?,
            t0: instant(take("t0")?)?,
            early_lift: take("early-lift")?.parse().map_err(|_| NotAnApproval)?,
            effect: match take("EFFECT:")?.strip_prefix("sends at ") {
                Some(at) => Some(instant(at)?),
                None => None,
            },
        };
        let same = parsed.render().lines().eq(text.trim_end().lines().map(str::trim_end));
        if same { Ok(parsed) } else { Err(NotAnApproval) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(effect: Option<At>) -> ApprovalText {
        ApprovalText {
            disclosure: DisclosureId::new(At::from_secs(1), [1; 10]),
            plan: PlanId::new(At::from_secs(2), [2; 10]),
            number: 3,
            kind: PlanKind::Release,
            notice: None,
            announces: None,
            resends: None,
            manifest: Sha256::of(b"manifest"),
            t0: At::from_secs(1_796_137_200),
            early_lift: 1,
            effect,
        }
    }

    #[test]
    fn texts_round_trip_also_through_mailers() {
        for effect in [None, Some(At::from_secs(1_796_137_200))] {
            let text = sample(effect).render();
            assert!(text.is_ascii());
            assert_eq!(ApprovalText::parse(text.as_bytes()), Ok(sample(effect)));
            let mailed = text.replace('\n', "\r\n") + "\r\n\r\n";
            assert_eq!(ApprovalText::parse(mailed.as_bytes()), Ok(sample(effect)));
        }
        let again =
            ApprovalText { resends: Some(PlanId::new(At::from_secs(1), [1; 10])), ..sample(None) };
        let text = again.render();
        assert!(text.contains("\nkind release\nresends pln_"), "{text}");
        assert_eq!(ApprovalText::parse(text.as_bytes()), Ok(again));
        let said = ApprovalText {
            notice: Some(NoticeKind::Cancellation),
            announces: Some(At::from_secs(1_796_137_200)),
            ..sample(None)
        };
        let text = said.render();
        assert!(text.contains("\nnotice cancellation\nannounces 2026-12-01T"), "{text}");
        assert_eq!(ApprovalText::parse(text.as_bytes()), Ok(said));
    }

    #[test]
    fn any_other_change_is_refused() {
        let text = sample(None).render();
        for bad in [
            text.replace("early-lift 1", "early-lift  1"),
            text.replace("SENDS AT ONCE", "sends some day"),
            text.replace("kind release", "kind notice\nkind release"),
            format!("{text}and more\n"),
            String::new(),
        ] {
            assert_eq!(ApprovalText::parse(bad.as_bytes()), Err(NotAnApproval), "{bad}");
        }
    }
}

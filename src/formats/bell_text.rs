//! Bells: the only mails that leave without an approved plan. They are compiled in and free
//! of content: a bell cannot hold an advisory, a title, a date of disclosure or free text,
//! because its type has no place for one.

use crate::domain::deed::Subject;
use crate::domain::escalation::TIERS;
use crate::domain::ids::StepId;
use crate::domain::preflight::{ALL_CLEAR, Family};
use crate::domain::time::At;

/// A public address of ours that holds nothing but letters, digits and path signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A random code by which an answer is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; 8]);

/// Text that cannot be an address in a bell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an address for a bell: use http:// or https://, a host and a plain path, without `?` or `#`"
)]
pub struct NotPlain;

impl PublicUrl {
    /// From configuration; never from an advisory.
    pub fn parse(text: &str) -> Result<Self, NotPlain> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/".contains(c);
        match rest {
            Some(rest) if !rest.is_empty() && text.len() <= 200 && rest.chars().all(plain) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotPlain),
        }
    }
}

impl Code {
    /// From the house's randomness.
    pub const fn new(random: [u8; 8]) -> Self {
        Self(random)
    }

    /// A code as [`Code::spoken`] writes it.
    pub fn parse(spoken: &str) -> Option<Self> {
        let bytes = hex::decode(spoken.replace('-', "")).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// 16 hexadecimal digits in groups of four.
    pub fn spoken(&self) -> String {
        let digits = hex::encode(self.0);
        let groups: Vec<String> =
            digits.as_bytes().chunks(4).map(|g| String::from_utf8_lossy(g).into_owned()).collect();
        groups.join("-")
    }
}

/// What is wrong with a registered certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It expires, or expired, on that day.
    Expires(At),
    /// It cannot be encrypted to, for whatever reason.
    Unusable,
}

/// What the team itself must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// A stable, compiled-in code: `step-blocked`.
    pub code: &'static str,
    /// The plan or the disclosure; made from an id, so it has no room for words.
    pub subject: Subject,
    /// The step, if it is about one.
    pub step: Option<StepId>,
    /// The code by which it is answered.
    pub call: Code,
    /// Which time it is said, of those of [`TIERS`], where it is said again until a person answers.
    pub tier: Option<usize>,
}

impl Attention {
    /// What a receiver gets that is no mailbox: code, id and time, and nothing else.
    pub fn event(&self, at: At) -> Vec<u8> {
        let event = serde_json::json!({
            "code": self.code,
            "id": self.call.spoken(),
            "time": at.rfc3339(),
        });
        event.to_string().into_bytes()
    }

    /// One name for one saying, the same when it is tried again.
    pub fn name(&self) -> String {
        format!("bell_{}_{}", self.call.spoken(), self.tier.unwrap_or(0))
    }

    /// The lines that say how it is answered.
    fn answer(&self) -> String {
        let (call, Some(tier)) = (self.call.spoken(), self.tier) else {
            return String::new();
        };
        let minutes: Vec<String> =
            TIERS.iter().skip(1).map(|t| (t.as_secs() / 60).to_string()).collect();
        let (time, of) = (tier.saturating_add(1), TIERS.len());
        format!(
            "This is time {time} of {of}. Until a person answers it is said again, {}\nminutes \
             after the first time. To answer, steer the plan, or:\n  \
             daybreak bells ack {call} --as MEMBER\n\n",
            minutes.join(", ")
        )
    }
}

/// One kind of bell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bell {
    /// Please renew the certificate that is registered with us.
    CertificateProblem {
        /// What is wrong.
        trouble: Trouble,
        /// Where our own certificate and address stand.
        page: PublicUrl,
        /// Code to quote.
        code: Code,
    },
    /// To the team: a person is needed.
    TeamAttention(Attention),
    /// To the team, once ahead of a plan's hour: nothing stands in its way.
    AllClear {
        /// The plan.
        subject: Subject,
        /// How many targets were tried.
        tried: u32,
    },
    /// Somebody asked us to use another certificate for this address.
    CertificateChange {
        /// Where our own certificate and address stand.
        page: PublicUrl,
        /// Code to quote.
        code: Code,
    },
    /// We have something to say that must be encrypted, and cannot.
    PleaseContactUs {
        /// Where our own certificate and address stand.
        page: PublicUrl,
        /// Code to quote.
        code: Code,
    },
}

impl Bell {
    /// The subject: the same for every bell of a kind.
    pub const fn subject(&self) -> &'static str {
        match self {
            Self::CertificateProblem { .. } => "Please renew your OpenPGP certificate",
            Self::CertificateChange { .. } => "A change of your OpenPGP certificate",
            Self::PleaseContactUs { .. } => "Please contact us",
            Self::TeamAttention(_) => "Daybreak needs a person",
            Self::AllClear { .. } => "Daybreak looked ahead",
        }
    }

    /// The text: ASCII, lines ended by line feeds.
    pub fn text(&self) -> String {
        match self {
            Self::CertificateProblem { trouble, page, code } => {
                let what = match trouble {
                    Trouble::Expires(at) => {
                        let day: String = at.rfc3339().chars().take(10).collect();
                        format!(
                            "The OpenPGP certificate that you registered with us expires on {day}."
                        )
                    }
                    Trouble::Unusable => "We cannot encrypt to the OpenPGP certificate that you \
                                          registered with us."
                        .to_owned(),
                };
                format!(
                    "Hello,\n\n{what}\n\nPlease extend it or make a new one, and send the public \
                     certificate\nin a signed reply. Never send a secret key.\n\n{}",
                    ending(page, *code)
                )
            }
            Self::TeamAttention(attention @ Attention { code, subject, step, call, .. }) => {
                let step = step.map(|s| format!("step: {s}\n")).unwrap_or_default();
                let cure = Family::cure_of(code).map_or_else(String::new, |cure| {
                    format!("cure: {cure};\n`daybreak plan preflight PLAN` says all of it\n")
                });
                let (call, answer) = (call.spoken(), attention.answer());
                format!(
                    "A person is needed.\n\nreason: {code}\nabout: {subject}\n{step}call: {call}\n{cure}\n{answer}Look at it with \
                     `daybreak plan show`, `daybreak disclosure show` or\n\
                     `daybreak distributor check`. Everything else goes on.\n\nThis mail is sent by a \
                     machine and says nothing else on purpose.\n"
                )
            }
            Self::AllClear { subject, tried } => format!(
                "Nothing stands in the way.\n\nreason: {ALL_CLEAR}\nabout: {subject}\ntried: {tried}\n\nIt \
                 is looked at again before its hour, and what is wrong then rings.\n\nThis mail is \
                 sent by a machine and says nothing else on purpose.\n"
            ),
            Self::CertificateChange { page, code } => format!(
                "Hello,\n\na change of the OpenPGP certificate for this address was asked\n\
                 for at our end.\n\nIf it was you, nothing is to be done. If it was not, tell us at \
                 once, by\nanother way than this address if you can. Never send a secret \
                 key.\n\n{}",
                ending(page, *code)
            ),
            Self::PleaseContactUs { page, code } => format!(
                "Hello,\n\nwe would like to write to you, but only encrypted, and we have no \
                 OpenPGP\ncertificate of yours that we can use.\n\nPlease reply and send us your \
                 public certificate, or tell us another way\nto reach you. Never send a secret \
                 key.\n\n{}",
                ending(page, *code)
            ),
        }
    }
}

fn ending(page: &PublicUrl, code: Code) -> String {
    format!(
        "Our address and certificate: {}\nPlease quote: {}\n\nThis mail is sent by a machine and \
         says nothing else on purpose.\n",
        page.0,
        code.spoken()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_room_for_words() {
        assert!(PublicUrl::parse("https://security.meadow.example/contact").is_ok());
        for bad in ["https://", "ftp://a", "https://a/?q=overflow", "https://a/ b", "https://a\nb"]
        {
            assert_eq!(PublicUrl::parse(bad), Err(NotPlain), "{bad}");
        }
    }

    #[test]
    fn a_machine_hears_code_id_and_time() {
        let attention = Attention {
            code: "held-at-t0",
            subject: Subject::house(),
            step: None,
            call: Code::new([1, 2, 3, 4, 5, 6, 7, 0xab]),
            tier: Some(1),
        };
        let at = At::parse_rfc3339("2026-12-24T11:22:33Z").unwrap();
        assert_eq!(
            String::from_utf8(attention.event(at)).unwrap(),
            r#"{"code":"held-at-t0","id":"0102-0304-0506-07ab","time":"2026-12-24T11:22:33Z"}"#
        );
        assert_eq!(attention.name(), "bell_0102-0304-0506-07ab_1");
        assert_eq!(Code::parse(&attention.call.spoken()), Some(attention.call));
        assert_eq!(Code::parse("0102-0304"), None);
    }

    #[test]
    fn bells_are_plain_ascii_and_short_lined() {
        let page = PublicUrl::parse("https://security.meadow.example/").unwrap();
        let code = Code::new([1, 2, 3, 4, 5, 6, 7, 0xab]);
        let at = At::parse_rfc3339("2026-12-24T11:22:33Z").unwrap();
        for bell in [
            Bell::CertificateProblem { trouble: Trouble::Expires(at), page: page.clone(), code },
            Bell::CertificateProblem { trouble: Trouble::Unusable, page: page.clone(), code },
            Bell::CertificateChange { page: page.clone(), code },
            Bell::PleaseContactUs { page: page.clone(), code },
            Bell::TeamAttention(Attention {
                code: "go-barred-at-t0",
                subject: Subject::house(),
                step: None,
                call: code,
                tier: Some(2),
            }),
        ] {
            let text = bell.text();
            assert!(text.is_ascii() && text.lines().all(|l| l.len() <= 76), "{text}");
            assert!(text.contains("0102-0304-0506-07ab"), "{text}");
            assert!(!text.contains("11:22"), "{text}");
        }
    }

    #[test]
    fn a_red_preflight_names_its_cure_and_a_green_one_its_count() {
        let subject = Subject::house();
        for family in Family::ALL {
            let about = Attention {
                code: family.code(),
                subject: subject.clone(),
                step: None,
                call: Code::new([7; 8]),
                tier: None,
            };
            let text = Bell::TeamAttention(about).text();
            assert!(text.contains(&format!("cure: {};", family.cure())), "{text}");
            assert!(text.is_ascii() && text.lines().all(|l| l.len() <= 76), "{text}");
        }
        let text = Bell::AllClear { subject, tried: 9 }.text();
        assert!(text.contains("reason: preflight-green\n") && text.contains("tried: 9\n"));
        assert!(text.is_ascii() && text.lines().all(|l| l.len() <= 76), "{text}");
    }
}

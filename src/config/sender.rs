//! Who a mail says it is from on the envelope, so that what comes back finds its delivery.

use serde::{Deserialize, Serialize};

use super::{ConfigError, Relay, check_address};
use crate::domain::envelope::MARK;

/// How MAIL FROM tells one delivery from another, so that a bounce finds its delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SenderMode {
    /// The same address for all; bounces are told apart by the Message-ID they return.
    #[default]
    Fixed,
    /// `n-TOKEN@bounce_domain`.
    Verp,
    /// `local+n-TOKEN@domain` of `envelope_from`.
    Plus,
}

impl Relay {
    /// MAIL FROM of one delivery. `token` is 128 random bits in hexadecimal, never used before.
    pub fn sender(&self, team: &str, token: &str) -> String {
        let fixed = self.envelope_from.as_deref().unwrap_or(team);
        let plus = || fixed.split_once('@').map(|(l, host)| format!("{l}+{MARK}{token}@{host}"));
        let verp = || self.bounce_domain.as_deref().map(|host| format!("{MARK}{token}@{host}"));
        let made = match self.sender_mode {
            SenderMode::Fixed => None,
            SenderMode::Verp => verp(),
            SenderMode::Plus => plus(),
        };
        made.unwrap_or_else(|| fixed.to_owned())
    }

    pub(super) fn check_sender(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, wrong: &str, right: &str| {
            let text = str::to_owned;
            Err(ConfigError::Wrong { field: text(field), wrong: text(wrong), right: text(right) })
        };
        let field = "mail.bounce_domain";
        match (self.sender_mode, self.bounce_domain.as_deref()) {
            (SenderMode::Verp, None) => {
                wrong(field, "is missing", "`sender_mode = \"verp\"` needs a domain of its own")
            }
            (SenderMode::Verp, Some(host)) => check_address(field, &format!("{MARK}x@{host}")),
            (_, Some(_)) => wrong(
                field,
                "is used with `sender_mode = \"verp\"` only",
                "leave it out, or choose that mode",
            ),
            (SenderMode::Plus, None) => {
                let longest = |address: &str| {
                    address.split_once('@').is_none_or(|(local, _)| local.len() <= 28)
                };
                match self.envelope_from.as_deref() {
                    Some(address) if longest(address) => Ok(()),
                    _ => wrong(
                        "mail.envelope_from",
                        "is missing, or its local part is longer than 28 characters",
                        "`sender_mode = \"plus\"` needs a short address that takes `+detail`",
                    ),
                }
            }
            (SenderMode::Fixed, None) => Ok(()),
        }
    }
}

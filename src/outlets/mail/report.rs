//! What we ask relays to tell us of a mail's way (RFC 3461).
//!
//! A report must not carry our body back: of a notice it would be one more copy on one more
//! way. We hear of failures and delays, and each report names its transaction by random bits.

/// What is asked for with one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// Nothing: whatever relays do by themselves.
    Nothing,
    /// Failures and delays, with headers only; our name for the transaction if it has one.
    Headers(Option<&'a str>),
}

impl Asked<'_> {
    /// Parameters of MAIL FROM (sections 4.3 and 4.4). The name is hexadecimal, so that it is
    /// its own xtext.
    pub(super) fn with_sender(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Headers(None) => " RET=HDRS".to_owned(),
            Self::Headers(Some(id)) => format!(" RET=HDRS ENVID={id}"),
        }
    }

    /// Parameters of RCPT TO (section 4.1).
    pub(super) const fn with_recipient(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Headers(_) => " NOTIFY=FAILURE,DELAY",
        }
    }
}

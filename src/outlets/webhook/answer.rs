//! What a receiver's answer means (Standard Webhooks 1.0, delivery success and failure; RFC 9110
//! section 10.2.3 for Retry-After).

use chrono::{DateTime, Utc};
use reqwest::Response;

use crate::domain::receipt::{OutletError, Receipt};
use crate::domain::time::{At, Span};

/// Success, try later, or never.
pub(super) fn judge(response: &Response, now: At) -> Result<Receipt, OutletError> {
    let asked = response.headers().get("retry-after").and_then(|v| v.to_str().ok());
    of(response.status().as_u16(), asked.and_then(|text| wait(text, now)))
}

fn of(status: u16, wait: Option<Span>) -> Result<Receipt, OutletError> {
    let said = format!("the receiver answered {status}");
    match status {
        200..=299 => Ok(Receipt::handed_over(said)),
        300..=399 => Err(OutletError::never("webhook-redirects", said)),
        408 | 425 | 429 | 500..=599 => {
            Err(OutletError::later("webhook-busy", said).not_within(wait))
        }
        410 => Err(OutletError::never("webhook-gone", said)),
        400..=499 => Err(OutletError::never("webhook-refused", said)),
        _ => Err(OutletError::unknown("webhook-no-answer", said)),
    }
}

/// Seconds, or a date.
fn wait(text: &str, now: At) -> Option<Span> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(Span::secs(i64::from(seconds)));
    }
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    let span = At::from_utc(date.with_timezone(&Utc)).since(now);
    (span > Span::ZERO).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::Retry;

    #[test]
    fn answers_mean_what_the_standard_says() {
        assert!(of(204, None).is_ok());
        for (status, retry) in [
            (302, Retry::Never),
            (400, Retry::Never),
            (404, Retry::Never),
            (410, Retry::Never),
            (429, Retry::Later),
            (500, Retry::Later),
            (504, Retry::Later),
            (100, Retry::Unknown),
        ] {
            assert_eq!(of(status, None).unwrap_err().retry, retry, "{status}");
        }
        assert_eq!(of(410, None).unwrap_err().code, "webhook-gone");
    }

    #[test]
    fn a_receiver_may_ask_to_be_left_alone() {
        let now = At::from_secs(1_796_137_200);
        assert_eq!(wait("120", now), Some(Span::secs(120)));
        assert_eq!(wait("Tue, 01 Dec 2026 15:00:30 GMT", now), Some(Span::secs(30)));
        for none in ["Tue, 01 Dec 2026 14:00:30 GMT", "-1", "soon", ""] {
            assert_eq!(wait(none, now), None, "{none}");
        }
        assert_eq!(of(503, Some(Span::secs(9))).unwrap_err().wait, Some(Span::secs(9)));
    }
}

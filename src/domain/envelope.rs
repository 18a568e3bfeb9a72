//! By what a delivery is known again on the envelope: a random token, and nothing else.
//!
//! What names a transaction to relays (ENVID, RFC 3461 section 4.4) comes back in every report
//! of it, and every relay on the way may log it: 128 random bits have nothing to tell.

/// What stands before a token in an address of ours.
pub const MARK: &str = "n-";

/// The token in a MAIL FROM of ours.
pub fn token(address: &str) -> Option<&str> {
    let (local, _) = address.split_once('@')?;
    let token = local.rsplit('+').next()?.strip_prefix(MARK)?;
    is_random(token).then_some(token)
}

/// 128 bits in hexadecimal, as every token and Message-ID of ours is.
pub fn is_random(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Our name for the transaction of one mail: the token of its MAIL FROM, else the local part of
/// its Message-ID. `None` where neither is random: anything else might say something.
pub fn envelope_id<'a>(mail_from: &'a str, message_id: &'a str) -> Option<&'a str> {
    let local = || message_id.split_once('@').map(|(local, _)| local);
    token(mail_from).or_else(local).filter(|id| is_random(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn only_whole_tokens_of_ours_count() {
        assert_eq!(token(&format!("n-{HEX}@b.example")), Some(HEX));
        assert_eq!(token(&format!("bounces+n-{HEX}@b.example")), Some(HEX));
        for bad in ["n-0123@b", "bounces@b", "n-@b", "", "n-0123456789abcdef0123456789abcdeg@b"] {
            assert_eq!(token(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_transaction_is_named_by_randomness_only() {
        let (own, other) = (format!("n-{HEX}@b.example"), "f".repeat(32));
        assert_eq!(envelope_id(&own, &format!("{other}@m.example")), Some(HEX));
        assert_eq!(envelope_id("s@m.example", &format!("{HEX}@m.example")), Some(HEX));
        for telling in ["CVE-2026-1234@m.example", "", HEX, "1@m.example"] {
            assert_eq!(envelope_id("s@m.example", telling), None, "{telling}");
        }
    }
}

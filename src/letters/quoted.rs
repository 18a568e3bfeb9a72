//! Quoted-printable (RFC 2045 section 6.7) for text that may be signed: RFC 3156 section 3
//! asks that nothing on the way has a reason to touch it. So blanks at line ends, lines that
//! begin with `From ` and with a dot are encoded too, which general encoders leave.

/// Longest line without its soft break.
const LINE: usize = 75;

/// `text` with CRLF between its lines, and none at its end.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let unix = text.replace("\r\n", "\n");
    let unix = unix.strip_suffix('\n').unwrap_or(&unix);
    let mut out = Vec::with_capacity(unix.len().saturating_mul(5) / 4);
    for (at, line) in unix.split('\n').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\r\n");
        }
        encode_line(line.as_bytes(), &mut out);
    }
    out
}

fn encode_line(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        let blank = matches!(byte, b' ' | b'\t');
        let plain = (b'!'..=b'~').contains(byte) && *byte != b'=';
        let mut width = if plain || (blank && !after.is_empty()) { 1 } else { 3 };
        if column + width > LINE {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if column == 0 && (rest.starts_with(b"From ") || *byte == b'.') {
            width = 3;
        }
        if width == 1 {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += width;
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(encoded: Vec<u8>) -> String {
        String::from_utf8(encoded).unwrap()
    }

    #[test]
    fn what_mail_likes_to_break_is_encoded() {
        assert_eq!(
            text(encode("From here\n.\n-- \na=b\tc\t\n")),
            "=46rom here\r\n=2E\r\n--=20\r\na=3Db\tc=09"
        );
        assert_eq!(text(encode("é")), "=C3=A9");
    }

    #[test]
    fn a_soft_break_does_not_make_a_from_line() {
        let encoded = text(encode(&format!("{}From x", "a".repeat(LINE))));
        assert!(encoded.ends_with("=\r\n=46rom x"), "{encoded}");
    }

    proptest! {
        #[test]
        fn readers_get_the_text_back(given in "[ -~é\t\n\u{1f600}=.]{0,400}") {
            let encoded = encode(&given);
            prop_assert!(encoded.is_ascii());
            prop_assert!(encoded.split(|b| *b == b'\n').all(|l| l.len() <= LINE + 2));
            let mail = [
                b"Content-Type: text/plain; charset=utf-8\r\n\
                  Content-Transfer-Encoding: quoted-printable\r\n\r\n".as_slice(),
                &encoded,
            ].concat();
            let read = mail_parser::MessageParser::default().parse(&mail).unwrap();
            let read = read.body_text(0).unwrap_or_default().replace("\r\n", "\n");
            prop_assert_eq!(read, given.strip_suffix('\n').unwrap_or(&given));
        }
    }
}

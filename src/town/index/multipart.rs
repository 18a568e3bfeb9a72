//! The fields of a `multipart/form-data` body (RFC 7578), as far as twine sends them.

use std::collections::BTreeMap;

/// An upload's form.
#[derive(Default)]
pub(super) struct Form {
    /// Plain fields; the last of several with one name.
    pub fields: BTreeMap<String, String>,
    /// The file's name and content.
    pub file: Option<(String, Vec<u8>)>,
}

impl Form {
    /// From a body and its Content-Type; `None` when it is no form.
    pub fn read(content_type: &str, body: &[u8]) -> Option<Self> {
        let boundary = parameter(content_type, "boundary")?;
        let opening = format!("--{boundary}\r\n");
        let between = format!("\r\n--{boundary}");
        let mut rest = body.strip_prefix(opening.as_bytes())?;
        let mut form = Self::default();
        loop {
            let (part, after) = cut(rest, between.as_bytes())?;
            form.add(part)?;
            match after.strip_prefix(b"\r\n") {
                Some(next) => rest = next,
                None => return after.starts_with(b"--").then_some(form),
            }
        }
    }

    fn add(&mut self, part: &[u8]) -> Option<()> {
        let (head, content) = cut(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(head).into_owned();
        let line = head.lines().find(|l| l.to_ascii_lowercase().starts_with("content-disp"))?;
        let name = parameter(line, "name")?;
        match parameter(line, "filename") {
            Some(filename) => self.file = Some((filename, content.to_vec())),
            None => {
                self.fields.insert(name, String::from_utf8_lossy(content).into_owned());
            }
        }
        Some(())
    }
}

/// A parameter of a header value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').find_map(|piece| {
        let (key, value) = piece.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"').to_owned())
    })
}

/// What stands before and after the first `mark`.
fn cut<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|w| w == mark)?;
    Some((bytes.get(..at)?, bytes.get(at + mark.len()..)?))
}

/// A project's name as PEP 503 writes it.
pub(super) fn normal(project: &str) -> String {
    let parts = project.split(['-', '_', '.']).filter(|p| !p.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_file_come_apart() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nmeadow\r\n\
            --b\r\nContent-Disposition: form-data; name=\"content\"; filename=\"m-1.tar.gz\"\r\n\
            Content-Type: application/octet-stream\r\n\r\n\x00\r\n\r\n\xff\r\n--b--\r\n";
        let form = Form::read("multipart/form-data; boundary=b", body).unwrap();
        assert_eq!(form.fields["name"], "meadow");
        assert_eq!(form.file.unwrap(), ("m-1.tar.gz".to_owned(), b"\x00\r\n\r\n\xff".to_vec()));
        assert!(Form::read("multipart/form-data; boundary=b", &body[..40]).is_none());
    }
}

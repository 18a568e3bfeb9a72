//! A git bundle's header, read by ourselves: what it needs and what it brings, before git
//! touches its pack (gitformat-bundle(5), versions 2 and 3).

use super::is_oid;

/// Why bytes are no bundle we take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    /// Not a bundle.
    #[error("not a git bundle; make one with `git bundle create FILE BRANCH TAG ^PUBLIC-TIP`")]
    NotABundle,
    /// A version or capability we do not know.
    #[error("a git bundle of an unknown version or with a filter; make it without `--filter`")]
    Unsupported,
}

/// What a bundle says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle<'a> {
    /// Commits the reader must have.
    pub prerequisites: Vec<String>,
    /// Object ids and full ref names it brings.
    pub refs: Vec<(String, String)>,
    /// The pack that follows.
    pub pack: &'a [u8],
}

impl<'a> Bundle<'a> {
    /// Reads the header of `bytes`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BadBundle> {
        let mut lines = Lines(bytes);
        let v3 = match lines.next() {
            Some("# v2 git bundle") => false,
            Some("# v3 git bundle") => true,
            Some(line) if line.starts_with("# v") && line.ends_with(" git bundle") => {
                return Err(BadBundle::Unsupported);
            }
            _ => return Err(BadBundle::NotABundle),
        };
        let (mut prerequisites, mut refs) = (Vec::new(), Vec::new());
        loop {
            let line = lines.next().ok_or(BadBundle::NotABundle)?;
            if line.is_empty() {
                break;
            }
            if let Some(capability) = line.strip_prefix('@') {
                let known = matches!(capability, "object-format=sha1" | "object-format=sha256");
                if !v3 || !known {
                    return Err(BadBundle::Unsupported);
                }
            } else if let Some(needed) = line.strip_prefix('-') {
                let oid = needed.split(' ').next().filter(|o| is_oid(o));
                prerequisites.push(oid.ok_or(BadBundle::NotABundle)?.to_owned());
            } else {
                let (oid, name) = line.split_once(' ').ok_or(BadBundle::NotABundle)?;
                if !is_oid(oid) {
                    return Err(BadBundle::NotABundle);
                }
                refs.push((oid.to_owned(), name.to_owned()));
            }
        }
        Ok(Self { prerequisites, refs, pack: lines.0 })
    }
}

/// The lines at the head of bytes whose tail is binary.
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|b| *b == b'\n')?;
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..)?;
        std::str::from_utf8(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_and_the_pack_left_alone() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let text = format!("# v2 git bundle\n-{a} subject\n{b} refs/heads/main\n\nPACK\0\n\n");
        let bundle = Bundle::read(text.as_bytes()).unwrap();
        assert_eq!(bundle.prerequisites, [a]);
        assert_eq!(bundle.refs, [(b, "refs/heads/main".to_owned())]);
        assert_eq!(bundle.pack, b"PACK\0\n\n");
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        let filtered = "# v3 git bundle\n@object-format=sha1\n@filter=blob:none\n\n";
        assert!(Bundle::read(filtered.as_bytes()) == Err(BadBundle::Unsupported));
        assert!(Bundle::read(b"# v9 git bundle\n\n") == Err(BadBundle::Unsupported));
        for bad in ["", "PACK", "# v2 git bundle\n", "# v2 git bundle\n-zz\n\n"] {
            assert!(Bundle::read(bad.as_bytes()) == Err(BadBundle::NotABundle), "{bad}");
        }
    }
}

//! A repository's addresses as a plan pins them: where they lead, without whatever lets us in.
//!
//! What must stay true: a password or token that is renewed changes no digest, another host, path
//! or user over SSH does; and whoever knows the addresses can compute the digest without us.

use std::path::Path;

use super::Repository;
use crate::domain::blob::Sha256;

impl Repository {
    /// The digest of both addresses without credentials, a line each: that of
    /// `printf '%s\n%s\n' URL PUBLIC_URL | sha256sum`.
    pub fn place(&self) -> Sha256 {
        Sha256::of(format!("{}\n{}\n", bare(&self.url), bare(self.public())).as_bytes())
    }

    /// Where we push, to be read by people: without credentials.
    pub fn spoken(&self) -> String {
        bare(&self.url)
    }

    /// The same with relative paths made absolute; they begin at the data directory.
    #[must_use]
    pub fn seen_from(&self, data: &Path) -> Self {
        let absolute = |address: &String| {
            let joined = data.join(address);
            std::path::absolute(&joined).unwrap_or(joined).to_string_lossy().into_owned()
        };
        let from = |address: &String| {
            if is_relative(address) { absolute(address) } else { address.clone() }
        };
        let public_url = self.public_url.as_ref().map(from);
        Self { url: from(&self.url), public_url, ..self.clone() }
    }
}

/// Whether an address is a path that begins nowhere yet, not a URL or `host:path`.
fn is_relative(address: &str) -> bool {
    let host = address.split('/').next().is_some_and(|first| first.contains(':'));
    !address.starts_with('/') && !host
}

/// An address without credentials. Over SSH the user is part of the place, a password is not.
fn bare(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let Some((who, host)) = authority.rsplit_once('@') else { return address.to_owned() };
    let ssh = scheme.eq_ignore_ascii_case("ssh");
    match who.split(':').next().filter(|_| ssh) {
        Some(user) => format!("{scheme}://{user}@{host}{path}"),
        None => format!("{scheme}://{host}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str, public: Option<&str>) -> Repository {
        let mut section = format!("url = {url:?}\nbranches = [{{ name = \"main\" }}]\n");
        if let Some(public) = public {
            section.push_str(&format!("public_url = {public:?}\n"));
        }
        toml::from_str(&section).unwrap()
    }

    #[test]
    fn what_lets_us_in_is_no_part_of_the_place() {
        let place = |url| at(url, None).place();
        let here = place("https://git.example/r.git");
        for same in ["https://ada:one@git.example/r.git", "https://two@git.example/r.git"] {
            assert_eq!(place(same), here, "{same}");
            assert_eq!(at(same, None).spoken(), "https://git.example/r.git");
        }
        for other in [
            "https://git.example/q.git",
            "https://evil.example/r.git",
            "https://git.example@evil.example/r.git",
            "http://git.example/r.git",
            "https://git.example/a@b/r.git",
        ] {
            assert_ne!(place(other), here, "{other}");
        }
        assert_eq!(place("ssh://git:one@h/r.git"), place("ssh://git@h/r.git"));
        assert_ne!(place("ssh://git@h/r.git"), place("ssh://ada@h/r.git"));
        assert_ne!(place("git@h:r.git"), place("git@other:r.git"));
    }

    #[test]
    fn both_addresses_count_and_anybody_can_compute_it() {
        let both = at("git@h:r.git", Some("https://h/r.git"));
        assert_eq!(both.place(), Sha256::of(b"git@h:r.git\nhttps://h/r.git\n"));
        assert_ne!(both.place(), at("git@h:r.git", None).place());
        assert_ne!(both.place(), at("git@h:r.git", Some("https://h/q.git")).place());
    }

    #[test]
    fn a_relative_path_begins_at_the_data_directory() {
        let seen = |url, public| at(url, public).seen_from(Path::new("/srv/daybreak"));
        let near = seen("../meadow.git", Some("copy/meadow.git"));
        assert_eq!(near.url, "/srv/daybreak/../meadow.git");
        assert_eq!(near.public(), "/srv/daybreak/copy/meadow.git");
        for far in ["/srv/r.git", "https://h/r.git", "git@h:r.git", "file:///srv/r.git"] {
            assert_eq!(seen(far, None).url, far);
        }
        // It is the same place wherever the two lie together.
        assert_eq!(
            at("../meadow.git", None).place(),
            Sha256::of(b"../meadow.git\n../meadow.git\n")
        );
    }
}

//! A public list post: the issue in detail, the releases, the patches in full or by their
//! ids. It must stand alone, because it may go out before everything else is done; and it
//! states no hour.

use serde::Serialize;

use super::FormatError;
use super::advisory_words::{AdvisoryWords, names, words};
use super::links::{osv_path, page_path};
use super::templates::Templates;
use crate::domain::blob::Sha256;
use crate::domain::view::PublicView;

/// Whether the patches stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patches {
    /// In full.
    Inline,
    /// As commit ids and digests.
    Named,
}

/// Subject and text of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostText {
    /// One line, without a list's prefix.
    pub subject: String,
    /// The text.
    pub text: String,
}

#[derive(Serialize)]
struct Context<'a> {
    subject: &'a str,
    team: &'a str,
    contact: &'a str,
    base_url: &'a str,
    advisories: Vec<Linked>,
    releases: Vec<Release<'a>>,
    branches: Vec<Branch<'a>>,
    inline: bool,
    patches: Vec<Patch<'a>>,
}

#[derive(Serialize)]
struct Linked {
    #[serde(flatten)]
    words: AdvisoryWords,
    url: String,
    osv_url: String,
}

#[derive(Serialize)]
struct Release<'a> {
    version: &'a str,
    branch: &'a str,
    tag: &'a str,
}

#[derive(Serialize)]
struct Branch<'a> {
    branch: &'a str,
    public_id: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct Patch<'a> {
    file_name: &'a str,
    branch: &'a str,
    commits: &'a [String],
    sha256: String,
    text: &'a str,
}

/// Renders the post. A patch that is not UTF-8 text is never put inline: then all are named.
pub fn render(
    templates: &Templates,
    public: &PublicView,
    patches: Patches,
) -> Result<PostText, FormatError> {
    let texts: Option<Vec<&str>> =
        public.patches.iter().map(|p| std::str::from_utf8(&p.bytes).ok()).collect();
    let inline = patches == Patches::Inline && texts.is_some();
    let texts = texts.filter(|_| inline).unwrap_or_default();
    let text_of = |at: usize| texts.get(at).map_or("", |text| text.trim_end_matches('\n'));
    let subject = subject(public);
    let advisories = words(&public.advisories)?
        .into_iter()
        .zip(&public.advisories)
        .map(|(words, view)| Linked {
            words,
            url: format!("{}{}", public.base_url, page_path(&view.public_id)),
            osv_url: format!("{}{}", public.base_url, osv_path(&view.public_id)),
        })
        .collect();
    let patches = public
        .patches
        .iter()
        .enumerate()
        .map(|(at, p)| Patch {
            file_name: &p.file_name,
            branch: &p.branch,
            commits: &p.commits,
            sha256: Sha256::of(&p.bytes).to_string(),
            text: text_of(at),
        })
        .collect();
    let context = Context {
        subject: &subject,
        team: &public.team,
        contact: &public.contact,
        base_url: &public.base_url,
        advisories,
        releases: public
            .releases
            .iter()
            .map(|r| Release { version: &r.version, branch: &r.branch, tag: &r.tag })
            .collect(),
        branches: public
            .branches
            .iter()
            .map(|b| Branch { branch: &b.branch, public_id: &b.public_id, state: &b.state })
            .collect(),
        inline,
        patches,
    };
    let text = templates.render("post.txt", context)?;
    Ok(PostText { subject, text })
}

/// `CVE-2026-1: Meadow: title`, or ids and versions when there are several advisories.
fn subject(public: &PublicView) -> String {
    let ids: Vec<&str> = public.advisories.iter().flat_map(names).collect();
    let versions: Vec<&str> = public.releases.iter().map(|r| r.version.as_str()).collect();
    match public.advisories.as_slice() {
        [] => format!("{} {} released", public.team, versions.join(", ")),
        [one] => format!("{}: {}: {}", ids.join(", "), public.team, one.title),
        many => {
            format!("{}: {}: {} security advisories", ids.join(", "), public.team, many.len())
        }
    }
}

#[cfg(test)]
mod tests;

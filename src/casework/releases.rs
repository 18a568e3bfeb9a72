//! Releases: versions to issue, and the files that will be issued.

use super::disclosures::change;
use super::{Case, CaseError, House};
use crate::config::Command;
use crate::domain::action::Expected;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{
    Artefact, BranchRef, Disclosure, ExtraCommit, Release, ReleaseKind,
};
use crate::domain::ids::{ArtefactId, BlobId, ReleaseId};
use crate::domain::secret::Reason;

/// A version to be issued.
pub struct NewRelease {
    /// Branch.
    pub branch: BranchRef,
    /// Version.
    pub version: String,
    /// Tag; the version unless given.
    pub tag: Option<String>,
    /// Where the files come from.
    pub kind: ReleaseKind,
    /// Name at the index; the repository's unless given.
    pub project: Option<String>,
    /// Configured commands that upload or show the files.
    pub upload: Vec<String>,
    /// Patterns with counts, for built-from-tag.
    pub expected: Vec<Expected>,
    /// Commits on top of the series.
    pub extra_commits: Vec<ExtraCommit>,
}

/// Adds a release to an open disclosure.
pub async fn add(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    new: NewRelease,
) -> Case<(Disclosure, Release)> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    let project = new.project.unwrap_or_else(|| new.branch.repository.clone());
    let tag = new.tag.unwrap_or_else(|| new.version.clone());
    check_word("version", &new.version)?;
    check_word("tag", &tag)?;
    check_word("project", &project)?;
    for name in &new.upload {
        let Some(command) = house.config.command.get(name) else {
            let known: Vec<_> = house.config.command.keys().map(String::as_str).collect();
            return Err(CaseError::unknown(
                "command",
                name,
                format!("configured are: {}", known.join(", ")),
            ));
        };
        if new.kind == ReleaseKind::BuiltFromTag
            && matches!(command, Command::Argv { look, .. } if look.is_empty())
        {
            return Err(CaseError::invalid(
                "upload",
                "cannot look",
                "a release built from its tag needs a place to look at",
            ));
        }
    }
    if new.expected.iter().any(|e| e.count == 0 || e.pattern.is_empty() || e.pattern.contains('/'))
    {
        return Err(CaseError::invalid(
            "expect",
            "has an empty pattern, a path or a count of 0",
            "write it as 'meadow-*.whl=3'",
        ));
    }
    if content.releases.iter().any(|r| r.branch == new.branch || r.tag == tag) {
        return Err(CaseError::invalid(
            "release",
            "of this branch or with this tag is there already",
            "one release a branch",
        ));
    }
    let release = Release {
        id: house.fresh(ReleaseId::new),
        branch: new.branch.clone(),
        version: new.version,
        tag,
        kind: new.kind,
        project,
        upload: new.upload,
        artefacts: vec![],
        expected: new.expected,
        extra_commits: new.extra_commits,
    };
    content.releases.push(release.clone());
    content.candidates.retain(|c| c.branch != new.branch);
    let changed =
        change(house, actor, "disclosure-add-release", disclosure, content, vec![]).await?;
    Ok((changed, release))
}

/// A name that becomes a ref, an argument or part of a URL.
fn check_word(field: &str, word: &str) -> Case<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-/".contains(c);
    let ok = word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.len() <= 100;
    if ok && word.chars().all(plain) && !word.contains("..") && !word.ends_with('/') {
        return Ok(());
    }
    Err(CaseError::invalid(
        field,
        "is not usable",
        "use letters, digits, `.`, `_`, `+` and `-`, starting with a letter or digit",
    ))
}

/// A file made from the Candidate.
pub struct NewArtefact {
    /// File name.
    pub file_name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What the team's build says its digest is.
    pub sha256: Option<Sha256>,
}

/// Takes files in: copied, sealed, digested.
pub async fn add_artefacts(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    tag: &str,
    files: Vec<NewArtefact>,
) -> Case<Disclosure> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    let candidate = content
        .releases
        .iter()
        .find(|r| r.tag == tag)
        .and_then(|r| content.candidate(&r.branch))
        .is_some();
    let elsewhere: Vec<(String, String)> = content
        .releases
        .iter()
        .filter(|r| r.tag != tag)
        .flat_map(|r| r.artefacts.iter().map(|a| (a.file_name.clone(), r.tag.clone())))
        .collect();
    let release = content
        .releases
        .iter_mut()
        .find(|r| r.tag == tag)
        .ok_or_else(|| CaseError::unknown("release", tag, "see `daybreak disclosure show`"))?;
    if release.kind != ReleaseKind::Pinned {
        return Err(CaseError::invalid(
            "release",
            "is built from its tag by others",
            "only pinned releases take files",
        ));
    }
    if !candidate {
        return Err(CaseError::not_now(
            "its branch is not staged",
            "stage it, export the candidate and build from that",
        ));
    }
    let mut blobs = Vec::new();
    for (n, file) in files.iter().enumerate() {
        check_file_name(&file.file_name)?;
        if let Some((_, other)) = elsewhere.iter().find(|(name, _)| *name == file.file_name) {
            return Err(CaseError::invalid(
                &file.file_name,
                format!("is a file of release {other} already, and cannot be one of {tag} too"),
                "the files of a disclosure need different names: put the version into them",
            ));
        }
        if files.iter().take(n).any(|f| f.file_name == file.file_name) {
            return Err(CaseError::invalid(
                &file.file_name,
                "is given twice",
                "give each file once, or give them different names",
            ));
        }
    }
    for file in files {
        let sha256 = Sha256::of(&file.bytes);
        if let Some(stated) = file.sha256.filter(|s| *s != sha256) {
            return Err(CaseError::invalid(
                file.file_name,
                format!("has the digest {sha256}, not {stated}"),
                "build again, or correct the stated digest",
            ));
        }
        let artefact = Artefact {
            id: house.fresh(ArtefactId::new),
            file_name: file.file_name.clone(),
            sha256,
            len: file.bytes.len() as u64,
            blob: house.fresh(BlobId::new),
        };
        release.artefacts.retain(|a| a.file_name != file.file_name);
        blobs.push((
            artefact.blob,
            artefact.id.into(),
            Blob::new(file.file_name, file.bytes, vec![]),
        ));
        release.artefacts.push(artefact);
    }
    change(house, actor, "disclosure-add-artefact", disclosure, content, blobs).await
}

fn check_file_name(name: &str) -> Case<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let ok = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && name.len() <= 200;
    if !ok {
        return Err(CaseError::invalid(
            format!("file {name}"),
            "has an unusable name",
            "use letters, digits, `.`, `_`, `+` and `-`, at most 200 of them",
        ));
    }
    if is_ours(name) {
        return Err(CaseError::invalid(
            format!("file {name}"),
            "has the name of a file that Daybreak puts beside it into a plan",
            "give it another name",
        ));
    }
    Ok(())
}

/// Names that plans and their previews use themselves, in whatever case: approvers may unpack
/// them where case does not count.
fn is_ours(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mail =
        lower.ends_with(".eml") && (lower.starts_with("notice-") || lower.starts_with("post-"));
    matches!(lower.as_str(), "manifest" | "approval.txt" | "slots")
        || lower.ends_with(".bundle")
        || mail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_our_own_files_are_refused() {
        for ours in
            ["MANIFEST", "Manifest", "APPROVAL.txt", "SLOTS", "notice-001.eml", "post-oss.eml"]
        {
            let refused = check_file_name(ours).unwrap_err().to_string();
            assert!(refused.contains(ours) && refused.contains("another name"), "{refused}");
        }
        assert!(check_file_name("meadow-main.bundle").is_err());
        for fine in ["SHA256SUMS", "MANIFEST.in", "meadow-1.4.3.tar.gz", "post-mortem.txt"] {
            assert!(check_file_name(fine).is_ok(), "{fine}");
        }
        for bad in ["", "-x", "a/b", ".hidden"] {
            assert!(check_file_name(bad).is_err(), "{bad}");
        }
    }
}

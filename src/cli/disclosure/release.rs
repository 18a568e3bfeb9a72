//! `daybreak disclosure add-release`: a version to issue from a branch.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::casework::find_disclosure;
use crate::casework::releases::{self, NewRelease};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, refuse};
use crate::cli::{files, words};
use crate::domain::action::Expected;
use crate::domain::disclosure::{ExtraCommit, ReleaseKind};

/// Add a version to issue from a branch; prints its id
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure add-release x_meadow-2026-0001 --branch main --version 1.4.2 --upload pypi \
    --bump-message \"Version 1.4.2\" --bump src/meadow/version.py=version.py CHANGELOG.md=changelog.md\n  \
    daybreak disclosure add-release x_meadow-2026-0001 --branch 1.x --version 1.3.9 \
    --kind built-from-tag --upload pypi --expect 'meadow-*.whl=3' --expect 'meadow-*.tar.gz=1'")]
pub struct AddRelease {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// repository:branch, or the branch alone when there is one repository
    #[arg(long)]
    branch: String,
    /// The version
    #[arg(long)]
    version: String,
    /// Its tag (the version unless said)
    #[arg(long)]
    tag: Option<String>,
    /// Files made by you from the candidate, or by the project's CI from the tag
    #[arg(long, default_value = "pinned", value_parser = words::release_kind())]
    kind: ReleaseKind,
    /// The project's name at the index (the repository's unless said)
    #[arg(long)]
    project: Option<String>,
    /// A configured command that uploads the files, or looks for them; may be repeated
    #[arg(long, value_name = "COMMAND")]
    upload: Vec<String>,
    /// Files that must appear, for built-from-tag; may be repeated
    #[arg(long, value_name = "PATTERN=COUNT")]
    expect: Vec<String>,
    /// Message of a commit on top of the series that writes the --bump files
    #[arg(long, value_name = "MESSAGE", requires = "bump")]
    bump_message: Option<String>,
    /// Write FILE's contents to PATH of the tree (version, changelog)
    #[arg(long, value_name = "PATH=FILE", num_args = 1.., requires = "bump_message")]
    bump: Vec<String>,
}

pub async fn add(desk: &Desk, add: AddRelease) -> anyhow::Result<()> {
    let expected = add.expect.iter().map(|e| expectation(e)).collect::<anyhow::Result<_>>()?;
    let extra = match add.bump_message {
        None => vec![],
        Some(message) => {
            let files = add.bump.iter().map(|b| bump(b)).collect::<anyhow::Result<_>>()?;
            vec![ExtraCommit { message, files }]
        }
    };
    let disclosure = find_disclosure(&desk.house, &add.disclosure).await?;
    let new = NewRelease {
        branch: desk.house.branch(&add.branch)?,
        version: add.version,
        tag: add.tag,
        kind: add.kind,
        project: add.project,
        upload: add.upload,
        expected,
        extra_commits: extra,
    };
    let (_, release) = releases::add(&desk.house, desk.actor, &disclosure, new).await?;
    desk.print.made(release.id, &[])
}

fn expectation(text: &str) -> anyhow::Result<Expected> {
    let parsed = text
        .rsplit_once('=')
        .and_then(|(pattern, count)| Some((pattern.to_owned(), count.parse().ok()?)));
    let (pattern, count) = parsed.ok_or_else(|| {
        refuse(
            Exit::Usage,
            format!("--expect `{text}` is not PATTERN=COUNT"),
            "write it as 'meadow-*.whl=3'",
        )
    })?;
    Ok(Expected { pattern, count })
}

fn bump(text: &str) -> anyhow::Result<(String, Vec<u8>)> {
    let pair = text.split_once('=').filter(|(path, file)| !path.is_empty() && !file.is_empty());
    let (path, file): (&str, PathBuf) = match pair {
        Some((path, file)) => (path, Path::new(file).to_owned()),
        None => {
            return Err(refuse(
                Exit::Usage,
                format!("--bump `{text}` is not PATH=FILE"),
                "write it as src/meadow/version.py=version.py: the path in the tree, then the file",
            ));
        }
    };
    Ok((path.to_owned(), files::read(&file, files::TEXT)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_end_in_a_count() {
        let expected = expectation("meadow-*=x.whl=3").unwrap();
        assert_eq!((expected.pattern.as_str(), expected.count), ("meadow-*=x.whl", 3));
        for bad in ["meadow-*.whl", "meadow-*.whl=", "meadow-*.whl=many"] {
            assert!(expectation(bad).is_err(), "{bad}");
        }
        assert!(bump("=file").is_err() && bump("path").is_err());
    }
}

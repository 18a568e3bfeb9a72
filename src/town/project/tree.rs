//! What is in the project's files, version by version. Plain values; nothing is written here.

/// A file: its path in the tree and its text.
pub type File = (&'static str, String);

/// The file that holds the flaw.
pub const FLAWED: &str = "src/meadow/archive.py";
/// Where the version stands besides `pyproject.toml`.
const INIT: &str = "src/meadow/__init__.py";
/// What changed in which version.
const CHANGES: &str = "CHANGES.txt";

const ARCHIVE: &str = include_str!("../meadow/archive.py");
const FIELD: &str = include_str!("../meadow/field.py");
const README: &str = include_str!("../meadow/README.txt");
const TEST: &str = include_str!("../meadow/test_archive.py");

/// A supported branch of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The branch.
    pub branch: &'static str,
    /// The last release made from it; also its tag.
    pub released: &'static str,
    /// The version that will carry the fix; none where there is nothing to fix.
    pub next: Option<&'static str>,
}

/// The branches, newest first.
pub const LINES: [Line; 3] = [
    Line { branch: "main", released: "2.0.0", next: Some("2.0.1") },
    Line { branch: "1.x", released: "1.4.2", next: Some("1.4.3") },
    Line { branch: "0.9.x", released: "0.9.7", next: None },
];

/// Released versions up to and with `version`, newest first, with what they brought.
const HISTORY: [(&str, &str); 3] = [
    ("2.0.0", "`unpack` can be given the names of the entries that are wanted."),
    ("1.4.2", "Bales with thousands of records are read faster."),
    ("0.9.7", "Plants may have spaces in their names."),
];

/// The files in which a version stands.
pub fn versioned(version: &str, news: Option<&str>) -> Vec<File> {
    vec![
        ("pyproject.toml", pyproject(version)),
        (
            INIT,
            format!("\"\"\"Fields and what grows on them.\"\"\"\n\n__version__ = \"{version}\"\n"),
        ),
        (CHANGES, changes(version, news)),
    ]
}

fn pyproject(version: &str) -> String {
    format!(
        "[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
         [project]\nname = \"meadow\"\nversion = \"{version}\"\n\
         description = \"Reads and writes the records of fields\"\nreadme = \"README.txt\"\n\
         requires-python = \">=3.9\"\nlicense = {{ text = \"MIT\" }}\n"
    )
}

fn changes(version: &str, news: Option<&str>) -> String {
    let line = |(version, text): (&str, &str)| {
        let rule = "-".repeat(version.len());
        format!("\n{version}\n{rule}\n\n* {text}\n")
    };
    let base = LINES.iter().find(|l| l.next == Some(version)).map_or(version, |l| l.released);
    let past = HISTORY.iter().skip_while(|(v, _)| *v != base).copied();
    let all: String = news.map(|text| (version, text)).into_iter().chain(past).map(line).collect();
    format!("Changes\n=======\n{all}")
}

/// The whole tree of a release, as it was issued.
pub fn released(line: &Line) -> Vec<File> {
    let mut files = versioned(line.released, None);
    files.push(("README.txt", README.to_owned()));
    files.push(("src/meadow/field.py", FIELD.to_owned()));
    if line.next.is_some() {
        files.push((FLAWED, archive(line, false)));
    }
    files
}

/// The flawed file on a branch, or the same with the flaw mended.
pub fn archive(line: &Line, fixed: bool) -> String {
    let mut text = ARCHIVE.to_owned();
    if line.branch == "main" {
        text = text
            .replace("def unpack(bale, folder):", "def unpack(bale, folder, names=None):")
            .replace(
                "            if entry.is_dir():\n",
                "            if entry.is_dir() or (names and entry.filename not in names):\n",
            );
    }
    if fixed {
        text = text.replace("    folder = Path(folder)\n", "    folder = Path(folder).resolve()\n");
        text = text.replace(
            "            target = folder / entry.filename\n",
            "            target = (folder / entry.filename).resolve()\n\
             \x20           if not target.is_relative_to(folder):\n\
             \x20               raise ValueError(\"MDW-7731: an entry leaves the folder\")\n",
        );
    }
    text
}

/// The test that comes with the fix.
pub fn test() -> File {
    ("tests/test_archive.py", TEST.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fix_changes_the_flawed_file_and_versions_are_bumped_where_they_stand() {
        for line in LINES.iter().filter(|l| l.next.is_some()) {
            let (flawed, fixed) = (archive(line, false), archive(line, true));
            assert_eq!(fixed.lines().count(), flawed.lines().count() + 2, "{}", line.branch);
        }
        let old = versioned("1.4.2", None);
        let new = versioned("1.4.3", Some("A fix."));
        for (old, new) in old.iter().zip(&new) {
            assert_eq!(old.0, new.0);
            assert!(new.1.contains("1.4.3") && !old.1.contains("1.4.3"), "{}", new.0);
        }
        assert!(
            new[2].1.contains("A fix.")
                && new[2].1.contains("1.4.2")
                && !new[2].1.contains("2.0.0")
        );
    }
}

//! One mail of a series, taken apart by git itself (git-mailsplit, git-mailinfo: what
//! `git am --keep-non-patch` does first).

use crate::exec::git::{Area, GitError, disk, is_oid};

/// One patch mail.
pub struct PatchMail {
    /// Author's name.
    pub author: String,
    /// Author's address.
    pub address: String,
    /// Author's date as written, RFC 5322.
    pub date: String,
    /// Subject without `[PATCH n/m]`; other brackets are kept.
    pub subject: String,
    /// The rest of the commit message.
    pub body: String,
    /// What follows the message: diffstat, diff, trailers of the mail.
    pub diff: Vec<u8>,
    /// n and m of `[PATCH n/m]`.
    pub number: Option<(u32, u32)>,
}

impl PatchMail {
    /// Takes `mail` apart; `None` when it is no mail with author, date and subject.
    pub async fn read(area: &Area, mail: &[u8]) -> Result<Option<Self>, GitError> {
        let (message, diff) = (area.file("mail.message"), area.file("mail.diff"));
        let process = area
            .git("mailinfo")
            .args(["-b", "--no-scissors", "--encoding=UTF-8"])
            .args([message.as_os_str(), diff.as_os_str()])
            .stdin(mail);
        let out = area.run_any(process).await?;
        if !out.ok() {
            return Ok(None);
        }
        let info = out.text();
        let field = |name: &str| {
            let value = info.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
            value.unwrap_or_default().trim().to_owned()
        };
        let read = disk("read a mail's parts");
        let body = tokio::fs::read(&message).await.map_err(&read)?;
        let diff = tokio::fs::read(&diff).await.map_err(&read)?;
        let parts = Self {
            author: field("Author"),
            address: field("Email"),
            date: field("Date"),
            subject: field("Subject"),
            body: String::from_utf8_lossy(&body).trim().to_owned(),
            diff,
            number: number(mail),
        };
        let complete = ![&parts.author, &parts.address, &parts.date, &parts.subject]
            .iter()
            .any(|f| f.is_empty());
        Ok(complete.then_some(parts))
    }

    /// Whether it carries a diff in git's form.
    pub fn has_diff(&self) -> bool {
        self.diff.split(|b| *b == b'\n').any(|l| l.starts_with(b"diff --git "))
    }

    /// Whether it is the cover letter of a series, `[PATCH 0/m]`.
    pub fn is_cover(&self) -> bool {
        matches!(self.number, Some((0, _))) && !self.has_diff()
    }

    /// The commit that `git format-patch --base` noted. No line of a diff starts like that.
    pub fn base(&self) -> Option<String> {
        let diff = String::from_utf8_lossy(&self.diff);
        let noted = |text: &str| {
            let mut lines = text.lines();
            lines.find_map(|l| l.strip_prefix("base-commit: ")).map(|o| o.trim().to_owned())
        };
        noted(&diff).or_else(|| noted(&self.body)).filter(|o| is_oid(o))
    }
}

/// Splits a file into its mails, each beginning with a `From ` line as `git am` wants it.
pub async fn split(area: &Area, file: &[u8]) -> Result<Vec<Vec<u8>>, GitError> {
    let io = disk("split a file into mails");
    let (mbox, folder) = (area.file("mbox"), area.file("mails"));
    if folder.exists() {
        tokio::fs::remove_dir_all(&folder).await.map_err(&io)?;
    }
    tokio::fs::create_dir(&folder).await.map_err(&io)?;
    tokio::fs::write(&mbox, file).await.map_err(&io)?;
    let split = area.git("mailsplit").args(["-b", "-d6"]);
    // CRs at line ends belong to the patched file, unless the whole mail was stored with CRLF.
    let first_line = file.split(|b| *b == b'\n').next().unwrap_or_default();
    let split = if first_line.ends_with(b"\r") { split } else { split.arg("--keep-cr") };
    let mut option = std::ffi::OsString::from("-o");
    option.push(&folder);
    area.run("split a file into mails", split.arg(option).arg(mbox.as_os_str())).await?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(&io)? {
        names.push(entry.map_err(&io)?.path());
    }
    names.sort();
    let mut mails = Vec::new();
    for name in names {
        let mail = tokio::fs::read(name).await.map_err(&io)?;
        let starts_right = mail.starts_with(b"From ");
        let mut whole = Vec::new();
        if !starts_right {
            let line = format!("From {} Mon Sep 17 00:00:00 2001\n", "0".repeat(40));
            whole.extend_from_slice(line.as_bytes());
        }
        whole.extend_from_slice(&mail);
        mails.push(whole);
    }
    Ok(mails)
}

/// n and m of `[PATCH v2 n/m]` in the Subject of `mail`.
fn number(mail: &[u8]) -> Option<(u32, u32)> {
    let head = String::from_utf8_lossy(mail);
    let mut lines = head.lines().take_while(|l| !l.trim().is_empty());
    let subject = lines.find_map(|l| l.strip_prefix("Subject:"))?;
    let inside = subject.trim_start().strip_prefix('[')?.split(']').next()?;
    let (n, m) = inside.split_whitespace().last()?.split_once('/')?;
    Some((n.parse().ok()?, m.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_the_subject_only() {
        assert_eq!(number(b"From: a\nSubject: [PATCH v2 02/12] x\n\nhello"), Some((2, 12)));
        assert_eq!(number(b"Subject: [PATCH] x\n\n"), None);
        assert_eq!(number(b"From: a\n\nSubject: [PATCH 1/2] x"), None);
    }
}

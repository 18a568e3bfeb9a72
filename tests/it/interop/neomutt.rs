//! A whole mail program: `NeoMutt` with gpgme, under a pseudo-terminal of `script`.
//!
//! It is given the mail as it travels and shows what a person sees; that must hold the real
//! subject, every line of the text and a good signature, and none of the padding's tricks.

use async_trait::async_trait;
use daybreak::domain::time::Span;
use daybreak::exec::Process;
use mail_parser::MessageParser;

use super::programs::{furnish, has, leave, run};
use super::readers::{Claim, Letter, Reader, Seen};

pub struct NeoMutt;

const SETTINGS: &str = "set crypt_use_gpgme=yes\nset wait_key=no\nset sleep_time=0\n\
    set quit=yes\nset crypt_protected_headers_read=yes\nset folder=.\n\
    set display_filter=\"tee shown\"\npush \"<display-message><exit><exit>\"\n";

#[async_trait]
impl Reader for NeoMutt {
    fn name(&self) -> &'static str {
        "NeoMutt"
    }

    async fn is_there(&self) -> bool {
        has("neomutt", &["-v"]).await && has("script", &["--version"]).await
    }

    async fn open(&self, letters: &[Letter]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for letter in letters {
            let home = letter.folder.join("g");
            furnish(&home, letter).await;
            let mut mbox = b"From x Thu Jan  1 00:00:00 2026\n".to_vec();
            mbox.extend(std::fs::read(&letter.mail).unwrap().iter().filter(|b| **b != b'\r'));
            std::fs::write(letter.folder.join("mbox"), mbox).unwrap();
            std::fs::write(letter.folder.join("rc"), SETTINGS).unwrap();
            let read = Process::new("script")
                .args(["-qec", "neomutt -n -R -F rc -f mbox", "/dev/null"])
                .folder(&letter.folder)
                .env("HOME", &letter.folder)
                .env("GNUPGHOME", &home)
                .env("TERM", "xterm")
                .allow(Span::secs(30));
            run(read).await;
            leave(&home).await;
            let shown = std::fs::read(letter.folder.join("shown")).unwrap_or_default();
            let text = String::from_utf8_lossy(&shown).into_owned();
            let opened = text.contains("Begin signature information");
            let signed = text.contains("Good signature from:");
            claims.push(Claim { text: opened.then_some(shown), signed });
        }
        claims
    }

    fn judge(&self, _letter: &Letter, plaintext: &[u8], claim: Claim) -> Seen {
        let Some(shown) = claim.text else { return Seen::Closed };
        let shown = String::from_utf8_lossy(&shown);
        let inside = MessageParser::new().parse(plaintext).unwrap();
        let subject = format!("Subject: {}", inside.subject().unwrap());
        let text = inside.body_text(0).unwrap();
        let has = |line: &str| shown.contains(line.trim_end());
        match has(&subject) && text.lines().all(has) {
            false => Seen::Different,
            true if claim.signed => Seen::Verified,
            true => Seen::Unverified,
        }
    }
}

//! Readers that are one process a mail: gpg, rnp and the SOP family.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use daybreak::clock::SystemClock;
use daybreak::exec::{Output, Process};

use super::readers::{Claim, Letter, Reader};

/// A program run to its end; `None` when it is not there or never ended.
pub async fn run(process: Process) -> Option<Output> {
    process.env("LC_ALL", "C.UTF-8").limit(64 << 20).run(&SystemClock::new()).await.ok()
}

pub async fn has(program: &str, args: &[&str]) -> bool {
    run(Process::new(program).args(args)).await.is_some_and(|o| o.ok())
}

/// GnuPG 2.2: a home for each letter.
pub struct Gpg(PathBuf);

impl Gpg {
    pub fn new(root: &Path) -> Self {
        Self(root.join("g"))
    }
}

/// gpg in a home, with status lines on stderr.
pub fn gpg(home: &Path) -> Process {
    Process::new("gpg")
        .arg("--homedir")
        .arg(home)
        .args(["--batch", "--yes", "--no-tty", "--quiet", "--trust-model", "always"])
        .args(["--status-fd", "2", "--pinentry-mode", "loopback", "--passphrase", ""])
}

/// A closed folder for gpg, with both keys imported; whether they were taken.
pub async fn furnish(home: &Path, letter: &Letter) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(home).unwrap();
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700)).unwrap();
    let import = gpg(home).arg("--import").arg(&letter.secret).arg(&letter.sender);
    run(import).await.is_some_and(|o| o.ok())
}

/// Ends the agent of a home.
pub async fn leave(home: &Path) {
    run(Process::new("gpgconf").arg("--homedir").arg(home).args(["--kill", "all"])).await;
}

#[async_trait]
impl Reader for Gpg {
    fn name(&self) -> &'static str {
        "gpg"
    }

    async fn is_there(&self) -> bool {
        has("gpg", &["--version"]).await
    }

    async fn open(&self, letters: &[Letter]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for (n, letter) in letters.iter().enumerate() {
            // Short: the agent's socket lies in it.
            let home = self.0.join(n.to_string());
            furnish(&home, letter).await;
            let out = run(gpg(&home).arg("--decrypt").arg(&letter.message)).await.unwrap();
            leave(&home).await;
            let said = out.complaint();
            let says =
                |word: &str| said.lines().any(|l| l.starts_with(&format!("[GNUPG:] {word}")));
            let opened = out.ok() && says("DECRYPTION_OKAY") && says("GOODMDC");
            let signed = says("GOODSIG") && says("VALIDSIG");
            claims.push(Claim { text: opened.then_some(out.stdout), signed });
        }
        claims
    }
}

/// RNP, the library in Thunderbird.
pub struct Rnp;

#[async_trait]
impl Reader for Rnp {
    fn name(&self) -> &'static str {
        "rnp"
    }

    async fn is_there(&self) -> bool {
        has("rnp", &["--version"]).await
    }

    async fn open(&self, letters: &[Letter]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for letter in letters {
            let home = letter.folder.join("rnp");
            std::fs::create_dir(&home).unwrap();
            for key in [&letter.secret, &letter.sender] {
                let keys = Process::new("rnpkeys").arg("--homedir").arg(&home);
                run(keys.arg("--import").arg(key).env("HOME", &letter.folder)).await;
            }
            let decrypt = Process::new("rnp").arg("--homedir").arg(&home);
            let decrypt = decrypt.args(["--notty", "--password", "", "--overwrite"]);
            let decrypt = decrypt.args(["--output", "opened", "--decrypt", "message.asc"]);
            let decrypt = decrypt.folder(&letter.folder).env("HOME", &letter.folder);
            let out = run(decrypt).await.unwrap();
            let said = out.complaint() + &out.text();
            let signed = out.ok() && said.contains("Good signature made");
            claims.push(Claim { text: std::fs::read(&letter.out).ok(), signed });
        }
        claims
    }
}

/// The Stateless OpenPGP command line: one grammar, several libraries.
pub struct Sop {
    name: &'static str,
    program: &'static str,
    verifications: &'static str,
    slow: bool,
}

impl Sop {
    pub const ALL: [Self; 3] = [
        // Sequoia 1.
        Self { name: "sqop", program: "sqop", verifications: "--verifications-out", slow: false },
        // GopenPGP 2, of Proton.
        Self { name: "gosop", program: "gosop", verifications: "--verify-out", slow: false },
        // Bouncy Castle, as OpenKeychain has it.
        Self {
            name: "pgpainless",
            program: "pgpainless-cli",
            verifications: "--verifications-out",
            slow: true,
        },
    ];
}

#[async_trait]
impl Reader for Sop {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_slow(&self) -> bool {
        self.slow
    }

    async fn is_there(&self) -> bool {
        has(self.program, &["version"]).await
    }

    async fn open(&self, letters: &[Letter]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for letter in letters {
            let said = letter.folder.join("verifications");
            let out = Process::new(self.program)
                .arg("decrypt")
                .arg(format!("{}={}", self.verifications, said.display()))
                .arg(format!("--verify-with={}", letter.sender.display()))
                .arg(&letter.secret)
                .env("HOME", &letter.folder)
                .stdin(std::fs::read(&letter.message).unwrap());
            let out = run(out).await.unwrap();
            let lines = std::fs::read_to_string(said).unwrap_or_default();
            let signed = lines.lines().any(|l| !l.trim().is_empty());
            claims.push(Claim { text: out.ok().then_some(out.stdout), signed });
        }
        claims
    }
}

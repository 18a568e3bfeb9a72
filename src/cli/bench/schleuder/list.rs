//! Their side: schleuder with a configuration, a database and lists of its own, in a folder
//! that goes away. Nothing of what is installed is touched, and no daemon is started.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::json;
use tempfile::TempDir;

use super::super::super::exit::{Exit, refuse};
use super::super::cpu::{self, Spent};
use super::super::gpg::{self, Home};
use super::super::resident;
use super::super::ring::Ring;
use super::Run;
use crate::clock::{Clock as _, SystemClock, sleep};
use crate::domain::time::{At, Span};
use crate::exec::{ExecError, Process};
use crate::pgp::{self, Certificate, ResidentSigner, TeamKey};
use crate::town::catcher::{Catcher, Setup};

/// Makes the tables and the lists that standard input names, as its API daemon would.
const MAKE: &str = "
require 'json'
require 'schleuder'
require 'schleuder/db/schema'
JSON.parse($stdin.read).each do |wanted|
  about = { email: wanted['address'], fingerprint: wanted['fingerprint'] }
  list, = Schleuder::ListBuilder.new(about).run
  abort 'no list' unless list.is_a?(Schleuder::List) && list.persisted?
  wanted['people'].each do |address, fingerprint, admin|
    subscription, = list.subscribe(address, fingerprint, admin, true)
    abort 'no subscription' if subscription.errors.any?
  end
end
";
/// Loaded into schleuder's own process: how much memory it had, told at its end.
const TELL: &str = "at_exit { File.write(ENV['PEAK'], File.read('/proc/self/status')) }\n";
/// How long a gpg that was let go may take to end after schleuder did.
const ENDING: Span = Span::millis(50);

/// Its version, or what to do without it.
pub async fn version() -> anyhow::Result<String> {
    match Process::new("schleuder").arg("version").run(&SystemClock::new()).await {
        Ok(out) if out.ok() => Ok(out.text().trim().to_owned()),
        Err(ExecError::NotFound { .. }) => Err(refuse(
            Exit::Failure,
            "schleuder is not installed, so that nothing was measured against it",
            "apt-get install --no-install-recommends schleuder",
        )),
        Ok(_) | Err(_) => Err(refuse(
            Exit::Failure,
            "`schleuder version` fails, so that nothing was measured against it",
            "run it by hand and read what it says",
        )),
    }
}

/// One list with all subscribers.
pub struct List {
    /// What kind of key it signs with.
    pub key: &'static str,
    pub certificate: Certificate,
    address: &'static str,
    home: Home,
    /// What its first subscriber writes to it.
    mail: Vec<u8>,
}

pub struct Schleuder {
    lists: [List; 2],
    catcher: Catcher,
    // Last, as the lists stand on it.
    ground: TempDir,
}

impl Schleuder {
    pub async fn furnish(ring: &Ring, text: &str, at: At) -> anyhow::Result<Self> {
        cpu::adopt_orphans()?;
        let ground = gpg::ground()?;
        let clock = std::sync::Arc::new(SystemClock::new());
        let catcher = Catcher::start(Setup::default(), clock).await?;
        let list =
            async |key, address, team| list(&ground, ring, (key, address, team), text, at).await;
        let lists = [
            list("RSA 4096", "rsa4096@meadow.example", &ring.rsa4096).await?,
            list("Ed25519", "ed25519@meadow.example", &ring.ed25519).await?,
        ];
        let schleuder = Self { lists, catcher, ground };
        schleuder.set_up(ring).await?;
        Ok(schleuder)
    }

    async fn set_up(&self, ring: &Ring) -> anyhow::Result<()> {
        let at = |name: &str| self.ground.path().join(name).display().to_string();
        // JSON is YAML.
        let config = json!({
            "lists_dir": at("lists"), "listlogs_dir": at("logs"),
            "smtp_settings": {
                "address": "127.0.0.1", "port": self.catcher.port(), "domain": "meadow.example",
            },
            "database": {
                "production": { "adapter": "sqlite3", "database": at("db"), "timeout": 5000 },
            },
        });
        std::fs::write(at("schleuder.yml"), config.to_string())?;
        std::fs::write(at("tell.rb"), TELL)?;
        let fingerprint = |key: &TeamKey| key.certificate.fingerprint().to_string();
        let people: Vec<_> = ring.people().map(|(a, key)| (a, fingerprint(key), true)).collect();
        let wanted = self.lists.iter().map(|list| {
            let fingerprint = list.certificate.fingerprint().to_string();
            json!({ "address": list.address, "fingerprint": fingerprint, "people": people })
        });
        let wanted = serde_json::Value::from_iter(wanted).to_string();
        let make = self.process("ruby").args(["-e", MAKE]).stdin(wanted);
        let out = make.run(&SystemClock::new()).await?;
        ensure!(out.ok(), "schleuder makes no list: {}", out.complaint());
        Ok(())
    }

    fn process(&self, program: &str) -> Process {
        let ground: &Path = self.ground.path();
        Process::new(program).env("SCHLEUDER_CONFIG", ground.join("schleuder.yml")).folder(ground)
    }

    pub const fn lists(&self) -> &[List; 2] {
        &self.lists
    }

    /// One mail to the list, out to everybody: what a mail server does, as it does it.
    pub async fn round(&self, list: &List) -> anyhow::Result<Run> {
        let (clock, earlier) = (SystemClock::new(), self.catcher.mails().len());
        let agent = list.home.agent().await?;
        let peak = self.ground.path().join("peak");
        let tell = format!("-r{}", self.ground.path().join("tell.rb").display());
        let work = self.process("schleuder").args(["work", list.address]);
        let work = work.env("RUBYOPT", tell).env("PEAK", &peak).stdin(list.mail.as_slice());
        cpu::bury_orphans();
        let before = cpu::children()? + cpu::of(&agent)?;
        let start = clock.mono();
        let out = work.allow(Span::mins(30)).run(&clock).await?;
        let wall_ms = clock.mono().since(start).as_millis() as f64;
        ensure!(out.ok(), "schleuder fails: {}", out.text() + &out.complaint());
        sleep(&clock, ENDING).await;
        cpu::bury_orphans();
        let cpu_ms = cpu::children()? + cpu::of(&agent)? - before;
        let status = std::fs::read_to_string(peak).context("schleuder told no memory")?;
        let mails = self.catcher.mails().into_iter().skip(earlier).collect();
        let spent = Spent { cpu_ms, wall_ms };
        Ok(Run { spent, peak_bytes: resident::peak_told(&status)?, mails })
    }
}

/// The list's keyring, and a signed and sealed mail of its first subscriber to it.
async fn list(
    ground: &TempDir,
    ring: &Ring,
    (key, address, team): (&'static str, &'static str, &TeamKey),
    text: &str,
    at: At,
) -> anyhow::Result<List> {
    let name = address.split('@').next().unwrap_or_default();
    let home = Home::at(ground.path().join("lists/meadow.example").join(name))?;
    home.import(&team.secret).await?;
    let public: String = ring.keys().map(|key| key.certificate.armored()).collect();
    home.import(public.as_bytes()).await?;
    let (author, own) = ring.people().next().context("nobody is subscribed")?;
    let entity = format!("Content-Type: text/plain; charset=us-ascii\r\n\r\n{}", crlf(text));
    let (to, signer) = (team.certificate.clone(), ResidentSigner::new(own)?);
    let sealed = pgp::seal(entity.as_bytes(), std::slice::from_ref(&to), &signer, at).await?;
    let mail = format!(
        "From: {author}\r\nTo: {address}\r\nDate: {}\r\nSubject: [...]\r\n\
         Message-ID: <{name}@larch.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n \
         boundary=\"between\"\r\n\r\n\
         --between\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n\
         --between\r\nContent-Type: application/octet-stream\r\n\r\n{}\r\n--between--\r\n",
        at.rfc5322(),
        String::from_utf8_lossy(&sealed.armored),
    );
    Ok(List { key, certificate: to, address, home, mail: mail.into_bytes() })
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

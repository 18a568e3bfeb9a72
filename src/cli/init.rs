//! `daybreak init`: a data directory with everything in it.

use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::desk::whole;
use super::exit::{Ended, Exit};
use super::print::{Print, table};
use super::{files, words};
use crate::casework::opening::{self, KeySource, Setup};
use crate::clock::SystemClock;
use crate::pgp::Certificate;

/// Make a data directory: configuration, database, vault key, team key
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak init security --name Meadow --address security@meadow.example --base-url https://security.meadow.example")]
pub struct Init {
    /// The directory to make
    #[arg(id = "new_dir", value_name = "DIR")]
    folder: PathBuf,
    /// The project's name as it stands in texts
    #[arg(long)]
    name: String,
    /// The one address that notices come from and replies go to
    #[arg(long)]
    address: String,
    /// The public site's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8480")]
    base_url: String,
    /// sqlite:FILE (beside the configuration) or postgres://USER@HOST/NAME; one with a
    /// password belongs in the environment, where other users do not see it
    #[arg(
        long,
        value_name = "URL",
        env = "DAYBREAK_DATABASE",
        hide_env_values = true,
        default_value = "sqlite:daybreak.sqlite"
    )]
    database: String,
    /// How many different people must approve
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    threshold: u32,
    /// Take the team's OpenPGP key from this file, instead of making one
    #[arg(long, value_name = "FILE", conflicts_with = "gpg")]
    team_key: Option<PathBuf>,
    /// The team's key stays with gpg (agent or card); this file is its certificate
    #[arg(long, value_name = "CERTFILE")]
    gpg: Option<PathBuf>,
}

pub fn run(init: Init, print: Print) -> Ended {
    let key = match (&init.team_key, &init.gpg) {
        (Some(file), _) => KeySource::Import(Zeroizing::new(files::read(file, files::TEXT)?)),
        (None, Some(file)) => KeySource::Gpg(files::read(file, files::TEXT)?),
        (None, None) => KeySource::Generate,
    };
    let dir = whole(&init.folder)?;
    let setup = Setup {
        name: init.name,
        address: init.address,
        base_url: init.base_url,
        database: init.database,
        threshold: init.threshold,
        key,
    };
    opening::create(&dir, &setup, &SystemClock::new())?;
    let path = dir.join(opening::TEAM_CERTIFICATE);
    let fingerprint = Certificate::import(&files::read(&path, files::TEXT)?)?.fingerprint();
    let made = serde_json::json!({
        "dir": dir, "config": dir.join(opening::CONFIG),
        "certificate": path, "fingerprint": fingerprint.to_string(),
    });
    print.either(&made, || {
        let rows = [
            vec!["directory".to_owned(), dir.display().to_string()],
            vec!["configuration".to_owned(), dir.join(opening::CONFIG).display().to_string()],
            vec!["team certificate".to_owned(), path.display().to_string()],
            vec!["fingerprint".to_owned(), fingerprint.spaced()],
        ];
        table(&[], rows)
    })?;
    if init.threshold == 1 {
        print.talk("One approval is enough here: a single person can send and publish.");
    }
    let secret: Vec<String> = [opening::VAULT_KEY, opening::TEAM_KEY]
        .into_iter()
        .filter(|name| dir.join(name).exists())
        .map(str::to_owned)
        .collect();
    print.talk(format!(
        "Keep a copy of {} apart from the database: without the vault key nothing can be read.\n\
         Next: name the repository, the relay and the lists in {}, then\n  \
         export DAYBREAK_DIR={}\n  daybreak config check\n  \
         daybreak team add --name NAME --address ADDRESS --certificate FILE",
        words::listed(&secret),
        opening::CONFIG,
        dir.display()
    ));
    Ok(Exit::Ok)
}

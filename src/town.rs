//! Floor 8: a whole house plus a scripted world, for the demo and the tests.
//!
//! The house is opened as `daybreak serve` opens it, on a real data directory. The parts of
//! the world are real: servers on loopback ports, a git repository on disk, people with keys;
//! faults come on demand. Nothing of it ever leaves the machine, and everything it wrote is
//! removed with it unless it is to be kept.

pub mod attacks;
pub mod catcher;
pub mod clock;
pub mod config;
pub mod demo;
pub mod faults;
pub mod index;
pub mod people;
pub mod project;
pub mod simulate;
pub mod sink;
pub mod story;
pub mod uploads;
pub mod voices;

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::casework::identity::{self, Standing};
use crate::casework::opening::{self, CONFIG, KeySource, Setup};
use crate::casework::{CaseError, House};
use crate::clock::{Clock, Generator, Rng, SystemClock};
use crate::domain::deed::Actor;
use crate::domain::planner::{
    GIT, MAIL, PERSON, SITE, STATIC, await_outlet, command_outlet, webhook_outlet,
};
use crate::domain::time::At;
use crate::exec::Process;
use crate::pgp::{Certificate, TeamKeyError};

use catcher::Catcher;
use clock::HandClock;
use faults::{Script, Scripted};
use people::People;
use project::Project;
use uploads::Uploads;
use voices::Voices;

/// Why there is no town, or why its story does not go on.
#[derive(Debug, thiserror::Error)]
pub enum TownError {
    /// A program that even the smallest town needs.
    #[error("the program `{0}` is not installed; install it and try again")]
    Missing(String),
    /// git refused something; its own words.
    #[error("git refused: {0}")]
    Git(String),
    /// The project cannot be built.
    #[error("the project cannot be built: {0}")]
    Build(String),
    /// A key could not be made or used.
    #[error("a key of the town cannot be used: {0}")]
    Key(#[from] TeamKeyError),
    /// The disk or the network failed us.
    #[error("could not {doing}: {kind}")]
    Disk {
        /// What was tried, in words.
        doing: &'static str,
        /// The kind of failure, without paths.
        kind: std::io::ErrorKind,
    },
    /// The house said no.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl TownError {
    fn disk(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |e| Self::Disk { doing, kind: e.kind() }
    }
}

/// Which database the house has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file in its data directory.
    Sqlite,
    /// A PostgreSQL schema of its own.
    Postgres(String),
}

impl Database {
    fn address(self) -> String {
        match self {
            Self::Sqlite => "sqlite:daybreak.sqlite".to_owned(),
            Self::Postgres(url) => url,
        }
    }
}

/// Where time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// From a clock moved by hand that shows this at first.
    Hand(At),
    /// From the machine.
    System,
}

/// How a town is built.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database.
    pub database: Database,
    /// Time.
    pub time: Time,
    /// Makes ids, salts and tokens repeatable; keys and ciphertext never are.
    pub seed: u64,
    /// Where it is built and kept; in a temporary folder unless said.
    pub keep: Option<PathBuf>,
    /// The twine program; without it files are copied into a folder.
    pub twine: Option<String>,
    /// How many people must approve a plan.
    pub approvals: u32,
    /// How many distributors there are, at most [`people::DISTRIBUTORS`]: fewer make a quicker
    /// town with fewer steps.
    pub distributors: usize,
    /// Where the public site will listen; a free loopback port unless said.
    pub site: Option<SocketAddr>,
}

impl Options {
    /// For tests: SQLite, a clock moved by hand, two approvals, no twine.
    pub const fn by_hand(start: At) -> Self {
        Self {
            database: Database::Sqlite,
            time: Time::Hand(start),
            seed: 1,
            keep: None,
            twine: None,
            approvals: 2,
            distributors: people::DISTRIBUTORS,
            site: None,
        }
    }

    /// For the demo: SQLite, the machine's clock.
    pub fn live(seed: u64) -> Self {
        let by_hand = Self::by_hand(At::from_secs(0));
        Self { time: Time::System, seed, ..by_hand }
    }
}

/// Where everything lies.
enum Ground {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Ground {
    fn new(keep: Option<PathBuf>) -> Result<Self, TownError> {
        let io = TownError::disk("make the town's folder");
        match keep {
            None => TempDir::with_prefix("daybreak-town-").map(Self::Temporary).map_err(io),
            Some(folder) => {
                fs::create_dir_all(&folder).map_err(&io)?;
                // Outlets and git start elsewhere: relative paths would lead nowhere.
                folder.canonicalize().map(Self::Kept).map_err(io)
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// What each outlet shall do wrong, by its name.
type Scripts = BTreeMap<String, Arc<Script>>;

/// A whole house and its world. The order of fields is the order in which they go: servers
/// before the ground they stand on.
pub struct Town {
    /// The house.
    pub house: Arc<House>,
    /// The relay that takes all mail.
    pub catcher: Catcher,
    /// Where releases go.
    pub uploads: Uploads,
    /// The public repository and the private fixes.
    pub project: Project,
    /// Everybody.
    pub people: People,
    /// Everybody's time.
    pub clock: Arc<dyn Clock>,
    /// The same clock, when it is moved by hand.
    pub hand: Option<Arc<HandClock>>,
    /// Who else knows that time, when it is moved by hand; silent until told.
    pub voices: Voices,
    rng: Arc<dyn Rng>,
    scripts: Scripts,
    site: SocketAddr,
    approvals: u32,
    ground: Ground,
}

impl Town {
    /// Builds the world, makes a data directory and opens the house in it.
    pub async fn build(options: Options) -> Result<Self, TownError> {
        let ground = Ground::new(options.keep)?;
        let (dir, world) = (house_dir(ground.path()), ground.path().join("world"));
        fs::create_dir_all(&world).map_err(TownError::disk("make the town's world"))?;
        let (clock, hand): (Arc<dyn Clock>, _) = match options.time {
            Time::System => (Arc::new(SystemClock::new()), None),
            Time::Hand(start) => {
                let hand = Arc::new(HandClock::new(start));
                (Arc::clone(&hand) as Arc<dyn Clock>, Some(hand))
            }
        };
        let rng: Arc<dyn Rng> = Arc::new(Generator::from_seed(seed(options.seed)));
        let io = TownError::disk("open a loopback port");
        let catcher = Catcher::start(catcher::Setup::as_usual(), Arc::clone(&clock)).await;
        let catcher = catcher.map_err(&io)?;
        let site = options.site.map_or_else(free_port, Ok).map_err(io)?;
        let uploads = Uploads::open(&world, options.twine, Arc::clone(&clock)).await?;
        let project = Project::new(&world, Arc::clone(&clock)).await?;
        let people = People::new(clock.wall(), options.distributors)?;
        let database = options.database.address();
        let text = config::text(&config::Particulars {
            database: &database,
            relay: catcher.address(),
            site,
            command: &uploads.config(),
            approvals: options.approvals,
        });
        make_house(&dir, database, site, options.approvals, &text, clock.as_ref())?;
        let voices = Voices::default();
        let heard = hand.is_some().then_some(&voices);
        let (house, scripts) = open(&dir, (&clock, heard), &rng, Scripts::new())?;
        Ok(Self {
            house,
            catcher,
            uploads,
            project,
            people,
            clock,
            hand,
            voices,
            rng,
            scripts,
            site,
            approvals: options.approvals,
            ground,
        })
    }

    /// A copy of the whole town as it stands, for a story that begins where another one
    /// paused: everything on disk, the same people and time, but a world, a relay and a clock
    /// of its own. Nobody may be at work in this one meanwhile. A PostgreSQL schema must have
    /// been copied to `database`; what an index server took stays with this town.
    pub async fn fork(&self, database: Database, seed_of: u64) -> Result<Self, TownError> {
        let ground = Ground::new(None)?;
        let everything = format!("{}/.", self.ground.path().display());
        let copy = Process::new("cp").args(["--archive", "--"]).arg(everything);
        let copied = copy.arg(ground.path()).run(self.clock.as_ref()).await;
        if !copied.is_ok_and(|out| out.ok()) {
            return Err(TownError::disk("copy the town")(std::io::ErrorKind::Other.into()));
        }
        let (dir, world) = (house_dir(ground.path()), ground.path().join("world"));
        let hand = Arc::new(HandClock::new(self.clock.wall()));
        let clock = Arc::clone(&hand) as Arc<dyn Clock>;
        let rng: Arc<dyn Rng> = Arc::new(Generator::from_seed(seed(seed_of)));
        let catcher = Catcher::start(catcher::Setup::as_usual(), Arc::clone(&clock)).await;
        let catcher = catcher.map_err(TownError::disk("open a loopback port"))?;
        let uploads = Uploads::open(&world, self.uploads.twine(), Arc::clone(&clock)).await?;
        let project = self.project.moved(&world, Arc::clone(&clock));
        let text = config::text(&config::Particulars {
            database: &database.address(),
            relay: catcher.address(),
            site: self.site,
            command: &uploads.config(),
            approvals: self.approvals,
        });
        fs::write(dir.join(CONFIG), text).map_err(TownError::disk("write the configuration"))?;
        let voices = Voices::default();
        let (house, scripts) = open(&dir, (&clock, Some(&voices)), &rng, Scripts::new())?;
        if identity::stands(&house.store, &house.dir).await? != Standing::New {
            // A copy, and we know it.
            identity::settle(&house, Actor::Operator, "house-begin", "another story").await?;
        }
        let (people, site, approvals) = (self.people.clone(), self.site, self.approvals);
        let hand = Some(hand);
        Ok(Self {
            house,
            catcher,
            uploads,
            project,
            people,
            clock,
            hand,
            voices,
            rng,
            scripts,
            site,
            approvals,
            ground,
        })
    }

    /// Opens the house once more, as after a crash or a restart: what was in memory is gone,
    /// what was written stays. The world, its scripts and its people go on. Whoever worked for
    /// the old house must have been stopped, or they work for two.
    pub fn reopen(&mut self) -> Result<Arc<House>, TownError> {
        let scripts = self.scripts.clone();
        let heard = self.hand.is_some().then_some(&self.voices);
        let (house, scripts) = open(&self.dir(), (&self.clock, heard), &self.rng, scripts)?;
        (self.house, self.scripts) = (Arc::clone(&house), scripts);
        Ok(house)
    }

    /// What the outlet of that name shall do wrong and what it was asked: `mail`, `git`,
    /// `site`, `person`, `command:index`, `await:index`, `webhook:NAME`. `None` for a name of no outlet.
    pub fn script(&self, outlet: &str) -> Option<&Arc<Script>> {
        self.scripts.get(outlet)
    }

    /// The house's data directory.
    pub fn dir(&self) -> PathBuf {
        house_dir(self.ground.path())
    }

    /// A folder of the world for whatever a story makes.
    pub fn world(&self) -> PathBuf {
        self.ground.path().join("world")
    }

    /// Where the public site should listen; nobody does yet.
    pub const fn site(&self) -> SocketAddr {
        self.site
    }

    /// The certificate whose signatures everybody outside trusts.
    pub fn team_certificate(&self) -> &Certificate {
        self.house.keys.notice.certificate()
    }
}

fn house_dir(ground: &Path) -> PathBuf {
    ground.join("house")
}

/// 32 bytes from a number.
fn seed(number: u64) -> [u8; 32] {
    *crate::domain::blob::Sha256::of(&number.to_le_bytes()).raw()
}

/// A loopback port that is free now.
fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn make_house(
    dir: &Path,
    database: String,
    site: SocketAddr,
    threshold: u32,
    text: &str,
    clock: &dyn Clock,
) -> Result<(), TownError> {
    let setup = Setup {
        name: config::TEAM.to_owned(),
        address: config::ADDRESS.to_owned(),
        base_url: format!("http://{site}"),
        database,
        threshold,
        key: KeySource::Generate,
    };
    opening::create(dir, &setup, clock)?;
    fs::write(dir.join(CONFIG), text).map_err(TownError::disk("write the configuration"))
}

/// Opens the house and puts a script before each of its outlets; those of `old` go on.
fn open(
    dir: &Path,
    (clock, voices): (&Arc<dyn Clock>, Option<&Voices>),
    rng: &Arc<dyn Rng>,
    mut scripts: Scripts,
) -> Result<(Arc<House>, Scripts), TownError> {
    let mut house = opening::open(dir, Arc::clone(clock), Arc::clone(rng))?;
    if let Some(voices) = voices {
        house.witnesses = voices.all();
    }
    let named = [MAIL, GIT, PERSON, SITE, STATIC].map(str::to_owned);
    let commands: Vec<String> =
        house.config.command.keys().flat_map(|c| [command_outlet(c), await_outlet(c)]).collect();
    let webhooks: Vec<String> =
        house.config.webhook.iter().map(|w| webhook_outlet(&w.name)).collect();
    for name in named.into_iter().chain(commands).chain(webhooks) {
        if let Some(inner) = house.outlets.get(&name).map(Arc::clone) {
            let script = Arc::clone(scripts.entry(name.clone()).or_default());
            house.outlets.add(name, Arc::new(Scripted::new(inner, script)));
        }
    }
    Ok((Arc::new(house), scripts))
}

/// The twine program of this machine: what `DAYBREAK_TWINE` names, or `twine` on `PATH`, if
/// it runs.
pub async fn find_twine(clock: &dyn Clock) -> Option<String> {
    let program = std::env::var("DAYBREAK_TWINE").unwrap_or_else(|_| "twine".to_owned());
    let probe = Process::new(&program).arg("--version").run(clock).await;
    probe.is_ok_and(|out| out.ok()).then_some(program)
}

//! Posts that are looked for: a relay's log, a subscribed mailbox, an archive on the web.

use daybreak::config::Config;
use daybreak::outlets::mail::MailOutlet;
use daybreak::outlets::posts::{ArrivalOutlet, LookedAfter, Posts, arrival_of};
use daybreak::town::catcher::{Catcher, Fault, Setup, Times};

use super::peer::{Manner, Peer};
use super::*;

const LIST: &str = "announce@lists.meadow.example";
const ID: &str = "0123456789abcdef0123456789abcdef@meadow.example";
const MESSAGE: &str = "From: security@meadow.example\r\nSubject: zanzibarite in gates\r\n\r\nx\r\n";

fn post() -> Intended {
    let blob = Blob::new("post.eml", MESSAGE.as_bytes().to_vec(), vec![]);
    let from = "security@meadow.example".to_owned();
    let action = Action::Mail {
        envelope_from: from.clone(),
        from,
        to: LIST.to_owned(),
        message_id: ID.to_owned(),
        message: blob.about.clone(),
    };
    intended(action, vec![blob])
}

/// A relay and a list; the relay's log and the list's mailbox are files that a program reads.
pub(super) struct Watched {
    catcher: Mutex<Option<Catcher>>,
    port: u16,
    peer: Peer,
    folder: tempfile::TempDir,
}

/// How these programs look: what a file says is printed; without a line it is not there.
const LOOK: &str = r#"test -e "$2" || exit 9; grep -F -- "$1" "$2" || exit 1; grep -qF queued "$2" && exit 2; exit 0"#;

impl Watched {
    pub(super) async fn new() -> Self {
        let catcher = Catcher::start(Setup::default(), clock()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let world = Self {
            port: catcher.port(),
            catcher: Mutex::new(Some(catcher)),
            peer: Peer::new().await,
            folder,
        };
        world.write("log", "");
        world.write("mailbox", "");
        world
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn config(&self, more: &str) -> Config {
        let look = |file: &str| {
            let path = self.folder.path().join(file);
            format!("look = [\"sh\", \"-c\", {LOOK:?}, \"sh\", \"{{0}}\", {path:?}]")
        };
        let text = format!(
            "[team]\nname = \"Meadow\"\naddress = \"security@meadow.example\"\n\
             [site]\nbase_url = \"https://security.meadow.example\"\n\
             [list.announce]\naddress = {LIST:?}\n{}\narchive_url = {:?}\n\
             [mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n{}\n{more}",
            look("mailbox"),
            self.peer.url("/{year}/"),
            self.port,
            look("log"),
        );
        Config::parse(&text).unwrap()
    }

    fn outlet_of(&self, config: &Config, clock: Arc<dyn Clock>) -> LookedAfter {
        let posts = Arc::new(Posts::new(config, &clock));
        let mail = MailOutlet::new(config.mail.clone(), "meadow.example", clock);
        LookedAfter::new(Arc::new(mail), posts)
    }

    fn script(&self, fault: Fault) {
        self.catcher.lock().unwrap().as_ref().unwrap().script(fault, Times::Always);
    }

    /// What a look says with these files in place.
    async fn says(&self, log: &str, mailbox: &str) -> Seen {
        self.write("log", log);
        self.write("mailbox", mailbox);
        look(self).await
    }
}

#[async_trait]
impl World for Watched {
    fn name(&self) -> &'static str {
        "post"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        Arc::new(self.outlet_of(&self.config(""), clock))
    }
    fn intended(&self) -> Intended {
        post()
    }
    fn ends(&self) -> Ends {
        Ends::SeenLater
    }
    async fn appear(&self) {
        self.write("log", &format!("<{ID}> sent\n"));
        self.write("mailbox", &format!("Message-ID: <{ID}>\n"));
    }
    async fn copies(&self) -> Option<usize> {
        let mails = self.catcher.lock().unwrap().as_ref().map(Catcher::mails);
        Some(mail::distinct(&mails.unwrap_or_default()))
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Refuses => self.script(Fault::AnswerAfterDot(554)),
            Trouble::Busy => self.script(Fault::AnswerAfterDot(451)),
            Trouble::LosesTheAnswer | Trouble::ShowsLate => self.script(Fault::LoseAnswer),
            Trouble::Hangs => {
                self.script(Fault::Hang);
                self.peer.behave(Manner::Hangs);
            }
            Trouble::Unreachable => {
                std::fs::remove_file(self.folder.path().join("log")).unwrap();
                let catcher = self.catcher.lock().unwrap().take().unwrap();
                let address = catcher.address();
                drop(catcher);
                while std::net::TcpListener::bind(address).is_err() {
                    tokio::task::yield_now().await;
                }
            }
            // A mail stands in nobody's place.
            Trouble::HoldsAnother => return false,
        }
        true
    }
}

/// A list may be told ahead as well, under the address of its posts.
#[tokio::test]
async fn a_notice_is_never_looked_for_in_public() {
    let world = Watched::new().await;
    world.write("log", &format!("<{ID}> sent"));
    world.write("mailbox", ID);
    let mut notice = post();
    notice.blobs = vec![Blob::new("sealed.eml", Vec::new(), vec![])];
    let seen = world.outlet_on(clock()).look(&notice).await;
    assert_eq!(evidence(&seen), Some(Evidence::HandedOver), "{seen:?}");
    assert!(world.peer.asked().is_empty());
}

#[tokio::test]
async fn only_the_list_shows_that_it_was_sent_and_only_the_relay_that_it_never_was() {
    let world = Watched::new().await;
    let (sent, queued) = (format!("<{ID}> sent"), format!("<{ID}> queued"));
    assert_eq!(world.says("another", "").await, Seen::Absent);
    assert!(world.peer.asked().is_empty(), "what never left is not looked for further");
    assert_eq!(evidence(&world.says(&sent, "").await), Some(Evidence::HandedOver));
    assert!(matches!(world.says(&queued, "").await, Seen::Underway(_)));
    assert_eq!(evidence(&world.says(&queued, ID).await), Some(Evidence::Seen));
    assert_eq!(evidence(&world.says(&sent, ID).await), Some(Evidence::Seen));
    // By the archive alone.
    std::fs::remove_file(world.folder.path().join("mailbox")).unwrap();
    let year: String = clock().wall().rfc3339().chars().take(4).collect();
    world.peer.show(&format!("/{year}/"), format!("<pre>{ID}").as_bytes());
    assert_eq!(evidence(&look(&world).await), Some(Evidence::Seen));
}

/// A program that fails, hangs, lies or contradicts itself told nothing.
#[tokio::test]
async fn a_look_that_cannot_be_believed_is_no_look() {
    let world = Watched::new().await;
    for script in [
        "exit 0",
        "echo found it; exit 0",
        "exit 2",
        "echo \"$1\"; exit 1",
        "echo \"$1\"; exit 3",
        "echo \"$1\"; kill -9 $$",
        "sleep 20; echo \"$1\"",
        "yes \"$1\"",
    ] {
        let mut config = world.config("");
        let argv = ["sh", "-c", script, "sh", "{0}"].map(str::to_owned).to_vec();
        config.mail.look = argv.clone();
        if let Some(list) = config.list.get_mut("announce") {
            list.look = argv;
        }
        let hurried: Arc<dyn Clock> = Arc::new(Hurried(SystemClock::new()));
        let seen = world.outlet_of(&config, hurried).look(&post()).await;
        assert_eq!(seen, Seen::CannotTell, "{script}");
    }
}

#[tokio::test]
async fn a_look_gets_the_message_id_and_nothing_else() {
    let world = Watched::new().await;
    let said = world.folder.path().join("said");
    let script = format!("env > {said:?}; echo \"$@\" >> {said:?}; exit 1");
    let mut config = world.config("");
    config.mail.look = ["sh", "-c", &script, "sh", "{0}"].map(str::to_owned).to_vec();
    let looked = world.outlet_of(&config, clock()).look(&post()).await;
    assert_eq!(looked, Seen::Absent);
    let said = std::fs::read_to_string(said).unwrap();
    assert!(said.contains(ID) && !said.contains(PLANTED) && !said.contains(LIST), "{said}");
    let names: Vec<_> = said.lines().filter_map(|l| Some(l.split_once('=')?.0)).collect();
    assert!(names.iter().all(|n| ["PATH", "PWD", "SHLVL", "_", "OLDPWD"].contains(n)), "{names:?}");
}

/// With a second relay the first one's word is not the whole truth; and where the relay gives
/// mail other names there is nothing to look for.
#[tokio::test]
async fn a_relays_word_counts_only_for_what_it_must_have_seen() {
    let world = Watched::new().await;
    let second = "[mail.fallback]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"";
    let outlet = world.outlet_of(&world.config(second), clock());
    assert_eq!(outlet.look(&post()).await, Seen::CannotTell);
    let outlet = world.outlet_of(&world.config("rewrites_message_id = true"), clock());
    world.appear().await;
    assert_eq!(outlet.look(&post()).await, Seen::CannotTell);
    assert_eq!((outlet.settle(), outlet.repeat()), (Span::ZERO, Repeat::AskHuman));
}

/// The step that waits until the list has sent a post.
pub(super) struct Archived(Watched);

impl Archived {
    pub(super) async fn new() -> Self {
        Self(Watched::new().await)
    }
}

#[async_trait]
impl World for Archived {
    fn name(&self) -> &'static str {
        "arrival of a post"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let posts = Arc::new(Posts::new(&self.0.config(""), &clock));
        Arc::new(ArrivalOutlet::new("announce", posts))
    }
    fn intended(&self) -> Intended {
        intended(arrival_of("announce", ID, MESSAGE.as_bytes()), vec![])
    }
    async fn prepare(&self) {
        self.0.appear().await;
    }
    async fn copies(&self) -> Option<usize> {
        None
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Busy => self.0.write("mailbox", "nothing new"),
            Trouble::Hangs => {
                self.0.write("mailbox", "");
                self.0.peer.behave(Manner::Hangs);
            }
            // It does nothing that could be refused, lost or late; what cannot be reached is
            // waited for like what has not come.
            _ => return false,
        }
        true
    }
}

#[tokio::test]
async fn a_post_has_arrived_when_the_list_shows_it_and_not_when_the_relay_took_it() {
    let world = Archived::new().await;
    world.0.write("log", &format!("<{ID}> sent"));
    assert_eq!(look(&world).await, Seen::Absent);
    world.0.write("mailbox", ID);
    assert_eq!(evidence(&look(&world).await), Some(Evidence::Seen));
}

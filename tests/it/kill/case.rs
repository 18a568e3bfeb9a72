//! One life of the matrix: killed once, started again, judged by what the world wrote down.

use std::collections::BTreeMap;

use assert_cmd::Command;
use daybreak::casework::plans::manifest_of;
use daybreak::domain::action::Action;
use daybreak::domain::blob::equal_outside_slots;
use daybreak::domain::plan::PlanState;
use daybreak::store::Decision;
use daybreak::town::catcher::{Caught, Fault, Times};
use daybreak::town::story as steps;
use tokio::sync::Semaphore;

use super::Boundary;
use super::doomed::{Doomed, in_time, until};
use super::world::World;
use crate::ground::Db;
use crate::story::{End, Story, TEAM};

/// Where who dies.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub db: Db,
    pub boundary: Boundary,
    pub outlet: &'static str,
    /// At which step of the outlet.
    pub nth: u32,
}

impl Case {
    pub async fn live(self, base: &Story, calm: &End, room: &Semaphore) {
        let about = format!("{self:?}");
        let working = room.acquire().await.unwrap();
        let mut story = base.copy().await;
        let world = World::around(&mut story).await;
        self.is_killed(&story, &world, &about).await;
        // On PostgreSQL a dead leader is mourned for thirty seconds, and nobody works meanwhile.
        let working = (self.db == Db::Sqlite).then_some(working);
        let log = world.folder.join("second.log");
        let again = Doomed::start(&story.town.dir(), &log, None);
        let mut asked = 0;
        let ended = in_time(async || {
            if has_rung(&story, &world) {
                asked += answer(&story, &world).await;
            }
            story.state(story.release()).await == PlanState::Finished
        })
        .await;
        if !ended {
            let (words, runs) = (story.words(story.release()).await, world.record("runs.log"));
            let said = std::fs::read_to_string(&log).unwrap();
            panic!("{about}: it does not end: {words:?}\n{runs:?}\n{said}");
        }
        drop((again, working));
        self.judge(&story, &world, calm, asked).await;
    }

    /// Whether nobody can know if the act happened.
    fn is_doubtful(self) -> bool {
        use Boundary::{AfterAct, AfterIntent, DuringAct};
        [AfterIntent, DuringAct, AfterAct].contains(&self.boundary)
    }

    async fn is_killed(self, story: &Story, world: &World, about: &str) {
        let word = match self.boundary {
            Boundary::BeforeIntent => Some("before-intent"),
            Boundary::AfterIntent => Some("after-intent"),
            Boundary::AfterAct => Some("after-act"),
            Boundary::AfterRecord => Some("after-record"),
            Boundary::DuringAct => None,
        };
        match (word, self.outlet) {
            (Some(_), _) => {}
            (None, "git") => world.kill_in("git"),
            (None, "mail") => {
                world.catcher.spare(TEAM);
                world.catcher.script(Fault::Hang, Times::Only(1));
            }
            (None, _) => world.kill_in("command"),
        }
        let wish = word.map(|w| format!("{w} {} {}", self.outlet, self.nth));
        let mut engine = Doomed::start(&story.town.dir(), &world.folder.join("first.log"), wish);
        world.names(engine.pid());
        if (word, self.outlet) == (None, "mail") {
            until(about, async || world.catcher.hanging() > 0).await;
            engine.kill();
        }
        engine.dies(about).await;
    }

    pub async fn judge(self, story: &Story, world: &World, calm: &End, asked: usize) {
        let (plan, t0) = (story.release(), story.t0.at);
        let mut end = End::of(story, plan).await;
        end.heard.clear();
        assert_eq!(end, *calm, "{self:?}: lost, or twice");
        let refs = world.counted("refs.log", "");
        assert!(refs.len() == 4 && refs.values().all(|n| *n == 1), "{self:?}: {refs:?}");
        let runs = world.counted("runs.log", "begin");
        assert!(runs.len() == 2 && runs.values().all(|n| *n == 1), "{self:?}: {runs:?}");
        let happened = [world.record("refs.log"), world.record("runs.log")].concat();
        assert!(happened.iter().all(|(at, _)| *at >= t0), "{self:?}: early");
        let id = plan.id;
        let decided = story.town.house.store.read(move |r| r.decided(id)).await.unwrap().unwrap();
        assert!(decided.decision == Decision::Go && decided.at >= t0, "{self:?}: early");
        self.copies(story, world).await;
        // What nobody can tell, a person is asked. Another death may strike an upload too that
        // was under way beside it.
        let asks = self.outlet.starts_with("command") && self.is_doubtful();
        assert!(asked > 0 || !asks, "{self:?}: nobody was asked");
        assert_eq!(has_rung(story, world), asked > 0, "{self:?}: who heard");
        story.is_recorded().await;
    }

    /// Each list has the approved post: once, or once more with the same bytes where the engine died
    /// between its intent and its record.
    async fn copies(self, story: &Story, world: &World) {
        let preview = steps::look_through(&story.town, story.release()).await.unwrap();
        let mut copies: BTreeMap<Vec<String>, Vec<Vec<u8>>> = BTreeMap::new();
        for mail in world.catcher.mails().into_iter().filter(|m| m.to != [TEAM]) {
            assert!(mail.at >= story.t0.at, "{self:?}: a post is early");
            let same = preview.iter().any(|f| {
                f.name.starts_with("post-") && equal_outside_slots(&f.bytes, &mail.bytes, &f.slots)
            });
            assert!(same, "{self:?}: a post is not what was approved");
            copies.entry(mail.to).or_default().push(mail.bytes);
        }
        assert_eq!(copies.len(), 2, "{self:?}: a post is lost");
        let mail = self.outlet == "mail";
        let most = 1 + usize::from(mail && self.is_doubtful());
        let again = copies.values().filter(|bytes| bytes.len() > 1).count();
        let answered = mail && self.boundary == Boundary::AfterAct;
        assert!(again > 0 || !answered, "{self:?}: it did not die where it should have");
        for bytes in copies.values() {
            assert!(bytes.len() <= most, "{self:?}: {} copies", bytes.len());
            assert!(bytes.iter().all(|b| *b == bytes[0]), "{self:?}: another copy");
        }
    }
}

/// Whether the team heard that a step of the plan waits for somebody.
fn has_rung(story: &Story, world: &World) -> bool {
    let plan = story.release().id.to_string();
    let blocked = |m: &Caught| {
        let text = String::from_utf8_lossy(&m.bytes);
        text.contains("step-blocked") && text.contains(&plan)
    };
    world.catcher.mails().iter().any(|m| m.to == [TEAM] && blocked(m))
}

/// A person answers for every step that waits for one, as the world shows it; how many.
async fn answer(story: &Story, world: &World) -> usize {
    let plan = story.release();
    let mut answered = 0;
    for (step, word) in story.words(plan).await {
        if word != "blocked nobody-can-tell" {
            continue;
        }
        let steps = manifest_of(plan).unwrap().steps;
        let step = steps.into_iter().find(|s| s.id == step).unwrap();
        let Action::Run { files, .. } = &step.action else { panic!("{word}: {}", step.outlet) };
        let record = world.record("runs.log");
        let about = |event: &str| {
            let mine = |l: &str| files.iter().all(|f| l.contains(f.name.as_str()));
            record.iter().filter(|(_, l)| l.starts_with(event) && mine(l)).count()
        };
        let id = step.id.to_string();
        let args = match (about("begin"), about("end")) {
            (0, _) => ["plan", "retry", &id, "--reason", "it never ran"],
            (_, 0) => continue,
            _ => ["plan", "done", &id, "--evidence", "https://index.example/meadow"],
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybreak"));
        command.arg("--dir").arg(story.town.dir()).args(args).assert().success();
        answered += 1;
    }
    answered
}

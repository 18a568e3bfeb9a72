//! The person.

use daybreak::outlets::person::PersonOutlet;

use super::*;

pub(super) struct Somebody;

#[async_trait]
impl World for Somebody {
    fn name(&self) -> &'static str {
        "person"
    }
    fn outlet_on(&self, _clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        Arc::new(PersonOutlet)
    }
    fn intended(&self) -> Intended {
        let action = Action::Ask {
            owner: "ada".to_owned(),
            deputy: "grace".to_owned(),
            instruction: format!("release {PLANTED} from moderation"),
            paste: PLANTED.to_owned(),
            due: At::from_secs(1_796_137_200),
        };
        intended(action, vec![])
    }
    fn ends(&self) -> Ends {
        Ends::Asks
    }
    async fn copies(&self) -> Option<usize> {
        None
    }
    async fn trouble(&self, _trouble: Trouble) -> bool {
        false
    }
}

//! What people decide besides the plan: it leaked, the date moves, there is no fix, a step was done
//! by hand, the coordinator is silent.

mod deputies;
pub mod leaked;
pub mod moved;
pub mod unfixed;
mod vouched;

use daybreak::casework::audits;

use crate::story::Story;

/// Everything on record of the story's disclosure, one line an entry.
pub async fn record(story: &Story) -> String {
    let disclosure = story.disclosure_now().await;
    let lines = audits::timeline(&story.town.house, &disclosure).await.unwrap();
    lines.iter().map(|l| format!("{} | {} | {}\n", l.who, l.what, l.detail)).collect()
}

//! `daybreak distributor edit` and `edit-contact`: windows, groups and what a contact gets.
//! Plans that pinned the old answer and have not told them become void, and that is said.

use std::str::FromStr;

use clap::Args;

use crate::casework::distributors::{self, ContactEdit, Edit};
use crate::casework::find_distributor;
use crate::cli::desk::Desk;
use crate::cli::words;
use crate::domain::party::{CLEAR_SUBJECT, ContactKind, Profile};

/// A number of days, or a word for none of one's own.
#[derive(Debug, Clone, Copy)]
struct Days(Option<u32>);

impl FromStr for Days {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self(None)),
            number => {
                let days = number.parse().map_err(|_| "write a number of days, or `default`")?;
                Ok(Self(Some(days)))
            }
        }
    }
}

/// Change an organisation's name, window or groups; notice plans that have not told it are void
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak distributor edit Heath --lead-days 3 --longest-embargo-days 10 --group embedded cloud")]
pub struct EditDistributor {
    /// Name or id
    distributor: String,
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    /// Days before T0 at which it hears, or "default" for the configured lead
    #[arg(long, value_name = "N")]
    lead_days: Option<Days>,
    /// Longest embargo it accepts, in days, or "default": any, and 14 for a list
    #[arg(long, value_name = "N")]
    longest_embargo_days: Option<Days>,
    /// All its groups; those it was in before are left
    #[arg(long, value_name = "NAME", num_args = 1..)]
    group: Vec<String>,
    /// It belongs to no group: it hears only of disclosures for everybody
    #[arg(long, conflicts_with = "group")]
    no_group: bool,
}

pub async fn edit(desk: &Desk, order: EditDistributor) -> anyhow::Result<()> {
    let found = find_distributor(&desk.house, &order.distributor).await?;
    let groups = (order.no_group || !order.group.is_empty()).then_some(order.group);
    let edit = Edit {
        name: order.name,
        lead_days: order.lead_days.map(|d| d.0),
        longest_embargo_days: order.longest_embargo_days.map(|d| d.0),
        groups,
    };
    let (changed, findings) = distributors::edit(&desk.house, desk.actor, &found, edit).await?;
    desk.print.made(changed.id, &findings)
}

/// How a contact wants its mail.
#[derive(Debug, Args)]
pub struct Wishes {
    /// Subject that stands in CLEAR TEXT on its mails ("[...]" unless said)
    #[arg(long, value_name = "SUBJECT")]
    clear_subject: Option<String>,
    /// Whether it gets the patches (yes unless said)
    #[arg(long, value_name = "yes|no", value_parser = words::yes_or_no())]
    patches: Option<bool>,
    /// Whether it gets proofs of concept (no unless said)
    #[arg(long, value_name = "yes|no", value_parser = words::yes_or_no())]
    poc: Option<bool>,
    /// Whether it gets the machine-readable advisory (yes unless said)
    #[arg(long, value_name = "yes|no", value_parser = words::yes_or_no())]
    json_advisory: Option<bool>,
    /// Telling it obliges us to post to this configured list at T0
    #[arg(long, value_name = "LIST")]
    requires_public_post: Option<String>,
    /// Whether it is asked to show that it can read us: when it is added, and two weeks before
    /// T0 (no unless said; never a list)
    #[arg(long, value_name = "yes|no", value_parser = words::yes_or_no())]
    receipts: Option<bool>,
    /// Whether it gets a cover mail each month: from outside like a notice, inside nothing (no
    /// unless said; never a list)
    #[arg(long, value_name = "yes|no", value_parser = words::yes_or_no())]
    cover: Option<bool>,
    /// Whether each of its notices has a code of its own, which it is told of, and by which
    /// `notice trace` knows a leaked text again (no unless said; never a list)
    #[arg(long, value_name = "yes|no", value_parser = words::yes_or_no())]
    watermark: Option<bool>,
}

impl Wishes {
    /// The profile of a contact that is new.
    pub fn profile(self) -> Profile {
        Profile {
            clear_subject: self.clear_subject,
            without_patches: self.patches == Some(false),
            without_json: self.json_advisory == Some(false),
            poc: self.poc == Some(true),
            requires_public_post: self.requires_public_post,
            receipts: self.receipts == Some(true),
            cover: self.cover == Some(true),
            watermark: self.watermark == Some(true),
        }
    }
}

/// Change what a contact is and what it gets; notice plans that have not told it are void
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak distributor edit-contact Heath --contact security@heath.example --poc yes\n  \
    daybreak distributor edit-contact Openwall --contact distros@vs.example --kind list \
    --clear-subject \"[vs] Upcoming release\" --requires-public-post oss-security")]
pub struct EditContact {
    /// Name or id
    distributor: String,
    /// The address
    #[arg(long, value_name = "ADDRESS")]
    contact: String,
    /// What reads it
    #[arg(long, value_parser = words::contact_kind())]
    kind: Option<ContactKind>,
    #[command(flatten)]
    wishes: Wishes,
    /// Telling it obliges us to no post
    #[arg(long, conflicts_with = "requires_public_post")]
    no_public_post: bool,
}

pub async fn edit_contact(desk: &Desk, order: EditContact) -> anyhow::Result<()> {
    let found = find_distributor(&desk.house, &order.distributor).await?;
    let Wishes {
        clear_subject,
        patches,
        poc,
        json_advisory,
        requires_public_post,
        receipts,
        cover,
        watermark,
    } = order.wishes;
    let post = requires_public_post.map(Some).or(order.no_public_post.then_some(None));
    let edit = ContactEdit {
        kind: order.kind,
        clear_subject: clear_subject.map(|s| (s != CLEAR_SUBJECT).then_some(s)),
        patches,
        poc,
        json_advisory,
        requires_public_post: post,
        receipts,
        cover,
        watermark,
    };
    let (house, actor) = (&desk.house, desk.actor);
    let edited = distributors::edit_contact(house, actor, &found, &order.contact, edit);
    let (changed, findings) = edited.await?;
    desk.print.made(changed.id, &findings)
}

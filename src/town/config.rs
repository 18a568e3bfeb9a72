//! What the town's house is told: the same file that a team would write.

use std::net::SocketAddr;

use super::project::{LINES, NAME};

/// The team's name.
pub const TEAM: &str = "Meadow";
/// The team's address.
pub const ADDRESS: &str = "security@meadow.example";
/// The team's own list, which hears first.
pub const ANNOUNCE: &str = "announce";
/// The list that everybody reads, which hears last.
pub const OSS_SECURITY: &str = "oss-security";

/// Where the public repository lies, as seen from the house: the same in every copy of a town, so
/// that a plan made in one goes to the same place in all.
pub const REPOSITORY: &str = "../world/meadow.git";

/// What differs from town to town.
pub struct Particulars<'a> {
    /// `sqlite:FILE` or `postgres://…`.
    pub database: &'a str,
    /// The mail catcher.
    pub relay: SocketAddr,
    /// Where the public site will listen.
    pub site: SocketAddr,
    /// The section of the upload command.
    pub command: &'a str,
    /// How many people must approve.
    pub approvals: u32,
}

/// The whole `daybreak.toml`.
pub fn text(p: &Particulars<'_>) -> String {
    let Particulars { database, relay, site, command, approvals } = p;
    let branches: Vec<String> = LINES
        .iter()
        .map(|l| format!("{{ name = {:?}, last_release_tag = {:?} }}", l.branch, l.released))
        .collect();
    format!(
        r#"database = {database:?}

[team]
name = "{TEAM}"
address = "{ADDRESS}"

[mail]
host = "{host}"
port = {port}
tls = "none"

[site]
base_url = "http://{site}"
listen = "{site}"

[plans]
notice = {approvals}
headsup = {approvals}
release = {approvals}
publish_now = {approvals}

[clock]
require_sync = false

[repository.{NAME}]
url = "{REPOSITORY}"
branches = [{branches}]

[list.{ANNOUNCE}]
address = "announce@lists.meadow.example"
subject_prefix = "[meadow-announce]"
headsup = true
order = 1

[list.{OSS_SECURITY}]
address = "oss-security@lists.openwall.example"
signing = "clearsign"
headsup = true
order = 9

{command}"#,
        host = relay.ip(),
        port = relay.port(),
        branches = branches.join(", "),
    )
}

//! RSA keys take most of the time in which a town is built: one process makes each of them once
//! for the same person at the same instant. Towns by hand all begin at one instant.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::time::At;
use crate::pgp::{TeamKey, TeamKeyError, samples};

/// By bits, user id and instant.
static MADE: Mutex<BTreeMap<(u32, String, At), TeamKey>> = Mutex::new(BTreeMap::new());

/// RSA with 2048 bits.
pub(super) fn rsa2048(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    kept(2048, user_id, at, samples::rsa2048)
}

/// RSA with 3072 bits.
pub(super) fn rsa3072(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    kept(3072, user_id, at, samples::rsa3072)
}

fn kept(
    bits: u32,
    user_id: &str,
    at: At,
    make: fn(&str, At) -> Result<TeamKey, TeamKeyError>,
) -> Result<TeamKey, TeamKeyError> {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let name = (bits, user_id.to_owned(), at);
    if let Some(key) = made.get(&name) {
        return Ok(key.clone());
    }
    let key = make(user_id, at)?;
    made.insert(name, key.clone());
    Ok(key)
}

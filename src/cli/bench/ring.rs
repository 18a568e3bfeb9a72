//! The recipients and the two team keys: made afresh, thrown away afterwards.

use std::num::NonZero;
use std::thread::{available_parallelism, scope};

use anyhow::Context as _;

use crate::domain::time::At;
use crate::pgp::{TeamKey, samples};

/// Distinct keys at most; more recipients use them in turn.
const DISTINCT: u32 = 100;

/// Kinds of recipients' keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rsa4096,
    P384,
    Cv25519,
}

impl Kind {
    /// Three, one and six of ten.
    const fn of(nth: u32) -> Self {
        match nth % 10 {
            0 | 3 | 6 => Self::Rsa4096,
            8 => Self::P384,
            _ => Self::Cv25519,
        }
    }

    fn make(self, nth: u32, at: At) -> Option<TeamKey> {
        let user = format!("Reader {nth} <{}>", address(nth));
        let made = match self {
            Self::Rsa4096 => samples::rsa4096(&user, at),
            Self::P384 => samples::p384(&user, at),
            Self::Cv25519 => samples::cv25519(&user, at),
        };
        made.ok()
    }
}

fn address(nth: u32) -> String {
    format!("reader-{nth}@larch.example")
}

pub struct Ring {
    keys: Vec<(Kind, TeamKey)>,
    pub ed25519: TeamKey,
    pub rsa4096: TeamKey,
}

impl Ring {
    /// Keys for that many recipients.
    pub fn new(recipients: u32, at: At) -> anyhow::Result<Self> {
        let wanted: Vec<u32> = (0..recipients.min(DISTINCT)).collect();
        let cores = available_parallelism().map_or(1, NonZero::get);
        // The slow ones lie far apart, so that every core gets its share.
        let made: Vec<Option<(Kind, TeamKey)>> = scope(|s| {
            let share = |core: usize| {
                let own: Vec<u32> = wanted.iter().copied().skip(core).step_by(cores).collect();
                s.spawn(move || {
                    let make = |n: u32| Kind::of(n).make(n, at).map(|key| (Kind::of(n), key));
                    own.into_iter().map(make).collect::<Vec<_>>()
                })
            };
            let threads: Vec<_> = (0..cores).map(share).collect();
            let shares = threads.into_iter().map(|t| t.join().unwrap_or_else(|_| vec![None]));
            let mut shares: Vec<_> = shares.map(Vec::into_iter).collect();
            // One of each share in turn is the order in which they were wanted.
            let turns = wanted.iter().zip((0..cores).cycle());
            turns.map(|(_, core)| shares.get_mut(core)?.next().flatten()).collect()
        });
        let keys: Option<Vec<_>> = made.into_iter().collect();
        Ok(Self {
            keys: keys.context("the keys cannot be made")?,
            ed25519: samples::cv25519("Team <ed25519@meadow.example>", at)?,
            rsa4096: samples::rsa4096("Team <rsa4096@meadow.example>", at)?,
        })
    }

    /// All distinct recipients.
    pub fn keys(&self) -> impl Iterator<Item = &TeamKey> {
        self.keys.iter().map(|(_, key)| key)
    }

    /// All distinct recipients with their addresses.
    pub fn people(&self) -> impl Iterator<Item = (String, &TeamKey)> {
        (0_u32..).map(address).zip(self.keys())
    }

    pub fn one_of_each_kind(&self) -> impl Iterator<Item = &TeamKey> {
        let kinds = [Kind::Rsa4096, Kind::P384, Kind::Cv25519];
        kinds
            .into_iter()
            .filter_map(|kind| self.keys.iter().find(|(own, _)| *own == kind).map(|(_, key)| key))
    }

    /// Which part of the recipients has that kind of key.
    pub fn share(&self, kind: Kind) -> f64 {
        let many = self.keys.iter().filter(|(own, _)| *own == kind).count();
        many as f64 / self.keys.len().max(1) as f64
    }
}

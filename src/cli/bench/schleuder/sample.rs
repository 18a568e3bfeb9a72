//! One mail to each kind of key, opened by gpg: readable, signed by the right key, and with the
//! whole text in it.

use std::slice::from_ref;

use anyhow::{Context as _, ensure};

use super::super::gpg::Home;
use super::super::ring::Ring;
use crate::clock::{Clock as _, SystemClock};
use crate::pgp::{Certificate, TeamKey};
use crate::town::catcher::Caught;
use crate::town::people::decrypt;

const BEGIN: &str = "-----BEGIN PGP MESSAGE-----";
const END: &str = "-----END PGP MESSAGE-----";

/// One subscriber with each kind of key.
pub struct Readers {
    home: Home,
    people: Vec<(String, TeamKey)>,
}

impl Readers {
    pub async fn new(ring: &Ring, team: &Certificate) -> anyhow::Result<Self> {
        let home = Home::new()?;
        for certificate in [&ring.ed25519.certificate, &ring.rsa4096.certificate, team] {
            home.import(certificate.armored().as_bytes()).await?;
        }
        let mut people = Vec::new();
        for one in ring.one_of_each_kind() {
            home.import(&one.secret).await?;
            let fingerprint = one.certificate.fingerprint();
            let mut named =
                ring.people().filter(|(_, k)| k.certificate.fingerprint() == fingerprint);
            let (address, key) = named.next().context("a reader is not subscribed")?;
            people.push((address, key.clone()));
        }
        Ok(Self { home, people })
    }

    pub async fn open(
        &self,
        mails: &[Caught],
        signer: &Certificate,
        text: &str,
    ) -> anyhow::Result<()> {
        for (address, key) in &self.people {
            let mail = mails.iter().find(|mail| mail.to == from_ref(address).to_vec());
            let mail = mail.context("a reader got no mail")?;
            let sealed = armor(&mail.bytes).context("a mail is not sealed")?;
            let opened = self.home.open(sealed.as_bytes(), &signer.fingerprint()).await?;
            // gpg judges the OpenPGP of it; what is inside is MIME, which we read ourselves.
            let letter = decrypt(&mail.bytes, from_ref(key), signer, SystemClock::new().wall())?;
            ensure!(letter.entity == opened, "gpg opens a sample to something else");
            let inside = String::from_utf8_lossy(&opened).replace("\r\n", "\n");
            let said = |line: &str| letter.text.contains(line) || inside.contains(line);
            ensure!(text.lines().all(said), "a sample does not hold the whole text");
        }
        Ok(())
    }
}

/// The OpenPGP message in a mail.
fn armor(mail: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(mail);
    let (inside, _) = text.split_once(BEGIN)?.1.split_once(END)?;
    Some(format!("{BEGIN}{inside}{END}\r\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn armor_is_found_in_a_mail() {
        let mail = format!("To: a\r\n\r\n{}\r\n\r\nAAAA\r\n{}\r\n--x--", super::BEGIN, super::END);
        let armor = super::armor(mail.as_bytes()).unwrap();
        assert!(armor.starts_with(super::BEGIN) && armor.contains("AAAA"));
        assert!(super::armor(b"To: a\r\n\r\nhello").is_none());
    }
}

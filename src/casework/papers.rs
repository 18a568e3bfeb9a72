//! What the team shows whatever is published: its certificate and security.txt.
//!
//! security.txt is made, signed and kept as a file, never on the way to a reader: a signer
//! may ask for a PIN, and a signature made anew would change bytes without any news.

use std::io::Write as _;
use std::path::Path;

use super::opening::TEAM_CERTIFICATE;
use super::{Case, CaseError, House};
use crate::domain::time::{At, Span};
use crate::formats::security_txt;
use crate::formats::tree::Papers;

/// The file in the data directory. Anybody may read it: it is on the site.
pub const SECURITY_TXT: &str = "security.txt";
/// RFC 9116 section 2.5.5: less than a year ahead.
const LIFE: Span = Span::days(300);
/// It is made anew when it has less left: readers dislike dates that are near.
const ENOUGH: Span = Span::days(60);

/// How a call to [`renew`] went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// What is there is good.
    NotNeeded,
    /// A new one was made and signed.
    Signed,
    /// A new one was made, and the signer did not sign it. An unsigned one is valid, too.
    Unsigned,
}

/// The papers in a data directory as they are now. Reads two small files.
pub async fn read(dir: &Path) -> Case<Papers> {
    let read = async |name| {
        let bytes = tokio::fs::read(dir.join(name)).await;
        bytes.map_err(|e| CaseError::machine("reading the team's papers", e.kind()))
    };
    Ok(Papers {
        certificate: read(TEAM_CERTIFICATE).await?,
        security_txt: read(SECURITY_TXT).await?,
    })
}

/// Makes security.txt if there is none, if it says something else than the configuration, or
/// if it ends soon. Call it at start and daily; a signer behind a card is asked only then.
pub async fn renew(house: &House) -> Case<Renewed> {
    let now = house.now();
    if let Ok(there) = tokio::fs::read_to_string(house.dir.join(SECURITY_TXT)).await
        && expiry(&there)
            .is_some_and(|at| at.since(now) > ENOUGH && there.contains(&text(house, at)))
    {
        return Ok(Renewed::NotNeeded);
    }
    // Whole days: the hour of the house's last start is nobody's business.
    let days = now.plus(LIFE).secs().div_euclid(86_400);
    let text = text(house, At::from_secs(days.saturating_mul(86_400)));
    let signed = house.keys.checksums.clearsign(text.as_bytes(), now).await;
    let how = if signed.is_ok() { Renewed::Signed } else { Renewed::Unsigned };
    let bytes = signed.unwrap_or_else(|_| text.into_bytes());
    let dir = house.dir.clone();
    let write = move || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&dir)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(dir.join(SECURITY_TXT)).map_err(|e| e.error)?;
        Ok(())
    };
    let failed = |kind| CaseError::machine("writing security.txt", kind);
    tokio::task::spawn_blocking(write)
        .await
        .map_err(|_| failed(std::io::ErrorKind::Other))?
        .map_err(|e| failed(e.kind()))?;
    Ok(how)
}

fn text(house: &House, expires: At) -> String {
    let file = security_txt::render(&house.config.team, &house.config.site, expires);
    String::from_utf8_lossy(&file.bytes).into_owned()
}

fn expiry(text: &str) -> Option<At> {
    text.lines().find_map(|l| l.strip_prefix("Expires: ")).and_then(At::parse_rfc3339)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::casework::opening::{KeySource, Setup, create, open};
    use crate::clock::{Clock, Generator, SystemClock};

    fn house(dir: &std::path::Path) -> House {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let setup = Setup {
            name: "Meadow".into(),
            address: "security@meadow.example".into(),
            base_url: "https://security.meadow.example".into(),
            database: "sqlite:daybreak.sqlite".into(),
            threshold: 1,
            key: KeySource::Generate,
        };
        create(dir, &setup, clock.as_ref()).unwrap();
        open(dir, clock, Arc::new(Generator::from_seed([1; 32]))).unwrap()
    }

    #[tokio::test]
    async fn it_is_signed_once_and_made_anew_when_it_no_longer_holds() {
        let dir = tempfile::tempdir().unwrap();
        let mut house = house(&dir.path().join("house"));
        assert!(read(&house.dir).await.is_err());
        assert_eq!(renew(&house).await.unwrap(), Renewed::Signed);
        let papers = read(&house.dir).await.unwrap();
        let text = String::from_utf8(papers.security_txt.clone()).unwrap();
        assert!(text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----"), "{text}");
        assert!(text.contains("\nContact: mailto:security@meadow.example\n"), "{text}");
        assert!(papers.certificate.starts_with(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"));
        let left = expiry(&text).unwrap().since(house.now());
        assert!(left > Span::days(298) && left <= LIFE);

        assert_eq!(renew(&house).await.unwrap(), Renewed::NotNeeded);
        assert_eq!(read(&house.dir).await.unwrap(), papers, "the same bytes");

        house.config.site.contact = Some("https://meadow.example/report".into());
        assert_eq!(renew(&house).await.unwrap(), Renewed::Signed, "another contact");
        let soon = house.now().plus(Span::days(59)).rfc3339();
        let path = house.dir.join(SECURITY_TXT);
        let there = std::fs::read_to_string(&path).unwrap();
        let date = there.lines().find(|l| l.starts_with("Expires: ")).unwrap().to_owned();
        std::fs::write(&path, there.replace(&date, &format!("Expires: {soon}"))).unwrap();
        assert_eq!(renew(&house).await.unwrap(), Renewed::Signed, "it ended soon");
    }
}

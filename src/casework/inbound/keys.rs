//! How this house opens mail: with the team's key file, or, where that key lives with gpg, by
//! asking gpg for the session key alone. Opening, bounds and judgement are the same for both.

use crate::casework::opening::{TEAM_CERTIFICATE, TEAM_KEY, team_key};
use crate::casework::{Case, CaseError, House, members};
use crate::config::SignerChoice;
use crate::domain::time::At;
use crate::pgp::{Certificate, OpenError, TeamKey, Unsealed, excerpt, unseal, unseal_given};
use crate::signing::GpgOpener;

pub(super) enum Keys {
    /// The file in the data directory.
    Resident(TeamKey),
    /// gpg, for the certificate beside it.
    Gpg(GpgOpener, Box<Certificate>),
}

impl Keys {
    /// `None` when no key of the team can be reached from here.
    pub(super) fn of(house: &House) -> Case<Option<Self>> {
        if house.dir.join(TEAM_KEY).exists() {
            return team_key(&house.dir).map(|key| Some(Self::Resident(key)));
        }
        let signing = &house.config.signing;
        let all = [&signing.notice, &signing.tag, &signing.post, &signing.checksums];
        let gpg = all.into_iter().find_map(|choice| match choice {
            SignerChoice::Gpg { home, .. } => Some(home.clone()),
            SignerChoice::Resident => None,
        });
        let Some(home) = gpg else { return Ok(None) };
        let bytes = std::fs::read(house.dir.join(TEAM_CERTIFICATE))
            .map_err(|e| CaseError::machine("reading team.asc", e.kind()))?;
        let certificate = members::import(TEAM_CERTIFICATE, &bytes)?;
        let opener = GpgOpener::new(home, std::sync::Arc::clone(&house.clock));
        Ok(Some(Self::Gpg(opener, Box::new(certificate))))
    }

    pub(super) async fn open(
        &self,
        message: &[u8],
        certs: &[Certificate],
        now: At,
    ) -> Result<Unsealed, OpenError> {
        let (opener, certificate) = match self {
            Self::Resident(key) => return unseal(message, std::slice::from_ref(key), certs, now),
            Self::Gpg(opener, certificate) => (opener, certificate),
        };
        let excerpt = excerpt(message, certificate)?;
        match opener.session_key(excerpt).await {
            Ok(key) => unseal_given(message, &key, certificate, certs, now),
            Err(error) => {
                tracing::warn!(%error, "a mail stays closed");
                Err(OpenError::NotForUs)
            }
        }
    }
}

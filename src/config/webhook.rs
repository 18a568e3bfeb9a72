//! Who is called when a disclosure is public, as Standard Webhooks 1.0 describes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Expiry, check_name};

/// One receiver.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name in plans.
    pub name: String,
    /// Where it is called: `https://`, or `http://` on this machine.
    pub url: String,
    /// File that holds its secret, `whsec_` and base64. Two lines while it is being changed:
    /// the new one, then the old one.
    pub secret_file: PathBuf,
    /// The day from which on that secret is not counted on.
    #[serde(default)]
    pub expires: Option<Expiry>,
}

impl Webhook {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_name("webhook.name", &self.name)?;
        check_web(&format!("webhook {}: url", self.name), &self.url)
    }
}

pub(super) fn check_all(webhooks: &[Webhook]) -> Result<(), ConfigError> {
    for (place, webhook) in webhooks.iter().enumerate() {
        webhook.check()?;
        if webhooks.iter().take(place).any(|w| w.name == webhook.name) {
            return Err(ConfigError::Wrong {
                field: "webhook.name".to_owned(),
                wrong: format!("is `{}` twice", webhook.name),
                right: "give each receiver a name of its own".to_owned(),
            });
        }
    }
    Ok(())
}

/// Refuses an address that is not one of the web, that others on the way could read or
/// answer, or that holds a password.
pub(super) fn check_web(field: &str, url: &str) -> Result<(), ConfigError> {
    if is_web(url) {
        return Ok(());
    }
    Err(ConfigError::Wrong {
        field: field.to_owned(),
        wrong: "is not a usable web address".to_owned(),
        right: "use https://host/path, without user or password; http:// only on this machine"
            .to_owned(),
    })
}

fn is_web(url: &str) -> bool {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let here =
        || host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    !host.is_empty()
        && !authority.contains('@')
        && url.chars().all(|c| c.is_ascii_graphic() && !"<>\"'\\#".contains(c))
        && (secure || here())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_keep_a_call_private_pass() {
        for good in [
            "https://hooks.example/a?b=c",
            "https://[2001:db8::1]:8443/",
            "http://127.0.0.1:80/x",
            "http://[::1]/x",
            "http://localhost:9",
        ] {
            assert!(check_web("x", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "hooks.example",
            "ftp://hooks.example/",
            "http://hooks.example/",
            "http://127.0.0.1.example/",
            "http://localhost@hooks.example/",
            "https://user:secret@hooks.example/",
            "https:///x",
            "https://a b/",
        ] {
            assert!(check_web("x", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        let hook = |name: &str| Webhook {
            name: name.to_owned(),
            url: "https://hooks.example/".to_owned(),
            secret_file: PathBuf::from("/etc/daybreak/hook"),
            expires: None,
        };
        assert!(check_all(&[hook("a"), hook("b")]).is_ok());
        assert!(check_all(&[hook("a"), hook("a")]).is_err());
        assert!(check_all(&[hook("a b")]).is_err());
    }
}

//! `/.well-known/security.txt` (RFC 9116), unsigned: the caller clearsigns it and makes it
//! anew before it expires.

use super::Document;
use super::links::{CERTIFICATE, SECURITY_TXT};
use crate::config::{Site, Team};
use crate::domain::time::At;

/// The file, `security.txt`. RFC 9116 section 2.5.5: `expires` should be less than a year ahead.
pub fn render(team: &Team, site: &Site, expires: At) -> Document {
    let contact = site.contact.as_deref().unwrap_or(&team.address);
    let contact =
        if contact.contains("://") { contact.to_owned() } else { format!("mailto:{contact}") };
    let mut text = format!(
        "Contact: {contact}\nExpires: {}\nEncryption: {}{CERTIFICATE}\n\
         Preferred-Languages: en\nCanonical: {}{SECURITY_TXT}\n",
        expires.rfc3339(),
        site.base_url,
        site.base_url,
    );
    if let Some(policy) = &site.policy_url {
        text.push_str(&format!("Policy: {policy}\n"));
    }
    let one_line_a_field: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    Document::new(
        "security.txt",
        "text/plain; charset=utf-8",
        one_line_a_field.into_bytes(),
        Vec::new(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_fields_of_rfc_9116() {
        let config = Config::parse(
            "[team]\nname = \"Meadow\"\naddress = \"security@meadow.example\"\n\
             [mail]\nhost = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n\
             [site]\nbase_url = \"https://s.example\"\npolicy_url = \"https://s.example/policy\"\n",
        )
        .unwrap();
        let expires = At::parse_rfc3339("2027-06-01T00:00:00Z").unwrap();
        let file = render(&config.team, &config.site, expires);
        assert_eq!(
            String::from_utf8(file.bytes).unwrap(),
            "Contact: mailto:security@meadow.example\nExpires: 2027-06-01T00:00:00Z\n\
             Encryption: https://s.example/certificate.asc\nPreferred-Languages: en\n\
             Canonical: https://s.example/.well-known/security.txt\n\
             Policy: https://s.example/policy\n"
        );
    }
}

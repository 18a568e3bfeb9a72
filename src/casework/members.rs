//! The team: who may approve.

use super::{Case, CaseError, House};
use crate::domain::address;
use crate::domain::deed::Actor;
use crate::domain::finding::Finding;
use crate::domain::ids::{CertificateId, MemberId};
use crate::domain::party::{HeldCertificate, Member, MemberRecord};
use crate::domain::secret::{Embargoed, Reason};
use crate::pgp::Certificate;

/// Adds somebody who may approve. Their certificate must be able to sign now.
pub async fn add(
    house: &House,
    actor: Actor,
    name: &str,
    address: &str,
    certificate: &[u8],
) -> Case<Member> {
    check_name("name", name)?;
    check_address("address", address)?;
    let certificate = import("certificate", certificate)?;
    if certificate.valid_signing_fingerprints(house.now()).is_empty() {
        return Err(CaseError::Blocked(vec![
            Finding::stop("cert-cannot-sign", "certificate", "it holds no key that can sign now")
                .cure("renew it, or give another certificate: approvals are signatures"),
        ]));
    }
    let held = hold(house, &certificate);
    let same = |m: &Member| {
        let record = m.record.open(Reason::Judging);
        record.certificate.fingerprint == held.fingerprint || record.name == name
    };
    if list(house).await?.iter().any(same) {
        return Err(CaseError::invalid(
            "name",
            "or certificate belongs to a member already",
            "each person is one member with one certificate of their own",
        ));
    }
    let record =
        MemberRecord { name: name.to_owned(), address: address.to_owned(), certificate: held };
    let member =
        Member { id: house.fresh(MemberId::new), active: true, record: Embargoed::new(record) };
    let deed = house.deed(actor, "member-add", member.id);
    let added = member.clone();
    house.store.write(&deed, move |tx| tx.add_member(&added)).await?;
    Ok(member)
}

/// Everybody who may approve.
pub async fn list(house: &House) -> Case<Vec<Member>> {
    Ok(house.store.read(|r| r.members()).await?)
}

/// What the team reads is sealed to these: the certificates of its active members.
pub(super) async fn readers(house: &House) -> Case<Vec<Certificate>> {
    let members = house.store.read(|r| r.members()).await?;
    let active = members.iter().filter(|m| m.active);
    active.map(|m| recall(&m.record.open(Reason::Dispatch).certificate)).collect()
}

/// A certificate as we keep it.
pub(super) fn hold(house: &House, certificate: &Certificate) -> HeldCertificate {
    HeldCertificate {
        id: house.fresh(CertificateId::new),
        fingerprint: certificate.fingerprint().to_string(),
        armored: certificate.armored(),
        added_at: house.now(),
        retired_at: None,
        change: None,
        shared: None,
    }
}

/// A certificate from a file's bytes.
pub(super) fn import(field: &str, bytes: &[u8]) -> Case<Certificate> {
    Certificate::import(bytes)
        .map_err(|e| CaseError::invalid(field, "cannot be used", e.to_string()))
}

/// A kept certificate, read again.
pub(super) fn recall(held: &HeldCertificate) -> Case<Certificate> {
    import("certificate", held.armored.as_bytes())
}

pub(super) fn check_name(field: &str, name: &str) -> Case<()> {
    if name.trim().is_empty() || name.chars().any(char::is_control) || name.len() > 200 {
        return Err(CaseError::invalid(
            field,
            "is empty, too long or has a line break",
            "write a name on one line",
        ));
    }
    Ok(())
}

pub(super) fn check_address(field: &str, text: &str) -> Case<()> {
    if address::is_plain(text) {
        return Ok(());
    }
    Err(CaseError::invalid(
        field,
        "is no plain mail address",
        "write name@host without display name, spaces, line breaks or brackets",
    ))
}

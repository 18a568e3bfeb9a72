//! Things to put into a store, with planted words in every secret field.

use daybreak::domain::advisory::AdvisoryText;
use daybreak::domain::approval::Approval;
use daybreak::domain::blob::Sha256;
use daybreak::domain::disclosure::{Case, Disclosure};
use daybreak::domain::ids::{
    AdvisoryId, ApprovalId, CertificateId, DisclosureId, DistributorId, MemberId, PlanId, StepId,
};
use daybreak::domain::party::{
    Distributor, DistributorRecord, HeldCertificate, Member, MemberRecord,
};
use daybreak::domain::plan::{Phase, Plan, PlanKind, PlanState, Step};
use daybreak::domain::secret::Embargoed;
use daybreak::domain::stage::Stage;
use daybreak::domain::zone::T0;
use daybreak::store::{Store, StoreError};

use crate::ground::{at, deed};

/// What must never be found in a raw database.
pub const WORD: &str = "zanzibar";

pub fn member(n: u8) -> Member {
    let certificate = HeldCertificate {
        id: CertificateId::new(at(0), [n; 10]),
        fingerprint: format!("{WORD} fingerprint"),
        armored: format!("{WORD} armor"),
        added_at: at(0),
        retired_at: None,
        change: None,
        shared: None,
    };
    let record =
        MemberRecord { name: format!("{WORD} {n}"), address: format!("{WORD}@x.org"), certificate };
    Member { id: MemberId::new(at(0), [n; 10]), active: true, record: Embargoed::new(record) }
}

pub fn distributor(n: u8) -> Distributor {
    let record = DistributorRecord {
        name: format!("{WORD} linux"),
        lead_days: Some(3),
        longest_embargo_days: None,
        groups: vec![],
        contacts: vec![],
    };
    Distributor {
        id: DistributorId::new(at(0), [n; 10]),
        revision: 1,
        active: true,
        record: Embargoed::new(record),
    }
}

pub fn advisory_id(n: u8) -> AdvisoryId {
    AdvisoryId::new(at(0), [n; 10])
}

pub fn text(public_id: &str) -> Embargoed<AdvisoryText> {
    Embargoed::new(AdvisoryText {
        public_id: public_id.to_owned(),
        title: format!("{WORD} overflow"),
        description: format!("{WORD} in the parser"),
        ..AdvisoryText::default()
    })
}

pub fn disclosure(n: u8) -> Disclosure {
    let case = Case { without_notice: Some(format!("{WORD} reason")), ..Case::default() };
    Disclosure {
        id: DisclosureId::new(at(0), [n; 10]),
        revision: 1,
        stage: Stage::Drafting,
        t0: Some(T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap()),
        created_at: at(0),
        case: Embargoed::new(case),
    }
}

pub fn plan(n: u8) -> Plan {
    let manifest = format!("daybreak-plan 1\nsalt {n}\n{WORD}\n");
    Plan {
        id: PlanId::new(at(0), [n; 10]),
        disclosure: disclosure(1).id,
        number: i64::from(n),
        kind: PlanKind::Release,
        state: PlanState::Made,
        held: false,
        t0: at(1000),
        made_at: at(0),
        digest: Sha256::of(manifest.as_bytes()),
        manifest: Embargoed::new(manifest),
    }
}

pub fn steps(plan: u8) -> Vec<Step> {
    use daybreak::domain::action::Action;
    let id = |n: u8| {
        let mut random = [plan; 10];
        random[9] = n;
        StepId::new(at(0), random)
    };
    let step = |n: u8, after: Vec<StepId>| Step {
        id: id(n),
        outlet: "person".to_owned(),
        phase: Phase::Gate,
        not_before: at(1000),
        after,
        action: Action::Ask {
            owner: String::new(),
            deputy: String::new(),
            instruction: WORD.to_owned(),
            paste: String::new(),
            due: at(2000),
        },
        sealing: None,
        on_move: None,
    };
    vec![step(1, vec![]), step(2, vec![id(1)]), step(3, vec![id(1), id(2)])]
}

pub fn approval(n: u8, plan: PlanId, by: MemberId) -> Approval {
    let id = ApprovalId::new(at(0), [n; 10]);
    let signed = Embargoed::new(format!("{WORD} signature").into_bytes());
    Approval { id, plan, member: by, at: at(i64::from(n)), signed }
}

/// One of everything that others refer to: member 1, advisory 1, disclosure 1, plan 1.
pub async fn furnish(store: &Store) {
    store
        .write(&deed().detail(format!("{WORD} particulars")), |tx| -> Result<(), StoreError> {
            tx.add_member(&member(1))?;
            tx.add_distributor(&distributor(1))?;
            tx.add_advisory(advisory_id(1), &text(&format!("{WORD}-1")))?;
            tx.add_disclosure(&disclosure(1))?;
            tx.add_plan(&plan(1), &steps(1))
        })
        .await
        .unwrap();
}

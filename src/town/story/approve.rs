//! How a maintainer says yes: the approval text, signed in one of three forms.

use crate::casework::approvals::{self, Approved};
use crate::casework::{CaseError, plans};
use crate::domain::plan::Plan;
use crate::pgp::{ResidentSigner, Signer as _};
use crate::town::people::Maintainer;
use crate::town::{Town, TownError};

/// The form of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A signature in a file of its own.
    Detached,
    /// Readable text with a signature below.
    Clearsigned,
    /// An OpenPGP message that holds the text.
    Inline,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Detached, Self::Clearsigned, Self::Inline];
}

/// What a maintainer hands in to approve `plan`.
pub async fn sign(
    town: &Town,
    plan: &Plan,
    who: &Maintainer,
    form: Form,
) -> Result<Vec<u8>, TownError> {
    let text = plans::approval_text(plan)?;
    let (text, now) = (text.as_bytes(), town.house.now());
    let signer = ResidentSigner::new(&who.key)?;
    let signed = match form {
        Form::Detached => signer.detach(text, now).await,
        Form::Clearsigned => signer.clearsign(text, now).await,
        Form::Inline => signer.sign_message(text, &[], now).await,
    };
    Ok(signed.map_err(|e| CaseError::machine("signing an approval", e))?)
}

/// One maintainer approves.
pub async fn approve(
    town: &Town,
    plan: &Plan,
    who: &Maintainer,
    form: Form,
) -> Result<Approved, TownError> {
    let signed = sign(town, plan, who, form).await?;
    Ok(approvals::approve(&town.house, &signed, None).await?)
}

/// As many maintainers approve as the plan needs; the plan as it is then.
pub async fn approve_by_all(town: &Town, plan: &Plan) -> Result<Plan, TownError> {
    let mut plan = plan.clone();
    for (who, form) in
        town.people.maintainers().into_iter().zip([Form::Clearsigned, Form::Detached])
    {
        let approved = approve(town, &plan, who, form).await?;
        plan = approved.plan;
        if approved.given >= approved.needed {
            break;
        }
    }
    Ok(plan)
}

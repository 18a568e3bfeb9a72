//! What a plan pins for branches that may move: who commits and what is said. What cannot be
//! done on the day stops here.

use crate::casework::candidates::committer;
use crate::casework::{Case, CaseError, House};
use crate::domain::disclosure::{Candidate, Case as Content};
use crate::domain::finding::Finding;
use crate::domain::plan::OnMove;
use crate::domain::remake::{Remake, Way};

/// What the configuration says of a candidate's branch.
pub(in crate::casework) fn on_move_of(house: &House, candidate: &Candidate) -> Case<OnMove> {
    let repository = house.repository(&candidate.branch.repository)?;
    Ok(repository.branch(&candidate.branch.branch).map(|b| b.on_move).unwrap_or_default())
}

/// What is made of the candidate when its branch moved.
pub(in crate::casework) fn remake_of(
    house: &House,
    candidate: &Candidate,
    on_move: OnMove,
) -> Case<Option<Remake>> {
    on_move.way().map(|way| remade(house, candidate, way)).transpose()
}

/// What is made of it that way.
pub(in crate::casework) fn remade(house: &House, candidate: &Candidate, way: Way) -> Case<Remake> {
    let committer = committer(house, &candidate.branch)?;
    let says = match way {
        Way::Reapply => String::new(),
        Way::Merge => {
            let subject = candidate.commits.last().map(|c| c.subject.as_str());
            format!(
                "Merge: {}\n\nThe branch had moved when this was published. The second parent is\n\
                 the commit that was prepared for it.\n",
                subject.unwrap_or("prepared commit")
            )
        }
    };
    let (name, address) = (committer.name().to_owned(), committer.address().to_owned());
    Ok(Remake { way, name, address, says, at: None })
}

/// What is to be said of it before anybody approves.
pub(super) async fn weighed(house: &House, content: &Content) -> Case<Vec<Finding>> {
    let mut all = Vec::new();
    for candidate in &content.candidates {
        let on_move = on_move_of(house, candidate)?;
        let Some(remake) = remake_of(house, candidate, on_move)? else { continue };
        let place = candidate.branch.to_string();
        if let (Way::Reapply, Some(tag)) = (remake.way, &candidate.tag) {
            all.push(
                Finding::stop(
                    "reapply-tagged",
                    &place,
                    format!("tag {} names a commit that would not be on the branch", tag.name),
                )
                .cure("set `on_move` of this branch to merge, hold or leave"),
            );
            continue;
        }
        if remake.way == Way::Reapply {
            all.push(Finding::note(
                "reapply-other-ids",
                &place,
                "if this branch moves, its commits get other ids than those that pages and posts name",
            ));
        }
        let git = |e| CaseError::machine("reading the candidate", e);
        let workshop = house.workshop(&candidate.branch.repository)?;
        if remake.way == Way::Reapply {
            let id = candidate.bundle;
            let bundle = house.store.read(move |r| r.blob(id)).await?.bytes;
            let holds = workshop.holds_merges(&bundle, &candidate.base, &candidate.tip).await;
            if holds.map_err(git)? {
                all.push(
                    Finding::stop(
                        "reapply-merges",
                        &place,
                        "the candidate holds a merge, which cannot be applied again",
                    )
                    .cure("set `on_move` of this branch to merge, hold or leave"),
                );
            }
        }
        if workshop.is_signed(&candidate.base).await.map_err(git)? {
            let what = match remake.way {
                Way::Merge => "a merge made on the day carries no signature",
                Way::Reapply => "commits applied again on the day carry no signature",
            };
            all.push(
                Finding::warn(
                    "remake-unsigned",
                    &place,
                    format!("commits of this branch are signed; {what}"),
                )
                .cure("see that the repository takes it, or set `on_move` to hold or leave"),
            );
        }
    }
    Ok(all)
}

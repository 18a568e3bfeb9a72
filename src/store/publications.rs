//! What makes things public: one GO or ABORT a plan, one publication an advisory, and the
//! finished documents. The public surface derives from these rows and nothing else.

use diesel::prelude::*;

use super::schema::{documents, gos, publications};
use super::tx::parse;
use super::{Reader, StoreError, Tx};
use crate::domain::ids::{AdvisoryId, PlanId};
use crate::domain::plan::PlanKind;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

/// The one word on a plan with public effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its effects may begin.
    Go,
    /// They never will.
    Abort,
}

impl Decision {
    const fn word(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::Abort => "ABORT",
        }
    }

    /// What its sealed cell is bound to: the word too, so that none can be made of the other.
    fn row(self, plan: PlanId) -> String {
        format!("{plan}/{}", self.word())
    }
}

/// What the engine wrote as a GO's reason before the cell was bound to the word.
const GO_REASONS: [&str; 3] = ["T0", "lifted early", "headsup"];

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// GO or ABORT.
    pub decision: Decision,
    /// When.
    pub at: At,
    /// The leader's epoch; 0 when a person decided.
    pub epoch: i64,
    /// Why.
    pub reason: Embargoed<String>,
}

/// One advisory the world may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Which.
    pub advisory: AdvisoryId,
    /// By which plan's GO.
    pub plan: PlanId,
    /// When.
    pub at: At,
}

/// One finished document of an advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// File name, unique to the advisory.
    pub name: String,
    /// Place among the advisory's documents.
    pub position: i32,
    /// Media type.
    pub media_type: String,
    /// The bytes: embargoed until there is a publication.
    pub bytes: Embargoed<Vec<u8>>,
}

impl Reader<'_> {
    /// What was decided on a plan, if anything was.
    pub fn decided(&mut self, plan: PlanId) -> Result<Option<Decided>, StoreError> {
        type Row = (String, i64, i64, Vec<u8>);
        let found = gos::table.find(plan.to_string());
        let row = found.select((gos::value, gos::at, gos::epoch, gos::sealed));
        let Some((value, at, epoch, sealed)) = row.first::<Row>(self.conn).optional()? else {
            return Ok(None);
        };
        let decision = [Decision::Go, Decision::Abort].into_iter().find(|d| d.word() == value);
        let decision = decision.ok_or_else(|| StoreError::inconsistent("gos", plan, "value"))?;
        let reason = match self.unseal("gos", decision.row(plan), &sealed) {
            Err(StoreError::Inconsistent { .. }) => self.reason_before(plan, decision, &sealed)?,
            other => other?,
        };
        let reason = Embargoed::new(reason);
        Ok(Some(Decided { decision, at: At::from_millis(at), epoch, reason }))
    }

    /// The reason as rows sealed it that were bound to their plan alone. The engine has few
    /// words for a GO: nobody makes one of a person's ABORT.
    fn reason_before(
        &mut self,
        plan: PlanId,
        decision: Decision,
        sealed: &[u8],
    ) -> Result<String, StoreError> {
        let reason: String = self.unseal("gos", plan, sealed)?;
        match decision {
            Decision::Go if !GO_REASONS.contains(&reason.as_str()) => {
                Err(StoreError::inconsistent("gos", plan, "value"))
            }
            _ => Ok(reason),
        }
    }

    /// Everything public, oldest first.
    pub fn publications(&mut self) -> Result<Vec<Publication>, StoreError> {
        let rows = publications::table.order((publications::at, publications::advisory)).load::<(
            String,
            String,
            i64,
        )>(
            self.conn,
        )?;
        let as_publication = |(advisory, plan, at): (String, String, _)| {
            Ok(Publication {
                advisory: parse(&advisory, "publications", &advisory, "advisory")?,
                plan: parse(&plan, "publications", &advisory, "plan")?,
                at: At::from_millis(at),
            })
        };
        rows.into_iter().map(as_publication).collect()
    }

    /// How many advisories are public, and since when the newest is. None is ever taken back, so
    /// this changes exactly when the set does.
    pub fn publication_count(&mut self) -> Result<(i64, Option<At>), StoreError> {
        let rows = publications::table.count().get_result(self.conn)?;
        let newest: Option<i64> =
            publications::table.select(diesel::dsl::max(publications::at)).first(self.conn)?;
        Ok((rows, newest.map(At::from_millis)))
    }

    /// Whether one advisory is public.
    pub fn is_published(&mut self, advisory: AdvisoryId) -> Result<bool, StoreError> {
        let row = publications::table.find(advisory.to_string()).select(publications::advisory);
        Ok(row.first::<String>(self.conn).optional()?.is_some())
    }

    /// An advisory's finished documents, in order.
    pub fn documents(&mut self, advisory: AdvisoryId) -> Result<Vec<StoredDocument>, StoreError> {
        type Row = (String, i32, String, Vec<u8>);
        let rows = documents::table
            .filter(documents::advisory.eq(advisory.to_string()))
            .order((documents::position, documents::name))
            .select((
                documents::name,
                documents::position,
                documents::media_type,
                documents::sealed,
            ))
            .load::<Row>(self.conn)?;
        let as_document = |(name, position, media_type, sealed): Row| {
            let row = format!("{advisory}/{name}");
            let bytes = Embargoed::new(self.unseal_bytes("documents", row, &sealed)?);
            Ok(StoredDocument { name, position, media_type, bytes })
        };
        rows.into_iter().map(as_document).collect()
    }
}

impl Tx<'_> {
    /// The one word on a plan, at the deed's time; `AlreadyDecided` to whoever comes second.
    pub fn decide(
        &mut self,
        plan: PlanId,
        decision: Decision,
        epoch: i64,
        reason: &Embargoed<String>,
    ) -> Result<(), StoreError> {
        let row = (
            gos::plan.eq(plan.to_string()),
            gos::value.eq(decision.word()),
            gos::at.eq(self.deed.at.millis()),
            gos::epoch.eq(epoch),
            gos::sealed.eq(self.seal("gos", decision.row(plan), reason.open(Reason::Sealing))?),
        );
        match diesel::insert_into(gos::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::AlreadyDecided)),
        }
    }

    /// Makes one advisory public by a plan's GO, at GO's own time: a repeat after a crash says
    /// the same. `NotFound` without one: a Headsup's GO makes nothing public on the site.
    pub fn publish(&mut self, advisory: AdvisoryId, plan: PlanId) -> Result<(), StoreError> {
        let at = match self.decided(plan)? {
            Some(Decided { decision: Decision::Go, at, .. })
                if self.plan(plan)?.kind != PlanKind::Headsup =>
            {
                at
            }
            _ => return Err(StoreError::NotFound("GO")),
        };
        let row = (
            publications::advisory.eq(advisory.to_string()),
            publications::plan.eq(plan.to_string()),
            publications::at.eq(at.millis()),
        );
        match diesel::insert_into(publications::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("publication"))),
        }
    }

    /// Keeps one finished document of an advisory.
    pub fn add_document(
        &mut self,
        advisory: AdvisoryId,
        new: &StoredDocument,
    ) -> Result<(), StoreError> {
        let bytes = new.bytes.open(Reason::Sealing);
        let sealed = self.seal_bytes("documents", format!("{advisory}/{}", new.name), bytes)?;
        let row = (
            documents::advisory.eq(advisory.to_string()),
            documents::name.eq(&new.name),
            documents::position.eq(new.position),
            documents::media_type.eq(&new.media_type),
            documents::sealed.eq(sealed),
        );
        match diesel::insert_into(documents::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("document"))),
        }
    }
}

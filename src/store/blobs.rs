//! Runs of bytes: mails, packs, artefacts. Sealed in chunks of 1 MiB, found by owner and
//! name, and given out only if they still have the digest they were kept under.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::{blobs, chunks};
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::blob::{Blob, BlobRef};
use crate::domain::deed::Subject;
use crate::domain::ids::BlobId;
use crate::domain::time::At;

const TABLE: &str = "blobs";
const CHUNKS: &str = "chunks";
const MISSING: StoreError = StoreError::NotFound("blob");

/// Bytes in one chunk.
pub const CHUNK: usize = 1024 * 1024;

type Row = (String, Vec<u8>);

impl Reader<'_> {
    /// One blob.
    pub fn blob(&mut self, id: BlobId) -> Result<Blob, StoreError> {
        let found = blobs::table.find(id.to_string()).select((blobs::id, blobs::sealed));
        let row = found.first::<Row>(self.conn).optional()?;
        self.as_blob(row.ok_or(MISSING)?)
    }

    /// The blob of that name of that owner.
    pub fn blob_named(
        &mut self,
        owner: impl Into<Subject>,
        name: &str,
    ) -> Result<Blob, StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", name).to_vec();
        let row = blobs::table
            .filter(blobs::owner.eq(owner.into().to_string()))
            .filter(blobs::lookup.eq(lookup))
            .select((blobs::id, blobs::sealed))
            .first::<Row>(self.conn)
            .optional()?;
        self.as_blob(row.ok_or(MISSING)?)
    }

    /// What an owner keeps, without the bytes, oldest first.
    pub fn blobs_of(
        &mut self,
        owner: impl Into<Subject>,
    ) -> Result<Vec<(BlobId, BlobRef)>, StoreError> {
        let rows = blobs::table
            .filter(blobs::owner.eq(owner.into().to_string()))
            .order(blobs::id)
            .select((blobs::id, blobs::sealed))
            .load::<Row>(self.conn)?;
        let about = |(id, sealed): Row| {
            Ok((parse(&id, TABLE, &id, "id")?, self.unseal(TABLE, &id, &sealed)?))
        };
        rows.into_iter().map(about).collect()
    }

    /// Owners whose id begins with `prefix` and whose newest blob is older than `before`.
    pub fn owners_of_blobs(&mut self, prefix: &str, before: At) -> Result<Vec<String>, StoreError> {
        let rows = blobs::table
            .filter(blobs::owner.like(format!("{prefix}%")))
            .select((blobs::owner, blobs::made_at))
            .load::<(String, i64)>(self.conn)?;
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        for (owner, made_at) in rows {
            let known = newest.entry(owner).or_insert(made_at);
            *known = made_at.max(*known);
        }
        newest.retain(|_, at| *at < before.millis());
        Ok(newest.into_keys().collect())
    }

    fn as_blob(&mut self, (id, sealed): Row) -> Result<Blob, StoreError> {
        let about: BlobRef = self.unseal(TABLE, &id, &sealed)?;
        let mut bytes = Vec::new();
        // One at a time: sealed and open chunks of a large blob need not lie side by side.
        for n in 0..chunks_in(about.len) {
            let chunk: Option<Vec<u8>> =
                chunks::table.find((&id, n)).select(chunks::sealed).first(self.conn).optional()?;
            let row = chunk_row(&id, n);
            let chunk = chunk.ok_or_else(|| StoreError::inconsistent(CHUNKS, &row, "blob"))?;
            bytes.append(&mut self.unseal_bytes(CHUNKS, row, &chunk)?);
        }
        let blob = Blob { about, bytes };
        if blob.is_intact() { Ok(blob) } else { Err(StoreError::inconsistent(TABLE, id, "sha256")) }
    }
}

impl Tx<'_> {
    /// Keeps a blob; names are unique to an owner, else `Conflict`. Bytes that are not the
    /// ones its digest and length tell of are refused.
    pub fn put_blob(
        &mut self,
        id: BlobId,
        owner: impl Into<Subject>,
        blob: &Blob,
    ) -> Result<(), StoreError> {
        if !blob.is_intact() {
            return Err(StoreError::inconsistent(TABLE, id, "sha256"));
        }
        self.begin_blob(id, owner, &blob.about)?;
        self.add_chunks(id, 0, &blob.bytes)
    }

    /// Begins a blob whose chunks follow in writes of their own, so that a large one does not
    /// keep all other writers waiting. Until the last has come it cannot be read.
    pub fn begin_blob(
        &mut self,
        id: BlobId,
        owner: impl Into<Subject>,
        about: &BlobRef,
    ) -> Result<(), StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", &about.name).to_vec();
        let row = (
            blobs::id.eq(id.to_string()),
            blobs::owner.eq(owner.into().to_string()),
            blobs::lookup.eq(lookup),
            blobs::made_at.eq(self.deed.at.millis()),
            blobs::sealed.eq(self.seal(TABLE, id, about)?),
        );
        match diesel::insert_into(blobs::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("blob"))),
        }
    }

    /// Chunks of a blob, `first` the number of the first; all but the last of the blob have
    /// [`CHUNK`] bytes.
    pub fn add_chunks(&mut self, id: BlobId, first: i32, bytes: &[u8]) -> Result<(), StoreError> {
        let id = id.to_string();
        for (n, chunk) in (first..).zip(bytes.chunks(CHUNK)) {
            let sealed = self.seal_bytes(CHUNKS, chunk_row(&id, n), chunk)?;
            let row = (chunks::blob.eq(&id), chunks::n.eq(n), chunks::sealed.eq(sealed));
            let kept = diesel::insert_into(chunks::table).values(row).execute(self.conn)?;
            one(kept, StoreError::Conflict("blob"))?;
        }
        Ok(())
    }

    /// Removes everything an owner keeps; says how many blobs there were.
    pub fn delete_blobs(&mut self, owner: impl Into<Subject>) -> Result<usize, StoreError> {
        let theirs = blobs::owner.eq(owner.into().to_string());
        let ids = blobs::table.filter(theirs.clone()).select(blobs::id);
        diesel::delete(chunks::table.filter(chunks::blob.eq_any(ids))).execute(self.conn)?;
        Ok(diesel::delete(blobs::table.filter(theirs)).execute(self.conn)?)
    }

    /// Removes what an owner keeps under one name, whole or not; says whether there was any.
    pub fn delete_blob_named(
        &mut self,
        owner: impl Into<Subject>,
        name: &str,
    ) -> Result<bool, StoreError> {
        let lookup = self.vault.lookup(TABLE, "lookup", name).to_vec();
        let it = blobs::owner.eq(owner.into().to_string()).and(blobs::lookup.eq(lookup));
        let ids = blobs::table.filter(it.clone()).select(blobs::id);
        diesel::delete(chunks::table.filter(chunks::blob.eq_any(ids))).execute(self.conn)?;
        Ok(diesel::delete(blobs::table.filter(it)).execute(self.conn)? > 0)
    }
}

fn chunks_in(len: u64) -> i32 {
    i32::try_from(len.div_ceil(CHUNK as u64)).unwrap_or(i32::MAX)
}

fn chunk_row(blob: &str, n: i32) -> String {
    format!("{blob}/{n}")
}

//! What the workshop's tests share: a public repository, a fresh mirror and short ways to make
//! a series and stage it.

use async_trait::async_trait;

use super::{
    Committer, MASKED_TEXT, Messages, NewTag, Origin, Series, SeriesError, Source, StageError,
    StageOrder, Staged, TagSigner, Unsigned, Workshop,
};
use crate::domain::time::At;
use crate::exec::git::testbed::Testbed;

pub struct Bench {
    pub bed: Testbed,
    pub shop: Workshop,
}

/// Signs with words instead of mathematics.
pub struct FakeSigner;

#[async_trait]
impl TagSigner for FakeSigner {
    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, Unsigned> {
        assert!(payload.starts_with(b"object "));
        Ok(b"-----BEGIN PGP SIGNATURE-----\r\n\r\nAAAA\r\n-----END PGP SIGNATURE-----".to_vec())
    }
}

impl Bench {
    pub async fn new() -> Option<Self> {
        let bed = Testbed::new().await?;
        let data = bed.folder().join("data");
        let shop = Workshop::new(&data, "meadow", bed.repository(), bed.clock());
        shop.mirror().refresh().await.unwrap();
        Some(Self { bed, shop })
    }

    /// Commits what the developer's clone holds and reads it as a series for `main`.
    pub async fn series(&self, message: &str) -> Series {
        self.bed.commit(message).await;
        self.range("HEAD~1..HEAD").await.unwrap()
    }

    pub async fn range(&self, range: &str) -> Result<Series, SeriesError> {
        let path = self.bed.folder().join("work/docs");
        let source = Source::Git { path, range: range.to_owned() };
        self.read(&source).await
    }

    pub async fn read(&self, source: &Source) -> Result<Series, SeriesError> {
        let origin = Origin { branch: "main", ..Origin::default() };
        self.shop.read_series(source, &origin).await
    }

    pub fn order<'a>(&self, series: &'a [&'a Series]) -> StageOrder<'a> {
        StageOrder {
            branch: "main",
            series,
            extra: &[],
            messages: Messages::Masked(MASKED_TEXT.to_owned()),
            committer: Committer::new("Meadow Team", "security@meadow.example").unwrap(),
            at: At::from_secs(1_796_137_200),
            tag: None,
        }
    }

    pub async fn stage(&self, series: &[&Series]) -> Result<Staged, StageError> {
        let tag = NewTag { name: "1.0.1", message: "Release 1.0.1", signer: Some(&FakeSigner) };
        self.shop.stage(&StageOrder { tag: Some(tag), ..self.order(series) }).await
    }

    /// Every object id the world or the mirror holds.
    pub async fn public_objects(&self) -> String {
        let public = self.bed.all_objects(&self.bed.public_folder()).await;
        public + "\n" + &self.bed.all_objects(self.shop.mirror().folder()).await
    }
}

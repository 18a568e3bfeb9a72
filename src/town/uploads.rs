//! Where the town's releases are uploaded: the package index with real twine, or, on a machine
//! without twine, a folder reached by two ordinary programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::TownError;
use super::index::PackageIndex;
use crate::clock::Clock;

/// The name of the command in the town's configuration.
pub const COMMAND: &str = "index";

/// Account and password of the index.
const ACCOUNT: (&str, &str) = ("meadow-bot", "planted-upload-password");

/// What looks into the folder: 0 all there, 1 something missing, 2 other bytes.
const LOOK: &str = include_str!("look.sh");

/// What puts files into the folder, each whole or not at all, as an index takes them.
const PUT: &str = include_str!("put.sh");

/// The place.
pub enum Uploads {
    /// A server that takes twine's uploads.
    Index {
        /// The server.
        server: PackageIndex,
        /// The twine program.
        twine: String,
        /// The file with its password.
        password: PathBuf,
    },
    /// A folder.
    Folder {
        /// Where files arrive.
        folder: PathBuf,
        /// The script that puts files there.
        put: PathBuf,
        /// The script that looks.
        look: PathBuf,
    },
}

/// A file that arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Arrived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[arrived file of {} bytes]", self.bytes.len())
    }
}

impl Uploads {
    /// Opens the place below `world`: the index when there is a twine, else the folder.
    pub async fn open(
        world: &Path,
        twine: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TownError> {
        let io = TownError::disk("open the package index");
        let Some(twine) = twine else {
            let folder = world.join("index");
            let (put, look) = (world.join("put.sh"), world.join("look.sh"));
            fs::create_dir_all(&folder)
                .and_then(|()| fs::write(&put, PUT))
                .and_then(|()| fs::write(&look, LOOK))
                .map_err(io)?;
            return Ok(Self::Folder { folder, put, look });
        };
        let password = world.join("index-password");
        fs::write(&password, ACCOUNT.1).map_err(&io)?;
        let account = Some((ACCOUNT.0.to_owned(), ACCOUNT.1.to_owned()));
        let server = PackageIndex::start(account, clock).await.map_err(io)?;
        Ok(Self::Index { server, twine, password })
    }

    /// The command's section of the configuration. A file that arrives twice in the folder
    /// leaves a second one behind, so that everybody sees it.
    pub fn config(&self) -> String {
        match self {
            Self::Index { server, twine, password } => format!(
                "[command.{COMMAND}]\nkind = \"python-index\"\nupload_url = {:?}\n\
                 index_url = {:?}\nuser = {:?}\npassword_file = {password:?}\ntwine = {twine:?}\n",
                server.upload_url(),
                server.index_url(),
                ACCOUNT.0,
            ),
            Self::Folder { folder, put, look } => format!(
                "[command.{COMMAND}]\nkind = \"argv\"\n\
                 run = [\"sh\", {put:?}, {folder:?}, \"{{files}}\"]\n\
                 look = [\"sh\", {look:?}, {folder:?}, \"{{files}}\"]\nsafe_to_repeat = true\n"
            ),
        }
    }

    /// Every file that arrived, by name.
    pub fn files(&self) -> Result<Vec<Arrived>, TownError> {
        let mut files = Vec::new();
        match self {
            Self::Index { server, .. } => {
                let arrived =
                    |f: super::index::Uploaded| Arrived { name: f.filename, bytes: f.bytes };
                files.extend(server.files().into_iter().map(arrived));
            }
            Self::Folder { folder, .. } => {
                let io = TownError::disk("read the package index");
                for entry in fs::read_dir(folder).map_err(&io)? {
                    let entry = entry.map_err(&io)?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    files.push(Arrived { name, bytes: fs::read(entry.path()).map_err(&io)? });
                }
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// The twine program, where one is used.
    pub fn twine(&self) -> Option<String> {
        match self {
            Self::Index { twine, .. } => Some(twine.clone()),
            Self::Folder { .. } => None,
        }
    }

    /// The server, where there is one, to make it misbehave.
    pub const fn server(&self) -> Option<&PackageIndex> {
        match self {
            Self::Index { server, .. } => Some(server),
            Self::Folder { .. } => None,
        }
    }
}

//! Where the child works: a temporary folder, a log and a list of arguments of its own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tracing_subscriber::EnvFilter;

use super::places::Places;

/// Programs that a house may start. Each is replaced by one that notes its arguments first.
const PROGRAMS: [&str; 6] = ["git", "gpg", "gpgconf", "cp", "sh", "twine"];

/// The folder, as the parent makes it.
pub struct Ground(TempDir);

impl Ground {
    pub fn new() -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        for name in ["shims", "tmp"] {
            fs::create_dir(ground.folder().join(name)).unwrap();
        }
        for program in PROGRAMS {
            ground.shim(program);
        }
        ground
    }

    fn shim(&self, program: &str) {
        let path = std::env::var_os("PATH").unwrap();
        let real = std::env::split_paths(&path).map(|p| p.join(program)).find(|p| p.is_file());
        let Some(real) = real else { return };
        let (list, real) = (self.folder().join("arguments"), real.display().to_string());
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' {program} \"$@\" >> '{}'\nexec '{real}' \"$@\"\n",
            list.display()
        );
        let file = self.folder().join("shims").join(program);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn temporary(&self) -> PathBuf {
        self.folder().join("tmp")
    }

    /// `PATH` with our programs first.
    pub fn path(&self) -> std::ffi::OsString {
        let path = std::env::var_os("PATH").unwrap();
        let ours = std::iter::once(self.folder().join("shims"));
        std::env::join_paths(ours.chain(std::env::split_paths(&path))).unwrap()
    }

    /// What lies in the temporary folder when the child is gone.
    pub fn left_behind(&self) -> Vec<PathBuf> {
        fs::read_dir(self.temporary()).unwrap().map(|e| e.unwrap().path()).collect()
    }
}

/// What the child notes.
pub struct Child {
    folder: PathBuf,
    log: Arc<Mutex<Vec<u8>>>,
}

struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Child {
    /// From now on all that is logged is caught, ours and the libraries', at the finest level:
    /// no filter that somebody sets can let out more.
    pub fn new(folder: PathBuf) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let page = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("trace"))
            .with_writer(move || Page(Arc::clone(&page)))
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Self { folder, log }
    }

    fn list(&self) -> PathBuf {
        self.folder.join("arguments")
    }

    pub fn forget_arguments(&self) {
        fs::write(self.list(), "").unwrap();
    }

    pub fn arguments(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.list()).unwrap()).into_owned()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    /// The log and the arguments so far.
    pub fn fill(&self, places: &mut Places) {
        places.add("the log", self.log.lock().unwrap().clone());
        places.add("arguments of processes", fs::read(self.list()).unwrap());
    }

    /// Nothing but the town itself lies there.
    pub fn temporary_is_empty(&self) {
        for entry in fs::read_dir(self.folder.join("tmp")).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(name.starts_with("daybreak-town-"), "{name}");
        }
    }
}

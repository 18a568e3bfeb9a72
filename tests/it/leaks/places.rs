//! Where it is searched: everything that somebody outside, or with a copy of the disk, sees.

use std::path::{Path, PathBuf};

use daybreak::casework::papers;
use daybreak::formats::tree::Tree;
use daybreak::town::Town;
use daybreak::web::Serving;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};

use super::needles::{Needles, Until};
use crate::gpg::program;
use crate::site::raw;

/// The two files that are the secret.
const KEYS: [&str; 2] = ["vault.key", "team.key"];
/// SQLite's own file; two more stand beside it while it is open.
const DATABASE: &str = "daybreak.sqlite";

/// Named runs of bytes.
#[derive(Default)]
pub struct Places(Vec<(String, Vec<u8>)>);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    v: String,
}

impl Places {
    pub fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.0.push((name.into(), bytes));
    }

    /// None of the needles is anywhere; all that are, are named.
    pub fn nowhere(&self, needles: &Needles, until: Until) {
        assert!(self.0.iter().map(|(_, b)| b.len()).sum::<usize>() > 10_000, "nothing to search");
        let mut faults = Vec::new();
        for (place, bytes) in &self.0 {
            let found = needles.found_in(bytes, until);
            if !found.is_empty() {
                faults.push(format!("{place}: {}", found.join(", ")));
            }
        }
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }

    /// Every byte is the same in both.
    pub fn same_as(&self, other: &Self) {
        assert!(self.0.len() > 50, "{} places", self.0.len());
        for (one, two) in self.0.iter().zip(&other.0) {
            assert_eq!(one.0, two.0);
            assert!(one.1 == two.1, "{} shows that something goes on", one.0);
        }
        assert_eq!(self.0.len(), other.0.len());
    }

    /// The word is somewhere.
    pub fn somewhere(&self, word: &str, why: &str) {
        let mut needles = Needles::default();
        needles.word(word, Until::T0);
        assert!(self.0.iter().any(|(_, b)| !needles.found_in(b, Until::T0).is_empty()), "{why}");
    }

    /// Every answer of the site, headers included, to every question one might think of.
    pub async fn site(&mut self, site: &Serving, town: &Town) {
        let papers = papers::read(&town.house.dir).await.unwrap();
        let (templates, masthead) = (&town.house.templates, town.house.masthead());
        let tree = Tree::build(templates, &masthead, &papers, &[]).unwrap();
        let mut paths: Vec<String> = tree.files().map(|(path, _)| path.to_owned()).collect();
        for number in 1..=2 {
            paths.push(format!("/advisories/x_meadow-2026-000{number}.html"));
            paths.push(format!("/osv/x_meadow-2026-000{number}.json"));
        }
        let more = ["/healthz", "/readyz", "/nothing", "/sitemap.xml", "/advisories/", "/osv/"];
        paths.extend(more.map(str::to_owned));
        for path in paths {
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                let answer = raw(site.address(), method, &path).await;
                self.add(format!("site: {method} {path}"), answer.into_bytes());
            }
        }
    }

    /// Of each mail what lies outside its ciphertext and is not the address it goes to.
    pub fn mails(&mut self, town: &Town) {
        for (nth, mail) in town.catcher.mails().into_iter().enumerate() {
            let [to] = mail.to.as_slice() else { panic!("{} recipients", mail.to.len()) };
            let mut text = String::from_utf8(mail.bytes).unwrap();
            if town.people.reader(to).is_some() {
                let start = text.find("-----BEGIN PGP MESSAGE-----").unwrap();
                let end = text.find("-----END PGP MESSAGE-----").unwrap();
                text.replace_range(start..end, "");
                text = text.replace(&format!("To: {to}\r\n"), "");
            }
            self.add(format!("mail {nth}"), text.into_bytes());
        }
    }

    /// The whole data directory but its keys, git objects unpacked, and a database elsewhere.
    pub async fn house(&mut self, town: &Town, schema: &str) {
        let mut files = Vec::new();
        walk(&town.dir(), &mut files);
        for file in &files {
            let name = file.strip_prefix(town.dir()).unwrap().display().to_string();
            if !KEYS.contains(&name.as_str()) && !name.starts_with(DATABASE) {
                self.add(format!("data directory: {name}"), std::fs::read(file).unwrap());
            }
        }
        let is_repository = |f: &&PathBuf| f.file_name().is_some_and(|n| n == "HEAD");
        for head in files.iter().filter(is_repository) {
            self.repository("data directory", head.parent().unwrap()).await;
        }
        self.database(town, schema);
    }

    /// The database: files as they lie, or every column of every table.
    pub fn database(&mut self, town: &Town, schema: &str) {
        if !schema.is_empty() {
            return self.postgres(schema);
        }
        for end in ["", "-wal", "-shm"] {
            let name = format!("{DATABASE}{end}");
            self.add(format!("database: {name}"), std::fs::read(town.dir().join(name)).unwrap());
        }
    }

    /// Every column of every row of every table, bytes as bytes.
    fn postgres(&mut self, schema: &str) {
        let mut conn = PgConnection::establish(schema).unwrap();
        let mut ask = |sql: &str| -> Vec<String> {
            let rows: Vec<Row> = diesel::sql_query(sql).load(&mut conn).unwrap();
            rows.into_iter().map(|r| r.v).collect()
        };
        let tables = ask("SELECT tablename::text AS v FROM pg_tables \
            WHERE schemaname = current_schema()");
        assert!(tables.len() > 15, "{tables:?}");
        for table in tables {
            let mut bytes = Vec::new();
            for row in ask(&format!("SELECT row_to_json(t)::text AS v FROM {table} t")) {
                for part in row.split("\"\\\\x").skip(1) {
                    let digits = part.split('"').next().unwrap();
                    bytes.extend(hex::decode(digits).unwrap());
                    bytes.push(b'\n');
                }
                bytes.extend(row.into_bytes());
            }
            self.add(format!("table {table}"), bytes);
        }
    }

    /// The repository that everybody reads, and what was uploaded.
    pub async fn public_world(&mut self, town: &Town) {
        self.repository("public", town.project.public()).await;
        self.add("public refs", town.project.refs().await.unwrap().into_bytes());
        for file in town.uploads.files().unwrap() {
            self.add(format!("upload {}", file.name), file.bytes);
        }
    }

    /// Every object of a repository, referred to or not.
    async fn repository(&mut self, whose: &str, folder: &Path) {
        let args = ["cat-file", "--batch-all-objects", "--batch", "--buffer"];
        let out = program("git", &args, folder).await;
        assert!(out.ok(), "{}", out.complaint());
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        self.add(format!("{whose}: objects of {name}"), out.stdout);
    }

    /// Whatever the workshop and the outlets laid out is gone.
    pub fn work_areas_are_empty(&self, town: &Town) {
        let mut files = Vec::new();
        walk(&town.dir(), &mut files);
        let area = |f: &&PathBuf| {
            f.components().any(|c| c.as_os_str().to_string_lossy().starts_with("area-"))
        };
        let left: Vec<_> = files.iter().filter(area).collect();
        assert!(left.is_empty(), "{left:?}");
        let work = std::fs::read_dir(town.dir().join("work")).unwrap().count();
        assert_eq!(work, 0, "in the work folder");
        assert!(files.iter().any(|f| f.ends_with("daybreak.toml")), "the wrong folder");
    }
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), into);
        } else {
            into.push(entry.path());
        }
    }
}

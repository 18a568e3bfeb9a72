//! Readers that are libraries: one process opens all mails.
//!
//! Each script reads lines `SECRET SENDER MESSAGE OUT` and answers each with `signed`,
//! `unsigned` or `closed` and, for a person, why.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use daybreak::exec::Process;

use super::programs::{has, run};
use super::readers::{Claim, Letter, Reader};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop").join(name)
}

async fn ask(process: Process, letters: &[Letter]) -> Vec<Claim> {
    let line = |l: &Letter| {
        let paths = [&l.secret, &l.sender, &l.message, &l.out];
        paths.map(|p| p.to_str().unwrap().to_owned()).join(" ") + "\n"
    };
    let asked: String = letters.iter().map(line).collect();
    let out = run(process.stdin(asked)).await.unwrap();
    assert!(out.ok(), "{}", out.complaint());
    let text = out.text();
    let answers = text.lines().zip(letters).map(|(answer, letter)| Claim {
        text: if answer.starts_with("closed") { None } else { std::fs::read(&letter.out).ok() },
        signed: answer == "signed",
    });
    answers.collect()
}

/// PGPy, from Debian.
pub struct Pgpy;

#[async_trait]
impl Reader for Pgpy {
    fn name(&self) -> &'static str {
        "PGPy"
    }

    async fn is_there(&self) -> bool {
        has("/usr/bin/python3", &["-c", "import pgpy"]).await
    }

    async fn open(&self, letters: &[Letter]) -> Vec<Claim> {
        ask(Process::new("/usr/bin/python3").arg(here("pgpy_reader.py")), letters).await
    }
}

/// OpenPGP.js 6, put into `target/openpgpjs` by npm (`scripts/test interop` does).
pub struct OpenPgpJs;

fn library() -> PathBuf {
    let installed = "target/openpgpjs/node_modules/openpgp/dist/node/openpgp.mjs";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(installed)
}

#[async_trait]
impl Reader for OpenPgpJs {
    fn name(&self) -> &'static str {
        "OpenPGP.js"
    }

    async fn is_there(&self) -> bool {
        library().is_file() && has("node", &["--version"]).await
    }

    async fn open(&self, letters: &[Letter]) -> Vec<Claim> {
        ask(Process::new("node").arg(here("openpgpjs_reader.mjs")).arg(library()), letters).await
    }
}

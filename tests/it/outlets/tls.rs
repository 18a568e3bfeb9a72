//! Mail over TLS: required, checked against an authority, never given up silently. The
//! certificates are made by the openssl program.

use std::path::{Path, PathBuf};

use daybreak::config::Tls;
use daybreak::exec::Process;
use daybreak::outlets::mail::MailOutlet;
use daybreak::town::catcher::{Catcher, Setup};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

async fn openssl(folder: &Path, args: &[&str]) -> bool {
    let run = Process::new("openssl").args(args).folder(folder).run(clock().as_ref()).await;
    match run {
        Ok(out) => {
            assert!(out.ok(), "openssl: {}", out.complaint());
            true
        }
        Err(_) => false,
    }
}

/// An authority and a certificate of it for `host`.
pub(super) async fn certificate(folder: &Path, host: &str) -> Option<(PathBuf, Arc<ServerConfig>)> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let request = ["req", "-x509", "-days", "2"];
    let ca = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Town"];
    if !openssl(folder, &[&request[..], &key, &ca].concat()).await {
        assert!(std::env::var_os("DAYBREAK_TEST_REQUIRE").is_none_or(|v| v != "all"), "openssl");
        eprintln!("not run: no openssl");
        return None;
    }
    let name = format!("subjectAltName=DNS:{host}");
    let leaf = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=relay"];
    let by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", &name];
    let end = ["-addext", "basicConstraints=critical,CA:FALSE"];
    openssl(folder, &[&request[..], &key, &leaf, &by, &end].concat()).await;
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    Some((folder.join("ca.pem"), Arc::new(config)))
}

fn outlet(catcher: &Catcher, tls: Tls, ca_file: Option<PathBuf>) -> MailOutlet {
    let mut relay = mail::config("localhost", catcher.port(), tls);
    relay.ca_file = ca_file;
    MailOutlet::new(relay, "meadow.example", clock())
}

async fn send(outlet: &MailOutlet) -> Result<Receipt, OutletError> {
    outlet.act(&effect(mail::letter("a@b.example", mail::MESSAGE))).await
}

#[tokio::test]
async fn a_relay_of_the_configured_authority_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let Some((ca, server)) = certificate(folder.path(), "localhost").await else { return };
    for how in [Tls::Starttls, Tls::Wrapped] {
        let setup = Setup { tls: Some((how, Arc::clone(&server))), ..Setup::default() };
        let catcher = Catcher::start(setup, clock()).await.unwrap();
        let trusting = outlet(&catcher, how, Some(ca.clone()));
        send(&trusting).await.unwrap();
        assert!(catcher.mails()[0].sealed, "{how:?}");
        assert_eq!(catcher.mails()[0].bytes, mail::MESSAGE.as_bytes());

        let strict = outlet(&catcher, how, None);
        let error = send(&strict).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.retry), ("relay-tls", Retry::Later), "{how:?}");
        let findings = strict.check(&mail::letter("a@b.example", mail::MESSAGE)).await;
        assert_eq!(findings[0].code, "relay-tls");
        assert_eq!(catcher.mails().len(), 1, "nothing went to a stranger");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let Some((ca, server)) = certificate(folder.path(), "elsewhere.example").await else { return };
    let setup = Setup { tls: Some((Tls::Wrapped, server)), ..Setup::default() };
    let catcher = Catcher::start(setup, clock()).await.unwrap();
    let error = send(&outlet(&catcher, Tls::Wrapped, Some(ca))).await.unwrap_err();
    assert_eq!(error.code, "relay-tls");
    assert!(catcher.mails().is_empty());
}

#[tokio::test]
async fn a_relay_that_offers_no_tls_gets_nothing() {
    let catcher = Catcher::start(Setup::default(), clock()).await.unwrap();
    let error = send(&outlet(&catcher, Tls::Starttls, None)).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("relay-tls", Retry::Later));
    assert!(catcher.mails().is_empty());
}

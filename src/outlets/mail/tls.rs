//! Whom we believe to be the relay: the public authorities, and one more if configured.
//! There is no switch to believe everybody.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Why TLS could not even be tried.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTls {
    /// The configured authority cannot be read.
    #[error("`mail.ca_file` cannot be read or holds no PEM certificate")]
    Authority,
    /// The host cannot be checked against a certificate.
    #[error("`mail.host` is neither a host name nor an address")]
    Host,
    /// The handshake failed.
    #[error("the relay's certificate is not trusted, or it speaks no TLS 1.2 or newer")]
    Handshake(#[from] io::Error),
}

/// Encrypts `stream` and checks that the other end is `host`.
pub(super) async fn seal(
    stream: TcpStream,
    host: &str,
    ca_file: Option<&Path>,
) -> Result<TlsStream<TcpStream>, NoTls> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let pem = tokio::fs::read(path).await.map_err(|_| NoTls::Authority)?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| NoTls::Authority)?;
            roots.add(certificate).map_err(|_| NoTls::Authority)?;
        }
        if roots.len() == before {
            return Err(NoTls::Authority);
        }
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| NoTls::Host)?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| NoTls::Host)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
}

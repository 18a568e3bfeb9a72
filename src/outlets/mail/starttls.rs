//! The clear words before STARTTLS (RFC 3207), read one byte at a time.
//!
//! A reader that takes more than the answer could carry bytes that somebody added in clear
//! over into the encrypted conversation, where they would be taken for the relay's own
//! answers. What follows the answer stays in the socket and breaks the handshake instead.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Most bytes of one answer.
const ANSWER: usize = 64 * 1024;

/// How the clear part failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoStartTls {
    /// The connection broke.
    #[error("the relay broke off")]
    Broken(#[from] io::Error),
    /// An answer other than the one expected; the text is the relay's.
    #[error("the relay refused")]
    Refused(u16, String),
    /// It has no STARTTLS.
    #[error("the relay offers no STARTTLS")]
    NotOffered,
}

/// Speaks until TLS can begin; gives back the greeting's bytes.
pub(super) async fn ask<S>(stream: &mut S, hello: &str) -> Result<Vec<u8>, NoStartTls>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting = Answer::read(stream).await?.expect(220)?;
    stream.write_all(format!("EHLO {hello}\r\n").as_bytes()).await?;
    let offers = Answer::read(stream).await?.expect(250)?;
    if !offers.lists("STARTTLS") {
        return Err(NoStartTls::NotOffered);
    }
    stream.write_all(b"STARTTLS\r\n").await?;
    Answer::read(stream).await?.expect(220)?;
    Ok(greeting.bytes)
}

/// One answer of the relay.
struct Answer {
    code: u16,
    bytes: Vec<u8>,
}

impl Answer {
    async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Self> {
        let garbled = || io::Error::from(io::ErrorKind::InvalidData);
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        while bytes.len() < ANSWER {
            let byte = stream.read_u8().await?;
            bytes.push(byte);
            line.push(byte);
            if byte != b'\n' {
                continue;
            }
            let digits = line.get(..3).and_then(|d| std::str::from_utf8(d).ok());
            let code = digits.and_then(|d| d.parse().ok()).ok_or_else(garbled)?;
            if line.get(3) != Some(&b'-') {
                return Ok(Self { code, bytes });
            }
            line.clear();
        }
        Err(garbled())
    }

    fn expect(self, code: u16) -> Result<Self, NoStartTls> {
        if self.code == code {
            return Ok(self);
        }
        Err(NoStartTls::Refused(self.code, String::from_utf8_lossy(&self.bytes).into_owned()))
    }

    fn lists(&self, keyword: &str) -> bool {
        let text = String::from_utf8_lossy(&self.bytes);
        text.lines().filter_map(|l| l.get(4..)).any(|l| l.trim().eq_ignore_ascii_case(keyword))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn with(script: &str) -> (Result<Vec<u8>, NoStartTls>, String) {
        let (mut ours, mut relay) = tokio::io::duplex(4096);
        relay.write_all(script.as_bytes()).await.unwrap();
        let result = ask(&mut ours, "meadow.example").await;
        let mut left = [0; 64];
        drop(relay);
        let n = ours.read(&mut left).await.unwrap();
        (result, String::from_utf8_lossy(&left[..n]).into_owned())
    }

    #[tokio::test]
    async fn injected_words_stay_outside() {
        let (result, left) =
            with("220 hi\r\n250-relay\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n").await;
        assert_eq!(result.unwrap(), b"220 hi\r\n");
        assert_eq!(left, "250 injected\r\n");
    }

    #[tokio::test]
    async fn a_relay_without_starttls_is_refused() {
        let (result, _) = with("220 hi\r\n250-relay\r\n250 SIZE\r\n").await;
        assert!(matches!(result, Err(NoStartTls::NotOffered)));
        let (result, _) = with("554 go away\r\n").await;
        assert!(matches!(result, Err(NoStartTls::Refused(554, _))));
    }
}

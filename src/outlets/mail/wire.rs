//! The stream below an SMTP conversation: opened by us, so that TCP_NODELAY is set, and
//! encrypted by us, so that nothing read in clear survives into the encrypted part.
//!
//! lettre sets no TCP_NODELAY itself; on a connection used twice that costs 40 ms a message.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

enum Stream {
    Clear(TcpStream),
    Sealed(Box<TlsStream<TcpStream>>),
}

/// A connection to the relay.
pub(super) struct Wire {
    /// What was read before and is still to be handed on: the greeting, if STARTTLS took it.
    head: io::Cursor<Vec<u8>>,
    peer: SocketAddr,
    stream: Stream,
}

impl Wire {
    /// Without encryption: for loopback only, which the caller has checked.
    pub(super) fn clear(peer: SocketAddr, stream: TcpStream) -> Self {
        Self { head: io::Cursor::default(), peer, stream: Stream::Clear(stream) }
    }

    /// Encrypted; `head` is read before anything else.
    pub(super) fn sealed(peer: SocketAddr, stream: TlsStream<TcpStream>, head: Vec<u8>) -> Self {
        Self { head: io::Cursor::new(head), peer, stream: Stream::Sealed(Box::new(stream)) }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[wire]")
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.head).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() == before => {}
            answered => return answered,
        }
        match &mut self.stream {
            Stream::Clear(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Sealed(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Clear(s) => Pin::new(s).poll_write(cx, bytes),
            Stream::Sealed(s) => Pin::new(s).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Clear(s) => Pin::new(s).poll_flush(cx),
            Stream::Sealed(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Clear(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Sealed(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

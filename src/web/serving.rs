//! Starting and stopping: a listening socket, a thread, bounds on what clients may take.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use tokio::sync::{oneshot, watch};

use super::answer::answer;
use super::served::Served;
use super::shown::Web;

/// Threads that answer. Files come from memory: more would only take from the engine.
const WORKERS: usize = 2;
/// Open connections for each of them.
const CONNECTIONS: usize = 1024;
/// For a request's head, and for hanging up.
const CLIENT: Duration = Duration::from_secs(5);
/// Between two requests on one connection.
const IDLE: Duration = Duration::from_secs(15);
/// For answers under way when it is stopped, in seconds.
const LAST_ANSWERS: u64 = 2;

/// Why the site is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another address must be chosen, or whoever has it ended.
    #[error("cannot listen on {address}: {kind}; choose another `site.listen`")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// The kind of failure.
        kind: std::io::ErrorKind,
    },
    /// The machine has no thread or runtime to give; try again later.
    #[error("the machine cannot start the site's threads: {0}")]
    Machine(std::io::ErrorKind),
}

/// A site that is being served; it stops when dropped.
pub struct Serving {
    address: SocketAddr,
    server: ServerHandle,
    ended: watch::Receiver<()>,
}

/// Serves a site. Port 0 takes a free one: see [`Serving::address`].
pub async fn serve(listen: SocketAddr, site: Web) -> Result<Serving, ServeError> {
    let refused = |e: std::io::Error| ServeError::Listen { address: listen, kind: e.kind() };
    let socket = TcpListener::bind(listen).map_err(refused)?;
    let address = socket.local_addr().map_err(refused)?;
    let (started, handle) = oneshot::channel();
    let (alive, ended) = watch::channel(());
    let on_thread = move || {
        let _alive = alive;
        actix_web::rt::System::new().block_on(async move {
            match start(socket, site) {
                Ok(server) => {
                    let _gone = started.send(Ok(server.handle()));
                    if let Err(e) = server.await {
                        tracing::error!(kind = ?e.kind(), "the site's server ended");
                    }
                }
                Err(e) => {
                    let _gone = started.send(Err(e));
                }
            }
        });
    };
    let machine = |e: std::io::Error| ServeError::Machine(e.kind());
    std::thread::Builder::new().name("site".to_owned()).spawn(on_thread).map_err(machine)?;
    let server = handle
        .await
        .map_err(|_| ServeError::Machine(std::io::ErrorKind::Other))?
        .map_err(machine)?;
    Ok(Serving { address, server, ended })
}

fn start(socket: TcpListener, site: Web) -> std::io::Result<actix_web::dev::Server> {
    let served = Data::new(Served::new(site));
    let app = move || App::new().app_data(served.clone()).default_service(web::to(answer));
    let server = HttpServer::new(app)
        .workers(WORKERS)
        .max_connections(CONNECTIONS)
        .client_request_timeout(CLIENT)
        .client_disconnect_timeout(CLIENT)
        .keep_alive(IDLE)
        .shutdown_timeout(LAST_ANSWERS)
        .disable_signals()
        .listen(socket)?;
    Ok(server.run())
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the server has ended, by itself or because it was stopped.
    pub async fn ended(&mut self) {
        // Nothing is ever sent: the channel closes with the thread.
        while self.ended.changed().await.is_ok() {}
    }

    /// Lets answers under way finish, and stops.
    pub async fn stop(mut self) {
        self.server.stop(true).await;
        self.ended().await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The stop is ordered by the call; the future only waits for it.
        drop(self.server.stop(false));
    }
}

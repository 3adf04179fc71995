//! The wire between a program and its PostgreSQL, which can be cut while a commit is on its way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Where the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The commit never reaches the server, which takes everything back.
    BeforeItArrives,
    /// The server has made the commit, and its answer is lost.
    BeforeItsAnswer,
}

/// A wire to the server that the tests use.
pub struct Wire {
    entrance: SocketAddr,
    plan: Arc<Mutex<Option<(usize, Cut)>>>,
    gone: Arc<AtomicBool>,
}

impl Wire {
    /// Lays it.
    pub fn lay() -> Self {
        let server = std::env::var("MUSTER_TEST_POSTGRES_URL").expect("the tests' PostgreSQL");
        let server = url::Url::parse(&server).expect("MUSTER_TEST_POSTGRES_URL is a URL");
        let host = server.host_str().expect("it names a host").to_owned();
        let port = server.port().unwrap_or(5432);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let wire = Self {
            entrance: listener.local_addr().expect("a port"),
            plan: Arc::default(),
            gone: Arc::default(),
        };
        let (plan, gone) = (wire.plan.clone(), wire.gone.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if gone.load(Ordering::SeqCst) {
                    return;
                }
                join(client.expect("a client"), (host.as_str(), port), &plan);
            }
        });
        wire
    }

    /// The port at which the server is reached over it.
    pub fn port(&self) -> u16 {
        self.entrance.port()
    }

    /// Lets so many commits pass, and cuts the connection of the one after them.
    pub fn cut_after(&self, commits: usize, how: Cut) {
        *self.plan.lock().expect("the plan") = Some((commits, how));
    }

    /// Whether what was planned has happened.
    pub fn was_cut(&self) -> bool {
        self.plan.lock().expect("the plan").is_none()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        // Whoever waits for a client gets one, and looks.
        let _ = TcpStream::connect(self.entrance);
    }
}

type Plan = Arc<Mutex<Option<(usize, Cut)>>>;

/// Carries everything between a client and the server, until the wire is cut.
fn join(client: TcpStream, server: impl ToSocketAddrs, plan: &Plan) {
    let server = TcpStream::connect(server).expect("the server");
    for end in [&client, &server] {
        end.set_nodelay(true).expect("a socket");
    }
    let (plan, is_mute) = (plan.clone(), Arc::new(AtomicBool::new(false)));
    let copy = |end: &TcpStream| end.try_clone().expect("a socket");
    let (from, to, mute) = (copy(&client), copy(&server), is_mute.clone());
    std::thread::spawn(move || {
        carry(from, to, |words| match commits(words, &plan) {
            Some(Cut::BeforeItArrives) => false,
            Some(Cut::BeforeItsAnswer) => {
                mute.store(true, Ordering::SeqCst);
                true
            }
            None => true,
        });
    });
    // The first word after a commit says that it was made.
    std::thread::spawn(move || carry(server, client, |_| !is_mute.load(Ordering::SeqCst)));
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut lets_through: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer) {
        let words = &buffer[..read];
        if read == 0 || !lets_through(words) || to.write_all(words).is_err() {
            break;
        }
    }
    for end in [&from, &to] {
        let _ = end.shutdown(Shutdown::Both);
    }
}

/// What is planned for what the client sends just now.
fn commits(words: &[u8], plan: &Plan) -> Option<Cut> {
    // A simple query of that text.
    if !words.windows(7).any(|some| some == b"COMMIT\0") {
        return None;
    }
    let mut plan = plan.lock().expect("the plan");
    let (left, how) = (*plan)?;
    if left > 0 {
        *plan = Some((left - 1, how));
        return None;
    }
    *plan = None;
    Some(how)
}

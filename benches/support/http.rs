//! A load of many kept connections: plain HTTP/1.1 on sockets, because a full client costs more than the server that is
//! measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// A kept connection.
pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address)
            .await
            .expect("the server listens");
        socket.set_nodelay(true).expect("a socket");
        Self {
            socket,
            buffer: Vec::with_capacity(64 * 1024),
        }
    }

    /// Sends a whole request and reads the whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> Answer {
        self.socket
            .write_all(request)
            .await
            .expect("a live connection");
        self.buffer.clear();
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let status = head[9..12].parse().expect("a status");
        let length: usize =
            header(&head, "content-length").map_or(0, |v| v.parse().expect("a length"));
        while self.buffer.len() < end + length {
            self.fill().await;
        }
        Answer {
            status,
            head,
            body: self.buffer[end..end + length].to_vec(),
        }
    }

    async fn fill(&mut self) {
        let read = self
            .socket
            .read_buf(&mut self.buffer)
            .await
            .expect("a live connection");
        assert!(read > 0, "the server closed the connection");
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// A header's value.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A GET, with the encoding that is taken.
pub fn get(path: &str, encoding: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {encoding}\r\n\r\n")
        .into_bytes()
}

/// A POST of JSON.
pub fn post_json(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A POST of JSON by a program with a key.
pub fn post_json_as(path: &str, body: &str, key: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A POST of a form.
pub fn post_form(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What a load came to.
pub struct Load {
    pub took: Duration,
    pub answers: usize,
    /// Of those, how many were not 2xx.
    pub refused: usize,
    pub waits: Vec<Duration>,
    /// How many answers `good` was false for.
    pub bad: usize,
}

/// Asks `count` times over `connections` kept connections; the n-th request is `request(n)`.
pub async fn load(
    address: SocketAddr,
    connections: usize,
    count: usize,
    request: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
    good: impl Fn(&Answer) -> bool + Send + Sync + 'static,
) -> Load {
    let next = Arc::new(AtomicUsize::new(0));
    let work = Arc::new((request, good));
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(address).await);
    }
    let start = Instant::now();
    let tasks: Vec<_> = opened
        .into_iter()
        .map(|mut connection| {
            let (next, work) = (next.clone(), work.clone());
            tokio::spawn(async move {
                let (mut waits, mut refused, mut bad) = (Vec::new(), 0, 0);
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return (waits, refused, bad);
                    }
                    let request = work.0(n);
                    let asked = Instant::now();
                    let answer = connection.ask(&request).await;
                    waits.push(asked.elapsed());
                    refused += usize::from(!(200..300).contains(&answer.status));
                    bad += usize::from(!work.1(&answer));
                }
            })
        })
        .collect();
    let mut all = Load {
        took: Duration::ZERO,
        answers: 0,
        refused: 0,
        waits: Vec::with_capacity(count),
        bad: 0,
    };
    for task in tasks {
        let (waits, refused, bad) = task.await.expect("a caller");
        all.answers += waits.len();
        all.waits.extend(waits);
        all.refused += refused;
        all.bad += bad;
    }
    all.took = start.elapsed();
    all
}

//! The program as a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::http::{self, Connection};

/// A port that nobody listens on.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("a port")
}

/// The program as a child.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts it; how long until its first page was there.
    pub fn start(
        database: &str,
        data: &Path,
        address: SocketAddr,
        settings: &[&str],
    ) -> (Self, Duration) {
        let start = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["serve", "--sandbox"])
            .arg(format!("--listen={address}"))
            .arg(format!("--database-url={database}"))
            .arg(format!("--data-dir={}", data.display()))
            .args(settings)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .expect("the program");
        let threads = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a thread");
        threads.block_on(async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                assert!(
                    start.elapsed() < Duration::from_secs(30),
                    "the program did not start"
                );
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let page = Connection::open(address)
                .await
                .ask(&http::get("/c/ridge", "gzip"))
                .await;
            assert_eq!(page.status, 200);
        });
        (Self { child }, start.elapsed())
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        // After the name in brackets: the 12th and 13th word are ticks of 10 ms.
        let words: Vec<&str> = stat[stat.rfind(')').expect("a name") + 2..]
            .split(' ')
            .collect();
        let ticks: u64 = words[11].parse::<u64>().expect("a number")
            + words[12].parse::<u64>().expect("a number");
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory in MiB.
    pub fn memory(&self) -> f64 {
        self.size("VmRSS:")
    }

    /// The most resident memory so far, in MiB.
    pub fn peak(&self) -> f64 {
        self.size("VmHWM:")
    }

    fn size(&self, name: &str) -> f64 {
        let status = self.proc("status");
        let line = status
            .lines()
            .find(|l| l.starts_with(name))
            .expect("a size");
        let kib: f64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a size");
        kib / 1024.0
    }

    fn proc(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).expect("/proc")
    }

    /// Asks it to end, and waits for that.
    pub async fn stop(mut self) {
        let told = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status();
        assert!(told.is_ok_and(|s| s.success()), "it was told to stop");
        self.child.wait().expect("its end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where the bench failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! chromedriver as a child of one test: started on a free port, ended with all that it started.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(60);
const END_LIMIT: Duration = Duration::from_secs(5);

/// A running chromedriver and the profile folder of its browser.
pub struct Driver {
    child: Child,
    port: u16,
    profile: TempDir,
    session: Option<String>,
}

impl Driver {
    /// Starts chromedriver (`MUSTER_CHROMEDRIVER`, else from the PATH) and waits until it tells its port.
    pub fn start() -> Self {
        let program =
            std::env::var("MUSTER_CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut child = Command::new(&program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "could not start {program} ({e}): run the tests with tests/run, which installs chromium and \
                     chromedriver, or leave the browser out with tests/run --fast"
                )
            });
        let stdout = child.stdout.take().expect("its output is piped");
        let port = read_port(BufReader::new(stdout));
        let profile = tempfile::Builder::new()
            .prefix("muster-chromium-")
            .tempdir()
            .expect("a temporary folder");
        // From here on Drop ends the child, whatever happens.
        let driver = Self {
            child,
            port: port.unwrap_or(0),
            profile,
            session: None,
        };
        assert!(
            port.is_some(),
            "{program} did not tell its port within {START_LIMIT:?}"
        );
        driver
    }

    /// Where WebDriver commands go.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The browser's profile: fresh, and this test's alone.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// The session that is to be closed at the end.
    pub fn remember_session(&mut self, session: String) {
        self.session = Some(session);
    }

    /// Asks chromedriver to close the browser, which takes its processes along in good order.
    fn close_session(&self) -> std::io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, END_LIMIT)?;
        stream.set_read_timeout(Some(END_LIMIT))?;
        write!(
            stream,
            "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.port
        )?;
        // The first bytes of the answer come when the browser has ended; the connection itself may stay open.
        stream.read(&mut [0; 64]).map(|_| ())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let family = family(self.child.id(), self.profile.path());
        if let Err(e) = self.close_session() {
            eprintln!("the browser did not close by itself: {e}");
        }
        // The child itself is not reaped before wait(), so its pid cannot be another's.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let left: Vec<_> = family
            .iter()
            .filter(|p| p.is_alive())
            .map(|p| p.pid.to_string())
            .collect();
        if !left.is_empty() {
            // The shell's own kill: a bare machine has no other.
            let _ = Command::new("sh")
                .arg("-c")
                .arg(format!("kill -KILL {}", left.join(" ")))
                .stderr(Stdio::null())
                .status();
        }
        // The profile can only be removed when nobody writes into it any more.
        let started = Instant::now();
        while family.iter().any(Process::is_alive) && started.elapsed() < END_LIMIT {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The port from "ChromeDriver was started successfully on port N.", and somebody who reads the rest, lest the pipe fill.
fn read_port(mut output: impl BufRead + Send + 'static) -> Option<u16> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|n| n > 0) {
            if let Some((_, rest)) = line.split_once("started successfully on port ")
                && let Ok(port) = rest.trim().trim_end_matches('.').parse::<u16>()
            {
                let _ = tell.send(port);
            }
            line.clear();
        }
    });
    told.recv_timeout(START_LIMIT).ok()
}

/// One process, known by its start too, because pids come again.
struct Process {
    pid: u32,
    parent: u32,
    started: String,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // pid (name) state parent ... the 22nd field is the start; the name may hold anything but a last ")".
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if *fields.first()? == "Z" {
            return None;
        }
        Some(Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            started: (*fields.get(19)?).to_owned(),
        })
    }

    fn is_alive(&self) -> bool {
        Self::read(self.pid).is_some_and(|now| now.started == self.started)
    }
}

/// The descendants of `root`, and those that left the family but still name its profile (the crash handler does).
fn family(root: u32, profile: &Path) -> Vec<Process> {
    let everybody: HashMap<u32, Process> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, Process::read(pid)?)))
        .collect();
    let descends = |mut pid: u32| {
        while let Some(process) = everybody.get(&pid) {
            if process.parent == root {
                return true;
            }
            pid = process.parent;
        }
        false
    };
    let profile = profile.to_string_lossy();
    let names_profile = |pid: u32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&*profile))
    };
    let ours: Vec<u32> = everybody
        .keys()
        .copied()
        .filter(|pid| descends(*pid) || names_profile(*pid))
        .collect();
    let mut everybody = everybody;
    ours.iter()
        .filter_map(|pid| everybody.remove(pid))
        .collect()
}

//! The control socket's server: a few connections, polled in turn by one thread.
//!
//! Owned by the control thread. Invariants: nothing here blocks on a client; a connection has a
//! bounded request, a bounded time and one answer at a time; when all places are taken the one that
//! has been silent longest is closed, so that a kill always gets in. The socket's file never has a
//! wider mode than it was given.

use super::REQUEST_BYTES_MAX;
use super::answer::{Answer, Status};
use super::backend::{CtlBackend, Handled, Loading, handle};
use super::request::{CtlRequest, parse_request};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Connections at a time.
const CONNECTIONS_MAX: usize = 16;
/// How long a connection may be silent, or leave its answer unread.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long the thread sleeps when there is nothing to do.
const PAUSE: Duration = Duration::from_millis(2);

struct Connection {
    stream: UnixStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    written: usize,
    heard: Instant,
    waits_for_load: bool,
    /// The client has said all it will say.
    ended: bool,
}

/// The server of one control socket.
pub struct CtlServer {
    listener: UnixListener,
    path: PathBuf,
    connections: Vec<Connection>,
    loading: Option<Loading>,
}

impl Drop for CtlServer {
    fn drop(&mut self) {
        // If it is gone already, somebody else has tidied up.
        let _ = fs::remove_file(&self.path);
    }
}

impl CtlServer {
    /// Listens at a path, whose file gets this mode. A socket that nobody listens at any more is
    /// replaced; one in use, and any other file, is not.
    ///
    /// # Errors
    /// The path is in use or no socket, or the system's own reason.
    pub fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        if let Ok(existing) = fs::symlink_metadata(path) {
            if !existing.file_type().is_socket() {
                let what = format!("{} is there and is no socket", path.display());
                return Err(io::Error::new(ErrorKind::AlreadyExists, what));
            }
            if UnixStream::connect(path).is_ok() {
                let what = format!("a gateway listens at {} already", path.display());
                return Err(io::Error::new(ErrorKind::AddrInUse, what));
            }
        }
        // Bound under another name and renamed when its mode is right: nobody connects before.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", process::id()));
        let fresh = path.with_file_name(name);
        let listener = UnixListener::bind(&fresh)?;
        let placed = fs::set_permissions(&fresh, fs::Permissions::from_mode(mode))
            .and_then(|()| listener.set_nonblocking(true))
            .and_then(|()| fs::rename(&fresh, path));
        if let Err(error) = placed {
            let _ = fs::remove_file(&fresh);
            return Err(error);
        }
        let connections = Vec::with_capacity(CONNECTIONS_MAX);
        Ok(Self {
            listener,
            path: path.to_owned(),
            connections,
            loading: None,
        })
    }

    /// Serves until `stop` is set.
    pub fn run<B: CtlBackend>(&mut self, backend: &mut B, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if !self.poll(backend) {
                thread::sleep(PAUSE);
            }
        }
    }

    /// One round over everything; whether anything happened.
    pub fn poll<B: CtlBackend>(&mut self, backend: &mut B) -> bool {
        let now = Instant::now();
        let mut worked = self.accept(now);
        worked |= self.finish_load(backend, now);
        for index in (0..self.connections.len()).rev() {
            let connection = &mut self.connections[index];
            let alive = match connection.exchange(now) {
                Ok(moved) => {
                    worked |= moved;
                    connection.waits_for_load || now.duration_since(connection.heard) < SILENCE_MAX
                }
                Err(_) => false,
            };
            worked |= alive && self.answer_one(index, backend);
            if !alive || self.connections[index].is_done() {
                self.connections.swap_remove(index);
                worked = true;
            }
        }
        worked
    }

    fn accept(&mut self, now: Instant) -> bool {
        let Ok((stream, _)) = self.listener.accept() else {
            return false;
        };
        if stream.set_nonblocking(true).is_err() {
            return true;
        }
        if self.connections.len() == CONNECTIONS_MAX {
            let silent = self.connections.iter().enumerate();
            let longest = silent.min_by_key(|(_, connection)| connection.heard);
            if let Some((index, _)) = longest {
                self.connections.swap_remove(index);
            }
        }
        self.connections.push(Connection {
            stream,
            request: Vec::with_capacity(REQUEST_BYTES_MAX),
            answer: Vec::new(),
            written: 0,
            heard: now,
            waits_for_load: false,
            ended: false,
        });
        true
    }

    /// Installs a config whose load has ended, and answers whoever asked, if still there.
    fn finish_load<B: CtlBackend>(&mut self, backend: &mut B, now: Instant) -> bool {
        let Some(loading) = self.loading.take_if(|loading| loading.is_finished()) else {
            return false;
        };
        let answer = loading.finish(backend);
        let asked = self
            .connections
            .iter_mut()
            .find(|connection| connection.waits_for_load);
        if let Some(connection) = asked {
            connection.waits_for_load = false;
            connection.heard = now;
            connection.reply(&answer);
        }
        true
    }

    /// Answers the connection's next request, if it has one and its last answer is on its way.
    fn answer_one<B: CtlBackend>(&mut self, index: usize, backend: &mut B) -> bool {
        let connection = &mut self.connections[index];
        if connection.waits_for_load || !connection.answer.is_empty() {
            return false;
        }
        let Some(line) = connection.next_line() else {
            return false;
        };
        let request = match line {
            Ok(line) => parse_request(&line, &backend.config()),
            Err(answer) => {
                connection.reply(&answer);
                return true;
            }
        };
        let loads = matches!(request, Ok(CtlRequest::Reload(_) | CtlRequest::Diff(_)));
        if loads && self.loading.is_some() {
            let what = "another config is being loaded; ask again".to_owned();
            connection.reply(&Answer::new(Status::Failed(what)));
            return true;
        }
        let handled = match request {
            Ok(request) => handle(request, backend),
            Err(error) => Handled::Answered(Answer::new(Status::Failed(error.to_string()))),
        };
        match handled {
            Handled::Answered(answer) => connection.reply(&answer),
            Handled::Loading(loading) => {
                connection.waits_for_load = true;
                self.loading = Some(loading);
            }
        }
        true
    }
}

impl Connection {
    /// Moves bytes both ways as far as they go; whether any moved.
    fn exchange(&mut self, now: Instant) -> io::Result<bool> {
        let mut moved = false;
        while self.written < self.answer.len() {
            match self.stream.write(&self.answer[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.written += count;
                    self.heard = now;
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(moved),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.answer.clear();
        self.written = 0;
        let room = REQUEST_BYTES_MAX.saturating_sub(self.request.len());
        if room == 0 || self.waits_for_load || self.ended {
            return Ok(moved);
        }
        let mut bytes = [0; REQUEST_BYTES_MAX];
        match self.stream.read(&mut bytes[..room]) {
            Ok(0) => {
                self.ended = true;
                Ok(true)
            }
            Ok(count) => {
                self.request.extend_from_slice(&bytes[..count]);
                self.heard = now;
                Ok(true)
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(moved)
            }
            Err(error) => Err(error),
        }
    }

    /// The next whole line, or the answer to one that cannot be.
    fn next_line(&mut self) -> Option<Result<String, Answer>> {
        let failed = |what: &str| Err(Answer::new(Status::Failed(what.to_owned())));
        let Some(end) = self.request.iter().position(|byte| *byte == b'\n') else {
            if self.request.len() < REQUEST_BYTES_MAX {
                return None;
            }
            self.request.clear();
            return Some(failed("the request is too long"));
        };
        let line = String::from_utf8(self.request[..end].to_vec());
        self.request.drain(..=end);
        Some(line.or_else(|_| failed("the request is not UTF-8")))
    }

    /// Whether the client is gone, and has got every answer it had coming.
    fn is_done(&self) -> bool {
        self.ended
            && self.answer.is_empty()
            && !self.waits_for_load
            && !self.request.contains(&b'\n')
    }

    fn reply(&mut self, answer: &Answer) {
        self.answer = answer.to_wire().into_bytes();
        self.written = 0;
    }
}

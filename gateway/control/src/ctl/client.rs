//! The control socket's client, as `portcullis ctl` uses it.
//!
//! Owned by the caller's thread, which it blocks for a bounded time. Invariant: an answer is
//! complete or an error.

use super::REQUEST_BYTES_MAX;
use super::answer::Answer;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Asks one request and waits for its answer; `silence_max` bounds each wait for more of it.
///
/// # Errors
/// The socket's own; `InvalidInput` for a request of several lines, or too long; `InvalidData` for
/// an answer without an end.
pub fn ask(path: &Path, request: &str, silence_max: Duration) -> io::Result<Answer> {
    if request.contains(['\n', '\r']) || request.len() >= REQUEST_BYTES_MAX {
        let what = format!("a request is one line of at most {REQUEST_BYTES_MAX} bytes");
        return Err(io::Error::new(ErrorKind::InvalidInput, what));
    }
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(silence_max))?;
    stream.set_write_timeout(Some(silence_max))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut reader = BufReader::new(stream.take(ANSWER_BYTES_MAX));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            let what = "the gateway closed the connection before its answer was complete";
            return Err(io::Error::new(ErrorKind::InvalidData, what));
        }
        let line = line.trim_end_matches('\n');
        if let Some(text) = line.strip_prefix(' ') {
            lines.push(text.to_owned());
        } else if let Some(status) = Answer::status_of(line) {
            return Ok(Answer { lines, status });
        } else {
            let what = format!("the answer has a line that is none of its: {line}");
            return Err(io::Error::new(ErrorKind::InvalidData, what));
        }
    }
}

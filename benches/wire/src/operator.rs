//! Whoever operates the gateway: asks at its control socket and reads the answers.
//!
//! Owned by the measuring thread, which waits for each answer. Invariant: requests are answered in order, one each.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Requests under way at once: they fit into what the gateway reads at once.
const AT_ONCE: usize = 64;

/// A connection to the control socket.
pub(crate) struct Operator {
    socket: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Operator {
    pub(crate) fn connect(path: &Path) -> Result<Self, String> {
        let fault = |error: std::io::Error| format!("the control socket: {error}");
        let socket = UnixStream::connect(path).map_err(fault)?;
        socket
            .set_read_timeout(Some(ANSWER_WITHIN))
            .map_err(fault)?;
        let answers = BufReader::new(socket.try_clone().map_err(fault)?);
        Ok(Self { socket, answers })
    }

    /// Asks for each of these; what was answered before each `ok`. Anything else is an error.
    pub(crate) fn ask(&mut self, requests: &[String]) -> Result<Vec<String>, String> {
        let mut answers = Vec::with_capacity(requests.len());
        for some in requests.chunks(AT_ONCE) {
            let lines: String = some.iter().map(|request| format!("{request}\n")).collect();
            let asked = self.socket.write_all(lines.as_bytes());
            asked.map_err(|error| format!("the control socket: {error}"))?;
            for request in some {
                answers.push(self.answer(request)?);
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, request: &str) -> Result<String, String> {
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line);
            read.map_err(|error| format!("`{request}` was not answered: {error}"))?;
            match line.strip_prefix(' ') {
                Some(more) => answer.push_str(more),
                None if line.starts_with("ok") => return Ok(answer),
                None => {
                    return Err(format!(
                        "the gateway answered `{request}` with: {answer}{line}"
                    ));
                }
            }
        }
    }
}

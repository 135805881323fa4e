//! What the control socket needs of the server, and the answer to each request.
//!
//! Control thread only. Invariants: a reload is read, compared, built and kept away from the control
//! thread, so that neither a kill nor the data plane, whose words the control thread takes, waits
//! for a file; it is installed only if it was compared with the config that is still in force.

use super::answer::{Answer, Status};
use super::request::{CtlRequest, FORMS, Query};
use crate::config::{self, Config, DialectBounds, LoadOptions, diff};
use crate::credentials::CredentialTable;
use crate::names::Names;
use portcullis_domain::{Command, Seq};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What became of a sequenced command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Applied {
        /// Its place in the log.
        seq: Seq,
        /// What a person should know of it, or nothing.
        note: String,
    },
    /// The core refused it.
    Refused {
        /// Its place in the log.
        seq: Seq,
        /// Why.
        reason: String,
    },
}

/// What the control socket needs of the server.
pub trait CtlBackend {
    /// The config in force.
    fn config(&self) -> Arc<Config>;

    /// The wire dialect that a new config must fit, if there is one.
    fn dialect(&self) -> Option<DialectBounds>;

    /// Has a command sequenced and waits for what becomes of it, no longer than a bounded time.
    ///
    /// # Errors
    /// Why it was not sequenced, or that its outcome is not known in time.
    fn submit(&mut self, command: Command) -> Result<Outcome, String>;

    /// Looks something up; the text is for a person.
    ///
    /// # Errors
    /// Why it cannot be looked up.
    fn query(&mut self, query: Query) -> Result<String, String>;

    /// How a table is kept where a replay finds it.
    fn keep_limits(&self) -> KeepLimits;

    /// Stages the table of a config, loaded as a reload of the one in force, and has it flipped to.
    /// The control thread waits for it meanwhile: it takes no longer for a million accounts.
    ///
    /// # Errors
    /// Why nothing was sequenced; the old config is in force.
    fn install(&mut self, ready: Ready) -> Result<Outcome, String>;
}

/// Keeps a table where a replay finds it, and the names behind its numbers, on the thread that loaded it.
///
/// # Errors
/// Why it cannot be kept.
pub type KeepLimits = Box<dyn FnOnce(&LimitSpec, &Names) -> Result<(), String> + Send>;

/// A config with all done that takes long.
pub struct Ready {
    /// The config.
    pub config: Config,
    /// Its limits, as the core takes them.
    pub table: Box<LimitTable>,
    /// Its passwords, as logons are verified against them.
    pub credentials: CredentialTable,
}

/// A config being loaded on a thread of its own.
pub(super) struct Loading {
    against: Arc<Config>,
    thread: JoinHandle<Result<Loaded, Answer>>,
}

/// What comes of a load: the text for whoever asked, and for a reload what to install.
struct Loaded {
    text: String,
    ready: Option<Box<Ready>>,
}

impl Loading {
    fn start<B: CtlBackend>(backend: &B, path: PathBuf, install: bool) -> Self {
        let (against, dialect) = (backend.config(), backend.dialect());
        let previous = Arc::clone(&against);
        let keep = install.then(|| backend.keep_limits());
        let thread = thread::spawn(move || load(&path, dialect, &previous, keep));
        Self { against, thread }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// The answer; where it was a reload, what it installed is in force after it.
    pub(super) fn finish<B: CtlBackend>(self, backend: &mut B) -> Answer {
        let loaded = match self.thread.join() {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(answer)) => return answer,
            Err(_) => {
                let what = "the config broke its reader; nothing changed, please report it";
                return Answer::new(Status::Failed(what.to_owned()));
            }
        };
        let Some(ready) = loaded.ready else {
            return Answer::with_text(&loaded.text, Status::Done("nothing was changed".to_owned()));
        };
        if !Arc::ptr_eq(&self.against, &backend.config()) {
            let what = "another reload came first; ask again";
            return Answer::new(Status::Failed(what.to_owned()));
        }
        // Whoever installs frees the config that goes out of force, so nobody else may hold it.
        drop(self.against);
        let status = status(backend.install(*ready));
        Answer::with_text(&loaded.text, status)
    }
}

/// All of a reload that takes long, none of it on the control thread.
fn load(
    path: &Path,
    dialect: Option<DialectBounds>,
    previous: &Config,
    keep: Option<KeepLimits>,
) -> Result<Loaded, Answer> {
    let begun = Instant::now();
    let options = LoadOptions {
        dialect,
        previous: Some(previous),
    };
    let config = config::load(path, options).map_err(|errors| {
        let status = Status::Failed("the config has mistakes; nothing changed".to_owned());
        Answer::with_text(&errors.to_string(), status)
    })?;
    let mut text = diff(previous, &config).to_string();
    for warning in &config.warnings {
        text.push_str("\nwarning: ");
        text.push_str(warning);
    }
    let Some(keep) = keep else {
        return Ok(Loaded { text, ready: None });
    };
    let read = begun.elapsed();
    let failed = |why: String| Answer::new(Status::Failed(format!("{why}; nothing changed")));
    let credentials = CredentialTable::new(&config.sessions)
        .map_err(|error| failed(format!("the sessions' passwords: {error}")))?;
    let table = Box::new(config.limit_table());
    keep(&config.limits, &config.names).map_err(failed)?;
    let built = begun.elapsed() - read;
    let (read, built) = (seconds(read), seconds(built));
    text.push_str(&format!(
        "\nread and compared in {read} s, table built and kept in {built} s"
    ));
    let ready = Some(Box::new(Ready {
        config,
        table,
        credentials,
    }));
    Ok(Loaded { text, ready })
}

/// Seconds with three decimals.
fn seconds(duration: Duration) -> String {
    format!("{}.{:03}", duration.as_secs(), duration.subsec_millis())
}

/// What comes of a request: an answer, or one that has to be waited for.
pub(super) enum Handled {
    Answered(Answer),
    Loading(Loading),
}

pub(super) fn handle<B: CtlBackend>(request: CtlRequest, backend: &mut B) -> Handled {
    Handled::Answered(match request {
        CtlRequest::Reload(path) => return Handled::Loading(Loading::start(backend, path, true)),
        CtlRequest::Diff(path) => return Handled::Loading(Loading::start(backend, path, false)),
        CtlRequest::Help => help(),
        CtlRequest::Command(command) => Answer::new(status(backend.submit(command))),
        CtlRequest::Query(query) => match backend.query(query) {
            Ok(text) => Answer::with_text(&text, Status::Done(String::new())),
            Err(why) => Answer::new(Status::Failed(why)),
        },
    })
}

fn status(outcome: Result<Outcome, String>) -> Status {
    match outcome {
        Ok(Outcome::Applied { seq, note }) => {
            Status::Done(format!("seq {} {note}", seq.raw()).trim_end().to_owned())
        }
        Ok(Outcome::Refused { seq, reason }) => {
            Status::Refused(format!("seq {} {reason}", seq.raw()).trim_end().to_owned())
        }
        Err(why) => Status::Failed(why),
    }
}

fn help() -> Answer {
    let lines = FORMS
        .iter()
        .map(|(verb, form)| format!("{verb} {form}").trim_end().to_owned());
    Answer {
        lines: lines.collect(),
        status: Status::Done(String::new()),
    }
}

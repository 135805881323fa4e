//! What the control socket needs of the server, and the answer to each request.
//!
//! Control thread only. Invariants: a reload is loaded and compared away from the control thread,
//! so that a kill never waits for a file; it is installed only if it was compared with the config
//! that is still in force.

use super::answer::{Answer, Status};
use super::request::{CtlRequest, FORMS, Query};
use crate::config::{self, Config, DialectBounds, Difference, Errors, LoadOptions, diff};
use portcullis_domain::{Command, Seq};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

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

    /// Stages a config, loaded as a reload of the one in force, and has its limits flipped to.
    ///
    /// # Errors
    /// Why nothing was sequenced; the old config is in force.
    fn install(&mut self, config: Config) -> Result<Outcome, String>;
}

/// A config being loaded on a thread of its own.
pub(super) struct Loading {
    against: Arc<Config>,
    thread: JoinHandle<Result<(Config, Difference), Errors>>,
    install: bool,
}

impl Loading {
    fn start<B: CtlBackend>(backend: &B, path: PathBuf, install: bool) -> Self {
        let (against, dialect) = (backend.config(), backend.dialect());
        let previous = Arc::clone(&against);
        let thread = thread::spawn(move || {
            let options = LoadOptions {
                dialect,
                previous: Some(&previous),
            };
            let config = config::load(&path, options)?;
            let difference = diff(&previous, &config);
            Ok((config, difference))
        });
        Self {
            against,
            thread,
            install,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// The answer; where it was a reload, what it installed is in force after it.
    pub(super) fn finish<B: CtlBackend>(self, backend: &mut B) -> Answer {
        let (config, difference) = match self.thread.join() {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(errors)) => {
                let status = Status::Failed("the config has mistakes; nothing changed".to_owned());
                return Answer::with_text(&errors.to_string(), status);
            }
            Err(_) => {
                let what = "the config broke its reader; nothing changed, please report it";
                return Answer::new(Status::Failed(what.to_owned()));
            }
        };
        let mut text = difference.to_string();
        for warning in &config.warnings {
            text.push_str("\nwarning: ");
            text.push_str(warning);
        }
        if !self.install {
            return Answer::with_text(&text, Status::Done("nothing was changed".to_owned()));
        }
        if !Arc::ptr_eq(&self.against, &backend.config()) {
            let what = "another reload came first; ask again";
            return Answer::new(Status::Failed(what.to_owned()));
        }
        let status = status(backend.install(config));
        Answer::with_text(&text, status)
    }
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

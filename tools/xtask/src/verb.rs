//! What a verb is: a name, a line of help, a function, and three ways to end.

use crate::workspace::Workspace;

/// One verb of `cargo xtask`.
pub(crate) struct Verb {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// Its arguments, as the usage text shows them; empty where it takes none.
    pub(crate) arguments: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// Does it. The arguments are those after the verb's name.
    pub(crate) run: fn(&Workspace, &[String]) -> Result<Outcome, Fault>,
}

/// How a verb ended when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Passed,
    /// Exit code 1. The verb has said what is wrong, where, and what to do.
    Failed,
}

impl Outcome {
    /// `Passed` if `passed`.
    pub(crate) fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

/// Why a verb could not do its work: a wrong command line, a missing file or tool. Exit code 2.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

impl Fault {
    /// A fault about `subject`, caused by `cause`.
    pub(crate) fn of(subject: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Self(format!("{subject}: {cause}"))
    }
}

/// Refuses arguments to a verb that takes none.
pub(crate) fn no_arguments(verb: &str, arguments: &[String]) -> Result<(), Fault> {
    match arguments.first() {
        None => Ok(()),
        Some(first) => Err(Fault(format!(
            "`{verb}` takes no argument, and was given `{first}`"
        ))),
    }
}

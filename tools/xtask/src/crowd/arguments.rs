//! What the verb is told on its command line.

use crate::verb::Fault;

/// The arguments as the usage text shows them.
pub(super) const USAGE: &str = "[--sessions N] [--hostile N] [--seconds N] [--json]";

/// Flow names a session by three digits, so that no more of them can behave.
const WELL_BEHAVED_MAX: usize = 1_000;

/// How large a crowd, for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Clients in all.
    pub(super) sessions: usize,
    /// Those of them that are hostile.
    pub(super) hostile: usize,
    /// How long both go on at once.
    pub(super) seconds: u64,
    /// Whether the last line is a JSON object.
    pub(super) json: bool,
}

impl Arguments {
    pub(super) fn read(words: &[String]) -> Result<Self, Fault> {
        let mut read = Self {
            sessions: 1_000,
            hostile: 100,
            seconds: 30,
            json: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || {
                let number = words.next().and_then(|word| word.parse().ok());
                number.ok_or_else(|| Fault(format!("{word} takes a number: {USAGE}")))
            };
            match word.as_str() {
                "--sessions" => read.sessions = number()?,
                "--hostile" => read.hostile = number()?,
                "--seconds" => read.seconds = number()? as u64,
                "--json" => read.json = true,
                _ => return Err(Fault(format!("crowd does not know `{word}`: {USAGE}"))),
            }
        }
        let well_behaved = read.sessions.saturating_sub(read.hostile);
        if !(2..=WELL_BEHAVED_MAX).contains(&well_behaved) || read.seconds == 0 {
            return Err(Fault(format!(
                "{well_behaved} of the sessions would behave, for {} s: let 2 to \
                 {WELL_BEHAVED_MAX} of them, for 1 s or more",
                read.seconds
            )));
        }
        Ok(read)
    }

    /// Clients that behave.
    pub(super) fn well_behaved(&self) -> usize {
        self.sessions - self.hostile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Fault> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::read(&words)
    }

    #[test]
    fn what_is_left_out_has_a_default_and_what_makes_no_crowd_is_a_fault() {
        let all = read("").unwrap();
        assert_eq!(
            (all.sessions, all.well_behaved(), all.json),
            (1_000, 900, false)
        );
        let few = read("--sessions 100 --hostile 20 --seconds 3 --json").unwrap();
        assert_eq!((few.well_behaved(), few.seconds, few.json), (80, 3, true));
        for wrong in [
            "--sessions",
            "--sessions x",
            "--what",
            "--hostile 999",
            "--seconds 0",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

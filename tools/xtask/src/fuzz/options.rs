//! What `cargo xtask fuzz` is asked to do.
//!
//! Invariant: options that would leave nothing to do are refused.

use super::target::{TARGETS, Target};
use crate::verb::Fault;

/// The arguments, as the usage text shows them.
pub(super) const USAGE: &str =
    "[--target NAME] [--seconds N] [--planted] [--coverage] [--smoke] [--json]";

/// Seconds of a run where none are named.
const SECONDS: u32 = 60;

/// Seconds of a target in the smoke.
const SMOKE_SECONDS: u32 = 2;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Options {
    /// The one target that is meant; `None` for all.
    pub(super) target: Option<&'static Target>,
    /// How long each target runs.
    pub(super) seconds: u32,
    /// Whether each target must find its planted fault.
    pub(super) planted: bool,
    /// Whether lines are counted.
    pub(super) coverage: bool,
    /// Whether one JSON object is the last line.
    pub(super) json: bool,
    /// Whether the proof of the planted faults is all.
    planted_alone: bool,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Fault> {
        let mut options = Self {
            target: None,
            seconds: SECONDS,
            planted: false,
            coverage: false,
            json: false,
            planted_alone: false,
        };
        let (mut seconds, mut smoke) = (None, false);
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--target" => options.target = Some(named(words.next())?),
                "--seconds" => seconds = Some(number(words.next())?),
                "--planted" => options.planted = true,
                "--coverage" => options.coverage = true,
                "--smoke" => smoke = true,
                "--json" => options.json = true,
                other => {
                    return Err(Fault(format!(
                        "`fuzz` does not know `{other}`; it takes {USAGE}"
                    )));
                }
            }
        }
        options.planted_alone = options.planted && !options.coverage && seconds.is_none();
        options.seconds = seconds.unwrap_or(if smoke { SMOKE_SECONDS } else { SECONDS });
        if smoke {
            (options.planted, options.planted_alone) = (true, false);
        }
        if !options.runs() && !options.planted && !options.coverage {
            return Err(Fault("`fuzz --seconds 0` leaves nothing to do".into()));
        }
        Ok(options)
    }

    /// Whether the targets are run as they are.
    pub(super) const fn runs(&self) -> bool {
        self.seconds > 0 && !self.planted_alone
    }

    /// The targets that are meant.
    pub(super) fn targets(&self) -> Vec<&'static Target> {
        match self.target {
            Some(target) => vec![target],
            None => TARGETS.iter().collect(),
        }
    }
}

fn named(word: Option<&String>) -> Result<&'static Target, Fault> {
    let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>();
    let wanted = word.map_or("", String::as_str);
    TARGETS
        .iter()
        .find(|target| target.name == wanted)
        .ok_or_else(|| {
            Fault(format!(
                "there is no fuzz target `{wanted}`; name one of {}",
                names().join(", ")
            ))
        })
}

fn number(word: Option<&String>) -> Result<u32, Fault> {
    let wanted = word.map_or("", String::as_str);
    wanted
        .parse()
        .map_err(|_| Fault(format!("`--seconds {wanted}`: write a whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Fault> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn what_is_asked_is_what_is_done() {
        let cases = [
            ("", (true, false, false, SECONDS)),
            ("--seconds 600", (true, false, false, 600)),
            ("--planted", (false, true, false, SECONDS)),
            ("--planted --seconds 5", (true, true, false, 5)),
            ("--coverage --seconds 0", (false, false, true, 0)),
            ("--coverage", (true, false, true, SECONDS)),
            ("--smoke", (true, true, false, SMOKE_SECONDS)),
        ];
        for (line, expected) in cases {
            let options = parse(line).expect(line);
            let found = (
                options.runs(),
                options.planted,
                options.coverage,
                options.seconds,
            );
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn one_target_can_be_named_and_a_wrong_word_is_refused() {
        let options = parse("--target record --json").expect("it is there");
        assert_eq!(options.targets().len(), 1);
        assert_eq!(parse("").expect("all").targets().len(), TARGETS.len());
        for line in [
            "--target recrod",
            "--target",
            "--seconds x",
            "--seconds 0",
            "--sedconds 1",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

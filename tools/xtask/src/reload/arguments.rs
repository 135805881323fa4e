//! The command line of `cargo xtask reload`.

use crate::verb::Fault;

/// As the usage text shows it.
pub(super) const USAGE: &str =
    "[--accounts N] [--flips N] [--json] [--prove] [--plant mixed|lost|swapped]";

/// A fault in what is judged, to show that the judgement sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    /// The probes are expected to be judged by accounts of one table and all else of the other.
    Mixed,
    /// One answer that a client read is forgotten.
    Lost,
    /// The replay finds the two tables under each other's name.
    Swapped,
}

impl Plant {
    pub(super) const ALL: [Self; 3] = [Self::Mixed, Self::Lost, Self::Swapped];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Lost => "lost",
            Self::Swapped => "swapped",
        }
    }
}

/// What is asked of the verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Accounts in either table.
    pub(super) accounts: u32,
    /// Reloads, from one config to the other and back.
    pub(super) flips: u32,
    /// Print one JSON object as the last line.
    pub(super) json: bool,
    /// Judge the same evidence with each plant as well, and fail if one goes unseen.
    pub(super) prove: bool,
    /// Judge with this plant.
    pub(super) plant: Option<Plant>,
}

/// The fewest accounts: those that are named, and some beside them.
const ACCOUNTS_MIN: u32 = 100;

/// There, back, and there again: both tables come into force by a flip.
const FLIPS_MIN: u32 = 2;

impl Arguments {
    pub(super) fn parse(words: &[String]) -> Result<Self, Fault> {
        let mut arguments = Self {
            accounts: 1_000_000,
            flips: 12,
            json: false,
            prove: false,
            plant: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => arguments.json = true,
                "--prove" => arguments.prove = true,
                "--accounts" => arguments.accounts = number(word, words.next(), ACCOUNTS_MIN)?,
                "--flips" => arguments.flips = number(word, words.next(), FLIPS_MIN)?,
                "--plant" => {
                    let wanted = words.next().map(String::as_str);
                    let plant = Plant::ALL.into_iter().find(|p| Some(p.name()) == wanted);
                    let unknown = || Fault("`--plant` takes mixed, lost or swapped".to_owned());
                    arguments.plant = Some(plant.ok_or_else(unknown)?);
                }
                other => return Err(Fault(format!("`reload` takes {USAGE}, not `{other}`"))),
            }
        }
        Ok(arguments)
    }
}

fn number(name: &str, text: Option<&String>, least: u32) -> Result<u32, Fault> {
    let number = text.and_then(|text| text.parse().ok());
    let number = number.filter(|number| *number >= least);
    number.ok_or_else(|| Fault(format!("`{name}` takes a whole number from {least}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, Fault> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words)
    }

    #[test]
    fn arguments_are_read_or_refused_by_name() {
        let full = parse("").expect("the full run");
        assert_eq!((full.accounts, full.flips), (1_000_000, 12));
        let small = parse("--accounts 200 --flips 4 --json --prove --plant lost").expect("reads");
        assert_eq!((small.accounts, small.flips), (200, 4));
        assert!(small.json && small.prove && small.plant == Some(Plant::Lost));
        for wrong in ["--flips 1", "--accounts", "--accounts x", "--plant", "fast"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

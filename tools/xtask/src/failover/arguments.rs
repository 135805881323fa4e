//! What the verb is told on its command line.

use crate::verb::Fault;

/// The arguments as the usage text shows them.
pub(super) const USAGE: &str = "[--rounds N] [--clients N] [--durability WORD] [--seed N] [--json]";

/// How often a leader dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) rounds: u64,
    /// Clients that send all the while.
    pub(super) clients: usize,
    /// What must hold before anything leaves the leader.
    pub(super) durability: &'static str,
    /// What all that is random follows from.
    pub(super) seed: u64,
    /// Whether the last line is a JSON object.
    pub(super) json: bool,
}

const DURABILITIES: [&str; 2] = ["replicated", "journaled"];

impl Arguments {
    pub(super) fn read(words: &[String]) -> Result<Self, Fault> {
        let mut read = Self {
            rounds: 100,
            clients: 4,
            durability: DURABILITIES[0],
            seed: 1,
            json: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--json" {
                read.json = true;
                continue;
            }
            let value = words.next();
            let value = value.ok_or_else(|| Fault(format!("{word} takes a value: {USAGE}")))?;
            if word == "--durability" {
                let known = DURABILITIES.iter().find(|known| *known == value);
                let known = known
                    .ok_or_else(|| Fault(format!("--durability is one of {DURABILITIES:?}")))?;
                read.durability = known;
                continue;
            }
            let number: u64 = value
                .parse()
                .map_err(|_| Fault(format!("{word} takes a number: {USAGE}")))?;
            match word.as_str() {
                "--rounds" => read.rounds = number,
                "--clients" => read.clients = number as usize,
                "--seed" => read.seed = number,
                _ => return Err(Fault(format!("failover does not know `{word}`: {USAGE}"))),
            }
        }
        if !(1..=64).contains(&read.clients) || read.rounds == 0 {
            return Err(Fault("1 to 64 clients, and at least one round".to_owned()));
        }
        Ok(read)
    }
}

//! What the verb is told on its command line.

use crate::verb::Fault;

/// The arguments as the usage text shows them.
pub(super) const USAGE: &str = "[--kills N] [--clients N] [--life-ms N] [--engine WORD] [--durability WORD] [--seed N] [--json]";

/// How the gateway lives and dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// How often it is killed.
    pub(super) kills: u64,
    /// Clients that send all the while.
    pub(super) clients: usize,
    /// The longest it serves before it is killed.
    pub(super) life_ms_max: u64,
    /// What matches: the ladder that dies with it, or an engine of its own that lives on.
    pub(super) engine: Engine,
    /// What must hold before anything leaves it.
    pub(super) durability: &'static str,
    /// What all that is random follows from.
    pub(super) seed: u64,
    /// Whether the last line is a JSON object.
    pub(super) json: bool,
}

/// What matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Embedded,
    Ouch,
}

impl Engine {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Ouch => "ouch",
        }
    }
}

const DURABILITIES: [&str; 2] = ["journaled", "synced"];

impl Arguments {
    pub(super) fn read(words: &[String]) -> Result<Self, Fault> {
        let mut read = Self {
            kills: 1_000,
            clients: 4,
            life_ms_max: 400,
            engine: Engine::Ouch,
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
            if word == "--engine" {
                let mut known = [Engine::Embedded, Engine::Ouch].into_iter();
                let engine = known.find(|known| known.word() == value);
                let engine =
                    engine.ok_or_else(|| Fault("--engine is embedded or ouch".to_owned()))?;
                read.engine = engine;
                continue;
            }
            if word == "--durability" {
                let known = DURABILITIES.iter().find(|known| *known == value);
                let known = known.ok_or_else(|| {
                    Fault(format!(
                        "--durability is one of {DURABILITIES:?}: a killed process keeps no less"
                    ))
                })?;
                read.durability = known;
                continue;
            }
            let number: u64 = value
                .parse()
                .map_err(|_| Fault(format!("{word} takes a number: {USAGE}")))?;
            match word.as_str() {
                "--kills" => read.kills = number,
                "--clients" => read.clients = number as usize,
                "--life-ms" => read.life_ms_max = number,
                "--seed" => read.seed = number,
                _ => return Err(Fault(format!("crash does not know `{word}`: {USAGE}"))),
            }
        }
        if !(1..=64).contains(&read.clients) || read.kills == 0 {
            return Err(Fault("1 to 64 clients, and at least one kill".to_owned()));
        }
        Ok(read)
    }
}

//! What the program is told on its command line.

/// The arguments as the usage text shows them.
pub(crate) const USAGE: &str = "simulate [--seeds N] [--seed S] [--threads N] [--trace] [--json]
  --seeds N    how many seeds are run (500; 1 where a seed is named)
  --seed S     the first of them (0)
  --threads N  threads (as many as there are processors)
  --trace      prints the log of the first seed's run, and what its clients were told
  --json       ends with a JSON object";

/// Seeds of a run that names none.
const SEEDS: u64 = 500;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) first: u64,
    pub(crate) seeds: u64,
    pub(crate) threads: usize,
    pub(crate) trace: bool,
    pub(crate) json: bool,
}

impl Arguments {
    /// Reads the words; `processors` is what the machine has.
    pub(crate) fn read(words: &[String], processors: usize) -> Result<Self, String> {
        let (mut first, mut seeds, mut threads) = (None, None, None);
        let (mut trace, mut json) = (false, false);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || {
                let number = words.next().and_then(|word| word.parse::<u64>().ok());
                number.ok_or_else(|| format!("{word} takes a number\n{USAGE}"))
            };
            match word.as_str() {
                "--seeds" => seeds = Some(number()?),
                "--seed" => first = Some(number()?),
                "--threads" => threads = Some(number()? as usize),
                "--trace" => trace = true,
                "--json" => json = true,
                _ => return Err(format!("`{word}` is not known\n{USAGE}")),
            }
        }
        let default = if first.is_some() { 1 } else { SEEDS };
        let read = Self {
            first: first.unwrap_or(0),
            seeds: seeds.unwrap_or(default),
            threads: threads.unwrap_or(processors),
            trace,
            json,
        };
        if read.seeds == 0 || read.threads == 0 || read.first.checked_add(read.seeds).is_none() {
            return Err(format!(
                "at least one seed, on at least one thread\n{USAGE}"
            ));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::read(&words, 2)
    }

    #[test]
    fn a_named_seed_is_run_alone_and_what_is_left_out_has_a_default() {
        let all = read("").unwrap();
        assert_eq!((all.first, all.seeds, all.threads), (0, SEEDS, 2));
        let one = read("--seed 7 --json").unwrap();
        assert_eq!((one.first, one.seeds, one.json), (7, 1, true));
        let some = read("--seed 7 --seeds 9 --threads 1").unwrap();
        assert_eq!((some.first, some.seeds, some.threads), (7, 9, 1));
        for wrong in ["--seeds", "--seeds x", "--seeds 0", "--threads 0", "--what"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

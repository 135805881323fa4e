//! What every bench takes on its command line.
//!
//! Owned by a bench's main thread. Invariant: an argument that is not known is refused.

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// One object a line, and a last line that sums up.
    pub json: bool,
    /// About a minute.
    pub quick: bool,
    /// Rounds over which medians are taken; at least one.
    pub rounds: u32,
}

impl Options {
    /// Rounds where none are named.
    pub const ROUNDS: u32 = 5;

    /// Reads a command line, without the program's name.
    ///
    /// # Errors
    /// What is wrong, and what can be written.
    pub fn read(bench: &str, arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            json: false,
            quick: false,
            rounds: Self::ROUNDS,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                "--rounds" => {
                    let rounds = arguments.next().and_then(|text| text.parse().ok());
                    options.rounds = rounds
                        .filter(|rounds| (1..=1_000).contains(rounds))
                        .ok_or("--rounds takes a number from 1 to 1000")?;
                }
                _ => {
                    return Err(format!(
                        "`{argument}` is not known; usage: {bench} [--json] [--quick] [--rounds N]"
                    ));
                }
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_read_and_the_rest_refused() {
        let read = |words: &[&str]| Options::read("b", words.iter().map(|&word| word.to_owned()));
        assert_eq!(read(&[]).map(|options| options.rounds), Ok(5));
        assert_eq!(
            read(&["--json", "--quick", "--rounds", "7"]),
            Ok(Options {
                json: true,
                quick: true,
                rounds: 7
            })
        );
        assert!(read(&["--rounds", "0"]).is_err());
        assert!(read(&["--rounds"]).is_err());
        assert!(read(&["--fast"]).is_err());
    }
}

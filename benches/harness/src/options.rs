//! What every bench takes on its command line.
//!
//! Owned by a bench's main thread. Invariant: an argument that is not known is refused.

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// One object a line, and a last line that sums up.
    pub json: bool,
    /// About a minute.
    pub quick: bool,
    /// Rounds over which medians are taken; at least one.
    pub rounds: u32,
    /// Cells asked for; none named is all.
    pub cells: Vec<String>,
}

impl Options {
    /// Rounds where none are named.
    pub const ROUNDS: u32 = 5;

    /// Reads a command line, without the program's name.
    ///
    /// # Errors
    /// What is wrong, and what can be written.
    pub fn read(bench: &str, arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let options = Self::of_cells(bench, arguments)?;
        match options.cells.is_empty() {
            true => Ok(options),
            false => Err(format!("{bench} has no cells: no --cells")),
        }
    }

    /// The same of a bench that has cells.
    ///
    /// # Errors
    /// What is wrong, and what can be written.
    pub fn of_cells(
        bench: &str,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Self, String> {
        let mut options = Self {
            json: false,
            quick: false,
            rounds: Self::ROUNDS,
            cells: Vec::new(),
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                "--cells" => {
                    let names = arguments.next().ok_or("--cells takes names: NAME,NAME")?;
                    options.cells = names.split(',').map(plain).collect();
                }
                "--rounds" => {
                    let rounds = arguments.next().and_then(|text| text.parse().ok());
                    options.rounds = rounds
                        .filter(|rounds| (1..=1_000).contains(rounds))
                        .ok_or("--rounds takes a number from 1 to 1000")?;
                }
                _ => {
                    return Err(format!(
                        "`{argument}` is not known; usage: {bench} [--json] [--quick] \
                         [--rounds N] [--cells NAME,..]"
                    ));
                }
            }
        }
        Ok(options)
    }

    /// Whether a cell is asked for: all are where none is named, else those that have a name asked for in
    /// theirs, whatever stands between its words.
    #[must_use]
    pub fn wants(&self, cell: &str) -> bool {
        self.cells.is_empty() || self.names(cell)
    }

    /// Whether a cell is asked for by name.
    #[must_use]
    pub fn names(&self, cell: &str) -> bool {
        let cell = plain(cell);
        self.cells.iter().any(|name| cell.contains(name))
    }

    /// Refuses names that are in no cell's.
    ///
    /// # Errors
    /// The name, and what cells there are.
    pub fn must_be_among(&self, cells: &[&str]) -> Result<(), String> {
        let unknown = |name: &&String| !cells.iter().any(|cell| plain(cell).contains(*name));
        let Some(name) = self.cells.iter().find(unknown) else {
            return Ok(());
        };
        let cells: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
        Err(format!(
            "no cell has `{name}` in its name: {}",
            cells.join(", ")
        ))
    }
}

/// A name as it is typed: small letters and digits, one dash between words.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
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
                rounds: 7,
                cells: Vec::new(),
            })
        );
        assert!(read(&["--cells"]).is_err());
        assert!(read(&["--rounds", "0"]).is_err());
        assert!(read(&["--rounds"]).is_err());
        assert!(read(&["--fast"]).is_err());
    }

    #[test]
    fn a_cell_is_asked_for_by_a_part_of_its_name() {
        let words = ["--cells", "10k-accounts-zipf,1M"].map(str::to_owned);
        assert!(Options::read("b", words.clone()).is_err());
        let options = Options::of_cells("b", words).expect("known words");
        assert!(options.names("10k accounts, zipf"));
        assert!(options.wants("1M accounts, uniform") && !options.wants("10k accounts, uniform"));
        assert_eq!(
            options.must_be_among(&["10k accounts, zipf", "1M accounts"]),
            Ok(())
        );
        let unknown = options.must_be_among(&["10k accounts, zipf"]).unwrap_err();
        assert_eq!(unknown, "no cell has `1m` in its name: 10k-accounts-zipf");
        let all = Options::read("b", []).expect("nothing is not wrong");
        assert!(all.wants("1M accounts") && !all.names("1M accounts"));
    }
}

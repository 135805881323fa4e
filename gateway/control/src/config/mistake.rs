//! Mistakes in a config: collected, placed, and shown to whoever wrote it.
//!
//! Control thread only. Invariants: every mistake has a file, and a line and column where it has a
//! place; at most [`LISTED_MAX`] are kept and the rest are counted, so that a broken file of a
//! million lines answers in bounded memory. Shows no character that a terminal would act on.

use core::fmt;
use core::ops::Range;

/// The most mistakes that are listed.
pub const LISTED_MAX: usize = 100;

/// What the planted fault adds to the number of a line.
const PLANTED_LINES: usize = if cfg!(feature = "planted-bug") { 1 } else { 0 };

/// The most characters of a source line that are shown.
const SHOWN_MAX: usize = 120;

/// Bytes of the text that something stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    start: usize,
    end: usize,
}

impl From<Range<usize>> for Place {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// One mistake: where, what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 where the mistake has no line of its own.
    pub line: usize,
    /// The column in characters, from 1; 0 where it has none.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
    /// The line's text, shortened, and how many characters are underlined.
    excerpt: Option<(String, usize)>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        write!(f, "{margin}--> {}", self.file)?;
        match (self.line, self.column) {
            (0, _) => writeln!(f)?,
            (line, 0) => writeln!(f, ":{line}")?,
            (line, column) => writeln!(f, ":{line}:{column}")?,
        }
        if let Some((text, width)) = &self.excerpt {
            let indent = " ".repeat(self.column.saturating_sub(1).min(SHOWN_MAX));
            writeln!(f, "{margin} |\n{number} | {text}")?;
            writeln!(f, "{margin} | {indent}{}", "^".repeat(*width))?;
        }
        write!(f, "{margin} = help: {}", self.hint)
    }
}

/// Why a config did not load: all its mistakes, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    /// The first [`LISTED_MAX`] of them.
    pub mistakes: Vec<Mistake>,
    /// How many more there are.
    pub omitted: usize,
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.mistakes {
            writeln!(f, "{mistake}\n")?;
        }
        let count = self.mistakes.len() + self.omitted;
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{count} {noun}; nothing was loaded")?;
        if self.omitted > 0 {
            write!(f, " (the first {} are shown)", self.mistakes.len())?;
        }
        Ok(())
    }
}

impl core::error::Error for Errors {}

/// Collects the mistakes of one load.
pub(super) struct Mistakes<'t> {
    file: &'t str,
    text: &'t str,
    placed: Vec<(usize, Mistake)>,
    elsewhere: Vec<Mistake>,
    omitted: usize,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            placed: Vec::new(),
            elsewhere: Vec::new(),
            omitted: 0,
        }
    }

    /// A mistake at a place of the config's own text.
    pub(super) fn add(&mut self, place: Place, what: impl Into<String>, hint: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let start = floor_boundary(self.text, place.start);
        let end = floor_boundary(self.text, place.end.max(start));
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_text = self.text[line_start..].lines().next().unwrap_or_default();
        let column = self.text[line_start..start].chars().count() + 1;
        let marked = self.text[start..end].lines().next().unwrap_or_default();
        let mistake = Mistake {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1 + PLANTED_LINES,
            column,
            what: what.into(),
            hint: hint.into(),
            excerpt: excerpt(line_text, column, marked.chars().count()),
        };
        self.placed.push((start, mistake));
    }

    /// A mistake in the whole config, or about something that does not stand in it.
    pub(super) fn add_unplaced(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        let place = LinePlace {
            file: self.file,
            line: 0,
            column: 0,
            text: None,
            width: 0,
        };
        self.add_line(place, what, hint);
    }

    /// A mistake in a line of another file.
    pub(super) fn add_line(
        &mut self,
        place: LinePlace<'_>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.is_full() {
            return;
        }
        self.elsewhere.push(Mistake {
            file: place.file.to_owned(),
            line: place.line + PLANTED_LINES,
            column: place.column,
            what: what.into(),
            hint: hint.into(),
            excerpt: place
                .text
                .and_then(|text| excerpt(text, place.column, place.width)),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.placed.is_empty() && self.elsewhere.is_empty()
    }

    /// All of them: those of the config in its order, then those of other files.
    pub(super) fn into_errors(mut self) -> Errors {
        self.placed.sort_by_key(|(start, _)| *start);
        let placed = self.placed.into_iter().map(|(_, mistake)| mistake);
        Errors {
            mistakes: placed.chain(self.elsewhere).collect(),
            omitted: self.omitted,
        }
    }

    fn is_full(&mut self) -> bool {
        let full = self.placed.len() + self.elsewhere.len() >= LISTED_MAX;
        self.omitted += usize::from(full);
        full
    }
}

/// A line of a file other than the config.
pub(super) struct LinePlace<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) text: Option<&'a str>,
    pub(super) width: usize,
}

/// The line as it can be shown, and the width of the mark in it; `None` where it is too far right.
fn excerpt(line: &str, column: usize, width: usize) -> Option<(String, usize)> {
    if column > SHOWN_MAX {
        return None;
    }
    let safe = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = line.chars().take(SHOWN_MAX).map(safe).collect();
    let room = (SHOWN_MAX + 1 - column.max(1)).max(1);
    Some((shown, width.clamp(1, room)))
}

/// What of a text can be shown in a message: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(40)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if text.chars().nth(40).is_some() {
        short.push_str("...");
    }
    short
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

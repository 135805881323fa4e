//! One figure: what it is, its floor in the same run, and the bar it is held to.
//!
//! Owned by nobody. Invariant: whether a row holds follows from its value, floor and bar alone.

use crate::rounds::Rounds;
use serde_json::{Map, Number, Value};

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Picoseconds, of what is too short for whole nanoseconds.
    Ps,
    /// Messages a second.
    PerSecond,
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// As rows spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ns => "ns",
            Self::Ps => "ps",
            Self::PerSecond => "1/s",
            Self::Count => "count",
            Self::Bytes => "bytes",
        }
    }
}

/// What a value is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Nothing: the row is for reading.
    None,
    /// At most the floor and this much.
    AtMostAbove(u64),
    /// At most so many thousandths of the floor.
    AtMostPermille(u64),
    /// At least so many thousandths of the floor.
    AtLeastPermille(u64),
    /// At most this, whatever the floor.
    AtMost(u64),
    /// At least this, whatever the floor.
    AtLeast(u64),
}

impl Bar {
    /// In words, with the unit.
    fn words(self, unit: Unit) -> Option<String> {
        let unit = unit.name();
        match self {
            Self::None => None,
            Self::AtMostAbove(more) => Some(format!("<= floor + {more} {unit}")),
            Self::AtMostPermille(ratio) => Some(format!("<= {} x floor", decimal(ratio))),
            Self::AtLeastPermille(ratio) => Some(format!(">= {} x floor", decimal(ratio))),
            Self::AtMost(most) => Some(format!("<= {most} {unit}")),
            Self::AtLeast(least) => Some(format!(">= {least} {unit}")),
        }
    }

    /// Whether the value holds; `None` where there is no bar, or no floor to hold it against.
    fn holds(self, value: u64, floor: Option<u64>) -> Option<bool> {
        match self {
            Self::None => None,
            Self::AtMostAbove(more) => floor.map(|floor| value <= floor + more),
            Self::AtMostPermille(ratio) => floor
                .map(|floor| u128::from(value) * 1_000 <= u128::from(floor) * u128::from(ratio)),
            Self::AtLeastPermille(ratio) => floor
                .map(|floor| u128::from(value) * 1_000 >= u128::from(floor) * u128::from(ratio)),
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
        }
    }
}

/// One figure of one bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The bench.
    pub bench: &'static str,
    /// What was measured, in words that a person and a script can both look for.
    pub figure: String,
    /// What the value counts.
    pub unit: Unit,
    /// The median of all rounds; `None` where it could not be measured.
    pub value: Option<u64>,
    /// The least and the most of any round.
    pub spread: Option<(u64, u64)>,
    /// The floor, measured in the same rounds.
    pub floor: Option<u64>,
    /// What the value is held to.
    pub bar: Bar,
    /// Why there is no value, or what the reader must know beside it.
    pub note: Option<String>,
}

impl Row {
    /// What rounds say: their median, the least and the most. No note.
    #[must_use]
    pub fn of_rounds(
        bench: &'static str,
        figure: String,
        unit: Unit,
        value: &Rounds,
        floor: Option<u64>,
        bar: Bar,
    ) -> Self {
        let value = value.spread();
        Self {
            bench,
            figure,
            unit,
            value: value.map(|spread| spread.median),
            spread: value.map(|spread| (spread.low, spread.high)),
            floor,
            bar,
            note: None,
        }
    }

    /// What was counted over the whole run, and a note.
    #[must_use]
    pub fn of_count(
        bench: &'static str,
        figure: String,
        value: u64,
        bar: Bar,
        note: String,
    ) -> Self {
        let value: Rounds = [value].into_iter().collect();
        Self {
            note: Some(note),
            ..Self::of_rounds(bench, figure, Unit::Count, &value, None, bar)
        }
    }

    /// With where it is written why its bar is missed, should it be: a page and its section.
    #[must_use]
    pub fn explained(self, reasons: &str) -> Self {
        let notes = self.note.into_iter().chain([format!("reasons: {reasons}")]);
        Self {
            note: Some(notes.collect::<Vec<String>>().join("; ")),
            ..self
        }
    }

    /// Value over floor, in thousandths.
    #[must_use]
    pub fn ratio_permille(&self) -> Option<u64> {
        let (value, floor) = (self.value?, self.floor.filter(|&floor| floor > 0)?);
        let ratio = u128::from(value) * 1_000 / u128::from(floor);
        u64::try_from(ratio).ok()
    }

    /// Whether the bar holds; `None` where there is none. A value that is missing holds nothing.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        match self.value {
            Some(value) => self.bar.holds(value, self.floor),
            None => None,
        }
    }

    /// Whether it has a bar that could not be judged, since value or floor is missing.
    pub(crate) fn is_unjudged(&self) -> bool {
        self.bar != Bar::None && self.holds().is_none()
    }

    /// The row as JSON.
    pub(crate) fn json(&self, commit: &str) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("bench", self.bench.into());
        put("figure", self.figure.clone().into());
        put("unit", self.unit.name().into());
        put("value", self.value.into());
        put("low", self.spread.map(|(low, _)| low).into());
        put("high", self.spread.map(|(_, high)| high).into());
        put("floor", self.floor.into());
        put("ratio", self.ratio_permille().and_then(number).into());
        put("bar", self.bar.words(self.unit).into());
        put("holds", self.holds().into());
        put("note", self.note.clone().into());
        put("commit", commit.into());
        Value::Object(object)
    }

    /// The row for people.
    pub(crate) fn text(&self) -> String {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let spread = self.spread.map(|(low, high)| format!("{low}..{high}"));
        let holds = self
            .holds()
            .map(|holds| if holds { "holds" } else { "MISSED" });
        columns([
            &self.figure,
            &or_dash(self.value.map(|value| value.to_string())),
            self.unit.name(),
            &or_dash(spread),
            &or_dash(self.floor.map(|floor| floor.to_string())),
            &or_dash(self.ratio_permille().map(decimal)),
            &or_dash(self.bar.words(self.unit)),
            holds.unwrap_or("-"),
            self.note.as_deref().unwrap_or(""),
        ])
    }
}

/// The line above the rows.
pub(crate) fn header() -> String {
    let names = [
        "figure",
        "value",
        "unit",
        "low..high",
        "floor",
        "ratio",
        "bar",
        "holds",
        "",
    ];
    columns(names)
}

fn columns([figure, value, unit, spread, floor, ratio, bar, holds, note]: [&str; 9]) -> String {
    format!(
        "{figure:<76} {value:>9} {unit:<5} {spread:>19} {floor:>9} {ratio:>7} {bar:<20} {holds:<6} {note}"
    )
    .trim_end()
    .to_owned()
}

/// Thousandths as a decimal.
fn decimal(permille: u64) -> String {
    format!("{}.{:03}", permille / 1_000, permille % 1_000)
}

/// Thousandths as a number of JSON.
fn number(permille: u64) -> Option<Number> {
    Number::from_f64(decimal(permille).parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: u64, floor: Option<u64>, bar: Bar) -> Row {
        Row {
            bench: "test",
            figure: "a figure".to_owned(),
            unit: Unit::Ns,
            value: Some(value),
            spread: None,
            floor,
            bar,
            note: None,
        }
    }

    #[test]
    fn at_the_bar_holds_and_one_beyond_does_not() {
        for (bar, last, first_beyond) in [
            (Bar::AtMostAbove(800), 1_800, 1_801),
            (Bar::AtMostPermille(1_300), 1_300, 1_301),
            (Bar::AtLeastPermille(600), 600, 599),
            (Bar::AtMost(5), 5, 6),
            (Bar::AtLeast(5), 5, 4),
        ] {
            assert_eq!(row(last, Some(1_000), bar).holds(), Some(true), "{bar:?}");
            assert_eq!(
                row(first_beyond, Some(1_000), bar).holds(),
                Some(false),
                "{bar:?}"
            );
        }
        assert_eq!(row(1, Some(1), Bar::None).holds(), None);
        assert_eq!(
            row(1, None, Bar::AtMostAbove(9)).holds(),
            None,
            "no floor, no word"
        );
    }

    #[test]
    fn json_has_what_scripts_look_for() {
        let json = row(1_037, Some(1_000), Bar::AtMostPermille(1_300)).json("abc");
        let text = json.to_string();
        assert!(text.starts_with("{\"bench\":\"test\",\"figure\":\"a figure\",\"unit\":\"ns\""));
        assert!(text.contains("\"ratio\":1.037"), "{text}");
        assert!(text.contains("\"bar\":\"<= 1.300 x floor\""), "{text}");
        assert!(text.contains("\"holds\":true"), "{text}");
        let mut missing = row(0, Some(1), Bar::AtMost(1));
        missing.value = None;
        assert_eq!(missing.json("abc")["holds"], Value::Null);
    }
}

//! Reading of a config's tables: each key asked for once, each value with its place.
//!
//! Control thread only. Invariants: a key that nobody asked for is a mistake; a value of the wrong
//! form is a mistake that says the right form; reading goes on after a mistake, so that all are
//! found at once. Must never turn a TOML float into a number.

use super::mistake::{Mistakes, Place, shown};
use crate::decimal::Decimal;
use crate::nearest::nearest;
use std::net::SocketAddr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table of the config, while it is read.
pub(super) struct Section<'t> {
    what: String,
    place: Place,
    entries: Vec<(Item<'t>, Place, bool)>,
    known: Vec<String>,
    absent: bool,
}

/// A key's value.
#[derive(Clone, Copy)]
pub(super) struct Item<'t> {
    pub(super) key: &'t str,
    pub(super) place: Place,
    value: &'t DeValue<'t>,
}

impl<'t> Section<'t> {
    /// A section called `what` in messages.
    pub(super) fn new(what: impl Into<String>, place: Place, table: &'t DeTable<'t>) -> Self {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| (Item::new(key.get_ref(), value), key.span().into(), false))
            .collect();
        entries.sort_by_key(|(item, _, _)| item.key);
        Self {
            what: what.into(),
            place,
            entries,
            known: Vec::new(),
            absent: false,
        }
    }

    /// A section that does not stand in the config: nothing is in it.
    pub(super) fn absent(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: Place::default(),
            entries: Vec::new(),
            known: Vec::new(),
            absent: true,
        }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// The value of a key, if it is there.
    pub(super) fn take(&mut self, key: &str) -> Option<Item<'t>> {
        self.known.push(key.to_owned());
        let at = self
            .entries
            .binary_search_by_key(&key, |(item, _, _)| item.key)
            .ok()?;
        self.entries[at].2 = true;
        Some(self.entries[at].0)
    }

    /// The value of a key; its absence is a mistake.
    pub(super) fn require(
        &mut self,
        key: &str,
        form: &str,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Item<'t>> {
        let item = self.take(key);
        if item.is_none() {
            let what = format!("{} lacks `{key}`", self.what);
            if self.absent {
                let hint = format!("add the section {} with `{key} = {form}`", self.what);
                mistakes.add_unplaced(what, hint);
            } else {
                mistakes.add(self.place, what, format!("add `{key} = {form}`"));
            }
        }
        item
    }

    /// The sub-table of a key, or an empty one.
    pub(super) fn table(&mut self, key: &str, mistakes: &mut Mistakes<'_>) -> Section<'t> {
        let what = format!("[{key}]");
        let found = self
            .take(key)
            .and_then(|item| item.section(&what, mistakes));
        found.unwrap_or_else(|| Section::absent(what))
    }

    /// The tables of `[[key]]`, in order.
    pub(super) fn tables(&mut self, key: &str, mistakes: &mut Mistakes<'_>) -> Vec<Section<'t>> {
        let Some(item) = self.take(key) else {
            return Vec::new();
        };
        let what = format!("[[{key}]]");
        let Some(items) = item.array(&format!("tables, each begun by `{what}`"), mistakes) else {
            return Vec::new();
        };
        items
            .into_iter()
            .filter_map(|item| item.section(&what, mistakes))
            .collect()
    }

    /// Ends the reading: every key that nobody asked for is a mistake.
    pub(super) fn finish(self, mistakes: &mut Mistakes<'_>) {
        for (item, key_place, taken) in &self.entries {
            if *taken {
                continue;
            }
            let what = format!("{} has no key `{}`", self.what, shown(item.key));
            let known = self.known.iter().map(String::as_str);
            let hint = match nearest(item.key, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if self.known.is_empty() => "remove it".to_owned(),
                None => format!("remove it; the keys are {}", list(&self.known)),
            };
            mistakes.add(*key_place, what, hint);
        }
    }

    /// All entries, for tables whose keys are names.
    pub(super) fn take_all(&mut self) -> Vec<(Item<'t>, Place)> {
        self.entries
            .iter_mut()
            .map(|(item, key_place, taken)| {
                *taken = true;
                (*item, *key_place)
            })
            .collect()
    }
}

impl<'t> Item<'t> {
    fn new(key: &'t str, value: &'t Spanned<DeValue<'t>>) -> Self {
        Self {
            key,
            place: value.span().into(),
            value: value.get_ref(),
        }
    }

    /// A mistake about this value.
    pub(super) fn wrong(
        &self,
        mistakes: &mut Mistakes<'_>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        mistakes.add(self.place, what, hint);
    }

    fn wrong_form(&self, form: &str, mistakes: &mut Mistakes<'_>) {
        let (found, extra) = match self.value {
            DeValue::Float(_) => (
                "a bare decimal number",
                "; bare decimals are floats, which do not hold money and prices exactly",
            ),
            DeValue::String(_) => ("a text", ""),
            DeValue::Integer(_) => ("a whole number", ""),
            DeValue::Boolean(_) => ("true or false", ""),
            DeValue::Datetime(_) => ("a date", ""),
            DeValue::Array(_) => ("a list", ""),
            DeValue::Table(_) => ("a table", ""),
        };
        let what = format!("`{}` is {found}", shown(self.key));
        self.wrong(mistakes, what, format!("write {form}{extra}"));
    }

    /// A text.
    pub(super) fn text(&self, form: &str, mistakes: &mut Mistakes<'_>) -> Option<&'t str> {
        if let DeValue::String(text) = self.value {
            return Some(text);
        }
        self.wrong_form(form, mistakes);
        None
    }

    /// A decimal number in quotes.
    pub(super) fn decimal(&self, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Decimal> {
        let key = shown(self.key);
        let form = match self.value {
            DeValue::Float(number) => {
                format!("it in quotes: `{key} = \"{}\"`", shown(number.as_str()))
            }
            DeValue::Integer(number) => {
                format!("it in quotes: `{key} = \"{}\"`", shown(number.as_str()))
            }
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                format!("a decimal number in quotes, as `{key} = \"{example}\"`")
            }
        };
        let text = self.text(&form, mistakes)?;
        match Decimal::parse(text) {
            Ok(number) => Some(number),
            Err(error) => {
                let what = format!("`{key}` is no decimal number: {error}");
                let hint = format!("write digits and one point in quotes, as \"{example}\"");
                self.wrong(mistakes, what, hint);
                None
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub(super) fn integer(&self, min: i64, max: i64, mistakes: &mut Mistakes<'_>) -> Option<i64> {
        let form = format!("a whole number from {min} to {max}, without quotes");
        let DeValue::Integer(number) = self.value else {
            self.wrong_form(&form, mistakes);
            return None;
        };
        match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if (min..=max).contains(&value) => Some(value),
            _ => {
                let what = format!(
                    "`{}` is {}, out of range",
                    shown(self.key),
                    shown(number.as_str())
                );
                self.wrong(mistakes, what, format!("write {form}"));
                None
            }
        }
    }

    /// True or false.
    pub(super) fn boolean(&self, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        if let DeValue::Boolean(value) = self.value {
            return Some(*value);
        }
        self.wrong_form("true or false, without quotes", mistakes);
        None
    }

    /// The boolean, where it is one; no mistake otherwise.
    pub(super) fn as_boolean(&self) -> Option<bool> {
        if let DeValue::Boolean(value) = self.value {
            Some(*value)
        } else {
            None
        }
    }

    /// The text, where it is one; no mistake otherwise.
    pub(super) fn as_text(&self) -> Option<&'t str> {
        if let DeValue::String(text) = self.value {
            Some(text)
        } else {
            None
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        &self,
        words: &[(&str, T)],
        mistakes: &mut Mistakes<'_>,
    ) -> Option<T> {
        let names: Vec<String> = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let form = format!("one of {}", names.join(", "));
        let text = self.text(&form, mistakes)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let what = format!("`{}` cannot be \"{}\"", shown(self.key), shown(text));
        let meant = nearest(text, words.iter().map(|(word, _)| *word));
        let hint = meant.map_or(format!("write {form}"), |word| {
            format!("did you mean \"{word}\"?")
        });
        self.wrong(mistakes, what, hint);
        None
    }

    /// An IP address with a port.
    pub(super) fn address(&self, mistakes: &mut Mistakes<'_>) -> Option<SocketAddr> {
        let form = "an IP address and a port in quotes, as \"127.0.0.1:9000\"";
        let text = self.text(form, mistakes)?;
        let address = text.parse().ok();
        if address.is_none() {
            let what = format!("`{}` is no address: \"{}\"", shown(self.key), shown(text));
            self.wrong(mistakes, what, format!("write {form}"));
        }
        address
    }

    /// A name: 1 to 32 letters, digits and `. _ : / -`.
    pub(super) fn name(&self, mistakes: &mut Mistakes<'_>) -> Option<&'t str> {
        let form = format!("1 to {NAME_MAX} letters, digits or any of . _ : / - in quotes");
        let text = self.text(&form, mistakes)?;
        if is_name(text) {
            return Some(text);
        }
        let what = format!("`{}` is no name: \"{}\"", shown(self.key), shown(text));
        self.wrong(mistakes, what, format!("write {form}"));
        None
    }

    /// A list.
    pub(super) fn array(&self, form: &str, mistakes: &mut Mistakes<'_>) -> Option<Vec<Item<'t>>> {
        if let DeValue::Array(values) = self.value {
            return Some(
                values
                    .iter()
                    .map(|value| Item::new(self.key, value))
                    .collect(),
            );
        }
        self.wrong_form(&format!("a list of {form}"), mistakes);
        None
    }

    /// A table, called `what` in messages.
    pub(super) fn section(&self, what: &str, mistakes: &mut Mistakes<'_>) -> Option<Section<'t>> {
        if let DeValue::Table(table) = self.value {
            return Some(Section::new(what, self.place, table));
        }
        self.wrong_form(&format!("a table {what}"), mistakes);
        None
    }
}

/// The longest name.
pub(super) const NAME_MAX: usize = 32;

/// Whether accounts, firms, classes and symbols may be called so: the name survives CSV files and
/// control lines as it is.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(fits)
}

fn list(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

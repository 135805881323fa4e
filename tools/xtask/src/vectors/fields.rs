//! Fields of one JSON object, with words for what is wrong with them.
//!
//! Owned by no thread. Invariant: a number is taken exactly or not at all.

use serde_json::{Map, Value};

/// One JSON object.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The object that `value` is.
    pub(crate) fn of(value: &'a Value, what: &str) -> Result<Self, String> {
        value
            .as_object()
            .map(Self)
            .ok_or_else(|| format!("{what} must be a JSON object"))
    }

    /// The value of a field that must be there.
    pub(crate) fn value(self, name: &str) -> Result<&'a Value, String> {
        self.0
            .get(name)
            .ok_or_else(|| format!("field `{name}` is missing"))
    }

    /// Whether there is such a field.
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// An integer that fits `T`.
    pub(crate) fn integer<T: TryFrom<i128>>(self, name: &str) -> Result<T, String> {
        exact(self.value(name)?, name)
    }

    /// An integer that fits `T`, or `null`.
    pub(crate) fn integer_or_null<T: TryFrom<i128>>(self, name: &str) -> Result<Option<T>, String> {
        let value = self.value(name)?;
        if value.is_null() {
            Ok(None)
        } else {
            exact(value, name).map(Some)
        }
    }

    /// An integer that fits `T`; absent or `null` is `None`.
    pub(crate) fn integer_if_set<T: TryFrom<i128>>(self, name: &str) -> Result<Option<T>, String> {
        if self.has(name) {
            self.integer_or_null(name)
        } else {
            Ok(None)
        }
    }

    /// A string.
    pub(crate) fn text(self, name: &str) -> Result<&'a str, String> {
        let value = self.value(name)?;
        value
            .as_str()
            .ok_or_else(|| format!("field `{name}` must be a string, not {value}"))
    }

    /// `true` or `false`.
    pub(crate) fn flag(self, name: &str) -> Result<bool, String> {
        let value = self.value(name)?;
        let flag = value.as_bool();
        flag.ok_or_else(|| format!("field `{name}` must be true or false, not {value}"))
    }

    /// An array.
    pub(crate) fn array(self, name: &str) -> Result<&'a [Value], String> {
        let value = self.value(name)?;
        let array = value.as_array().map(Vec::as_slice);
        array.ok_or_else(|| format!("field `{name}` must be an array, not {value}"))
    }

    /// An array of strings.
    pub(crate) fn texts(self, name: &str) -> Result<Vec<String>, String> {
        let text = |value: &Value| {
            let text = value.as_str().map(String::from);
            text.ok_or_else(|| format!("field `{name}` must hold strings, not {value}"))
        };
        self.array(name)?.iter().map(text).collect()
    }

    /// An array of exactly `N` integers a row.
    pub(crate) fn rows<const N: usize>(self, name: &str) -> Result<Vec<[i128; N]>, String> {
        self.array(name)?
            .iter()
            .map(|row| integers(row, name))
            .collect()
    }
}

fn integers<const N: usize>(row: &Value, name: &str) -> Result<[i128; N], String> {
    let wrong = || format!("field `{name}` must hold arrays of {N} integers, not {row}");
    let row = row
        .as_array()
        .filter(|row| row.len() == N)
        .ok_or_else(wrong)?;
    let mut numbers = [0; N];
    for (number, value) in numbers.iter_mut().zip(row) {
        *number = exact(value, name)?;
    }
    Ok(numbers)
}

fn exact<T: TryFrom<i128>>(value: &Value, name: &str) -> Result<T, String> {
    let wide = value
        .as_i64()
        .map(i128::from)
        .or_else(|| value.as_u64().map(i128::from));
    let wide = wide.ok_or_else(|| format!("field `{name}` must be an integer, not {value}"))?;
    T::try_from(wide).map_err(|_| format!("field `{name}`: {wide} is out of range"))
}

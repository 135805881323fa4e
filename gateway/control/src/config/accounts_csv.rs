//! Accounts out of a CSV file: one line an account, up to a million.
//!
//! Control thread only. Invariants: the file is read line by line through one buffer; a line has a
//! greatest length; what is kept of an account is its name, class, firm and exceptions. Fields hold
//! no commas and no quotes, since names, numbers and decimals need none.

use super::draft::{Draft, Named, RowOrigin, find, suggestion};
use super::mistake::{LinePlace, Mistakes, shown};
use super::participants;
use super::section::{NAME_MAX, is_name};
use crate::field_value;
use crate::names::NameTable;
use crate::nearest::nearest;
use portcullis_domain::FirmId;
use portcullis_risk_core::limits::account::{ACCOUNT_FIELDS, AccountCells};
use std::io::{BufRead, Read};

/// The longest line in bytes.
const LINE_MAX: usize = 4_096;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Class,
    Firm,
    /// An exception: the number of an account field.
    Field(usize),
}

/// Reads the accounts of a file into the draft.
pub(super) fn read(
    file: &str,
    source: &mut dyn BufRead,
    draft: &mut Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    let mut buffer = Vec::new();
    let mut number = 0;
    let mut columns: Option<Vec<Column>> = None;
    loop {
        number += 1;
        let line = match next_line(source, &mut buffer) {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(LineError { what, hint }) => {
                mistakes.add_line(at(file, number, None, 0, 0), what, hint);
                return;
            }
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let row = Row { file, number, line };
        match &columns {
            Some(columns) => row.account(columns, draft, mistakes),
            None => match row.header(mistakes) {
                Some(header) => columns = Some(header),
                None => return,
            },
        }
    }
    if columns.is_none() {
        let hint = "begin with the line `name,class,firm`";
        mistakes.add_line(
            at(file, 0, None, 0, 0),
            "the accounts file has no header",
            hint,
        );
    }
}

struct LineError {
    what: String,
    hint: &'static str,
}

/// The next line without its end; `None` at the end of the file.
fn next_line<'b>(
    source: &mut dyn BufRead,
    buffer: &'b mut Vec<u8>,
) -> Result<Option<&'b str>, LineError> {
    buffer.clear();
    let limit = LINE_MAX as u64 + 1;
    match source.take(limit).read_until(b'\n', buffer) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(error) => {
            let what = format!("the accounts file cannot be read further: {error}");
            return Err(LineError {
                what,
                hint: "see that the file is whole and readable",
            });
        }
    }
    if buffer.len() > LINE_MAX {
        let what = format!("a line of more than {LINE_MAX} bytes");
        return Err(LineError {
            what,
            hint: "one line an account: name,class,firm and exceptions",
        });
    }
    match str::from_utf8(buffer) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\n', '\r']))),
        Err(_) => Err(LineError {
            what: "the line is not UTF-8".to_owned(),
            hint: "save the file as UTF-8 text",
        }),
    }
}

fn at<'a>(
    file: &'a str,
    line: usize,
    text: Option<&'a str>,
    column: usize,
    width: usize,
) -> LinePlace<'a> {
    LinePlace {
        file,
        line,
        column,
        text,
        width,
    }
}

/// One line of the file.
struct Row<'a> {
    file: &'a str,
    number: usize,
    line: &'a str,
}

impl<'a> Row<'a> {
    fn fields(&self) -> impl Iterator<Item = &'a str> {
        self.line.split(',').map(str::trim)
    }

    /// A mistake about the field with this index.
    fn wrong(
        &self,
        field: usize,
        what: impl Into<String>,
        hint: impl Into<String>,
        mistakes: &mut Mistakes<'_>,
    ) {
        let before: usize = self
            .line
            .split(',')
            .take(field)
            .map(|f| f.chars().count() + 1)
            .sum();
        let raw = self.line.split(',').nth(field).unwrap_or_default();
        let blanks = raw.len() - raw.trim_start().len();
        let width = raw.trim().chars().count();
        let place = at(
            self.file,
            self.number,
            Some(self.line),
            before + blanks + 1,
            width,
        );
        mistakes.add_line(place, what, hint);
    }

    fn header(&self, mistakes: &mut Mistakes<'_>) -> Option<Vec<Column>> {
        let mut columns = Vec::new();
        for (index, field) in self.fields().enumerate() {
            let column = match field {
                "name" => Some(Column::Name),
                "class" => Some(Column::Class),
                "firm" => Some(Column::Firm),
                other => ACCOUNT_FIELDS
                    .iter()
                    .position(|f| f.name == other)
                    .map(Column::Field),
            };
            match column {
                Some(column) if !columns.contains(&column) => columns.push(column),
                Some(_) => {
                    let what = format!("column `{field}` is there twice");
                    self.wrong(index, what, "keep one of the two", mistakes);
                    return None;
                }
                None => {
                    let fields = ACCOUNT_FIELDS.iter().map(|f| f.name);
                    let meant = nearest(field, ["name", "class", "firm"].into_iter().chain(fields));
                    let hint = meant.map_or_else(
                        || "use name, class, firm, and names of account limits".to_owned(),
                        |meant| format!("did you mean `{meant}`?"),
                    );
                    let what = format!("there is no column `{}`", shown(field));
                    self.wrong(index, what, hint, mistakes);
                    return None;
                }
            }
        }
        for (column, name) in [
            (Column::Name, "name"),
            (Column::Class, "class"),
            (Column::Firm, "firm"),
        ] {
            if !columns.contains(&column) {
                let what = format!("the header has no column `{name}`");
                self.wrong(0, what, "begin with the line `name,class,firm`", mistakes);
                return None;
            }
        }
        Some(columns)
    }

    fn account(&self, columns: &[Column], draft: &mut Draft<'_>, mistakes: &mut Mistakes<'_>) {
        let count = self.fields().count();
        if count != columns.len() {
            let what = format!("{count} fields, where the header has {}", columns.len());
            self.wrong(
                0,
                what,
                "write one field for each column, empty where unset",
                mistakes,
            );
            return;
        }
        let mut name = None;
        let (mut class, mut firm) = (None, None);
        for (index, (field, column)) in self.fields().zip(columns).enumerate() {
            match column {
                Column::Name if is_name(field) => name = Some((index, field)),
                Column::Name => {
                    let what = format!("`{}` is no name", shown(field));
                    let hint = format!("use 1 to {NAME_MAX} letters, digits or any of . _ : / -");
                    self.wrong(index, what, hint, mistakes);
                }
                Column::Class => {
                    class = self.known(index, field, "class", &draft.classes, None, mistakes)
                }
                Column::Firm => {
                    let (table, named) = (&draft.names.firms, Some(&draft.firms_named));
                    firm = self.known(index, field, "firm", table, named, mistakes);
                }
                Column::Field(_) => {}
            }
        }
        let (Some((name_at, name)), Some(class), Some(firm)) = (name, class, firm) else {
            return;
        };
        let index = draft.names.accounts.intern(name);
        if !draft.accounts_named.mark(index) {
            let what = format!("account `{name}` is there twice");
            self.wrong(name_at, what, "rename it, or remove one", mistakes);
            return;
        }
        let own = self.exceptions(columns, class, draft, mistakes);
        let own = own.map(|cells| (cells, RowOrigin::Csv(self.number as u32)));
        participants::add(draft, index, class, FirmId::new(firm), own);
    }

    fn known(
        &self,
        index: usize,
        field: &str,
        kind: &str,
        table: &NameTable,
        named: Option<&Named>,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<u32> {
        let found = find(field, table, named);
        if found.is_none() {
            let what = format!("there is no {kind} `{}`", shown(field));
            self.wrong(index, what, suggestion(field, kind, table), mistakes);
        }
        found
    }

    /// The cells of the class with this line's exceptions; `None` where it has none.
    fn exceptions(
        &self,
        columns: &[Column],
        class: u32,
        draft: &Draft<'_>,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<AccountCells> {
        let mut cells = draft.rows[class as usize].cells;
        let mut any = false;
        for (index, (field, column)) in self.fields().zip(columns).enumerate() {
            let (Column::Field(number), false) = (column, field.is_empty()) else {
                continue;
            };
            match field_value::from_text(&ACCOUNT_FIELDS[*number], field, draft.scale()) {
                Ok(value) => {
                    any = true;
                    assert!(
                        cells.set_by_number(*number, value),
                        "a field of its own table"
                    );
                }
                Err(error) => self.wrong(index, error.what, error.hint, mistakes),
            }
        }
        any.then_some(cells)
    }
}

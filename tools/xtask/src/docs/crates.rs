//! The map of the crates and the arrows between them, from the table that `tidy` holds.

use super::table::table;
use crate::house::{HOUSE, House, OFF_THE_DATA_PLANE, Outside};

pub(super) fn page() -> String {
    let rows: Vec<[String; 5]> = HOUSE.iter().map(row).collect();
    format!(
        "{}\nAn arrow is a direct dependency. `cargo xtask tidy` refuses any other. Crates of the data \
         plane do not link, at any depth: {}.",
        table(
            ["crate", "folder", "holds", "may use", "from outside"],
            &rows
        ),
        code_list(OFF_THE_DATA_PLANE, "nothing")
    )
}

fn row(house: &House) -> [String; 5] {
    let short: Vec<&str> = house
        .may_use
        .iter()
        .map(|name| name.strip_prefix("portcullis-").unwrap_or(name))
        .collect();
    let outside = match house.outside {
        Outside::Only(names) => code_list(names, "nothing"),
        Outside::DataPlane => "data plane".into(),
        Outside::Anything => "what it needs".into(),
    };
    [
        format!("`{}`", house.name),
        format!("`{}`", house.folder),
        house.holds.into(),
        if short.is_empty() {
            "nothing".into()
        } else {
            short.join(", ")
        },
        outside,
    ]
}

fn code_list(names: &[&str], empty: &str) -> String {
    if names.is_empty() {
        return empty.into();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_has_a_row_with_its_arrows() {
        let text = page();
        for house in HOUSE {
            assert!(text.contains(&format!("| `{}` | `{}` |", house.name, house.folder)));
        }
        assert!(text.contains("| venue, ladder, domain |"));
    }
}

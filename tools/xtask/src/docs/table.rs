//! A Markdown table from rows of text.

/// A table with these headings. A `|` within a cell is escaped, a line break becomes a space.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut text = line(&headings.map(str::to_owned));
    text.push_str(&line(&[(); N].map(|()| "---".to_owned())));
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

fn line(cells: &[String]) -> String {
    let mut text = String::from("|");
    for cell in cells {
        text.push_str(&format!(
            " {} |",
            cell.replace('|', "\\|").replace('\n', " ")
        ));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_break_the_table() {
        let text = table(["a", "b"], &[["1|2".into(), "x\ny".into()]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| 1\\|2 | x y |\n");
    }
}

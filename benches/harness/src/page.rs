//! The page of a run: rows, facts of the machine, and a picture of each measured distribution.
//!
//! Owned by whoever writes it, after the benches have ended. Invariants: the page is one file that
//! fetches nothing; what stands in it was read from what the benches wrote; nothing is computed with
//! floats.

mod curve;
mod logarithm;
mod picture;

use curve::Curve;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// Curves of one picture at the most.
const CURVES_MAX: usize = 8;
/// What was measured less often has no distribution to look at.
const MEASURED_MIN: u64 = 100;

/// The page of these benches, from the files that they left in a folder.
///
/// # Errors
/// Which file is missing, or is not what it should be.
pub fn page(folder: &Path, benches: &[String]) -> Result<String, String> {
    let mut body = String::new();
    for bench in benches {
        body.push_str(&section(folder, bench)?);
    }
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <title>Portcullis: benches</title>\n<style>{STYLE}</style></head>\n<body>\n\
         <h1>Portcullis: benches</h1>\n<p>Medians over rounds, with the least and the most of any \
         round. Absolute times belong to their machine: compare rows with each other.</p>\n\
         {body}</body></html>\n"
    ))
}

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;max-width:90em;margin:2em auto;\
                     padding:0 1em;color:#222}td.fixed{white-space:nowrap}\
                     summary{cursor:pointer;color:#666}table{border-collapse:collapse;margin:1em 0}\
                     th,td{padding:.15em .6em;border-bottom:1px solid #ddd;text-align:right;\
                     font-variant-numeric:tabular-nums}th:first-child,td:first-child,td:last-child\
                     {text-align:left}.holds{color:#161}.missed{color:#a11;font-weight:bold}\
                     svg{max-width:100%;height:auto}dt{float:left;clear:left;width:11em;color:#666}\
                     dd{margin-left:11em}";

/// What a bench wrote of itself.
fn section(folder: &Path, bench: &str) -> Result<String, String> {
    let path = folder.join(format!("{bench}.jsonl"));
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}; run the bench first", path.display()))?;
    let lines = text.lines().map(serde_json::from_str::<Value>);
    let lines: Result<Vec<Value>, _> = lines.collect();
    let mut rows = lines.map_err(|error| format!("{}: {error}", path.display()))?;
    let summary = rows
        .pop()
        .ok_or_else(|| format!("{} is empty", path.display()))?;
    let mut out = format!("<h2>{}</h2>\n", escaped(bench));
    out.push_str(&tables(rows));
    out.push_str(&facts(&summary));
    let mut curves = curve::read_all(folder, bench)?;
    curves.retain(|curve| curve.count >= MEASURED_MIN);
    for (title, curves) in pictures(curves) {
        let _ = write!(
            out,
            "<h3>{}</h3>\n{}",
            escaped(&title),
            picture::svg(&curves)
        );
    }
    Ok(out)
}

/// Rows with a bar, and all others behind a line that opens them.
fn tables(rows: Vec<Value>) -> String {
    let (barred, others): (Vec<Value>, Vec<Value>) =
        rows.into_iter().partition(|row| !row["bar"].is_null());
    let mut out = String::new();
    if !barred.is_empty() {
        out.push_str(&table(&barred));
    }
    if !others.is_empty() {
        let open = if barred.is_empty() { " open" } else { "" };
        let _ = write!(
            out,
            "<details{open}><summary>{} rows without a bar</summary>\n{}</details>\n",
            others.len(),
            table(&others)
        );
    }
    out
}

fn table(rows: &[Value]) -> String {
    let mut out = String::from(
        "<table><tr><th>figure<th>value<th>unit<th>low<th>high<th>floor<th>ratio<th>bar<th>holds\
         <th></tr>\n",
    );
    for row in rows {
        let _ = write!(out, "<tr><td>{}", escaped(&words(&row["figure"])));
        for key in ["value", "unit", "low", "high", "floor"] {
            let _ = write!(out, "<td class=\"fixed\">{}", escaped(&words(&row[key])));
        }
        let _ = write!(out, "<td class=\"fixed\">{}", thousandths(&row["ratio"]));
        let _ = write!(out, "<td class=\"fixed\">{}", escaped(&words(&row["bar"])));
        let holds = match row["holds"].as_bool() {
            Some(true) => "<td class=\"holds\">holds",
            Some(false) => "<td class=\"missed\">missed",
            None => "<td>",
        };
        let note = escaped(&words(&row["note"]));
        let _ = writeln!(out, "{holds}<td>{note}</tr>");
    }
    out.push_str("</table>\n");
    out
}

/// What the last line says beside the rows: machine, commit, counts.
fn facts(summary: &Value) -> String {
    const OF_EVERY_ROW: [&str; 8] = [
        "bench", "figure", "unit", "value", "floor", "ratio", "bar", "holds",
    ];
    let mut out = String::from("<dl>\n");
    let mut fact = |name: &str, value: &Value| {
        let (name, value) = (escaped(&name.replace('_', " ")), escaped(&words(value)));
        let _ = writeln!(out, "<dt>{name}<dd>{value}");
    };
    for (name, value) in summary.as_object().into_iter().flatten() {
        if let Some(parts) = value.as_object() {
            parts.iter().for_each(|(name, value)| fact(name, value));
        } else if !OF_EVERY_ROW.contains(&name.as_str()) {
            fact(name, value);
        }
    }
    out.push_str("</dl>\n");
    out
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), grouped),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

/// A ratio, always to the thousandth.
fn thousandths(value: &Value) -> String {
    let text = words(value);
    match text.split_once('.') {
        Some((whole, digits)) => format!("{whole}.{digits:0<3}"),
        None => text,
    }
}

/// A number, its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Which curves share a picture: what is measured beside its floor, what stands before the last comma
/// of several, and the same measure of several ways, whose first word says the way. A way has the same
/// colour in each picture.
fn pictures(curves: Vec<Curve>) -> Vec<(String, Vec<Curve>)> {
    let names: Vec<String> = curves.iter().map(|curve| curve.name.clone()).collect();
    let ways: BTreeSet<String> = names.iter().map(|name| way(name).to_owned()).collect();
    let mut groups: BTreeMap<String, Vec<Curve>> = BTreeMap::new();
    for curve in curves {
        let title = title(&curve.name, &names);
        groups.entry(title).or_default().push(curve);
    }
    let mut pictures = Vec::new();
    for (title, mut curves) in groups {
        let by_way = curves.iter().all(|curve| {
            let measure = curve.name.split_once(' ').map(|(_, measure)| measure);
            measure == Some(title.as_str())
        });
        for (at, curve) in curves.iter_mut().enumerate() {
            let of_way = ways.iter().position(|known| known == way(&curve.name));
            curve.colour = of_way.filter(|_| by_way).unwrap_or(at);
        }
        while curves.len() > CURVES_MAX {
            let rest = curves.split_off(CURVES_MAX);
            pictures.push((title.clone(), std::mem::replace(&mut curves, rest)));
        }
        pictures.push((title, curves));
    }
    pictures
}

/// The first word.
fn way(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

fn title(name: &str, names: &[String]) -> String {
    const FLOOR: &str = ", floor";
    if let Some(measured) = name.strip_suffix(FLOOR) {
        return measured.to_owned();
    }
    if names.contains(&format!("{name}{FLOOR}")) {
        return name.to_owned();
    }
    let head = |name: &str| name.rsplit_once(", ").map(|(head, _)| head.to_owned());
    let measure = |name: &str| name.split_once(' ').map(|(_, measure)| measure.to_owned());
    let shared = |of: &dyn Fn(&str) -> Option<String>| {
        let mine = of(name);
        let with_it = names.iter().filter(|name| of(name) == mine).count();
        mine.filter(|_| with_it > 1)
    };
    shared(&head)
        .or_else(|| shared(&measure))
        .unwrap_or_else(|| "each alone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Histograms, Latency};

    #[test]
    fn the_page_has_rows_facts_and_pictures_and_fetches_nothing() {
        let folder = std::env::temp_dir().join(format!("portcullis-page-{}", std::process::id()));
        let mut histograms = Histograms::new("test");
        for (name, step) in [("relay trip", 1), ("gateway trip", 3), ("alone", 2)] {
            let mut latency = Latency::new();
            (1..=10_000).for_each(|at| latency.record(at * step));
            histograms.keep(name, latency);
        }
        histograms.write(&folder).expect("a folder of its own");
        let rows = "{\"bench\":\"test\",\"figure\":\"a <b>\",\"unit\":\"ns\",\"value\":17,\
                    \"holds\":false,\"bar\":\"<= 5\",\"note\":null}\n\
                    {\"bench\":\"test\",\"commit\":\"abc\",\"machine\":{\"cpu\":\"one\"}}\n";
        std::fs::write(folder.join("test.jsonl"), rows).expect("the same folder");
        let page = page(&folder, &["test".to_owned()]).expect("all is there");
        std::fs::remove_dir_all(&folder).expect("made above");
        for part in [
            "a &lt;b&gt;",
            "<td class=\"fixed\">17",
            "missed",
            "<dd>abc",
            "<dd>one",
            "<h3>trip</h3>",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("<polyline").count(), 3);
        let fetches = ["src=", "href=", "url(", "@import"];
        assert!(fetches.iter().all(|word| !page.contains(word)));
    }

    #[test]
    fn a_bench_that_has_not_run_is_named() {
        let error = page(Path::new("/nonexistent"), &["wire".to_owned()]).expect_err("no file");
        assert!(
            error.contains("wire.jsonl") && error.contains("run the bench first"),
            "{error}"
        );
    }

    #[test]
    fn what_is_measured_stands_beside_its_floor() {
        let names = [
            "accept",
            "accept, floor",
            "a trip",
            "b trip",
            "c ring",
            "half, risk",
            "half, nothing",
        ];
        let names = names.map(str::to_owned);
        let titles = names.each_ref().map(|name| title(name, &names));
        let alone = "each alone";
        assert_eq!(
            titles,
            ["accept", "accept", "trip", "trip", alone, "half", "half"]
        );
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        let numbers = [0, 17, 999, 1_000, 34_111_487].map(grouped);
        assert_eq!(numbers, ["0", "17", "999", "1,000", "34,111,487"]);
        let ratios = ["1.0", "0.92", "12.125", "null"];
        let ratios = ratios.map(|text| thousandths(&serde_json::from_str(text).expect("JSON")));
        assert_eq!(ratios, ["1.000", "0.920", "12.125", ""]);
    }
}

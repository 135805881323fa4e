//! `portcullis journal diff`: the first place at which two journals differ.
//!
//! Record by record first: two copies of one journal may have their frames cut differently. Then what frames and
//! segments say: numbers, terms, chains. Invariant: what is called equal was compared byte by byte.

use super::folder::Folder;
use super::naming::Scales;
use super::progress::Progress;
use super::words::{Words, hex};
use crate::{REFUSED, cannot};
use clap::Args;
use portcullis_domain::{Head, Record, Seq};
use portcullis_journal::{Disk, Entry, FrameHeader, JournalReader, SegmentHeader};
use std::path::PathBuf;
use std::process::ExitCode;

/// The two journals.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// One journal's folder.
    a: PathBuf,
    /// The other's.
    b: PathBuf,
}

/// Compares them.
pub(crate) fn diff(arguments: &Arguments) -> ExitCode {
    match try_diff(arguments) {
        Ok(differences) if differences.is_empty() => {
            println!("no difference");
            ExitCode::SUCCESS
        }
        Ok(differences) => {
            for difference in differences {
                println!("{difference}");
            }
            ExitCode::from(REFUSED)
        }
        Err(why) => cannot(why),
    }
}

fn try_diff(arguments: &Arguments) -> Result<Vec<String>, String> {
    let (a, b) = (Folder::open(&arguments.a)?, Folder::open(&arguments.b)?);
    let (first_a, first_b) = (a.first_seq()?, b.first_seq()?);
    let from = first_a.max(first_b);
    if first_a != first_b {
        println!(
            "A begins with record {first_a}, B with {first_b}: compared from record {from} on"
        );
    }
    let mut differences = identities(&a, &b, from)?;
    differences.extend(records(&a, &b, from)?);
    differences.extend(frames(&a, &b, from)?);
    Ok(differences)
}

/// What the segments of the first record say.
fn identities(a: &Folder, b: &Folder, from: u64) -> Result<Vec<String>, String> {
    let (a, b) = (a.reader(Seq::new(from))?, b.reader(Seq::new(from))?);
    let (a, b): (&SegmentHeader, &SegmentHeader) = (a.segment(), b.segment());
    let fields = [
        (
            "the journal's number",
            a.identity.journal,
            b.identity.journal,
        ),
        ("prelude", a.identity.prelude, b.identity.prelude),
        ("rules", a.identity.rules.into(), b.identity.rules.into()),
    ];
    let differing = fields.into_iter().filter(|(_, a, b)| a != b);
    Ok(differing
        .map(|(what, a, b)| format!("{what}: A {a:016x}, B {b:016x}"))
        .collect())
}

/// A journal's records with what is needed to say where one stands.
struct Side {
    reader: JournalReader<Disk>,
    ended: Option<String>,
}

impl Side {
    fn open(folder: &Folder, from: u64) -> Result<Self, String> {
        Ok(Self {
            reader: folder.reader(Seq::new(from))?,
            ended: None,
        })
    }

    /// The next record; at the end or at damage none, and why.
    fn next(&mut self) -> Option<Record> {
        loop {
            match self.reader.next() {
                Ok(Some(Entry::Record(record))) => return Some(record.to_record()),
                Ok(Some(Entry::Digest { .. })) => {}
                Ok(None) => {
                    let last = self.reader.next_seq() - 1;
                    self.ended = Some(format!("ends with record {last}"));
                    return None;
                }
                Err(error) => {
                    self.ended = Some(error.to_string());
                    return None;
                }
            }
        }
    }

    fn why(&self) -> &str {
        self.ended.as_deref().unwrap_or("goes on")
    }
}

/// The first record at which they differ.
fn records(a: &Folder, b: &Folder, from: u64) -> Result<Vec<String>, String> {
    let (mut side_a, mut side_b) = (Side::open(a, from)?, Side::open(b, from)?);
    let mut progress = Progress::begin("diff");
    let (mut equal, mut bytes) = (0, 0);
    let mut differences = Vec::new();
    loop {
        let (record_a, record_b) = (side_a.next(), side_b.next());
        match (record_a, record_b) {
            (Some(record_a), Some(record_b)) if same(&record_a, &record_b) => {
                equal += 1;
                bytes += (record_a.head.units() * 64) as u64;
                progress.at(equal, bytes);
            }
            (Some(record_a), Some(record_b)) => {
                let seq = from + equal;
                differences.push(format!("record {seq} differs:"));
                differences.extend(fields(&record_a, &record_b));
                differences.push(format!("  A: {}", said(a, &record_a)));
                differences.push(format!("  B: {}", said(b, &record_b)));
                break;
            }
            (None, None) => {
                if side_a.why() != side_b.why() {
                    differences.push(ends(&side_a, &side_b));
                }
                break;
            }
            (_, _) => {
                differences.push(ends(&side_a, &side_b));
                break;
            }
        }
    }
    progress.done(equal, bytes);
    println!("records equal: {equal}, from {from} on");
    Ok(differences)
}

fn ends(a: &Side, b: &Side) -> String {
    format!("A {}; B {}", a.why(), b.why())
}

fn same(a: &Record, b: &Record) -> bool {
    a.head == b.head && a.raw() == b.raw()
}

fn said(folder: &Folder, record: &Record) -> String {
    let words = Words {
        naming: &folder.naming,
        scales: Scales(None),
    };
    words.record(&portcullis_journal::RecordRef {
        head: &record.head,
        raw: record.raw(),
    })
}

/// The fields of two records that differ.
fn fields(a: &Record, b: &Record) -> Vec<String> {
    let mut differing: Vec<_> = head_fields(&a.head)
        .into_iter()
        .zip(head_fields(&b.head))
        .filter(|((_, a), (_, b))| a != b)
        .map(|((name, a), (_, b))| format!("  {name}: A {a}, B {b}"))
        .collect();
    if a.raw() != b.raw() {
        let common = a.raw().iter().zip(b.raw()).take_while(|(a, b)| a == b);
        differing.push(format!(
            "  raw, from byte {}: A {}, B {}",
            common.count(),
            hex(a.raw()),
            hex(b.raw())
        ));
    }
    differing
}

fn head_fields(head: &Head) -> [(&'static str, i128); 16] {
    [
        ("seq", head.seq.into()),
        ("timestamp_ns", head.timestamp_ns.into()),
        ("kind", head.kind.into()),
        ("detail", head.detail.into()),
        ("flags", head.flags.into()),
        ("refusal", head.refusal.into()),
        ("raw_len", head.raw_len.into()),
        ("row", head.row.into()),
        ("reserved", head.reserved.into()),
        ("session", head.session.into()),
        ("account", head.account.into()),
        ("instrument", head.instrument.into()),
        ("number", head.number.into()),
        ("price", head.price.into()),
        ("qty", head.qty.into()),
        ("word", head.word.into()),
    ]
}

/// The first frame at which they differ, as far as both have frames.
fn frames(a: &Folder, b: &Folder, from: u64) -> Result<Vec<String>, String> {
    let (mut a, mut b) = (a.reader(Seq::new(from))?, b.reader(Seq::new(from))?);
    let mut equal = 0_u64;
    loop {
        let at_a = a.next_frame().ok().flatten().map(|frame| frame.header);
        let at_b = b.next_frame().ok().flatten().map(|frame| frame.header);
        let (Some(header_a), Some(header_b)) = (at_a, at_b) else {
            println!("frames equal: {equal}");
            return Ok(Vec::new());
        };
        let differing = frame_fields(&header_a, &header_b);
        if !differing.is_empty() {
            println!("frames equal: {equal}");
            let places = format!(
                "frame {equal} differs: A in segment {} before byte {}, B in segment {} before byte {}",
                a.segment().seq_first,
                a.offset(),
                b.segment().seq_first,
                b.offset()
            );
            return Ok(std::iter::once(places).chain(differing).collect());
        }
        equal += 1;
    }
}

fn frame_fields(a: &FrameHeader, b: &FrameHeader) -> Vec<String> {
    let fields = [
        ("first record", a.seq_first, b.seq_first),
        ("records", a.count.into(), b.count.into()),
        ("units", a.units.into(), b.units.into()),
        ("term", a.term.raw(), b.term.raw()),
        ("digest", a.digest().unwrap_or(0), b.digest().unwrap_or(0)),
        ("written_ns", a.written_ns, b.written_ns),
        ("chain before", a.previous.raw(), b.previous.raw()),
        ("chain", a.chain.raw(), b.chain.raw()),
    ];
    let differing = fields.into_iter().filter(|(_, a, b)| a != b);
    differing
        .map(|(name, a, b)| format!("  {name}: A {a} ({a:016x}), B {b} ({b:016x})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_that_differs_is_named() {
        let base = Record::new(Head::blank(1), &[1, 2, 3]).expect("short");
        assert!(fields(&base, &base).is_empty());
        let mut head = base.head;
        head.price = -7;
        head.session = 3;
        let other = Record::new(head, &[1, 2, 4]).expect("short");
        assert_eq!(
            fields(&base, &other),
            [
                "  session: A 4294967295, B 3",
                "  price: A 0, B -7",
                "  raw, from byte 2: A 010203, B 010204",
            ]
        );
    }
}

//! What lackey writes, read as it comes: which lines the floor and the kernel touched in each batch.
//!
//! Invariants: an access that reaches into the next line counts for both; only what stands between a mark
//! and the end's is counted; nothing is kept of the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::sync::mpsc::Receiver;

/// Bytes of a line.
pub(super) const LINE: u64 = 64;

/// Addresses from one on.
#[derive(Clone, Copy, Debug)]
struct Range {
    at: u64,
    len: u64,
}

impl Range {
    const fn has(self, address: u64) -> bool {
        address.wrapping_sub(self.at) < self.len
    }
}

/// What lies where in the program.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Stack, records, marks, and what is beside the core in its market: left out.
    left_out: Vec<Range>,
    core: Range,
    floor: Range,
    kernel: Range,
    end: Range,
    image: Range,
    /// Batches, and orders of one.
    pub(super) batches: u64,
    pub(super) batch: u64,
}

impl Places {
    /// From addresses and lengths by name.
    pub(super) fn new(by_name: &BTreeMap<String, (u64, u64)>) -> Option<Self> {
        let range = |name| {
            let (at, len) = *by_name.get(name)?;
            Some(Range { at, len })
        };
        let (batches, batch) = *by_name.get("batches")?;
        let left_out = ["stack", "records", "market", "image"].map(range);
        Some(Self {
            left_out: left_out.into_iter().collect::<Option<Vec<_>>>()?,
            core: range("core")?,
            floor: range("floor")?,
            kernel: range("kernel")?,
            end: range("end")?,
            image: range("image")?,
            batches,
            batch,
        })
    }

    /// An address of an instruction, from the beginning of the program's file.
    pub(super) const fn in_image(&self, address: u64) -> u64 {
        address - self.image.at
    }
}

/// Lines by number, each with the instruction that touched it first.
type Lines = BTreeMap<u64, u64>;

/// The lines of a batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) floor: Lines,
    pub(super) kernel: Lines,
    core_floor: Lines,
    core_kernel: Lines,
}

/// The lines of all batches.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) batches: Vec<Batch>,
}

/// How many lines, over all batches: of both, of the kernel alone, of the floor alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) both: u64,
    pub(super) kernel_alone: u64,
    pub(super) floor_alone: u64,
}

impl Counts {
    pub(super) const fn kernel(self) -> u64 {
        self.both + self.kernel_alone
    }

    pub(super) const fn floor(self) -> u64 {
        self.both + self.floor_alone
    }

    pub(super) fn add(&mut self, in_kernel: bool, in_floor: bool) {
        match (in_kernel, in_floor) {
            (true, true) => self.both += 1,
            (true, false) => self.kernel_alone += 1,
            (false, _) => self.floor_alone += 1,
        }
    }
}

/// A line in a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) in_kernel: bool,
    pub(super) in_floor: bool,
    /// Whether a quarter of the batches and more touch it: no order finds it far away.
    pub(super) is_near: bool,
    /// The instruction that touched it first: of the floor's, whose names are the tables', if it did.
    pub(super) by: u64,
}

impl Touched {
    /// Every line of every batch, but those of the core's own struct.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let mut batches: BTreeMap<u64, usize> = BTreeMap::new();
        for batch in &self.batches {
            for line in batch.lines() {
                *batches.entry(line).or_default() += 1;
            }
        }
        let of_batch = |batch: &Batch| {
            let seen = batch.lines().into_iter().map(|line| {
                let (kernel, floor) = (batch.kernel.get(&line), batch.floor.get(&line));
                Seen {
                    in_kernel: kernel.is_some(),
                    in_floor: floor.is_some(),
                    is_near: batches[&line] * 4 >= self.batches.len(),
                    by: floor.or(kernel).copied().unwrap_or(0),
                }
            });
            seen.collect::<Vec<_>>()
        };
        self.batches.iter().flat_map(of_batch).collect()
    }

    /// Lines of the core's own struct: of the kernel's batches, and of the floor's.
    pub(super) fn of_the_core(&self) -> (u64, u64) {
        let sum = |of: fn(&Batch) -> &Lines| {
            self.batches
                .iter()
                .map(|batch| of(batch).len())
                .sum::<usize>() as u64
        };
        (
            sum(|batch| &batch.core_kernel),
            sum(|batch| &batch.core_floor),
        )
    }
}

/// Whose lines are counted at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Outside,
    Floor,
    Kernel,
}

/// Reads a trace; what to look for comes while it is read. `None` if it never came.
pub(super) fn read(mut trace: impl BufRead, places: &Receiver<Places>) -> Option<Touched> {
    let mut known = None;
    let mut touched = Touched::default();
    let (mut phase, mut instruction) = (Phase::Outside, 0);
    let mut line = Vec::with_capacity(64);
    loop {
        line.clear();
        if trace.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            return known.map(|_: Places| touched);
        }
        if known.is_none() {
            known = places.try_recv().ok();
        }
        let Some(places) = &known else { continue };
        // Nearly all of a trace is the set-up, in which nothing counts before a mark is stored to.
        if phase == Phase::Outside && !is_written(&line) {
            continue;
        }
        let Some((is_data, address, len)) = access(&line) else {
            continue;
        };
        if !is_data {
            instruction = address;
        } else if places.floor.has(address) {
            phase = Phase::Floor;
            touched.batches.push(Batch::default());
        } else if places.kernel.has(address) {
            phase = Phase::Kernel;
        } else if places.end.has(address) {
            phase = Phase::Outside;
        } else if let (true, Some(batch)) = (phase != Phase::Outside, touched.batches.last_mut()) {
            batch.touch(places, phase, address, len, instruction);
        }
    }
}

impl Batch {
    fn lines(&self) -> BTreeSet<u64> {
        self.floor
            .keys()
            .chain(self.kernel.keys())
            .copied()
            .collect()
    }

    fn touch(&mut self, places: &Places, phase: Phase, address: u64, len: u64, by: u64) {
        let lines = if places.core.has(address) {
            match phase {
                Phase::Kernel => &mut self.core_kernel,
                Phase::Floor | Phase::Outside => &mut self.core_floor,
            }
        } else if places.left_out.iter().any(|range| range.has(address)) {
            return;
        } else {
            match phase {
                Phase::Kernel => &mut self.kernel,
                Phase::Floor | Phase::Outside => &mut self.floor,
            }
        };
        for line in address / LINE..=(address + len - 1) / LINE {
            lines.entry(line).or_insert(by);
        }
    }
}

/// Whether a line of the trace is of data that is written, if it is of an access.
fn is_written(line: &[u8]) -> bool {
    line.starts_with(b" S ") || line.starts_with(b" M ")
}

/// Whether a line of the trace is of data, its address and its length; `None` of what is no access.
fn access(line: &[u8]) -> Option<(bool, u64, u64)> {
    let (kind, rest) = line.split_at_checked(3)?;
    let is_data = match kind {
        b"I  " => false,
        b" L " | b" S " | b" M " => true,
        _ => return None,
    };
    let comma = rest.iter().position(|&byte| byte == b',')?;
    let address = number(&rest[..comma], 16)?;
    let len = number(rest[comma + 1..].trim_ascii_end(), 10)?;
    (len > 0).then_some((is_data, address, len))
}

fn number(digits: &[u8], base: u32) -> Option<u64> {
    u64::from_str_radix(str::from_utf8(digits).ok()?, base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "==7== Lackey\nI  00100010,3\n L 00009000,8\n S 00000100,8\nI  00100020,4\n \
                         L 00009000,8\n L 0000903c,8\n L 00005000,8\n S 00000300,8\n S 00000200,8\n\
                         I  00100030,4\n L 00009040,8\n M 0000a000,1\n S 00006000,8\n S 00000300,8\n \
                         L 0000b000,8\n";

    #[test]
    fn lines_between_marks_are_counted_and_those_of_both_are_found() {
        let places = [
            ("stack", (0x5000, 0x100)),
            ("records", (0x5100, 0x100)),
            ("market", (0x5200, 0x100)),
            ("image", (0x10_0000, 0x100)),
            ("core", (0x6000, 0x100)),
            ("floor", (0x100, 64)),
            ("kernel", (0x200, 64)),
            ("end", (0x300, 64)),
            ("batches", (1, 64)),
        ];
        let by_name = places.map(|(name, place)| (name.to_owned(), place)).into();
        let (say, said) = std::sync::mpsc::channel();
        assert!(read(TRACE.as_bytes(), &said).is_none());
        say.send(Places::new(&by_name).expect("all are there"))
            .expect("it is received");
        let touched = read(TRACE.as_bytes(), &said).expect("places came");
        let mut counts = Counts::default();
        for seen in touched.seen() {
            assert!(seen.is_near, "there is one batch");
            counts.add(seen.in_kernel, seen.in_floor);
        }
        assert_eq!((counts.both, counts.kernel(), counts.floor()), (1, 2, 2));
        assert_eq!(touched.of_the_core(), (1, 0));
        assert_eq!(touched.batches[0].floor[&(0x9000 / 64)], 0x10_0020);
    }
}

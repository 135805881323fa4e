//! Snapshots: the state at a record, in two slots of which one is always whole.
//!
//! ```text
//!   0 magic "PCULSNP1" | 8 format u32 | 12 rules u32 | 16 seq u64 | 24 chain u64 | 32 term u64
//!  40 core digest u64 | 48 limits u64 | 56 prelude u64 | 64 made_ns u64 | 72 journal u64
//!  80 sections u32, zero u32 | 88 file bytes u64
//!  96 the section table, 24 bytes each: id u32, zero u32 | offset u64 | bytes u64
//! 4088 checksum u64: XXH3 over the 4088 bytes before
//! 4096 the sections: blocks of 65,536 bytes, the last of a section shorter, each with the XXH3 of its bytes behind it
//! ```
//! A block's checksum is seeded with the snapshot's record, the section's id and the block's number. The thread that
//! makes snapshots; recovery. Invariants: a slot is written under another name, synced and renamed, so that it holds
//! an old whole snapshot or a new one; the slot that is written is never the one with the newest snapshot. Must never
//! hand out a byte that was not checked.

mod block;
mod header;
mod reader;
mod slots;
mod writer;

pub use header::SnapshotHeader;
pub use reader::{SectionReader, SnapshotReader};
pub use slots::{NewestSnapshot, is_snapshot, newest_snapshot};
pub use writer::SnapshotWriter;

//! Messages into bytes.
//!
//! **Thread.** Pure functions over the caller's buffer.
//! **Invariants.** What is written parses to what was given.
//! **Never.** Take a frame, a block or a name of a build that is longer than the protocol allows: that is the
//! caller's mistake, and asserted.

use super::checksum::checksum;
use super::message::{
    Ack, Block, DigestMismatch, Fence, Heartbeat, Hello, Message, Object, Offer, SegmentNotice,
    Want, Welcome,
};
use super::refusal::Refusal;
use super::{BLOCK_BYTES_MAX, BUILD_BYTES_MAX, HEADER_BYTES, MAGIC, PAYLOAD_BYTES_MAX};

/// Flags of a hello.
pub(super) const PROMOTED: u16 = 1;
pub(super) const TAKES_SNAPSHOT: u16 = 2;

/// Writes a message behind what `out` holds.
///
/// # Panics
/// If a frame, a block or the name of a build is longer than the protocol allows.
pub fn encode(message: &Message<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    payload(message, out);
    let bytes = out.len() - start - HEADER_BYTES;
    assert!(bytes <= PAYLOAD_BYTES_MAX, "a message is bounded");
    let mut lead = [0; 8];
    lead[..4].copy_from_slice(&(bytes as u32).to_le_bytes());
    lead[4] = message.kind() as u8;
    let sum = checksum(lead, &out[start + HEADER_BYTES..]);
    out[start..start + 8].copy_from_slice(&lead);
    out[start + 8..start + HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
}

fn payload(message: &Message<'_>, out: &mut Vec<u8>) {
    match message {
        Message::Hello(it) => hello(it, out),
        Message::Welcome(it) => welcome(it, out),
        Message::Refused(it) => refused(*it, out),
        Message::Segment(it) => segment(it, out),
        Message::Frame(bytes) => out.extend_from_slice(bytes),
        Message::Ack(it) => ack(it, out),
        Message::Heartbeat(it) => heartbeat(it, out),
        Message::Offer(it) => offer(it, out),
        Message::Want(it) => want(it, out),
        Message::Block(it) => block(it, out),
        Message::Fence(it) => fence(it, out),
        Message::DigestMismatch(it) => digest_mismatch(it, out),
    }
}

fn words(out: &mut Vec<u8>, words: &[u64]) {
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

/// Four numbers of 16 bits as one word.
const fn quarters(quarters: [u16; 4]) -> u64 {
    let [a, b, c, d] = quarters;
    a as u64 | (b as u64) << 16 | (c as u64) << 32 | (d as u64) << 48
}

fn hello(it: &Hello, out: &mut Vec<u8>) {
    let mut flags = 0;
    if it.promoted {
        flags |= PROMOTED;
    }
    if it.takes_snapshot {
        flags |= TAKES_SNAPSHOT;
    }
    words(
        out,
        &[
            MAGIC,
            quarters([it.version, flags, 0, 0]) | u64::from(it.process.raw()) << 32,
            it.journal,
            it.term,
            it.last_seq,
            it.chain,
            it.staged_snapshot,
            it.window_bytes,
            it.silence_max.ns(),
        ],
    );
}

fn welcome(it: &Welcome, out: &mut Vec<u8>) {
    words(
        out,
        &[
            MAGIC,
            quarters([it.version, 0, 0, 0]),
            it.journal,
            it.term,
            it.start_seq,
            it.start_chain,
            it.snapshot_bytes,
            it.last_seq,
            it.window_bytes,
            it.silence_max.ns(),
        ],
    );
}

fn refused(it: Refusal, out: &mut Vec<u8>) {
    let (reason, value) = it.to_words();
    words(out, &[u64::from(reason), value]);
}

fn segment(it: &SegmentNotice<'_>, out: &mut Vec<u8>) {
    assert!(
        it.build.len() <= BUILD_BYTES_MAX,
        "a build has a short name"
    );
    let lens =
        u64::from(it.rules_version) | u64::from(it.format) << 32 | (it.build.len() as u64) << 48;
    words(
        out,
        &[
            it.first_seq,
            it.previous,
            it.term,
            it.prelude,
            it.limits,
            lens,
        ],
    );
    out.extend_from_slice(it.build.as_bytes());
}

fn ack(it: &Ack, out: &mut Vec<u8>) {
    words(
        out,
        &[it.written, it.chain, it.synced, it.applied, it.taken_bytes],
    );
}

fn heartbeat(it: &Heartbeat, out: &mut Vec<u8>) {
    words(out, &[it.term, it.last_seq, it.sent_ns]);
}

fn object(it: Object, out: &mut Vec<u8>) {
    words(out, &[u64::from(it.kind as u32), it.id]);
}

fn offer(it: &Offer, out: &mut Vec<u8>) {
    object(it.object, out);
    words(out, &[it.bytes]);
}

fn want(it: &Want, out: &mut Vec<u8>) {
    object(it.object, out);
    words(out, &[it.offset]);
}

fn block(it: &Block<'_>, out: &mut Vec<u8>) {
    assert!(
        (1..=BLOCK_BYTES_MAX).contains(&it.bytes.len()),
        "a block has bytes, and not too many"
    );
    object(it.object, out);
    words(out, &[it.total, it.offset]);
    out.extend_from_slice(it.bytes);
}

fn fence(it: &Fence, out: &mut Vec<u8>) {
    words(out, &[it.term, it.last_seq]);
}

fn digest_mismatch(it: &DigestMismatch, out: &mut Vec<u8>) {
    words(out, &[it.seq, it.leader, it.follower]);
}

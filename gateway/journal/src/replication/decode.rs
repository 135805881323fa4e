//! One message off the front of a byte slice.
//!
//! **Thread.** Pure functions over borrowed bytes.
//! **Invariants.** What [`parse`] accepts is what [`super::encode`] makes of the value it yields, to the byte; how the
//! bytes were cut into reads makes no difference. A length is held against its kind before anything is waited for.
//! **Never.** Copy a payload, or wait for more than [`super::MESSAGE_BYTES_MAX`] bytes.

use super::checksum::checksum;
use super::encode::{PROMOTED, TAKES_SNAPSHOT};
use super::fault::MessageFault;
use super::message::{
    Ack, Block, DigestMismatch, Fence, Heartbeat, Hello, Message, MessageKind, Object, ObjectKind,
    Offer, SegmentNotice, Want, Welcome,
};
use super::process_number::ProcessNumber;
use super::refusal::Refusal;
use super::{BLOCK_BYTES_MAX, BUILD_BYTES_MAX, HEADER_BYTES, MAGIC};
use crate::frame::FRAME_BYTES_MAX;
use portcullis_domain::{Duration, UNIT_BYTES};

const WORD_BYTES: usize = size_of::<u64>();

/// What stands at the front of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole message, which takes `consumed` bytes.
    Message {
        /// The message.
        message: Message<'a>,
        /// Bytes to drop from the front.
        consumed: usize,
    },
    /// It is not whole: parse again when there are at least `bytes` bytes.
    NeedMore {
        /// Bytes, from the front.
        bytes: usize,
    },
}

/// Takes the message at the front of `bytes` apart.
///
/// # Errors
/// It can never become one, however many bytes follow; said as soon as it shows.
pub fn parse(bytes: &[u8]) -> Result<Parsed<'_>, MessageFault> {
    let Some((lead, rest)) = bytes.split_first_chunk::<WORD_BYTES>() else {
        return Ok(Parsed::NeedMore { bytes: WORD_BYTES });
    };
    let (kind, payload_bytes) = lead_of(lead)?;
    let consumed = HEADER_BYTES + payload_bytes;
    let Some((sum, rest)) = rest.split_first_chunk::<WORD_BYTES>() else {
        return Ok(Parsed::NeedMore { bytes: consumed });
    };
    let Some(payload) = rest.get(..payload_bytes) else {
        return Ok(Parsed::NeedMore { bytes: consumed });
    };
    if checksum(*lead, payload) != u64::from_le_bytes(*sum) {
        return Err(MessageFault::Checksum { kind });
    }
    let message = message(kind, payload)?;
    Ok(Parsed::Message { message, consumed })
}

/// Kind and length of the payload.
fn lead_of(lead: &[u8; WORD_BYTES]) -> Result<(MessageKind, usize), MessageFault> {
    let [a, b, c, d, kind, zeros @ ..] = *lead;
    let kind = MessageKind::of(kind).ok_or(MessageFault::UnknownKind(kind))?;
    if let Some(at) = zeros.iter().position(|byte| *byte != 0) {
        return Err(MessageFault::NotZero { offset: 5 + at });
    }
    let bytes = u32::from_le_bytes([a, b, c, d]);
    let len = bytes as usize;
    let fits = match kind {
        MessageKind::Hello => len == 9 * WORD_BYTES,
        MessageKind::Welcome => len == 10 * WORD_BYTES,
        MessageKind::Refused | MessageKind::Fence => len == 2 * WORD_BYTES,
        MessageKind::Heartbeat
        | MessageKind::DigestMismatch
        | MessageKind::Offer
        | MessageKind::Want => len == 3 * WORD_BYTES,
        MessageKind::Ack => len == 5 * WORD_BYTES,
        MessageKind::Segment => (6 * WORD_BYTES..=6 * WORD_BYTES + BUILD_BYTES_MAX).contains(&len),
        MessageKind::Frame => {
            (2 * UNIT_BYTES..=FRAME_BYTES_MAX).contains(&len) && len.is_multiple_of(UNIT_BYTES)
        }
        MessageKind::Block => {
            (4 * WORD_BYTES + 1..=4 * WORD_BYTES + BLOCK_BYTES_MAX).contains(&len)
        }
    };
    if fits {
        Ok((kind, len))
    } else {
        Err(MessageFault::Length { kind, bytes })
    }
}

fn message(kind: MessageKind, payload: &[u8]) -> Result<Message<'_>, MessageFault> {
    if kind == MessageKind::Frame {
        return Ok(Message::Frame(payload));
    }
    let mut fields = Fields {
        kind,
        rest: payload,
    };
    Ok(match kind {
        MessageKind::Hello => Message::Hello(hello(&mut fields)?),
        MessageKind::Welcome => Message::Welcome(welcome(&mut fields)?),
        MessageKind::Refused => Message::Refused(refused(&mut fields)?),
        MessageKind::Segment => Message::Segment(segment(fields)?),
        MessageKind::Frame => Message::Frame(payload),
        MessageKind::Ack => Message::Ack(ack(&mut fields)),
        MessageKind::Heartbeat => Message::Heartbeat(heartbeat(&mut fields)),
        MessageKind::Offer => Message::Offer(Offer {
            object: fields.object()?,
            bytes: fields.word(),
        }),
        MessageKind::Want => Message::Want(Want {
            object: fields.object()?,
            offset: fields.word(),
        }),
        MessageKind::Block => Message::Block(block(fields)?),
        MessageKind::Fence => Message::Fence(Fence {
            term: fields.word(),
            last_seq: fields.word(),
        }),
        MessageKind::DigestMismatch => Message::DigestMismatch(DigestMismatch {
            seq: fields.word(),
            leader: fields.word(),
            follower: fields.word(),
        }),
    })
}

/// The words of a payload whose length has been held against its kind.
struct Fields<'a> {
    kind: MessageKind,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn word(&mut self) -> u64 {
        let Some((word, rest)) = self.rest.split_first_chunk::<WORD_BYTES>() else {
            unreachable!("the length was held against the kind");
        };
        self.rest = rest;
        u64::from_le_bytes(*word)
    }

    fn quarters(&mut self) -> [u16; 4] {
        let word = self.word();
        [0, 16, 32, 48].map(|shift| (word >> shift) as u16)
    }

    fn bad(&self, field: &'static str) -> MessageFault {
        MessageFault::Value {
            kind: self.kind,
            field,
        }
    }

    fn magic(&mut self) -> Result<(), MessageFault> {
        if self.word() == MAGIC {
            Ok(())
        } else {
            Err(self.bad("magic"))
        }
    }

    fn object(&mut self) -> Result<Object, MessageFault> {
        let word = self.word();
        let kind = u32::try_from(word).ok().and_then(ObjectKind::of);
        let kind = kind.ok_or_else(|| self.bad("object"))?;
        Ok(Object {
            kind,
            id: self.word(),
        })
    }
}

fn hello(fields: &mut Fields<'_>) -> Result<Hello, MessageFault> {
    fields.magic()?;
    let [version, flags, low, high] = fields.quarters();
    let unknown = flags & !(PROMOTED | TAKES_SNAPSHOT) != 0;
    if unknown && !cfg!(feature = "planted-bug") {
        return Err(fields.bad("flags"));
    }
    Ok(Hello {
        version,
        process: ProcessNumber::new(u32::from(low) | u32::from(high) << 16),
        promoted: flags & PROMOTED != 0,
        takes_snapshot: flags & TAKES_SNAPSHOT != 0,
        journal: fields.word(),
        term: fields.word(),
        last_seq: fields.word(),
        chain: fields.word(),
        staged_snapshot: fields.word(),
        window_bytes: fields.word(),
        silence_max: Duration::from_ns(fields.word()),
    })
}

fn welcome(fields: &mut Fields<'_>) -> Result<Welcome, MessageFault> {
    fields.magic()?;
    let [version, zeros @ ..] = fields.quarters();
    if zeros != [0; 3] {
        return Err(fields.bad("flags"));
    }
    Ok(Welcome {
        version,
        journal: fields.word(),
        term: fields.word(),
        start_seq: fields.word(),
        start_chain: fields.word(),
        snapshot_bytes: fields.word(),
        last_seq: fields.word(),
        window_bytes: fields.word(),
        silence_max: Duration::from_ns(fields.word()),
    })
}

fn refused(fields: &mut Fields<'_>) -> Result<Refusal, MessageFault> {
    let (reason, value) = (fields.word(), fields.word());
    let reason = u32::try_from(reason).ok();
    reason
        .and_then(|reason| Refusal::from_words(reason, value))
        .ok_or_else(|| fields.bad("reason"))
}

fn segment(mut fields: Fields<'_>) -> Result<SegmentNotice<'_>, MessageFault> {
    let [first_seq, previous, term, prelude, limits] = [(); 5].map(|()| fields.word());
    let lens = fields.word();
    let build = fields.rest;
    if build.len() != usize::from((lens >> 48) as u16) {
        return Err(fields.bad("build_bytes"));
    }
    let printable = build.iter().all(|byte| (b' '..=b'~').contains(byte));
    let build = std::str::from_utf8(build).ok().filter(|_| printable);
    Ok(SegmentNotice {
        first_seq,
        previous,
        term,
        prelude,
        limits,
        rules_version: lens as u32,
        format: (lens >> 32) as u16,
        build: build.ok_or_else(|| fields.bad("build"))?,
    })
}

fn ack(fields: &mut Fields<'_>) -> Ack {
    Ack {
        written: fields.word(),
        chain: fields.word(),
        synced: fields.word(),
        applied: fields.word(),
        taken_bytes: fields.word(),
    }
}

fn heartbeat(fields: &mut Fields<'_>) -> Heartbeat {
    Heartbeat {
        term: fields.word(),
        last_seq: fields.word(),
        sent_ns: fields.word(),
    }
}

fn block(mut fields: Fields<'_>) -> Result<Block<'_>, MessageFault> {
    let object = fields.object()?;
    let (total, offset) = (fields.word(), fields.word());
    let end = offset.checked_add(fields.rest.len() as u64);
    if end.is_none_or(|end| end > total) {
        return Err(fields.bad("offset"));
    }
    Ok(Block {
        object,
        total,
        offset,
        bytes: fields.rest,
    })
}

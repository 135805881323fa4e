//! Each message to the byte; damage anywhere is seen; lengths are held against their kind at once.

use super::*;

const HELLO: Hello = Hello {
    version: 1,
    process: ProcessNumber::new(9 << 16 | 8),
    promoted: true,
    takes_snapshot: true,
    journal: 2,
    term: 3,
    last_seq: 4,
    chain: 5,
    staged_snapshot: 6,
    window_bytes: 7,
    silence_max: Duration::from_ns(8),
};

const WELCOME: Welcome = Welcome {
    version: 1,
    journal: 2,
    term: 3,
    start_seq: 4,
    start_chain: 5,
    snapshot_bytes: 6,
    last_seq: 7,
    window_bytes: 8,
    silence_max: Duration::from_ns(9),
};

const NOTICE: SegmentNotice<'static> = SegmentNotice {
    first_seq: 1,
    previous: 2,
    term: 3,
    prelude: 4,
    limits: 5,
    rules_version: 6,
    format: 7,
    build: "v9",
};

const FENCE: Fence = Fence {
    term: 1,
    last_seq: 2,
};

const TABLE: Object = Object {
    kind: ObjectKind::LimitTable,
    id: 9,
};

/// Kind, words of the payload, and what stands behind them.
type Layout<'a> = (u8, Vec<u64>, &'a [u8]);

fn messages(frame: &Kept) -> Vec<(Message<'_>, Layout<'_>)> {
    let ack = Ack {
        written: 1,
        chain: 2,
        synced: 3,
        applied: 4,
        taken_bytes: 5,
    };
    let block = Block {
        object: TABLE,
        total: 100,
        offset: 90,
        bytes: b"piece",
    };
    let mismatch = DigestMismatch {
        seq: 1,
        leader: 2,
        follower: 3,
    };
    let heartbeat = Heartbeat {
        term: 1,
        last_seq: 2,
        sent_ns: 3,
    };
    let (offer, want) = (
        Offer {
            object: TABLE,
            bytes: 5,
        },
        Want {
            object: TABLE,
            offset: 5,
        },
    );
    let frame = frame.frame().bytes();
    let text: &[u8] = b"";
    vec![
        (
            Message::Hello(HELLO),
            (
                1,
                vec![MAGIC, 0x9_0008_0003_0001, 2, 3, 4, 5, 6, 7, 8],
                text,
            ),
        ),
        (
            Message::Welcome(WELCOME),
            (2, vec![MAGIC, 1, 2, 3, 4, 5, 6, 7, 8, 9], text),
        ),
        (
            Message::Refused(Refusal::Diverged { seq: 8 }),
            (3, vec![3, 8], text),
        ),
        (
            Message::Segment(NOTICE),
            (4, vec![1, 2, 3, 4, 5, 0x0002_0007_0000_0006], b"v9"),
        ),
        (Message::Frame(frame), (5, vec![], frame)),
        (Message::Ack(ack), (6, vec![1, 2, 3, 4, 5], text)),
        (Message::Heartbeat(heartbeat), (7, vec![1, 2, 3], text)),
        (Message::Offer(offer), (8, vec![2, 9, 5], text)),
        (Message::Want(want), (9, vec![2, 9, 5], text)),
        (Message::Block(block), (10, vec![2, 9, 100, 90], b"piece")),
        (Message::Fence(FENCE), (11, vec![1, 2], text)),
        (Message::DigestMismatch(mismatch), (12, vec![1, 2, 3], text)),
    ]
}

#[test]
fn each_message_is_laid_out_as_documented() {
    let frame = &frames_of(Term::new(1), &[3])[0];
    let messages = messages(frame);
    let kinds: Vec<_> = messages.iter().map(|(message, _)| message.kind()).collect();
    assert_eq!(kinds, MessageKind::ALL);
    for (message, (kind, words, tail)) in messages {
        let mut payload: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        payload.extend_from_slice(tail);
        let mut expected = (payload.len() as u32).to_le_bytes().to_vec();
        expected.extend_from_slice(&[kind, 0, 0, 0]);
        let seed = u64::from_le_bytes(expected[..8].try_into().expect("eight"));
        let sum = xxhash_rust::xxh3::xxh3_64_with_seed(&payload, seed);
        expected.extend_from_slice(&sum.to_le_bytes());
        expected.extend_from_slice(&payload);
        let bytes = encoded(&message);
        assert_eq!(bytes, expected, "{message:?}");
        let consumed = bytes.len();
        assert_eq!(parse(&bytes), Ok(Parsed::Message { message, consumed }));
    }
}

/// One whole message as literal bytes, its checksum too.
#[test]
fn a_fence_as_it_goes_over_the_wire() {
    let bytes = encoded(&Message::Fence(Fence {
        term: 2,
        last_seq: 300,
    }));
    let mut text = String::new();
    for byte in &bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    assert_eq!(
        text,
        "100000000b000000f95b94f14781f75a02000000000000002c01000000000000"
    );
}

#[test]
fn each_reason_survives_its_words_and_says_what_to_do() {
    let reasons = [
        Refusal::Version { leader: 2 },
        Refusal::OtherJournal { leader: 3 },
        Refusal::Diverged { seq: 4 },
        Refusal::Ahead { leader_last: 5 },
        Refusal::TermLower { leader_term: 6 },
        Refusal::TooOld { first: 7 },
        Refusal::Occupied,
        Refusal::Itself,
    ];
    for (number, reason) in (1..).zip(reasons) {
        let bytes = encoded(&Message::Refused(reason));
        assert_eq!(bytes[HEADER_BYTES], number);
        let message = Message::Refused(reason);
        assert!(
            matches!(parse(&bytes), Ok(Parsed::Message { message: found, .. }) if found == message)
        );
        assert!(reason.to_string().len() > 40);
    }
}

#[test]
fn a_message_cut_anywhere_waits_for_exactly_what_is_missing() {
    let frame = &frames_of(Term::new(1), &[2])[0];
    for (message, _) in messages(frame) {
        let bytes = encoded(&message);
        for cut in 0..bytes.len() {
            let needed = if cut < 8 { 8 } else { bytes.len() };
            assert_eq!(parse(&bytes[..cut]), Ok(Parsed::NeedMore { bytes: needed }));
        }
    }
}

#[test]
fn no_flipped_bit_is_taken() {
    let frame = &frames_of(Term::new(1), &[2])[0];
    for (message, _) in messages(frame) {
        let bytes = encoded(&message);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match parse(&damaged) {
                Ok(Parsed::Message { message, .. }) => panic!("bit {bit} became {message:?}"),
                Ok(Parsed::NeedMore { bytes: needed }) => {
                    assert!(needed > damaged.len() && needed <= MESSAGE_BYTES_MAX);
                }
                Err(fault) => assert!(!fault.to_string().is_empty()),
            }
        }
    }
}

/// A header that announces this.
fn header(kind: u8, bytes: u32) -> [u8; 8] {
    let [a, b, c, d] = bytes.to_le_bytes();
    [a, b, c, d, kind, 0, 0, 0]
}

#[test]
fn a_length_that_a_kind_cannot_have_is_refused_before_anything_is_waited_for() {
    let block = BLOCK_BYTES_MAX as u32;
    let lengths: [(u8, &[u32]); 12] = [
        (1, &[0, 71, 73]),
        (2, &[79, 81]),
        (3, &[15, 17]),
        (4, &[47, 113]),
        (5, &[0, 64, 129, PAYLOAD_BYTES_MAX as u32 + 64, u32::MAX]),
        (6, &[39, 41]),
        (7, &[23, 25]),
        (8, &[0, 25]),
        (9, &[23, 32]),
        (10, &[32, 33 + block]),
        (11, &[8, 24]),
        (12, &[16, u32::MAX]),
    ];
    for (kind, lengths) in lengths {
        for bytes in lengths {
            let fault = parse(&header(kind, *bytes)).expect_err("no such length");
            assert!(matches!(fault, MessageFault::Length { bytes: found, .. } if found == *bytes));
        }
    }
    assert_eq!(parse(&header(0, 0)), Err(MessageFault::UnknownKind(0)));
    assert_eq!(parse(&header(13, 0)), Err(MessageFault::UnknownKind(13)));
    let mut zeros = header(11, 16);
    zeros[6] = 1;
    assert_eq!(parse(&zeros), Err(MessageFault::NotZero { offset: 6 }));
}

/// A message with this payload and the right checksum.
fn forged(kind: MessageKind, payload: &[u8]) -> Vec<u8> {
    let lead = header(kind as u8, payload.len() as u32);
    let mut bytes = lead.to_vec();
    bytes.extend_from_slice(&checksum::checksum(lead, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn a_value_that_cannot_be_is_named() {
    let change = |message: &Message<'_>, offset: usize, byte: u8| {
        let mut payload = encoded(message)[HEADER_BYTES..].to_vec();
        payload[offset] = byte;
        let bytes = forged(message.kind(), &payload);
        match parse(&bytes) {
            Err(MessageFault::Value { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(change(&Message::Hello(HELLO), 0, b'Q'), "magic");
    assert_eq!(change(&Message::Hello(HELLO), 10, 4), "flags");
    assert_eq!(change(&Message::Welcome(WELCOME), 7, 0), "magic");
    assert_eq!(change(&Message::Welcome(WELCOME), 10, 1), "flags");
    let refused = Message::Refused(Refusal::Occupied);
    assert_eq!(change(&refused, 0, 0), "reason");
    assert_eq!(change(&refused, 0, 9), "reason");
    assert_eq!(change(&refused, 5, 1), "reason");
    assert_eq!(change(&refused, 8, 1), "reason");
    let version = Message::Refused(Refusal::Version { leader: 1 });
    assert_eq!(change(&version, 10, 1), "reason");
    assert_eq!(change(&Message::Segment(NOTICE), 46, 3), "build_bytes");
    assert_eq!(change(&Message::Segment(NOTICE), 48, 0x1B), "build");
    assert_eq!(change(&Message::Segment(NOTICE), 48, 0xC3), "build");
    let offer = Message::Offer(Offer {
        object: TABLE,
        bytes: 5,
    });
    assert_eq!(change(&offer, 0, 5), "object");
    assert_eq!(change(&offer, 4, 1), "object");
    let block = Message::Block(Block {
        object: TABLE,
        total: 10,
        offset: 5,
        bytes: b"piece",
    });
    assert_eq!(change(&block, 16, 9), "offset");
    assert_eq!(change(&block, 31, 0xFF), "offset");
}

#[test]
fn an_inbox_always_has_room_for_the_rest_of_a_message() {
    let mut inbox = Inbox::new();
    assert_eq!(inbox.bytes(), b"");
    let mut written: u64 = 0;
    let mut read: u64 = 0;
    for turn in 0..40_u64 {
        let room = inbox.room();
        assert!(room.len() >= MESSAGE_BYTES_MAX);
        let count = room.len().min(700_001);
        for byte in &mut room[..count] {
            *byte = (written % 251) as u8;
            written += 1;
        }
        inbox.filled(count);
        let take = inbox.bytes().len() - (turn % 3) as usize * 333;
        for byte in &inbox.bytes()[..take] {
            assert_eq!(u64::from(*byte), read % 251);
            read += 1;
        }
        inbox.consume(take);
    }
    inbox.clear();
    assert_eq!(inbox.bytes(), b"");
}

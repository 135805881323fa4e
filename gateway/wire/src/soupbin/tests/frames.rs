//! Packets: each type, each fault, every way of cutting a stream.

use super::*;
use proptest::prelude::*;
use std::string::ToString;

fn all_packets() -> Vec<Vec<u8>> {
    let timed = LoginRequest {
        silence_max: Some(portcullis_domain::Duration::from_ns(15 * SECOND)),
        ..login_of(Some(b"S1"), 17)
    };
    let accepted = LoginAccepted {
        session: name(b"S1"),
        sequence: 17,
    };
    std::vec![
        packet(|out| encode::debug(b"hello", out)),
        packet(|out| encode::login_request(&login_of(None, 0), out)),
        packet(|out| encode::login_request(&timed, out)),
        packet(|out| encode::login_accepted(&accepted, out)),
        packet(|out| encode::login_rejected(LoginRejectReason::NotAuthorised, out)),
        packet(|out| encode::login_rejected(LoginRejectReason::SessionNotAvailable, out)),
        packet(|out| encode::sequenced(b"message", out)),
        packet(|out| encode::sequenced(b"", out)),
        packet(|out| encode::unsequenced(b"order", out)),
        packet(encode::server_heartbeat),
        packet(encode::client_heartbeat),
        packet(encode::end_of_session),
        packet(encode::logout_request),
    ]
}

#[test]
fn packets_are_laid_out_as_documented() {
    let mut packets = all_packets().into_iter();
    let mut expect = |bytes: &[u8]| assert_eq!(packets.next().expect("as many"), bytes);
    expect(b"\x00\x06+hello");
    expect(std::format!("\0\x2fL{:<6}{:<10}{:>10}{:>20}", "user", "secret", "", 0).as_bytes());
    expect(
        std::format!(
            "\0\x34L{:<6}{:<10}{:>10}{:>20}15000",
            "user",
            "secret",
            "S1",
            17
        )
        .as_bytes(),
    );
    expect(std::format!("\0\x1fA{:>10}{:>20}", "S1", 17).as_bytes());
    expect(b"\x00\x02JA");
    expect(b"\x00\x02JS");
    expect(b"\x00\x08Smessage");
    expect(b"\x00\x01S");
    expect(b"\x00\x06Uorder");
    expect(b"\x00\x01H");
    expect(b"\x00\x01R");
    expect(b"\x00\x01Z");
    expect(b"\x00\x01O");
    assert_eq!(packets.next(), None);
}

#[test]
fn login_forms_differ_by_length_and_justification_does_not_matter() {
    let right = std::format!("L{:<6}{:<10}{:>10}{:>20}", "user", "secret", "S1", 17);
    let left = std::format!("L{:>6}{:>10}{:<10}{:<20}", "user", "secret", "S1", 17);
    let forms = [
        (std::format!("\0\x2f{right}"), None),
        (std::format!("\0\x2f{left}"), None),
        (std::format!("\0\x34{right}   15"), Some(15)),
        (std::format!("\0\x34{left}99999"), Some(99_999)),
    ];
    for (text, millis) in forms {
        let bytes = text.as_bytes();
        let silence_max =
            millis.map(|millis| portcullis_domain::Duration::from_ns(millis * 1_000_000));
        let login = LoginRequest {
            silence_max,
            ..login_of(Some(b"S1"), 17)
        };
        let expected = Parsed::Packet {
            packet: Packet::LoginRequest(login),
            consumed: bytes.len(),
        };
        assert_eq!(parse(bytes), Ok(expected));
    }
}

/// That the packet is refused for this, at this field and byte.
fn refused(bytes: &[u8], field: &str, offset: usize, what: FrameFault) {
    let error = parse(bytes).expect_err("the packet is wrong");
    assert_eq!(
        (error.field, error.offset, error.what),
        (field, offset, what),
        "{bytes:?}"
    );
    assert!(error.to_string().starts_with(field));
}

#[test]
fn faults_show_before_the_packet_is_whole() {
    refused(&[0, 0], "packet_length", 0, FrameFault::NoType);
    refused(
        &[0x0f, 0xff],
        "packet_length",
        0,
        FrameFault::TooLong { found: 4_097 },
    );
    refused(
        &[0, 9, b'x'],
        "packet_type",
        2,
        FrameFault::UnknownType(b'x'),
    );
    let heartbeat = FrameFault::Length {
        packet: b'H',
        found: 2,
    };
    refused(&[0, 2, b'H'], "packet_length", 0, heartbeat);
    let login = FrameFault::Length {
        packet: b'L',
        found: 48,
    };
    refused(&[0, 48, b'L'], "packet_length", 0, login);
}

#[test]
fn faults_name_field_and_byte() {
    let login = |at: usize, byte: u8| {
        let mut bytes = packet(|out| encode::login_request(&login_of(Some(b"S1"), 17), out));
        bytes[at] = byte;
        bytes
    };
    refused(
        &[0, 2, b'J', b'X'],
        "reason",
        3,
        FrameFault::UnknownReason(b'X'),
    );
    refused(&login(5, 0), "username", 5, FrameFault::NotPrintable(0));
    refused(
        &login(28, 0xff),
        "requested_session",
        28,
        FrameFault::NotPrintable(0xff),
    );
    refused(
        &login(48, b'x'),
        "requested_sequence",
        48,
        FrameFault::NotADigit(b'x'),
    );
    let names = std::format!("{:<6}{:<10}{:>10}", "user", "secret", "S1");
    let timed = std::format!("\0\x34L{names}{:>20} 1 5 ", 17);
    refused(
        timed.as_bytes(),
        "heartbeat_timeout_ms",
        51,
        FrameFault::NotADigit(b' '),
    );
    let blank = std::format!("\0\x2fL{names}{:>20}", "");
    refused(
        blank.as_bytes(),
        "requested_sequence",
        29,
        FrameFault::BlankNumber,
    );
    let large = std::format!("\0\x1fA{:>10}{}", "S1", "9".repeat(20));
    refused(large.as_bytes(), "sequence", 13, FrameFault::NumberTooLarge);
}

#[test]
fn the_longest_packet_passes_and_one_byte_more_does_not() {
    let longest = std::vec![7; PAYLOAD_BYTES_MAX];
    let bytes = packet(|out| encode::unsequenced(&longest, out));
    assert_eq!(bytes.len(), PACKET_BYTES_MAX);
    let expected = Parsed::Packet {
        packet: Packet::Unsequenced(&longest),
        consumed: 4_096,
    };
    assert_eq!(parse(&bytes), Ok(expected));
    let longer = std::vec![7; PAYLOAD_BYTES_MAX + 1];
    let refused = encode::unsequenced(&longer, &mut [0; 8_192]);
    assert_eq!(
        refused,
        Err(NoRoom {
            needed: 4_097,
            room: 4_096
        })
    );
}

#[test]
fn a_packet_that_does_not_fit_is_not_begun() {
    for whole in all_packets() {
        let Ok(Parsed::Packet {
            packet: Packet::Sequenced(message),
            ..
        }) = parse(&whole)
        else {
            continue;
        };
        let mut out = [0x55; 64];
        let room = whole.len() - 1;
        let refused = encode::sequenced(message, &mut out[..room]);
        assert_eq!(
            refused,
            Err(NoRoom {
                needed: whole.len(),
                room
            })
        );
        assert!(out.iter().all(|byte| *byte == 0x55));
    }
}

#[test]
fn an_incomplete_packet_says_how_much_it_wants() {
    for whole in all_packets() {
        for len in 0..whole.len() {
            let Ok(Parsed::NeedMore { bytes }) = parse(&whole[..len]) else {
                panic!("{len} bytes of {whole:?} are not a packet");
            };
            assert!(bytes > len && bytes <= whole.len());
        }
    }
}

#[test]
fn passwords_are_not_printed() {
    let login = login_of(None, 1);
    let shown = std::format!("{login:?}");
    assert!(
        shown.contains("Password(hidden)") && !shown.contains("secret"),
        "{shown}"
    );
}

/// What a reader sees that gets the stream in these pieces.
fn read_in_pieces(stream: &[u8], cuts: &[usize]) -> Vec<(char, Vec<u8>)> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut seen = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([stream.len()]) {
        buffer.extend_from_slice(&stream[from..cut.max(from)]);
        from = cut.max(from);
        while let Ok(Parsed::Packet { packet, consumed }) = parse(&buffer) {
            seen.push((char::from(packet.type_byte()), buffer[3..consumed].to_vec()));
            buffer.drain(..consumed);
        }
    }
    assert!(buffer.is_empty(), "the stream ends with a packet");
    seen
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_packets(
        picks in proptest::collection::vec(0_usize..13, 1..12),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let kinds = all_packets();
        let stream: Vec<u8> = picks.iter().flat_map(|pick| kinds[*pick].clone()).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let expected: Vec<(char, Vec<u8>)> =
            picks.iter().map(|pick| (char::from(kinds[*pick][2]), kinds[*pick][3..].to_vec())).collect();
        prop_assert_eq!(read_in_pieces(&stream, &cuts), expected);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        match parse(&bytes) {
            Ok(Parsed::Packet { packet, consumed }) => {
                prop_assert!(consumed >= 3 && consumed <= bytes.len());
                prop_assert_eq!(packet.type_byte(), bytes[2]);
            }
            Ok(Parsed::NeedMore { bytes: wanted }) => prop_assert!(wanted > bytes.len()),
            Err(error) => prop_assert!(error.offset < bytes.len()),
        }
    }

    #[test]
    fn logins_survive_the_wire(
        user in "[ -~]{0,6}",
        session in "[!-~]{0,10}",
        sequence in any::<u64>(),
        millis in proptest::option::of(0_u64..100_000),
    ) {
        // A name is what is between its padding, wherever the padding was.
        let user = name::<6>(name::<6>(user.as_bytes()).trimmed());
        let session = (!session.is_empty()).then(|| name(session.as_bytes()));
        let silence_max = millis.map(|millis| portcullis_domain::Duration::from_ns(millis * 1_000_000));
        let login = LoginRequest { user, session, sequence, silence_max, ..login_of(None, 0) };
        let bytes = packet(|out| encode::login_request(&login, out));
        let expected = Parsed::Packet { packet: Packet::LoginRequest(login), consumed: bytes.len() };
        prop_assert_eq!(parse(&bytes), Ok(expected));
    }
}

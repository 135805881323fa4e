//! SoupBinTCP packets: what parses encodes to itself, and no cutting of the stream changes what is
//! read from it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::Timestamp;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{
    ClientConfig, ClientEvent, ClientSession, ClientState, ClientStep, FrameError, NoRoom,
    PACKET_BYTES_MAX, Packet, Parsed, Password, encode, parse,
};

fn encoded(packet: &Packet<'_>, out: &mut [u8]) -> Result<usize, NoRoom> {
    match packet {
        Packet::Debug(text) => encode::debug(text, out),
        Packet::LoginRequest(login) => encode::login_request(login, out),
        Packet::LoginAccepted(accepted) => encode::login_accepted(accepted, out),
        Packet::LoginRejected(reason) => encode::login_rejected(*reason, out),
        Packet::Sequenced(message) => encode::sequenced(message, out),
        Packet::Unsequenced(message) => encode::unsequenced(message, out),
        Packet::ServerHeartbeat => encode::server_heartbeat(out),
        Packet::ClientHeartbeat => encode::client_heartbeat(out),
        Packet::EndOfSession => encode::end_of_session(out),
        Packet::LogoutRequest => encode::logout_request(out),
    }
}

/// Checks one packet against its own encoding.
fn check(packet: &Packet<'_>, bytes: &[u8]) {
    let mut out = [0xAA; PACKET_BYTES_MAX];
    let len = encoded(packet, &mut out).expect("it came in a packet");
    assert_eq!(len, bytes.len());
    match packet {
        // Padding may have been on the other side; the meaning must be the same.
        Packet::LoginRequest(_) | Packet::LoginAccepted(_) => {
            assert_eq!(
                parse(&out[..len]),
                Ok(Parsed::Packet {
                    packet: *packet,
                    consumed: len
                })
            );
        }
        _ => assert_eq!(&out[..len], bytes),
    }
    for cut in [0, 1, 2, len / 2, len - 1] {
        assert!(
            matches!(parse(&bytes[..cut]), Ok(Parsed::NeedMore { bytes }) if bytes > cut && bytes <= len)
        );
    }
    if len > 0 {
        assert!(encoded(packet, &mut out[..len - 1]).is_err());
    }
}

/// Lengths of the packets, and the fault at which reading stopped.
fn read(stream: &[u8], piece: usize) -> (Vec<usize>, Option<FrameError>) {
    let mut buffer = Vec::new();
    let mut lens = Vec::new();
    for part in stream.chunks(piece) {
        buffer.extend_from_slice(part);
        loop {
            match parse(&buffer) {
                Ok(Parsed::Packet { packet, consumed }) => {
                    check(&packet, &buffer[..consumed]);
                    lens.push(consumed);
                    buffer.drain(..consumed);
                }
                Ok(Parsed::NeedMore { bytes }) => {
                    assert!(bytes > buffer.len() && bytes <= PACKET_BYTES_MAX);
                    break;
                }
                Err(error) => {
                    assert!(error.offset <= buffer.len());
                    return (lens, Some(error));
                }
            }
        }
    }
    (lens, None)
}

/// The same bytes as a server's: messages are numbered from the one the login's answer named, none
/// comes before it, and nothing comes after the end.
fn client(mut stream: &[u8]) {
    let user = Alpha::new(b"user").expect("fits");
    let mut machine = ClientSession::new(ClientConfig::new(user, Password(Alpha::BLANK)));
    let now = Timestamp::ZERO;
    machine.connect(now, &mut [0; 64]).expect("idle");
    let mut next = None;
    while let ClientStep::Event { event, consumed } = machine.step(stream, now) {
        match event {
            ClientEvent::LoggedIn { accepted, .. } => {
                assert_eq!(next, None);
                next = Some(accepted.sequence.max(1));
            }
            ClientEvent::Sequenced { number, .. } => {
                assert_eq!(Some(number), next);
                next = Some(number.saturating_add(1));
            }
            ClientEvent::Unsequenced(_) => assert!(next.is_some()),
            ClientEvent::LoginRejected(_) => {
                assert_eq!((machine.state(), next), (ClientState::Idle, None))
            }
            ClientEvent::EndOfSession => assert_eq!(machine.state(), ClientState::Ended),
            ClientEvent::Fault(_) => assert_eq!(machine.state(), ClientState::Idle),
            ClientEvent::Ignored => assert!(consumed > 0),
        }
        assert!(next.is_none_or(|next| next == machine.next_sequence()));
        stream = &stream[consumed..];
    }
    let _ = machine.on_time(Timestamp::from_ns(u64::MAX), &mut [0; 3]);
    assert_eq!(machine.deadline(), None);
}

fuzz_target!(|input: &[u8]| {
    let Some((piece, stream)) = input.split_first() else {
        return;
    };
    let piece = usize::from(*piece % 64) + 1;
    client(stream);
    assert_eq!(read(stream, stream.len().max(1)), read(stream, piece));
});

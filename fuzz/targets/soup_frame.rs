//! SoupBinTCP packets: what parses encodes to itself, and no cutting of the stream changes what is
//! read from it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::Timestamp;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{
    ClientConfig, ClientEvent, ClientSession, ClientState, ClientStep, ClientTimer, FrameError,
    NoRoom, PACKET_BYTES_MAX, Packet, Parsed, Password, encode, parse,
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
    assert_eq!(packet.type_byte(), bytes[2]);
    let short = encoded(packet, &mut out[..len - 1]).expect_err("a byte less than it takes");
    assert!(short.to_string().contains(&len.to_string()));
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
                    assert!(error.to_string().starts_with(error.field));
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
            ClientEvent::Fault(fault) => {
                assert!(!fault.to_string().is_empty());
                assert_eq!(machine.state(), ClientState::Idle);
            }
            ClientEvent::Ignored => assert!(consumed > 0),
        }
        assert!(next.is_none_or(|next| next == machine.next_sequence()));
        stream = &stream[consumed..];
    }
    speak(&mut machine, now);
    return_after_silence(&mut machine);
}

/// What the machine is asked to write: while it is logged in it does, and else says why not.
fn speak(machine: &mut ClientSession, now: Timestamp) {
    let mut out = [0; PACKET_BYTES_MAX];
    let active = machine.state() == ClientState::Active;
    match machine.send(b"order", now, &mut out) {
        Ok(len) => {
            assert!(active);
            let packet = Packet::Unsequenced(b"order");
            assert_eq!(
                parse(&out[..len]),
                Ok(Parsed::Packet {
                    packet,
                    consumed: len
                })
            );
            assert!(machine.send(b"order", now, &mut out[..len - 1]).is_err());
        }
        Err(error) => {
            assert!(!active);
            assert!(!error.to_string().is_empty());
        }
    }
    let Some(due) = machine.deadline() else {
        return;
    };
    assert!(due > now);
    assert_eq!(machine.on_time(now, &mut out), Ok(ClientTimer::NotDue));
    let timer = machine.on_time(due, &mut out).expect("room");
    assert_eq!(active, timer == ClientTimer::Heartbeat { len: 3 });
}

/// Silence ends a link; the next login asks for the message after the last one that came.
fn return_after_silence(machine: &mut ClientSession) {
    let end = Timestamp::from_ns(u64::MAX);
    let _ = machine.on_time(end, &mut [0; 3]);
    assert_eq!(machine.deadline(), None);
    let mut out = [0; PACKET_BYTES_MAX];
    let ended = machine.state() == ClientState::Ended;
    let next = machine.next_sequence();
    // A session without a name is asked for as the current one.
    let session = machine.session().filter(|name| !name.is_blank());
    match machine.connect(end, &mut out) {
        Ok(len) => {
            let Ok(Parsed::Packet {
                packet: Packet::LoginRequest(login),
                ..
            }) = parse(&out[..len])
            else {
                panic!("a login is written");
            };
            assert_eq!((login.sequence, login.session), (next, session));
            assert!(machine.connect(end, &mut out).is_err(), "it is under way");
            assert!(machine.logout(&mut out).is_err(), "it is not logged in");
            assert_eq!(format!("{:?}", login.password), "Password(hidden)");
        }
        Err(error) => assert!(ended && !error.to_string().is_empty()),
    }
    machine.disconnected();
    let state = if ended {
        ClientState::Ended
    } else {
        ClientState::Idle
    };
    assert_eq!(machine.state(), state);
}

fuzz_target!(|input: &[u8]| {
    let Some((piece, stream)) = input.split_first() else {
        return;
    };
    let piece = usize::from(*piece % 64) + 1;
    client(stream);
    assert_eq!(read(stream, stream.len().max(1)), read(stream, piece));
});

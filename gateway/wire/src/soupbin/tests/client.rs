//! The client's machine, alone and against the server's.

use super::*;

fn client(next_sequence: u64) -> ClientSession {
    let config = ClientConfig::new(name(b"user"), Password(name(b"secret")));
    ClientSession::new(ClientConfig {
        next_sequence,
        ..config
    })
}

fn answer(sequence: u64) -> Vec<u8> {
    packet(|out| {
        encode::login_accepted(
            &LoginAccepted {
                session: name(b"S1"),
                sequence,
            },
            out,
        )
    })
}

/// The event of one packet; its bytes are leaked so that it can be compared at leisure.
fn only_event(machine: &mut ClientSession, bytes: &[u8], now: Timestamp) -> ClientEvent<'static> {
    let bytes: &'static [u8] = bytes.to_vec().leak();
    let ClientStep::Event { event, consumed } = machine.step(bytes, now) else {
        panic!("{bytes:?} are one whole packet and there is a link");
    };
    assert!(consumed == bytes.len() || matches!(event, ClientEvent::Fault(_)));
    event
}

/// A client that is logged in since second 0, next message 5.
fn active() -> ClientSession {
    let mut machine = client(5);
    machine.connect(at(0), &mut [0; 64]).expect("room");
    let event = only_event(&mut machine, &answer(5), at(0));
    assert!(matches!(event, ClientEvent::LoggedIn { asked: 5, .. }));
    machine
}

#[test]
fn messages_are_counted_from_the_number_the_server_names() {
    let mut machine = client(3);
    let mut out = [0; 64];
    assert_eq!(machine.connect(at(0), &mut out), Ok(49));
    assert_eq!(
        machine.send(b"early", at(0), &mut out),
        Err(ClientError::State(ClientState::AwaitingAnswer))
    );
    let accepted = LoginAccepted {
        session: name(b"S1"),
        sequence: 3,
    };
    let event = only_event(&mut machine, &answer(3), at(0));
    assert_eq!(event, ClientEvent::LoggedIn { accepted, asked: 3 });
    for number in [3, 4] {
        let bytes = packet(|out| encode::sequenced(b"m", out));
        let event = only_event(&mut machine, &bytes, at(1));
        assert_eq!(
            event,
            ClientEvent::Sequenced {
                number,
                message: b"m"
            }
        );
    }
    let bytes = packet(|out| encode::unsequenced(b"u", out));
    assert_eq!(
        only_event(&mut machine, &bytes, at(1)),
        ClientEvent::Unsequenced(b"u")
    );
    assert_eq!(machine.next_sequence(), 5);
}

#[test]
fn after_a_broken_link_it_asks_for_what_it_missed() {
    let mut machine = active();
    only_event(
        &mut machine,
        &packet(|out| encode::sequenced(b"m", out)),
        at(1),
    );
    machine.disconnected();
    assert_eq!(machine.step(&answer(1), at(1)), ClientStep::Closed);
    let mut out = [0; 64];
    let len = machine.connect(at(2), &mut out).expect("room");
    let Ok(Parsed::Packet {
        packet: Packet::LoginRequest(login),
        ..
    }) = parse(&out[..len])
    else {
        panic!("a login");
    };
    assert_eq!((login.session, login.sequence), (Some(name(b"S1")), 6));
    let event = only_event(&mut machine, &answer(9), at(2));
    assert!(
        matches!(event, ClientEvent::LoggedIn { asked: 6, accepted } if accepted.sequence == 9)
    );
}

#[test]
fn an_answer_that_names_no_number_counts_from_one() {
    let mut machine = client(0);
    machine.connect(at(0), &mut [0; 64]).expect("room");
    only_event(&mut machine, &answer(0), at(0));
    assert_eq!(machine.next_sequence(), 1);
}

#[test]
fn a_refused_login_may_be_tried_again() {
    let mut machine = client(1);
    machine.connect(at(0), &mut [0; 64]).expect("room");
    let refused = packet(|out| encode::login_rejected(LoginRejectReason::SessionNotAvailable, out));
    let event = only_event(&mut machine, &refused, at(0));
    assert_eq!(
        event,
        ClientEvent::LoginRejected(LoginRejectReason::SessionNotAvailable)
    );
    assert_eq!(
        machine.connect(at(1), &mut [0; 8]),
        Err(ClientError::NoRoom(NoRoom {
            needed: 49,
            room: 8
        }))
    );
    assert_eq!(machine.state(), ClientState::Idle);
    assert_eq!(machine.connect(at(1), &mut [0; 64]), Ok(49));
}

#[test]
fn heartbeats_each_second_of_own_silence_and_patience_with_the_server() {
    let mut machine = active();
    let mut out = [0; 64];
    assert_eq!(
        machine.on_time(Timestamp::from_ns(SECOND - 1), &mut out),
        Ok(ClientTimer::NotDue)
    );
    assert_eq!(
        machine.on_time(at(1), &mut out),
        Ok(ClientTimer::Heartbeat { len: 3 })
    );
    assert_eq!(out[..3], *b"\x00\x01R");
    machine.send(b"order", at(2), &mut out).expect("active");
    assert_eq!(machine.deadline(), Some(at(3)));
    only_event(&mut machine, &packet(encode::server_heartbeat), at(3));
    for second in 3..18 {
        assert_eq!(
            machine.on_time(at(second), &mut out),
            Ok(ClientTimer::Heartbeat { len: 3 })
        );
    }
    assert_eq!(
        machine.on_time(at(18), &mut out),
        Ok(ClientTimer::ServerSilent)
    );
    assert_eq!(
        (machine.state(), machine.deadline()),
        (ClientState::Idle, None)
    );
}

#[test]
fn a_login_without_an_answer_is_given_up() {
    let mut machine = client(1);
    let mut out = [0; 64];
    machine.connect(at(0), &mut out).expect("room");
    only_event(
        &mut machine,
        &packet(|out| encode::debug(b"wait", out)),
        at(1),
    );
    assert_eq!(machine.deadline(), Some(at(16)));
    assert_eq!(
        machine.on_time(at(16), &mut out),
        Ok(ClientTimer::ServerSilent)
    );
}

#[test]
fn an_ended_session_is_not_entered_again() {
    let mut machine = active();
    let event = only_event(&mut machine, &packet(encode::end_of_session), at(1));
    assert_eq!(event, ClientEvent::EndOfSession);
    machine.disconnected();
    let refused = machine.connect(at(2), &mut [0; 64]);
    assert_eq!(refused, Err(ClientError::State(ClientState::Ended)));
}

#[test]
fn a_server_that_breaks_the_protocol_is_left() {
    let heartbeat = packet(encode::server_heartbeat);
    let mut machine = client(1);
    machine.connect(at(0), &mut [0; 64]).expect("room");
    let event = only_event(&mut machine, &heartbeat, at(0));
    assert_eq!(event, ClientEvent::Fault(SessionFault::BeforeLogin(b'H')));
    let faults = [
        (answer(1), SessionFault::SecondLogin),
        (
            packet(encode::client_heartbeat),
            SessionFault::WrongSide(b'R'),
        ),
    ];
    for (bytes, fault) in faults {
        let mut machine = active();
        assert_eq!(
            only_event(&mut machine, &bytes, at(1)),
            ClientEvent::Fault(fault)
        );
        assert_eq!(machine.step(&heartbeat, at(1)), ClientStep::Closed);
    }
    let mut machine = active();
    let event = only_event(&mut machine, &[0, 0], at(1));
    assert!(matches!(event, ClientEvent::Fault(SessionFault::Frame(_))));
}

#[test]
fn logout_leaves() {
    let mut machine = active();
    let mut out = [0; 64];
    assert_eq!(machine.logout(&mut out), Ok(3));
    assert_eq!(out[..3], *b"\x00\x01O");
    assert_eq!(machine.state(), ClientState::Idle);
}

/// Both machines over two byte queues, with the link broken again and again in the middle of what
/// was written: every message arrives once, in order, under its number.
#[test]
fn two_machines_lose_nothing_over_broken_links() {
    let store = ResendStore::new(
        std::vec![0; 65_536],
        std::vec![StoreSlot::default(); 1_024],
        1,
    );
    let mut outbound = ServerOutbound::new(name(b"S1"), store);
    let mut machine = client(1);
    let mut received: Vec<(u64, Vec<u8>)> = Vec::new();
    for round in 0..40_u64 {
        let mut inbound = ServerInbound::new(ServerLimits::default(), at(round));
        let mut out = [0; 8_192];
        let len = machine.connect(at(round), &mut out).expect("idle");
        let ServerStep::Event {
            event: ServerEvent::Login(login),
            ..
        } = inbound.step(&out[..len], at(round))
        else {
            panic!("the login arrives");
        };
        assert!(inbound.accept(at(round)));
        let LoginAnswer::Accepted { len, .. } =
            outbound.login(&login, at(round), &mut out).expect("room")
        else {
            panic!("everything is stored");
        };
        let mut wire = out[..len].to_vec();
        for message in 0..round % 7 {
            outbound
                .publish(&[round as u8, message as u8])
                .expect("short");
        }
        let written = outbound.pump(at(round), &mut out).expect("stored");
        wire.extend_from_slice(&out[..written]);
        // The link breaks in the login's answer, inside a packet or behind one; the last link holds.
        let lost = if round == 39 {
            0
        } else {
            (round as usize * 11) % wire.len()
        };
        let mut rest = &wire[..wire.len() - lost];
        while let ClientStep::Event { event, consumed } = machine.step(rest, at(round)) {
            if let ClientEvent::Sequenced { number, message } = event {
                received.push((number, message.to_vec()));
            }
            rest = &rest[consumed..];
        }
        machine.disconnected();
        outbound.unlink();
    }
    let expected: Vec<(u64, Vec<u8>)> = (0..40_u64)
        .flat_map(|round| (0..round % 7).map(move |message| std::vec![round as u8, message as u8]))
        .zip(1..)
        .map(|(message, number)| (number, message))
        .collect();
    assert_eq!(received, expected);
}

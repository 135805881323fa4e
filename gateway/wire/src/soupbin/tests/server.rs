//! The server's two halves.

use super::*;

/// Everything a machine says about these bytes, until it wants more or is closed.
fn steps(
    machine: &mut ServerInbound,
    mut bytes: &[u8],
    now: Timestamp,
) -> Vec<std::string::String> {
    let mut said = Vec::new();
    loop {
        match machine.step(bytes, now) {
            ServerStep::Event { event, consumed } => {
                said.push(match event {
                    ServerEvent::Login(login) => std::format!("login {}", login.sequence),
                    ServerEvent::Unsequenced(message) => {
                        std::format!("message {}", std::string::String::from_utf8_lossy(message))
                    }
                    ServerEvent::LogoutRequested => "logout".into(),
                    ServerEvent::Ignored => "ignored".into(),
                    ServerEvent::Fault(fault) => std::format!("fault: {fault}"),
                });
                bytes = &bytes[consumed..];
            }
            ServerStep::NeedMore { .. } | ServerStep::Closed => return said,
        }
    }
}

fn login_bytes(sequence: u64) -> Vec<u8> {
    packet(|out| encode::login_request(&login_of(None, sequence), out))
}

fn order(text: &[u8]) -> Vec<u8> {
    packet(|out| encode::unsequenced(text, out))
}

/// A machine that is active since second 0.
fn active() -> ServerInbound {
    let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
    assert_eq!(steps(&mut machine, &login_bytes(1), at(0)), ["login 1"]);
    assert!(machine.accept(at(0)));
    machine
}

#[test]
fn login_is_verified_by_the_caller() {
    let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
    let mut stream = packet(|out| encode::debug(b"hi", out));
    stream.extend(login_bytes(7));
    assert_eq!(steps(&mut machine, &stream, at(1)), ["ignored", "login 7"]);
    assert_eq!(machine.state(), ServerState::Verifying);
    assert!(machine.accept(at(2)));
    assert_eq!(machine.state(), ServerState::Active);
    assert!(!machine.accept(at(2)), "once");
    assert_eq!(steps(&mut machine, &order(b"a"), at(3)), ["message a"]);
}

#[test]
fn reads_may_be_split_or_merged_anywhere() {
    let mut machine = active();
    let whole = order(b"first");
    assert_eq!(
        machine.step(&whole[..1], at(1)),
        ServerStep::NeedMore { bytes: 2 }
    );
    assert_eq!(
        machine.step(&whole[..3], at(1)),
        ServerStep::NeedMore { bytes: 8 }
    );
    assert_eq!(steps(&mut machine, &whole, at(2)), ["message first"]);
    let three: Vec<u8> = [order(b"1"), order(b"2"), order(b"3")].concat();
    assert_eq!(
        steps(&mut machine, &three, at(3)),
        ["message 1", "message 2", "message 3"]
    );
}

/// An active client's messages are taken by a shorter way than other packets: it says what the parser says.
#[test]
fn a_message_is_what_the_parser_says_is_one() {
    let longest = order(&std::vec![b'x'; PACKET_BYTES_MAX - 3]);
    let too_long = [&[0x0F, 0xFF, b'U'][..], &std::vec![b'x'; PACKET_BYTES_MAX]].concat();
    let heartbeat = packet(encode::client_heartbeat);
    let mut inputs = std::vec![order(b""), order(b"ab"), longest, too_long, heartbeat];
    inputs.extend([&[0, 0, b'U'][..], &[0, 0], &[0, 1, b'S'], &[0, 1, b'?']].map(Vec::from));
    inputs.push([order(b"ab"), order(b"c")].concat());
    for input in inputs {
        for len in 0..=input.len() {
            let input = &input[..len];
            let mut machine = active();
            let step = machine.step(input, at(1));
            match parse(input) {
                Ok(Parsed::Packet {
                    packet: Packet::Unsequenced(message),
                    consumed,
                }) => {
                    let event = ServerEvent::Unsequenced(message);
                    assert_eq!(step, ServerStep::Event { event, consumed });
                    assert_eq!(machine.deadline(), Some(at(16)), "it was heard");
                }
                Ok(Parsed::NeedMore { bytes }) => {
                    assert_eq!(step, ServerStep::NeedMore { bytes });
                    assert_eq!(machine.deadline(), Some(at(15)));
                }
                Ok(Parsed::Packet { .. }) | Err(_) => {
                    let ServerStep::Event { event, .. } = step else {
                        panic!("{step:?} over {input:?}");
                    };
                    assert!(!matches!(event, ServerEvent::Unsequenced(_)), "{event:?}");
                }
            }
        }
    }
}

#[test]
fn before_the_login_only_debug_passes() {
    let heartbeat = packet(encode::client_heartbeat);
    let cases: [(Vec<u8>, &str); 4] = [
        (
            order(b"a"),
            "fault: a 'U' packet came before the login was answered; log in and wait for the answer",
        ),
        (
            heartbeat,
            "fault: a 'R' packet came before the login was answered; log in and wait for the answer",
        ),
        (
            b"GET / HTTP/1.1\r\n".to_vec(),
            "fault: packet_length at byte 0: the packet has 18247 bytes; send at most 4096",
        ),
        (
            packet(encode::server_heartbeat),
            "fault: a 'H' packet is not for this side to send",
        ),
    ];
    for (bytes, expected) in cases {
        let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
        assert_eq!(steps(&mut machine, &bytes, at(1)), [expected]);
        assert_eq!(machine.state(), ServerState::Closed);
        assert_eq!(machine.step(&login_bytes(1), at(1)), ServerStep::Closed);
        assert_eq!(
            (machine.deadline(), machine.on_time(at(1_000))),
            (None, None)
        );
    }
}

#[test]
fn nothing_but_heartbeats_passes_while_a_login_is_verified() {
    let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
    let early: Vec<u8> = [
        login_bytes(1),
        packet(encode::client_heartbeat),
        order(b"a"),
    ]
    .concat();
    let said = steps(&mut machine, &early, at(0));
    assert_eq!(said[..2], ["login 1", "ignored"]);
    assert!(said[2].starts_with("fault: a 'U' packet came before"));
    assert!(!machine.accept(at(1)), "the session is over already");
}

#[test]
fn a_second_login_and_foreign_packets_end_the_session() {
    let mut machine = active();
    assert!(steps(&mut machine, &login_bytes(1), at(1))[0].starts_with("fault: a login on"));
    for foreign in [
        packet(|out| encode::sequenced(b"x", out)),
        packet(encode::end_of_session),
        packet(|out| encode::login_rejected(LoginRejectReason::NotAuthorised, out)),
    ] {
        let mut machine = active();
        assert!(steps(&mut machine, &foreign, at(1))[0].ends_with("not for this side to send"));
        assert_eq!(machine.state(), ServerState::Closed);
    }
}

#[test]
fn logout_closes_at_once() {
    let mut machine = active();
    let bytes = [packet(encode::logout_request), order(b"late")].concat();
    assert_eq!(steps(&mut machine, &bytes, at(1)), ["logout"]);
    assert_eq!(machine.state(), ServerState::Closed);
}

#[test]
fn silence_counts_from_the_last_whole_packet_to_the_nanosecond() {
    let mut machine = active();
    steps(&mut machine, &packet(encode::client_heartbeat), at(4));
    machine.step(&[0], at(18));
    assert_eq!(machine.deadline(), Some(at(19)));
    assert_eq!(machine.on_time(Timestamp::from_ns(19 * SECOND - 1)), None);
    assert_eq!(machine.on_time(at(19)), Some(ServerTimer::ClientSilent));
    assert_eq!(machine.state(), ServerState::Closed);
}

#[test]
fn a_newer_login_states_its_own_silence() {
    for (millis, expected) in [(5_000, at(5)), (0, at(15)), (99_000, at(99))] {
        let asked = Some(portcullis_domain::Duration::from_ns(millis * 1_000_000));
        let login = LoginRequest {
            silence_max: asked,
            ..login_of(None, 1)
        };
        let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
        steps(
            &mut machine,
            &packet(|out| encode::login_request(&login, out)),
            at(0),
        );
        assert!(machine.accept(at(0)));
        assert_eq!(machine.deadline(), Some(expected), "{millis}");
    }
}

#[test]
fn a_session_has_a_silence_of_its_own_and_the_login_has_the_last_word() {
    let seconds = |count: u64| portcullis_domain::Duration::from_ns(count * 1_000_000_000);
    for (stated, expected) in [(None, at(3)), (Some(seconds(7)), at(7))] {
        let login = LoginRequest {
            silence_max: stated,
            ..login_of(None, 1)
        };
        let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
        steps(
            &mut machine,
            &packet(|out| encode::login_request(&login, out)),
            at(0),
        );
        machine.limit_silence(seconds(3));
        assert!(machine.accept(at(0)));
        assert_eq!(machine.deadline(), Some(expected));
    }
}

#[test]
fn logins_and_verifications_have_deadlines_that_chatter_does_not_move() {
    let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
    steps(
        &mut machine,
        &packet(|out| encode::debug(b"wait", out)),
        at(20),
    );
    assert_eq!(machine.on_time(at(30)), Some(ServerTimer::LoginOverdue));
    let mut machine = ServerInbound::new(ServerLimits::default(), at(0));
    steps(&mut machine, &login_bytes(1), at(10));
    steps(&mut machine, &packet(encode::client_heartbeat), at(30));
    assert_eq!(machine.deadline(), Some(at(40)));
    assert_eq!(
        machine.on_time(at(40)),
        Some(ServerTimer::VerificationOverdue)
    );
    assert!(!machine.accept(at(41)));
}

type Outbound = ServerOutbound<Vec<u8>, Vec<StoreSlot>>;

fn outbound(bytes: usize, slots: usize) -> Outbound {
    let store = ResendStore::new(
        std::vec![0; bytes],
        std::vec![StoreSlot::default(); slots],
        1,
    );
    ServerOutbound::new(name(b"S1"), store)
}

/// What a login gets, and then everything that follows within `room` a call.
fn log_in(
    outbound: &mut Outbound,
    session: Option<&[u8]>,
    sequence: u64,
    room: usize,
) -> Vec<(char, Vec<u8>)> {
    let mut out = std::vec![0; 64];
    let login = login_of(session, sequence);
    let len = match outbound.login(&login, at(0), &mut out).expect("room") {
        LoginAnswer::Accepted { first, len } => {
            assert_eq!(outbound.pending(), outbound.next_sequence() - first);
            len
        }
        LoginAnswer::Rejected { len, .. } => len,
    };
    let mut all = out[..len].to_vec();
    loop {
        let mut slice = std::vec![0; room];
        let written = outbound
            .pump(at(0), &mut slice)
            .expect("nothing was dropped");
        if written == 0 {
            return packets(&all);
        }
        all.extend_from_slice(&slice[..written]);
    }
}

#[test]
fn resend_starts_where_the_login_says() {
    let refused = std::vec![('J', b"S".to_vec())];
    for (sequence, expected) in [
        (0, Some(4)),
        (1, Some(1)),
        (3, Some(3)),
        (4, Some(4)),
        (5, None),
    ] {
        let mut outbound = outbound(8_192, 16);
        for message in [b"one", b"two", b"tri"] {
            outbound.publish(message).expect("short");
        }
        let got = log_in(&mut outbound, None, sequence, 8);
        let Some(first) = expected else {
            assert_eq!(got, refused, "{sequence}");
            assert!(!outbound.is_linked());
            continue;
        };
        let all = [b"one".to_vec(), b"two".to_vec(), b"tri".to_vec()];
        let accepted = std::format!("        S1{first:>20}").into_bytes();
        let resent = all[first - 1..]
            .iter()
            .map(|message| ('S', message.clone()));
        let expected: Vec<(char, Vec<u8>)> = [('A', accepted)].into_iter().chain(resent).collect();
        assert_eq!(got, expected, "{sequence}");
        assert_eq!(outbound.pending(), 0);
    }
}

#[test]
fn a_number_that_is_gone_or_a_foreign_session_is_refused() {
    let refused = std::vec![('J', b"S".to_vec())];
    let mut outbound = outbound(8_192, 2);
    for message in [b"one", b"two", b"tri"] {
        outbound.publish(message).expect("short");
    }
    assert_eq!(log_in(&mut outbound, None, 1, 64), refused);
    assert_eq!(log_in(&mut outbound, Some(b"S2"), 2, 64), refused);
    assert_eq!(log_in(&mut outbound, Some(b"s1"), 2, 64).len(), 3);
}

#[test]
fn live_messages_follow_the_resent_ones_without_a_gap() {
    let mut outbound = outbound(8_192, 16);
    outbound.publish(b"old").expect("short");
    outbound
        .login(&login_of(None, 1), at(0), &mut [0; 64])
        .expect("room");
    let mut out = [0; 7];
    assert_eq!(
        outbound.pump(at(0), &mut out[..5]),
        Ok(0),
        "a packet is never begun"
    );
    outbound.publish(b"new").expect("short");
    assert_eq!(outbound.pump(at(0), &mut out), Ok(6));
    assert_eq!(packets(&out[..6]), [('S', b"old".to_vec())]);
    assert_eq!(
        (outbound.pump(at(0), &mut out), outbound.pending()),
        (Ok(6), 0)
    );
    assert_eq!(packets(&out[..6]), [('S', b"new".to_vec())]);
    outbound.unlink();
    assert_eq!(outbound.publish(b"unseen"), Ok(3));
    assert_eq!(
        (outbound.pump(at(0), &mut out), outbound.deadline()),
        (Ok(0), None)
    );
}

#[test]
fn a_client_that_lags_behind_the_store_is_reported() {
    let mut outbound = outbound(8_192, 2);
    outbound
        .login(&login_of(None, 0), at(0), &mut [0; 64])
        .expect("room");
    for message in [b"one", b"two", b"tri"] {
        outbound.publish(message).expect("short");
    }
    assert_eq!(
        outbound.pump(at(0), &mut [0; 64]),
        Err(Lagged { next: 1, oldest: 2 })
    );
}

#[test]
fn heartbeats_come_after_a_second_of_own_silence() {
    let mut outbound = outbound(8_192, 16);
    let mut out = [0; 64];
    outbound
        .login(&login_of(None, 0), at(10), &mut out)
        .expect("room");
    assert_eq!(
        outbound.on_time(Timestamp::from_ns(11 * SECOND - 1), &mut out),
        Ok(0)
    );
    assert_eq!(
        outbound.on_time(at(11), &mut []),
        Err(NoRoom { needed: 3, room: 0 })
    );
    assert_eq!(outbound.on_time(at(11), &mut out), Ok(3));
    assert_eq!(out[..3], *b"\x00\x01H");
    assert_eq!(outbound.deadline(), Some(at(12)));
    outbound.publish(b"m").expect("short");
    outbound.pump(at(11), &mut out).expect("kept");
    outbound.unsequenced(b"u", at(13), &mut out).expect("room");
    assert_eq!(outbound.deadline(), Some(at(14)));
    outbound.debug(b"text", at(14), &mut out).expect("room");
    assert_eq!(packets(&out[..7]), [('+', b"text".to_vec())]);
    assert_eq!(outbound.deadline(), Some(at(15)));
}

#[test]
fn the_end_comes_behind_the_last_message_and_there_is_no_way_back() {
    let mut outbound = outbound(8_192, 16);
    let mut out = [0; 64];
    outbound
        .login(&login_of(None, 0), at(0), &mut out)
        .expect("room");
    outbound.publish(b"last").expect("short");
    outbound.end_session();
    assert_eq!(outbound.pump(at(0), &mut out[..9]), Ok(7));
    assert!(!outbound.is_end_sent());
    assert_eq!(outbound.pump(at(0), &mut out), Ok(3));
    assert_eq!(out[..3], *b"\x00\x01Z");
    assert!(outbound.is_end_sent());
    assert_eq!(outbound.pump(at(0), &mut out), Ok(0));
    assert_eq!(log_in(&mut outbound, None, 1, 64), [('J', b"S".to_vec())]);
}

#[test]
fn a_message_longer_than_a_packet_uses_no_number() {
    let mut outbound = outbound(10_000, 16);
    let long = std::vec![0; PAYLOAD_BYTES_MAX + 1];
    assert_eq!(
        outbound.publish(&long),
        Err(MessageTooLong {
            len: 4_094,
            capacity: 4_093
        })
    );
    assert_eq!(outbound.publish(&long[1..]), Ok(1));
}

//! A server session driven by a script: whatever a peer, the clock and the caller do in whatever
//! order, the machine keeps its promises.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::Timestamp;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{
    LoginAnswer, LoginRequest, PACKET_BYTES_MAX, Packet, Parsed, ResendStore, ServerEvent,
    ServerInbound, ServerLimits, ServerOutbound, ServerState, ServerStep, StoreSlot, parse,
};
use std::collections::VecDeque;

const SLOTS: usize = 5;

/// One session with the connection of the moment, and what the peer must find on the wire.
struct Session {
    inbound: ServerInbound,
    outbound: ServerOutbound<Vec<u8>, Vec<StoreSlot>>,
    received: Vec<u8>,
    login: Option<LoginRequest>,
    now: u64,
    /// The newest messages, oldest first, with their numbers.
    published: VecDeque<(u64, Vec<u8>)>,
    /// All messages, by their number less one: what the caller has elsewhere.
    all: Vec<Vec<u8>>,
    /// From which number on it says so.
    elsewhere: u64,
    /// The number the peer must get next, while it is linked.
    due: Option<u64>,
    /// The session is over: the peer is told behind the last message, and nobody logs in again.
    ended: bool,
    told_end: bool,
}

impl Session {
    fn new() -> Self {
        let store = ResendStore::new(vec![0; 5_000], vec![StoreSlot::default(); SLOTS], 1);
        Self {
            inbound: ServerInbound::new(ServerLimits::default(), Timestamp::ZERO),
            outbound: ServerOutbound::new(Alpha::new(b"S1").expect("fits"), store),
            received: Vec::new(),
            login: None,
            now: 0,
            published: VecDeque::new(),
            all: Vec::new(),
            elsewhere: u64::MAX,
            due: None,
            ended: false,
            told_end: false,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ns(self.now)
    }

    /// Bytes from the peer.
    fn receive(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        loop {
            let before = self.inbound.state();
            match self
                .inbound
                .step(&self.received, Timestamp::from_ns(self.now))
            {
                ServerStep::NeedMore { bytes } => {
                    assert!(bytes > self.received.len() && bytes <= PACKET_BYTES_MAX);
                    return;
                }
                ServerStep::Closed => {
                    assert_eq!(before, ServerState::Closed);
                    return;
                }
                ServerStep::Event { event, consumed } => {
                    match event {
                        ServerEvent::Login(login) => {
                            assert_eq!(before, ServerState::AwaitingLogin);
                            self.login = Some(login);
                        }
                        ServerEvent::Unsequenced(message) => {
                            assert_eq!(before, ServerState::Active);
                            let packet = Packet::Unsequenced(message);
                            let parsed = Ok(Parsed::Packet { packet, consumed });
                            assert_eq!(parse(&self.received), parsed, "by whatever way");
                        }
                        ServerEvent::LogoutRequested => {
                            assert_eq!(self.inbound.state(), ServerState::Closed);
                        }
                        ServerEvent::Ignored => assert!(consumed > 0),
                        ServerEvent::Fault(fault) => {
                            assert!(!fault.to_string().is_empty());
                            assert_eq!(self.inbound.state(), ServerState::Closed);
                        }
                    }
                    self.received.drain(..consumed);
                }
            }
        }
    }

    /// The caller answers the login that is with it.
    fn answer(&mut self) {
        let waiting = self.inbound.state() == ServerState::Verifying;
        assert_eq!(self.inbound.accept(self.now()), waiting);
        let (true, Some(login)) = (waiting, self.login) else {
            return;
        };
        let oldest = self.published.front().map_or(1, |(number, _)| *number);
        let next = self.outbound.next_sequence();
        let named = login
            .session
            .is_none_or(|name| name.trimmed().eq_ignore_ascii_case(b"S1"));
        let expected = match login.sequence {
            _ if !named || self.ended => None,
            0 => Some(next),
            number => {
                let oldest = oldest.min(self.elsewhere);
                (oldest..=next).contains(&number).then_some(number)
            }
        };
        let now = self.now();
        match self
            .outbound
            .login(&login, now, &mut [0; 40])
            .expect("room")
        {
            LoginAnswer::Accepted { first, .. } => {
                assert_eq!(Some(first), expected);
                assert!(self.outbound.is_linked());
                assert_eq!(self.outbound.is_catching_up(), first < oldest);
                self.due = Some(first);
            }
            LoginAnswer::Rejected { .. } => {
                assert_eq!(None, expected);
                self.inbound.close();
            }
        }
    }

    fn publish(&mut self, len: usize) {
        if self.ended {
            return;
        }
        let beyond = vec![0; PACKET_BYTES_MAX];
        let error = self.outbound.publish(&beyond).expect_err("no packet");
        assert!(error.to_string().contains(&beyond.len().to_string()));
        let message = vec![self.now as u8; len];
        let number = self
            .outbound
            .publish(&message)
            .expect("shorter than a packet");
        if let Some((last, _)) = self.published.back() {
            assert_eq!(number, last + 1);
        }
        self.all.push(message.clone());
        self.published.push_back((number, message));
        let oldest = self.outbound.oldest_sequence();
        while self
            .published
            .front()
            .is_some_and(|(number, _)| *number < oldest)
        {
            self.published.pop_front();
        }
        assert!((1..=SLOTS).contains(&self.published.len()));
    }

    /// Room on the socket: whole packets, the right messages, none left out.
    fn pump(&mut self, room: usize) {
        let mut out = vec![0xAA; room];
        let now = self.now();
        let waiting = self
            .due
            .map_or(0, |due| self.outbound.next_sequence() - due);
        assert_eq!(self.outbound.pending(), waiting);
        let waits = self.outbound.is_catching_up();
        let Ok(written) = self.outbound.pump(now, &mut out) else {
            assert!(!waits, "what it lacks comes from elsewhere");
            let due = self.due.expect("only a link can lag");
            assert!(
                self.published
                    .front()
                    .is_some_and(|(oldest, _)| due < *oldest)
            );
            self.break_link();
            return;
        };
        assert!(out[written..].iter().all(|byte| *byte == 0xAA));
        let oldest = self.outbound.oldest_sequence();
        let dropped = self.due.is_some_and(|due| due < oldest);
        assert!(written == 0 || !(waits && dropped), "and before all else");
        let mut rest = &out[..written];
        while !rest.is_empty() {
            let Ok(Parsed::Packet { packet, consumed }) = parse(rest) else {
                panic!("only whole packets are pumped: {rest:?}");
            };
            let due = self.due.expect("nothing is written without a link");
            match packet {
                Packet::Sequenced(message) => {
                    let stored = self.published.iter().find(|(number, _)| *number == due);
                    assert_eq!(stored.map(|(_, stored)| &stored[..]), Some(message));
                    self.due = Some(due + 1);
                }
                Packet::EndOfSession => {
                    assert!(self.ended && !self.told_end);
                    assert_eq!(due, self.outbound.next_sequence());
                    self.told_end = true;
                }
                other => panic!("{other:?} is not pumped"),
            }
            rest = &rest[consumed..];
        }
        assert_eq!(self.outbound.is_end_sent(), self.told_end);
        let waits_on = written == 0 && waits && self.outbound.pending() > 0;
        assert_eq!(self.outbound.is_catching_up(), waits_on);
    }

    /// What does not count: a message, or a text, if there is room for it.
    fn remark(&mut self, room: usize, text: bool) {
        let (now, mut out) = (self.now(), vec![0; room]);
        let wanted = if text {
            Packet::Debug(b"remark")
        } else {
            Packet::Unsequenced(b"remark")
        };
        let written = if text {
            self.outbound.debug(b"remark", now, &mut out)
        } else {
            self.outbound.unsequenced(b"remark", now, &mut out)
        };
        match written {
            Ok(consumed) => assert_eq!(
                parse(&out[..consumed]),
                Ok(Parsed::Packet {
                    packet: wanted,
                    consumed
                })
            ),
            Err(error) => {
                assert!(room < 9);
                assert!(!error.to_string().is_empty());
            }
        }
    }

    /// The caller has what the store drops, from a number on.
    fn reach_back(&mut self, number: u64) {
        self.outbound.reach_back_to(number);
        self.elsewhere = number;
    }

    /// The caller gives the message that the peer is due, if the store has dropped it.
    fn resend(&mut self, room: usize) {
        if !self.outbound.is_catching_up() {
            return;
        }
        let due = self.due.expect("only a link catches up");
        let oldest = self.outbound.oldest_sequence();
        if due >= oldest {
            return;
        }
        let (now, mut out) = (self.now(), vec![0; room]);
        let message = &self.all[due as usize - 1];
        match self.outbound.resend(due, message, now, &mut out) {
            Ok(consumed) => {
                let packet = Packet::Sequenced(message);
                assert_eq!(
                    parse(&out[..consumed]),
                    Ok(Parsed::Packet { packet, consumed })
                );
                self.due = Some(due + 1);
                assert!(self.outbound.is_catching_up(), "pumping ends it");
            }
            Err(error) => assert!(room < message.len() + 3, "{error}"),
        }
    }

    fn end(&mut self) {
        self.outbound.end_session();
        self.ended = true;
        assert_eq!(self.outbound.session().trimmed(), b"S1");
    }

    fn pass_time(&mut self, ns: u64) {
        self.now = self.now.saturating_add(ns);
        let deadline = self.inbound.deadline();
        let fired = self.inbound.on_time(self.now());
        assert_eq!(
            fired.is_some(),
            deadline.is_some_and(|due| due <= self.now())
        );
        let now = self.now();
        let beat = self.outbound.deadline().is_some_and(|due| due <= now);
        assert_eq!(
            self.outbound.on_time(now, &mut [0; 3]),
            Ok(if beat { 3 } else { 0 })
        );
    }

    fn break_link(&mut self) {
        self.outbound.unlink();
        self.due = None;
        self.told_end = false;
        self.received.clear();
        self.login = None;
        self.inbound = ServerInbound::new(ServerLimits::default(), self.now());
    }
}

fuzz_target!(|script: &[u8]| {
    let mut session = Session::new();
    let mut rest = script;
    while let [step, size, after @ ..] = rest {
        rest = after;
        let size = usize::from(*size);
        match step % 13 {
            0 | 1 => {
                let (bytes, after) = rest.split_at(size.min(rest.len()));
                session.receive(bytes);
                rest = after;
            }
            2 => session.answer(),
            3 => session.publish(size),
            4 => session.publish(size * 16),
            5 => session.pump(size * 8),
            6 => session.pass_time(size as u64 * 100_000_000),
            7 => session.break_link(),
            8 => session.remark(size % 16, true),
            9 => session.remark(size % 16, false),
            11 => session.reach_back(size as u64 + 1),
            12 => session.resend(size * 16),
            _ => session.end(),
        }
    }
});

//! What a client's socket gets in a turn, and what waits.

use super::*;
use crate::egress::Egress;
use crate::item::EgressItem;
use crate::stream_reach::stream_reach;
use crate::tables::SymbolTable;
use crate::transport::WriteOutcome;
use portcullis_domain::{
    AccountId, CheckMask, Duration, InstrumentId, OrderId, Price, Qty, RejectCode, ReportKind,
    Side, TimeInForce, UserRef,
};
use portcullis_risk_core::{ClientReport, Explanation, OutboundAction, OutboundOrder, Refusal};
use portcullis_runtime::{Agent, message_ring, ring};
use portcullis_wire::Alpha;

/// A socket that counts its writes.
#[derive(Default)]
struct Socket {
    writes: usize,
}

impl OutboundTransport for Socket {
    fn write(&mut self, _: ConnectionId, bytes: &[u8]) -> WriteOutcome {
        self.writes += 1;
        WriteOutcome::Wrote(bytes.len())
    }

    fn close(&mut self, _: ConnectionId) {}
}

const NOW: Timestamp = Timestamp::from_ns(1_000_000_000);

fn session(raw: u32) -> SessionId {
    SessionId::new(raw)
}

fn number(number: u32) -> UserRef {
    UserRef { row: 0, number }
}

fn entered(of: u32, at: u32) -> ClientEffect {
    ClientEffect::Entered(OutboundOrder {
        order: OrderId::new(at, 0),
        session: session(of),
        account: AccountId::new(0),
        instrument: InstrumentId::new(0),
        side: Side::Buy,
        user_ref: number(at + 1),
        action: OutboundAction::Enter {
            qty: Qty::new(1),
            price: Price::new(1),
            time_in_force: TimeInForce::Day,
            was_market: false,
        },
    })
}

fn refused(of: u32) -> ClientEffect {
    ClientEffect::Refused(Refusal {
        session: session(of),
        user_ref: number(100),
        account: AccountId::new(0),
        instrument: InstrumentId::new(0),
        side: Side::Buy,
        qty: Qty::new(1),
        price: None,
        replace: false,
        failing: CheckMask::default(),
        primary: RejectCode::new(1),
        explanation: Explanation::default(),
        epoch: 1,
    })
}

/// Streams of two sessions that are logged on, and where they go.
struct Rig {
    streams: ClientStreams,
    reach: StreamReachWriter,
    socket: Socket,
    orders: u32,
}

impl Rig {
    fn new() -> Self {
        let config = EgressConfig {
            session_name: Alpha::new(b"DAY1").expect("short"),
            heartbeats: vec![Duration::from_ns(1_000_000_000); 2],
            orders_max: 64,
            store_bytes: 4_096,
            store_messages: 8,
            symbols: SymbolTable::new(&[]),
        };
        let mut streams = ClientStreams::new(&config);
        for of in 0..2 {
            streams.streams[of as usize].log_on(ConnectionId::from_raw(of), 1, 1, NOW);
            streams.activate(session(of));
        }
        let mut rig = Self {
            streams,
            reach: stream_reach(2).0,
            socket: Socket::default(),
            orders: 0,
        };
        assert_eq!(rig.turn(0), 2, "logins are answered");
        rig
    }

    fn take(&mut self, effect: &ClientEffect) {
        self.streams.take(effect, &[], NOW, NOW, &self.reach);
    }

    /// So many orders of a session go on.
    fn enter(&mut self, of: u32, orders: u32) {
        for _ in 0..orders {
            self.orders += 1;
            self.take(&entered(of, self.orders));
        }
    }

    /// The engine cancels a session's first order, in words of its own.
    fn answer(&mut self, of: u32) {
        let report = ClientReport {
            session: session(of),
            user_ref: number(2),
            order: OrderId::new(1, 0),
            account: AccountId::new(0),
            instrument: InstrumentId::new(0),
            side: Side::Buy,
            kind: ReportKind::Canceled,
            qty: Qty::new(1),
            leaves: Qty::new(0),
            note: 0,
        };
        let effect = ClientEffect::Reported(report);
        self.streams
            .take(&effect, b"cancelled", NOW, NOW, &self.reach);
    }

    /// Ends a turn so many ns later; returns its writes.
    fn turn(&mut self, later_ns: u64) -> usize {
        let before = self.socket.writes;
        let now = NOW.saturating_add(Duration::from_ns(later_ns));
        let work = (self.streams).send(&mut self.socket, now, &mut self.reach);
        let wrote = self.socket.writes - before;
        let waits = self.streams.streams[0].hold != Hold::Nothing;
        assert_eq!(work, wrote + usize::from(waits), "what waits is work");
        wrote
    }
}

#[test]
fn a_refusal_behind_few_orders_of_its_session_goes_in_its_turn() {
    let cases: [&[(u32, u32)]; 4] = [&[], &[(0, 7)], &[(1, 30)], &[(0, 7), (1, 1), (0, 7)]];
    for orders in cases {
        let mut rig = Rig::new();
        for (of, orders) in orders {
            rig.enter(*of, *orders);
        }
        rig.take(&refused(0));
        assert_eq!(rig.turn(0), 1, "{orders:?}");
    }
}

#[test]
fn orders_of_the_turn_before_are_none_of_this() {
    let mut rig = Rig::new();
    rig.enter(0, 8);
    assert_eq!(rig.turn(0), 0);
    rig.take(&refused(0));
    assert_eq!(rig.turn(0), 1);
}

#[test]
fn a_refusal_behind_many_orders_waits_for_a_while() {
    let mut rig = Rig::new();
    rig.enter(0, 8);
    rig.take(&refused(0));
    assert_eq!(rig.turn(0), 0);
    rig.take(&refused(0));
    assert_eq!((rig.turn(19_999), rig.turn(20_000)), (0, 1));
}

#[test]
fn an_answer_takes_a_refusal_that_waits_with_it() {
    let mut rig = Rig::new();
    rig.enter(0, 8);
    rig.take(&refused(0));
    assert_eq!(rig.turn(0), 0);
    rig.answer(0);
    assert_eq!((rig.turn(5_000), rig.turn(20_000)), (1, 0));
}

#[test]
fn a_refusal_behind_an_answer_waits_no_longer_than_that() {
    let mut rig = Rig::new();
    rig.enter(0, 8);
    rig.answer(0);
    rig.take(&refused(0));
    assert_eq!(rig.turn(0), 1);
}

#[test]
fn what_waits_is_counted_until_it_goes_and_then_since_when() {
    let rig = || {
        let mut rig = Rig::new();
        rig.enter(0, 8);
        rig.take(&refused(0));
        assert_eq!((rig.turn(0), rig.streams.waiting()), (0, 1));
        rig.streams.begin_turn();
        rig.take(&refused(0));
        rig
    };
    let both = [Held {
        since: NOW,
        refusals: 2,
    }];
    let mut late = rig();
    assert_eq!((late.turn(5_000), late.streams.waiting()), (0, 2));
    assert_eq!(late.streams.let_go(), []);
    assert_eq!((late.turn(20_000), late.streams.waiting()), (1, 0));
    assert_eq!(late.streams.let_go(), both);

    let mut answered = rig();
    answered.answer(0);
    assert_eq!((answered.turn(5_000), answered.streams.waiting()), (1, 0));
    assert_eq!(answered.streams.let_go(), both);
    answered.streams.begin_turn();
    assert_eq!(answered.streams.let_go(), []);
}

#[test]
fn a_wait_that_ends_with_its_connection_is_work_all_the_same() {
    let mut rig = Rig::new();
    rig.enter(0, 8);
    rig.take(&refused(0));
    assert_eq!(rig.turn(0), 0);
    rig.streams.unlink(ConnectionId::from_raw(0));
    let now = NOW.saturating_add(Duration::from_ns(20_000));
    let work = (rig.streams).send(&mut rig.socket, now, &mut rig.reach);
    assert_eq!((work, rig.streams.let_go().len()), (1, 1));
}

#[test]
fn a_send_takes_as_long_as_its_refusal_waited() {
    let after = |ns| NOW.saturating_add(Duration::from_ns(ns));
    let (mut to_egress, items) = message_ring(64);
    let (_to_close, connections) = ring(1);
    let (reach, _) = stream_reach(2);
    let streams = Rig::new().streams;
    let mut egress = Egress::over(streams, Socket::default(), items, connections, reach);
    let times = egress.send_times();
    let mut turn = |effects: &[ClientEffect], at, took| {
        for effect in effects {
            assert!(to_egress.send(EgressItem::before(&[], *effect, NOW, 0), &[]));
        }
        let before = times.counts();
        egress.do_work(after(at));
        egress.on_work_done(after(at), after(at + took));
        let told = times.counts().since(&before);
        (told.len(), told.longest_ns())
    };
    let mut busy: Vec<ClientEffect> = (1..=8).map(|at| entered(0, at)).collect();
    busy.push(refused(0));
    assert_eq!(turn(&busy, 0, 20), (0, 0), "it waits");
    assert_eq!(
        turn(&[refused(1)], 1_000, 20),
        (1, 20),
        "another's does not"
    );
    let (gone, longest_ns) = turn(&[], 20_000, 40);
    assert_eq!(gone, 1);
    assert!((20_040..20_700).contains(&longest_ns), "{longest_ns}");
}

//! The two lanes from ingress to the sequencer.
//!
//! Owned by ingress. Orders and replaces go one way, cancels and events another, so that a cancel
//! never waits behind a thousand orders. Invariants: what comes of one session in the order lane
//! keeps its order; a cancel takes the fast lane only if the order it names has left the order lane
//! already; a new order is stamped as refused where its own session holds its share of the order
//! lane, and never because of what others hold.

mod lane;

use lane::Lane;
use portcullis_domain::{CommandKind, Head, SessionId};
use portcullis_risk_core::checks::early;
use portcullis_runtime::RecordProducer;

/// What a session has in the order lane.
#[derive(Clone, Copy, Debug, Default)]
struct Backlog {
    /// The lowest and the highest number of the session's orders that may be in the lane, whatever
    /// their rows. Numbers that cancels name do not count: a client may name one it never used.
    lowest: u32,
    highest: u32,
    /// Units of the lane after its last order.
    last_at: u64,
}

/// The lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    orders: Lane,
    priority: Lane,
    backlog: Box<[Backlog]>,
}

impl Lanes {
    pub(super) fn new(orders: RecordProducer, priority: RecordProducer, sessions: usize) -> Self {
        Self {
            orders: Lane::new(orders, sessions),
            priority: Lane::new(priority, sessions),
            backlog: vec![Backlog::default(); sessions].into_boxed_slice(),
        }
    }

    /// Notes what has left the lanes; once a cycle.
    #[inline]
    pub(super) fn settle(&mut self) {
        self.orders.settle();
        self.priority.settle();
    }

    /// Whether both lanes can take a step's records.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.orders.has_room() && self.priority.has_room()
    }

    /// Whether a session's next message can be taken. One that sends faster than it is worked off is
    /// left unread once it holds too much of a lane, and its own socket holds it back.
    #[inline]
    pub(super) fn has_room_of(&self, session: SessionId) -> bool {
        self.has_room() && self.orders.is_open_to(session) && self.priority.is_open_to(session)
    }

    /// How many messages of a session can be taken at the least, up to `most`, without asking again.
    #[inline]
    pub(super) fn sure_room_of(&self, session: SessionId, most: usize) -> usize {
        let orders = self.orders.sure_room_of(session, most);
        orders.min(self.priority.sure_room_of(session, most))
    }

    /// Puts a session event into the fast lane. Room was looked for.
    pub(super) fn push_event(&mut self, session: SessionId, head: Head) {
        self.priority.push(session, head, &[]);
    }

    /// Puts a client's record into its lane. Returns whether it was refused for want of room.
    pub(super) fn push(
        &mut self,
        session: SessionId,
        head: Head,
        raw: &[u8],
        closing: bool,
    ) -> bool {
        let enters =
            head.kind == CommandKind::NewOrder as u8 || head.kind == CommandKind::Replace as u8;
        if !enters {
            self.push_cancel(session, head, raw);
            return false;
        }
        self.push_order(session, head, raw, closing)
    }

    /// The same for what is known to be an order or a replace.
    #[inline(always)]
    pub(super) fn push_order(
        &mut self,
        session: SessionId,
        mut head: Head,
        raw: &[u8],
        closing: bool,
    ) -> bool {
        let full = closing || !self.orders.is_within_share(session, head.units());
        let refused = full && head.early_refusal().is_none();
        if refused {
            head.refuse_early(early::OVERLOADED);
        }
        self.orders.push(session, head, raw);
        let backlog = &mut self.backlog[session.index()];
        if self.orders.left() >= backlog.last_at {
            (backlog.lowest, backlog.highest) = (u32::MAX, 0);
        }
        backlog.lowest = backlog.lowest.min(head.number);
        backlog.highest = backlog.highest.max(head.number);
        backlog.last_at = self.orders.pushed();
        refused
    }

    #[inline(never)]
    fn push_cancel(&mut self, session: SessionId, head: Head, raw: &[u8]) {
        let cancels = head.kind == CommandKind::Cancel as u8;
        let waits = cancels && self.is_behind(session, head.number);
        let lane = if waits {
            &mut self.orders
        } else {
            &mut self.priority
        };
        lane.push(session, head, raw);
    }

    /// Whether an order with this number may still be in the order lane.
    fn is_behind(&self, session: SessionId, number: u32) -> bool {
        let backlog = self.backlog[session.index()];
        self.orders.left() < backlog.last_at && (backlog.lowest..=backlog.highest).contains(&number)
    }
}

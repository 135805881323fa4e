//! The two lanes from ingress to the sequencer.
//!
//! Owned by ingress. Orders and replaces go one way, cancels and events another, so that a cancel
//! never waits behind a thousand orders. Invariants: what comes of one session in the order lane
//! keeps its order; a cancel takes the fast lane only if the order it names has left the order lane
//! already; where the order lane is nearly full, new orders are stamped as refused.

use portcullis_domain::{Command, Record, SessionId};
use portcullis_risk_core::checks::early;
use portcullis_runtime::RecordProducer;

/// Below this many free thousandths of the order lane, new orders are refused early.
const OVERLOAD_PERMILLE: usize = 250;

/// Records that one step of ingress may put into a lane.
const RECORDS_A_STEP: usize = 2;

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
    orders: RecordProducer,
    priority: RecordProducer,
    /// Units of the order lane that have left it, as of this cycle.
    left: u64,
    backlog: Box<[Backlog]>,
}

impl Lanes {
    pub(super) fn new(orders: RecordProducer, priority: RecordProducer, sessions: usize) -> Self {
        let backlog = vec![Backlog::default(); sessions].into_boxed_slice();
        Self {
            orders,
            priority,
            left: 0,
            backlog,
        }
    }

    /// Notes what has left the order lane; once a cycle.
    pub(super) fn settle(&mut self) {
        self.left = self.orders.taken();
    }

    /// Whether both lanes can take a step's records.
    pub(super) fn has_room(&self) -> bool {
        self.orders.has_room_for(RECORDS_A_STEP) && self.priority.has_room_for(RECORDS_A_STEP)
    }

    /// Puts a session event into the fast lane. Room was looked for.
    pub(super) fn push_event(&mut self, record: &Record) {
        assert!(self.priority.push(record), "room was looked for");
    }

    /// Puts a client's record into its lane. Returns whether it was refused for want of room.
    pub(super) fn push(
        &mut self,
        session: SessionId,
        command: &Command,
        record: &mut Record,
        closing: bool,
    ) -> bool {
        let full = closing || self.orders.free_permille() < OVERLOAD_PERMILLE;
        let enters = matches!(command, Command::NewOrder(_) | Command::Replace(_));
        let refused = enters && full && record.head.early_refusal().is_none();
        if refused {
            record.head.refuse_early(early::OVERLOADED);
        }
        let waits = if let Command::Cancel(request) = command {
            self.is_behind(session, request.user_ref.number)
        } else {
            false
        };
        let lane = if enters || waits {
            &mut self.orders
        } else {
            &mut self.priority
        };
        assert!(lane.push(record), "room was looked for");
        if enters {
            let backlog = &mut self.backlog[session.index()];
            if self.left >= backlog.last_at {
                (backlog.lowest, backlog.highest) = (u32::MAX, 0);
            }
            backlog.lowest = backlog.lowest.min(record.head.number);
            backlog.highest = backlog.highest.max(record.head.number);
            backlog.last_at = self.orders.pushed();
        }
        refused
    }

    /// Whether an order with this number may still be in the order lane.
    fn is_behind(&self, session: SessionId, number: u32) -> bool {
        let backlog = self.backlog[session.index()];
        self.left < backlog.last_at && (backlog.lowest..=backlog.highest).contains(&number)
    }
}

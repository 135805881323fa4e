//! What decides on orders: ours, the yardstick, and the peers, all driven alike.
//!
//! One thread. Invariants: what a caller would hold already is made ready before the clock starts;
//! between two readings of it stand `decide` or `decide_all` and nothing else; what was accepted is
//! cancelled afterwards, untimed, so that state stays as it was.

mod melin;
mod nautilus;
mod openpit;
mod portcullis;
mod yardstick;

use crate::stream::{Order, Prices, Verdict};

pub(crate) use melin::{Melin, Rest};
pub(crate) use nautilus::Nautilus;
pub(crate) use openpit::OpenPit;
pub(crate) use portcullis::Portcullis;
pub(crate) use yardstick::Yardstick;

/// Decides on orders.
pub(crate) trait Gate {
    /// What it is, with its version.
    fn name(&self) -> &'static str;

    /// Reference prices moved. Untimed; most peers have no use for them.
    fn move_prices(&mut self, prices: &Prices, now_ns: u64) {
        let _ = (prices, now_ns);
    }

    /// Puts these orders into the form the gate is called with. Untimed.
    fn prepare(&mut self, orders: &[Order]);

    /// Decides on the order with this index of those prepared. Timed.
    fn decide(&mut self, at: usize) -> Verdict;

    /// Decides on all that were prepared, in order. Timed.
    fn decide_all(&mut self, count: usize, verdicts: &mut Vec<Verdict>) {
        for at in 0..count {
            let verdict = self.decide(at);
            verdicts.push(verdict);
        }
    }

    /// Cancels what was accepted of those prepared. Untimed.
    fn settle(&mut self, orders: &[Order]);

    /// Whether the state is that of a gate with no order open.
    ///
    /// # Errors
    /// What is not as it must be.
    fn check(&self) -> Result<(), String>;
}

/// Every gate must do this: decide on each order of the stream as it must be, alone and together,
/// and end with nothing open.
#[cfg(test)]
pub(crate) fn judge(gate: &mut dyn Gate, accounts: u32) {
    use crate::stream::Stream;
    let (mut stream, mut orders, mut verdicts) = (Stream::new(accounts), Vec::new(), Vec::new());
    for round in 0..60 {
        let moved = stream.fill(&mut orders, 64).copied();
        if let Some(prices) = moved {
            gate.move_prices(&prices, orders[0].at_ns);
        }
        gate.prepare(&orders);
        verdicts.clear();
        if round % 2 == 0 {
            gate.decide_all(orders.len(), &mut verdicts);
        } else {
            verdicts.extend((0..orders.len()).map(|at| gate.decide(at)));
        }
        let must: Vec<Verdict> = orders.iter().map(Order::verdict).collect();
        assert_eq!(verdicts, must, "{}, round {round}", gate.name());
        gate.settle(&orders);
    }
    assert_eq!(gate.check(), Ok(()));
}

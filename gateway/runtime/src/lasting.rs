//! Whether a socket has been read at each call for long.
//!
//! Owned by whoever polls the sockets, one for each. One that the system's poller watches costs whoever sends to
//! it, so one that is read at each call anyway is better not watched; but to begin and to end that are calls of
//! the system too. Invariant: it has not lasted before [`LASTING_CALLS`] calls in a row, so that who comes and goes costs at
//! the most one such pair in as many.

/// Calls in a row after which a socket has been read for long.
pub const LASTING_CALLS: u32 = 64;

/// Calls in a row that a socket has been read at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lasting(u32);

impl Lasting {
    /// It is read at the next call as well; whether that has been so for long.
    #[inline]
    pub const fn goes_on(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 >= LASTING_CALLS
    }

    /// It is not any more, or begins anew.
    #[inline]
    pub const fn ends(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_from_so_many_calls_on_and_begins_anew() {
        let mut lasting = Lasting::default();
        for _ in 0..2 {
            for _ in 1..LASTING_CALLS {
                assert!(!lasting.goes_on());
            }
            assert!(lasting.goes_on() && lasting.goes_on());
            lasting.ends();
        }
    }
}

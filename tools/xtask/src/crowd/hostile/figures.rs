//! What hostile clients did and what came of it, by kind.

/// Figures of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Clients.
    pub(crate) clients: u64,
    /// Connections made.
    pub(crate) connections: u64,
    /// Connections that the gateway ended.
    pub(crate) ended: u64,
    /// Logins taken.
    pub(crate) logged_on: u64,
    /// Logins refused.
    pub(crate) refused_logon: u64,
    /// Orders sent whole.
    pub(crate) orders: u64,
    /// Of them accepted.
    pub(crate) accepted: u64,
    /// Of them refused because its session holds its share of the gateway.
    pub(crate) overloaded: u64,
    /// Of them refused otherwise.
    pub(crate) refused: u64,
    /// Messages that do not parse, or name an order that was not sent.
    pub(crate) wrong: u64,
}

impl Figures {
    /// Orders without an answer.
    pub(crate) const fn unanswered(&self) -> u64 {
        let answered = self.accepted + self.overloaded + self.refused;
        self.orders.saturating_sub(answered)
    }

    /// Adds another client's.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.clients, other.clients),
            (&mut self.connections, other.connections),
            (&mut self.ended, other.ended),
            (&mut self.logged_on, other.logged_on),
            (&mut self.refused_logon, other.refused_logon),
            (&mut self.orders, other.orders),
            (&mut self.accepted, other.accepted),
            (&mut self.overloaded, other.overloaded),
            (&mut self.refused, other.refused),
            (&mut self.wrong, other.wrong),
        ] {
            *sum += more;
        }
    }
}

//! The kinds of hostile client, and what must become of each.

/// A kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes that are no packet, instead of a login.
    GarbageBeforeLogon,
    /// Logs on, then sends bytes that are no packet, or packets that are no message.
    GarbageAfterLogon,
    /// Connects and says nothing.
    NeverLogsOn,
    /// Logs on and says nothing more, no heartbeat either.
    SilentAfterLogon,
    /// Sends orders as fast as they go and never reads an answer.
    Deaf,
    /// Writes a byte at a time.
    OneByte,
    /// Sends orders as fast as they go, and reads.
    Flooder,
    /// Guesses passwords.
    WrongPassword,
    /// Logs on, sends an order, is gone without a word, comes back.
    Churner,
}

/// What must become of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The gateway ends the connection.
    Ended,
    /// It is served, and each message answered.
    Served,
    /// It goes by itself.
    Goes,
}

impl Kind {
    /// Every kind, in the order in which clients are dealt one.
    pub(crate) const ALL: [Self; 9] = [
        Self::GarbageBeforeLogon,
        Self::GarbageAfterLogon,
        Self::NeverLogsOn,
        Self::SilentAfterLogon,
        Self::Deaf,
        Self::OneByte,
        Self::Flooder,
        Self::WrongPassword,
        Self::Churner,
    ];

    /// As it is printed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GarbageBeforeLogon => "garbage_before_logon",
            Self::GarbageAfterLogon => "garbage_after_logon",
            Self::NeverLogsOn => "never_logs_on",
            Self::SilentAfterLogon => "silent_after_logon",
            Self::Deaf => "deaf",
            Self::OneByte => "one_byte",
            Self::Flooder => "flooder",
            Self::WrongPassword => "wrong_password",
            Self::Churner => "churner",
        }
    }

    /// What must become of it.
    pub(crate) const fn fate(self) -> Fate {
        match self {
            Self::GarbageBeforeLogon
            | Self::GarbageAfterLogon
            | Self::NeverLogsOn
            | Self::SilentAfterLogon
            | Self::Deaf
            | Self::WrongPassword => Fate::Ended,
            Self::OneByte | Self::Flooder => Fate::Served,
            Self::Churner => Fate::Goes,
        }
    }

    /// Whether it says a login before all else.
    pub(crate) const fn logs_on(self) -> bool {
        match self {
            Self::GarbageBeforeLogon | Self::NeverLogsOn => false,
            Self::GarbageAfterLogon
            | Self::SilentAfterLogon
            | Self::Deaf
            | Self::OneByte
            | Self::Flooder
            | Self::WrongPassword
            | Self::Churner => true,
        }
    }

    /// Whether it sends heartbeats where it has nothing else to say.
    pub(crate) const fn keeps_alive(self) -> bool {
        matches!(self, Self::OneByte | Self::Flooder | Self::Deaf)
    }
}

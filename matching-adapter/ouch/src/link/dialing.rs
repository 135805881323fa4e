//! How a link comes to a connection, and what is left when that is gone.
//!
//! Part of the link. Invariants: it waits longer with each try in vain; what may be at the engine is noted
//! before the connection goes; a link that stopped says why, and tries again only when a person has it do so.

use super::{
    ClientConfig, ClientSession, Dial, Dialed, EngineLogin, Link, LinkState, OuchVenueConfig, Read,
    Shared, StopReason, Work, Write,
};
use portcullis_domain::{Duration, Timestamp};

impl<S: Read + Write> Link<S> {
    pub(super) fn connect<D: Dial<Stream = S>>(
        &mut self,
        dial: &mut D,
        shared: &mut Shared<'_>,
        work: &mut Work,
    ) {
        self.state = LinkState::Dialing;
        match dial.dial(self.session) {
            Dialed::Pending => {}
            Dialed::Failed(_) => {
                shared.counters.dials_failed += 1;
                self.wait(shared);
                work.done += 1;
            }
            Dialed::Ready(stream) => {
                work.done += 1;
                self.stream = Some(stream);
                self.watched = true;
                self.lasting.ends();
                self.received.clear();
                self.to_write.clear();
                let machine = self
                    .machine
                    .as_mut()
                    .expect("a link that dials has a login");
                let room = self.to_write.room(0);
                let len = machine
                    .connect(shared.now, room)
                    .expect("an idle machine, and room for a packet");
                self.to_write.fill(len);
                self.state = LinkState::LoggingIn;
            }
        }
    }

    /// The link is gone: what was sent may be lost, what comes again is known by its number.
    pub(super) fn lose(&mut self, shared: &mut Shared<'_>) {
        shared.counters.links_lost += 1;
        self.hang_up();
        self.wait(shared);
    }

    pub(super) fn stop(&mut self, reason: StopReason) {
        self.hang_up();
        self.told_stop.tell(Some(reason));
        self.state = LinkState::Stopped(reason);
    }

    pub(super) fn hang_up(&mut self) {
        assert!(self.unnoted.is_none(), "what may be at the engine is noted");
        self.stream = None;
        if let Some(machine) = &mut self.machine {
            machine.disconnected();
        }
        self.received.clear();
        self.to_write.clear();
        self.in_flight.link_lost();
    }

    /// Doubles the wait with each try in vain.
    fn wait(&mut self, shared: &Shared<'_>) {
        let config = shared.config;
        let factor = 1_u64.checked_shl(self.tries).unwrap_or(u64::MAX);
        let wait_ns = config.reconnect_min.ns().saturating_mul(factor);
        let wait = Duration::from_ns(wait_ns.min(config.reconnect_max.ns()));
        self.tries = (self.tries + 1).min(u64::BITS);
        self.state = LinkState::Waiting {
            until: shared.now.saturating_add(wait),
        };
    }

    /// A stopped link tries again, whatever stopped it.
    pub(crate) fn restart(&mut self, now: Timestamp) {
        if let LinkState::Stopped(reason) = self.state
            && reason != StopReason::NoRoute
            && reason != StopReason::EndOfSession
        {
            self.told_stop.tell(None);
            self.state = LinkState::Waiting { until: now };
        }
    }
}

/// The machine of a session that asks for this message first.
pub(super) fn client(
    login: &EngineLogin,
    next_sequence: u64,
    config: &OuchVenueConfig,
) -> ClientSession {
    ClientSession::new(ClientConfig {
        session: login.engine_session,
        next_sequence,
        silence_max: config.silence_max,
        ..ClientConfig::new(login.user, login.password)
    })
}

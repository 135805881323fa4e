//! The adapter with a clock of its own, and patience for the threads on the other side.
//!
//! One thread. Each poll is a millisecond of the adapter's time; one that finds nothing gives the
//! processor away.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};

use portcullis_domain::{Duration, HashSeed, Price, Qty, SessionId, Timestamp, VenueReport};
use portcullis_venue::saved::SavedError;
use portcullis_venue::{
    Approved, MatchingVenue, OutboundOrder, RecallEnd, RecallFault, RecallVenue, VenueSink,
};
use portcullis_venue_ouch::{
    Dial, EngineInstrument, EngineLogin, LinkState, OuchVenue, OuchVenueConfig, ReplayEnd, Route,
    TcpDial,
};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::OUCH50;
use portcullis_wire::soupbin::Password;

use crate::engine::{Engine, PASSWORD, SYMBOLS, TICK_WIRE, user_of};
use crate::rig::{Rig, SESSIONS};

pub(crate) const POLL_NS: u64 = 1_000_000;
const POLLS_MAX: usize = 400_000;

pub(crate) struct Patient<D: Dial = TcpDial> {
    pub(crate) venue: OuchVenue<D>,
    now: Timestamp,
    /// What is submitted is sent, and nothing else is done.
    pub(crate) only_sends: bool,
    /// What is submitted is not even sent.
    pub(crate) only_takes: bool,
}

/// A configuration for the engine, with room that tests narrow.
pub(crate) fn config(engine: &Engine) -> OuchVenueConfig {
    config_for(engine.address())
}

/// The same for an engine at this address.
pub(crate) fn config_for(address: SocketAddr) -> OuchVenueConfig {
    let login = |session| EngineLogin {
        address,
        user: user_of(session),
        password: Password(Alpha::new(PASSWORD).expect("fits")),
        engine_session: None,
        next_sequence: 1,
    };
    let scale = OUCH50.fits(
        NonZeroU64::new(TICK_WIRE).expect("not 0"),
        NonZeroU32::MIN,
        Price::new(1),
        Price::new(100_000),
        Qty::new(100_000),
    );
    let scale = scale.expect("fits the dialect");
    OuchVenueConfig {
        sessions: (0..SESSIONS as usize)
            .map(|session| Route::Own(login(session)))
            .collect(),
        instruments: (SYMBOLS.iter())
            .map(|symbol| EngineInstrument {
                symbol: Alpha::new(symbol).expect("fits"),
                scale,
            })
            .collect(),
        orders_max: 8_192,
        in_flight_max: 256,
        hash_seed: HashSeed::FIXED,
        write_buffer_bytes: 8_192,
        reconnect_min: Duration::from_ns(2 * POLL_NS),
        reconnect_max: Duration::from_ns(20 * POLL_NS),
        // The engine's heartbeats come by a clock that the adapter's polls know nothing of.
        silence_max: Duration::from_ns(u64::MAX / 2),
        replay_end: ReplayEnd::Answered,
    }
}

/// An adapter that was told nothing yet.
pub(crate) fn fresh(config: OuchVenueConfig) -> Patient {
    let wait = std::time::Duration::from_secs(5);
    let dial = TcpDial::start(&config, wait).expect("a thread");
    dialing(config, dial)
}

/// The same with connections of this kind.
pub(crate) fn dialing<D: Dial>(config: OuchVenueConfig, dial: D) -> Patient<D> {
    let venue = OuchVenue::new(config, dial).expect("in range");
    let now = Timestamp::ZERO;
    Patient {
        venue,
        now,
        only_sends: false,
        only_takes: false,
    }
}

/// A core in front of the adapter in front of the engine, links not yet up.
pub(crate) fn rig(config: OuchVenueConfig, seed: u64) -> Rig<Patient> {
    Rig::new(fresh(config), seed, |_| Vec::new())
}

/// Cycles until something is so.
pub(crate) fn until(rig: &mut Rig<Patient>, what: &str, mut so: impl FnMut(&Rig<Patient>) -> bool) {
    for _ in 0..POLLS_MAX {
        if so(rig) {
            return;
        }
        rig.pump();
    }
    panic!("never came: {what}");
}

/// Cycles until all links are up and the core knows it.
pub(crate) fn until_up(rig: &mut Rig<Patient>) {
    let up = |rig: &Rig<Patient>| {
        (0..SESSIONS).all(|s| rig.venue.venue.link(SessionId::new(s)) == Some(LinkState::Up))
            && rig.venue.venue.is_idle()
    };
    until(rig, "every link up", up);
}

impl<D: Dial> Patient<D> {
    /// Time passes without a poll.
    pub(crate) fn held_for(&mut self, span: Duration) {
        self.now = self.now.saturating_add(span);
    }
}

impl<D: Dial> MatchingVenue for Patient<D> {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        self.venue.submit(order, raw)
    }

    fn poll(&mut self, _now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        self.now = self.now.saturating_add(Duration::from_ns(POLL_NS));
        if self.only_takes {
            return 0;
        }
        if self.only_sends {
            self.venue.send(self.now);
            return 0;
        }
        let done = self.venue.poll(self.now, budget, sink);
        if done == 0 {
            std::thread::sleep(std::time::Duration::from_micros(20));
        }
        done.max(usize::from(!self.venue.is_idle()))
    }

    fn is_idle(&self) -> bool {
        self.venue.is_idle()
    }
}

impl<D: Dial> RecallVenue for Patient<D> {
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        self.venue.recall_order(order, raw);
    }

    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]) {
        self.venue.recall_report(report, raw);
    }

    fn recall_sequence(&mut self, session: SessionId, sequence: u64) {
        self.venue.recall_sequence(session, sequence);
    }

    fn recall_fault(&self) -> Option<RecallFault> {
        self.venue.recall_fault()
    }

    fn recalled(&mut self) -> RecallEnd {
        self.venue.recalled()
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.venue.save(out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        self.venue.load(bytes)
    }
}

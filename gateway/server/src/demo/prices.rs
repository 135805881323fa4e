//! Reference prices of the demo: published as a feed would, from what last traded.
//!
//! A thread of its own writes them; the clients' thread says what traded. In ticks.

use portcullis_control::config::{Config, ReferenceSource};
use portcullis_control::decimal::show_price;
use portcullis_domain::Price;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A price of each instrument this often: a hundred a second.
const EVERY: Duration = Duration::from_millis(10);

/// Where each symbol begins, in ticks.
const BEGIN: [(&str, i64); 5] = [
    ("IDXF", 19_200),
    ("PERP", 84_000),
    ("MTLF", 20_000),
    ("CASH", 15_000),
    ("DEMF", 1_000),
];

/// Where a symbol begins that is not in the table.
const BEGIN_OTHERS: i64 = 10_000;

#[derive(Debug)]
struct Instrument {
    symbol: String,
    tick: portcullis_control::decimal::Decimal,
    begin: i64,
    now: AtomicI64,
    from_feed: bool,
    silent: AtomicBool,
}

/// The prices, shared.
#[derive(Clone, Debug)]
pub(super) struct Prices(Arc<Vec<Instrument>>);

impl Prices {
    pub(super) fn of(config: &Config) -> Self {
        let all = config
            .instruments
            .iter()
            .zip(config.names.instruments.iter());
        let all = all.map(|(definition, symbol)| {
            let known = BEGIN.iter().find(|(name, _)| *name == symbol);
            let begin = known.map_or(BEGIN_OTHERS, |(_, ticks)| *ticks);
            Instrument {
                symbol: symbol.to_owned(),
                tick: definition.tick,
                begin,
                now: AtomicI64::new(begin),
                from_feed: definition.reference_from == ReferenceSource::Feed,
                silent: AtomicBool::new(false),
            }
        });
        Self(Arc::new(all.collect()))
    }

    /// Where an instrument begins, in ticks.
    pub(super) fn begin(&self, index: usize) -> i64 {
        self.0[index].begin
    }

    /// Its price now, in ticks.
    pub(super) fn now(&self, index: usize) -> i64 {
        self.0[index].now.load(Ordering::Relaxed)
    }

    /// It traded at this price.
    pub(super) fn traded(&self, index: usize, ticks: i64) {
        self.0[index].now.store(ticks, Ordering::Relaxed);
    }

    /// Whether an instrument's feed is silent.
    pub(super) fn silence(&self, index: usize, silent: bool) {
        self.0[index].silent.store(silent, Ordering::Relaxed);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Publishes to a feed socket until stopped.
    pub(super) fn publish(&self, feed: SocketAddr) -> Result<Publisher, String> {
        let mut stream = TcpStream::connect(feed).map_err(|error| error.to_string())?;
        let prices = self.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) && prices.write(&mut stream) {
                std::thread::sleep(EVERY);
            }
        });
        Ok(Publisher { stop, thread })
    }

    fn write(&self, stream: &mut TcpStream) -> bool {
        let mut lines = String::new();
        for instrument in self.0.iter() {
            if !instrument.from_feed || instrument.silent.load(Ordering::Relaxed) {
                continue;
            }
            let price = Price::new(instrument.now.load(Ordering::Relaxed));
            lines.push_str(&format!(
                "{} {}\n",
                instrument.symbol,
                show_price(price, instrument.tick)
            ));
        }
        stream.write_all(lines.as_bytes()).is_ok()
    }
}

/// The publishing thread.
pub(super) struct Publisher {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Publisher {
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        // It ends within a few milliseconds, whatever it met.
        let _ = self.thread.join();
    }
}

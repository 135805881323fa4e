//! `portcullis demo`: a gateway, an engine, clients and flow, on loopback, checked to the last lot.
//!
//! The main thread is the control thread; one more drives the clients, one publishes prices. The
//! clients' figures come from bytes received, the engine's from the ladder's own counters, the
//! gateway's from the core; the demo holds all three against each other.

mod figures;
mod flow;
mod prices;
mod print;
mod script;
mod tour;

use crate::check::dialect;
use crate::desk::{Desk, Feed};
use crate::gateway::{Gateway, Options};
use crate::replay::replay_quietly;
use crate::{REFUSED, cannot};
use clap::{Args, ValueEnum};
use figures::Figures;
use portcullis_control::config::{Config, Files, Idle, LoadOptions, Topology, parse};
use portcullis_flow::Progress;
use portcullis_venue_sim::Plant;
use prices::Prices;
use script::Script;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The config of generated flow, and that of recorded flow.
const CONFIGS: [(&str, &str); 2] = [
    (
        "configs/demo.toml",
        include_str!("../../../configs/demo.toml"),
    ),
    (
        "configs/replay.toml",
        include_str!("../../../configs/replay.toml"),
    ),
];
const PAUSE: Duration = Duration::from_micros(500);

/// What the demo can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
    /// Drive a DBN market-by-order file instead of generated flow.
    #[arg(long)]
    flow: Option<PathBuf>,
    /// How long to generate flow, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Names the run: equal seeds, equal intents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the journal in this folder, which holds none yet.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Plant a fault, to see that the figures show it.
    #[arg(long)]
    plant: Option<PlantKind>,
    /// Which agents of the gateway share a thread, instead of what the demo's config says.
    #[arg(long)]
    topology: Option<TopologyWord>,
    /// What they do when idle, instead of what the demo's config says; busy wants a core a thread.
    #[arg(long)]
    idle: Option<IdleWord>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TopologyWord {
    /// All on one thread.
    Fused,
    /// Session input and output on one, the rest on another.
    Split,
    /// Each on its own.
    Dedicated,
}

impl TopologyWord {
    const fn topology(self) -> Topology {
        match self {
            Self::Fused => Topology::Fused,
            Self::Split => Topology::Split,
            Self::Dedicated => Topology::Dedicated,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IdleWord {
    /// Look again at once.
    Busy,
    /// Let others run first.
    Yield,
    /// Sleep a little.
    Park,
}

impl IdleWord {
    const fn idle(self) -> Idle {
        match self {
            Self::Busy => Idle::Busy,
            Self::Yield => Idle::Yield,
            Self::Park => Idle::Park,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlantKind {
    /// One answer is lost on its way to a client.
    LostAnswer,
    /// One answer reaches another client.
    WrongSession,
    /// The end of one order is never told to the gateway.
    LeakedHold,
    /// One side of one trade is told another price.
    LostMoney,
}

impl PlantKind {
    const fn in_venue(self) -> Option<Plant> {
        match self {
            Self::LeakedHold => Some(Plant::LeakedHold),
            Self::LostMoney => Some(Plant::LostMoney),
            Self::LostAnswer | Self::WrongSession => None,
        }
    }

    const fn in_clients(self) -> Option<portcullis_flow::Plant> {
        match self {
            Self::LostAnswer => Some(portcullis_flow::Plant::LostAnswer),
            Self::WrongSession => Some(portcullis_flow::Plant::WrongSession),
            Self::LeakedHold | Self::LostMoney => None,
        }
    }
}

/// Runs the demo.
pub(crate) fn demo(arguments: &Arguments) -> ExitCode {
    match try_demo(arguments) {
        Ok(figures) => {
            print::table(&figures);
            if arguments.json {
                println!("{}", figures.to_json());
            }
            if figures.is_clean() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(REFUSED)
            }
        }
        Err(why) => cannot(why),
    }
}

fn try_demo(arguments: &Arguments) -> Result<Figures, String> {
    if let Some(path) = arguments.flow.as_ref().filter(|path| !path.exists()) {
        return Err(format!("{}: there is no such file", path.display()));
    }
    let config = config(arguments)?;
    let folder = Scratch::new()?;
    let journal = arguments
        .journal
        .clone()
        .unwrap_or_else(|| folder.0.join("journal"));
    begins_anew(&journal)?;
    let plant = arguments.plant.and_then(PlantKind::in_venue);
    let options = Options {
        journal: Some(&journal),
        accept_unsynced_loss: false,
        plant,
    };
    let gateway = Gateway::start(&config, &options).map_err(|error| error.to_string())?;
    let address = gateway.address;
    let feed_listen = config
        .profile
        .feed_listen
        .ok_or("the demo's config has a feed")?;
    let feed = Feed::bind(feed_listen, &config).map_err(|error| error.to_string())?;
    let prices = Prices::of(&config);
    let flow = flow::config(&config, &prices, address, arguments);
    let mut desk = Desk::new(gateway, config, Some(feed), false);
    script::fund(&mut desk)?;
    let feed_address = desk.feed_address().ok_or("the feed listens")?;
    let publisher = prices.publish(feed_address)?;
    let (tell, told) = mpsc::channel();
    let shared = prices.clone();
    let seconds = arguments.flow.is_none().then_some(arguments.seconds);
    let clients = std::thread::spawn(move || {
        flow::drive(&flow, &shared, seconds, &mut |progress: &Progress| {
            // Whoever listens no more does not want to know.
            let _ = tell.send(progress.clone());
        })
    });
    let mut script = Script::new(arguments.flow.is_none(), prices.clone());
    let mut began: Option<Instant> = None;
    while !clients.is_finished() {
        let worked = desk.round();
        if let Some(progress) = told.try_iter().last() {
            print::progress(&progress);
            // The first word comes when the flow has begun, however long the tour before it took.
            began.get_or_insert_with(Instant::now);
        }
        if let Some(began) = began {
            let elapsed_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            script.go_on(elapsed_ns, &mut desk);
        }
        if desk.gateway().is_broken() {
            return Err("the gateway's threads have ended; see above".to_owned());
        }
        if !worked {
            std::thread::sleep(PAUSE);
        }
    }
    print::end_of_progress();
    let report = clients
        .join()
        .map_err(|_| "the clients' thread broke".to_owned())?;
    let report = report.map_err(|error| error.to_string())?;
    publisher.stop();
    let examples = desk.examples();
    let (finished, _, config) = desk.finish();
    let replayed = replay_quietly(&journal)?;
    Ok(Figures::of(&config, &finished, report, &replayed, examples))
}

/// The demo is a gateway's first day: a journal that is there would be gone on from.
fn begins_anew(journal: &Path) -> Result<(), String> {
    let mut files = journal.read_dir().into_iter().flatten();
    if files.next().is_none() {
        return Ok(());
    }
    Err(format!(
        "{}: the folder is not empty, and the demo begins anew; name another, or remove it",
        journal.display()
    ))
}

struct NoFiles;

impl Files for NoFiles {
    fn open(&self, name: &str) -> std::io::Result<Box<dyn BufRead>> {
        Err(std::io::Error::other(format!(
            "the demo's config names a file: {name}"
        )))
    }
}

fn config(arguments: &Arguments) -> Result<Config, String> {
    let (name, text) = CONFIGS[usize::from(arguments.flow.is_some())];
    let options = LoadOptions {
        dialect: Some(dialect()),
        previous: None,
    };
    let config = parse(name, text, &NoFiles, options);
    let mut config = config.map_err(|errors| errors.to_string())?;
    if let Some(word) = arguments.topology {
        config.profile.topology = word.topology();
    }
    if let Some(word) = arguments.idle {
        config.profile.idle = word.idle();
    }
    Ok(config)
}

/// A folder of the run's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let name = format!("portcullis-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for such things.
        let _ = std::fs::remove_dir_all(Path::new(&self.0));
    }
}

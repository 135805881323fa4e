//! How a link gets its stream.
//!
//! [`Dial`] is called on the venue agent's thread and must not block. [`TcpDial`] connects on a
//! thread of its own, one address after the other, and hands over non-blocking sockets, which the
//! system's poller then watches: it tells a change once. Invariant: at most one try a session is
//! under way.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use mio::net::TcpStream as PolledStream;
use mio::{Events, Interest, Poll, Token};
use portcullis_domain::SessionId;
use portcullis_runtime::{receive, send, set_congestion_control};

use crate::config::{OuchVenueConfig, Route};

/// A source of streams to the engine.
pub trait Dial {
    /// A stream that never blocks: it answers `WouldBlock` instead.
    type Stream: Read + Write;

    /// Begins to connect a session, or goes on with it. Called again until it is no longer pending.
    fn dial(&mut self, session: SessionId) -> Dialed<Self::Stream>;

    /// Names the sessions whose streams have had bytes, or their end, since the last call. `false`
    /// where that cannot be told: each stream is then read at each poll.
    fn woken(&mut self, wake: &mut impl FnMut(SessionId)) -> bool {
        let _ = wake;
        false
    }

    /// A stream that is read at each poll for now: it need not be named.
    fn unwatch(&mut self, stream: &mut Self::Stream) {
        let _ = stream;
    }

    /// A stream that was not watched is named again, what came meanwhile included. `false` where that
    /// cannot be done now: it has to be read at each poll still.
    fn watch(&mut self, session: SessionId, stream: &mut Self::Stream) -> bool {
        let _ = (session, stream);
        true
    }
}

/// How far a connection is.
#[derive(Debug)]
pub enum Dialed<S> {
    /// Under way: ask again.
    Pending,
    /// Here it is.
    Ready(S),
    /// It could not be made.
    Failed(io::Error),
}

/// A connection to the engine that never blocks.
#[derive(Debug)]
pub struct EngineStream(PolledStream);

impl Read for EngineStream {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        receive(&mut self.0, into)
    }
}

impl Write for EngineStream {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(&mut self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for EngineStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Connects over TCP, on a thread that ends when this is dropped.
#[derive(Debug)]
pub struct TcpDial {
    lines: Box<[Option<Line>]>,
    wanted: SyncSender<usize>,
    poll: Poll,
    events: Events,
}

/// One session's side of the dialing thread.
#[derive(Debug)]
struct Line {
    waiting: bool,
    made: Receiver<io::Result<TcpStream>>,
}

/// The dialing thread's side of one session.
struct Target {
    address: SocketAddr,
    made: SyncSender<io::Result<TcpStream>>,
}

impl TcpDial {
    /// Starts the dialing thread for the sessions of a configuration. A try takes `connect_timeout`
    /// at the most, and delays those of other sessions by as much.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(config: &OuchVenueConfig, connect_timeout: Duration) -> io::Result<Self> {
        Self::start_with(config, connect_timeout, None)
    }

    /// The same, whose connections have the congestion control of this name, or the system's.
    ///
    /// # Errors
    /// As of [`Self::start`]. A name that the system does not give fails each try to connect.
    pub fn start_with(
        config: &OuchVenueConfig,
        connect_timeout: Duration,
        congestion_control: Option<&'static str>,
    ) -> io::Result<Self> {
        let mut lines = Vec::new();
        let mut targets = Vec::new();
        for route in &config.sessions {
            let (line, target) = match route {
                Route::Own(login) => {
                    let (send, made) = sync_channel(1);
                    let target = Target {
                        address: login.address,
                        made: send,
                    };
                    let waiting = false;
                    (Some(Line { waiting, made }), Some(target))
                }
                Route::None => (None, None),
            };
            lines.push(line);
            targets.push(target);
        }
        let (wanted, asked) = sync_channel(lines.len());
        std::thread::Builder::new()
            .name("engine-dial".to_string())
            .spawn(move || dial_all(&targets, &asked, connect_timeout, congestion_control))?;
        Ok(Self {
            events: Events::with_capacity(lines.len().max(1)),
            lines: lines.into_boxed_slice(),
            wanted,
            poll: Poll::new()?,
        })
    }

    /// Puts a stream under the poller's eyes. It leaves them when it is closed.
    fn register(&self, session: SessionId, stream: &mut EngineStream) -> io::Result<()> {
        let token = Token(session.index());
        let registry = self.poll.registry();
        registry.register(&mut stream.0, token, Interest::READABLE)
    }
}

fn dial_all(
    targets: &[Option<Target>],
    asked: &Receiver<usize>,
    connect_timeout: Duration,
    congestion_control: Option<&str>,
) {
    while let Ok(index) = asked.recv() {
        let Some(Some(target)) = targets.get(index) else {
            continue;
        };
        let made = connect(target.address, connect_timeout, congestion_control);
        // A session asks for one connection at a time; one that is gone asks no more.
        let _ = target.made.try_send(made);
    }
}

fn connect(
    address: SocketAddr,
    connect_timeout: Duration,
    congestion_control: Option<&str>,
) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, connect_timeout)?;
    if let Some(name) = congestion_control {
        set_congestion_control(&stream, name)?;
    }
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

impl Dial for TcpDial {
    type Stream = EngineStream;

    fn dial(&mut self, session: SessionId) -> Dialed<EngineStream> {
        let Some(Some(line)) = self.lines.get_mut(session.index()) else {
            return Dialed::Failed(io::Error::other("the session has no route to the engine"));
        };
        if !line.waiting {
            // As many places as sessions, one try each: there is room.
            return match self.wanted.try_send(session.index()) {
                Ok(()) => {
                    line.waiting = true;
                    Dialed::Pending
                }
                Err(_) => Dialed::Failed(io::Error::other("the dialing thread is gone")),
            };
        }
        let made = match line.made.try_recv() {
            Err(TryRecvError::Empty) => return Dialed::Pending,
            Err(TryRecvError::Disconnected) => Err(io::Error::other("the dialing thread is gone")),
            Ok(made) => made,
        };
        line.waiting = false;
        let made = made.and_then(|stream| {
            let mut stream = EngineStream(PolledStream::from_std(stream));
            self.register(session, &mut stream).map(|()| stream)
        });
        match made {
            Ok(stream) => Dialed::Ready(stream),
            Err(error) => Dialed::Failed(error),
        }
    }

    fn woken(&mut self, wake: &mut impl FnMut(SessionId)) -> bool {
        if self
            .poll
            .poll(&mut self.events, Some(Duration::ZERO))
            .is_err()
        {
            // Interrupted, or broken: reading every stream loses nothing either way.
            return false;
        }
        for event in &self.events {
            wake(SessionId::new(event.token().0 as u32));
        }
        true
    }

    fn unwatch(&mut self, stream: &mut EngineStream) {
        let registry = self.poll.registry();
        registry
            .deregister(&mut stream.0)
            .expect("what was registered can be taken back");
    }

    fn watch(&mut self, session: SessionId, stream: &mut EngineStream) -> bool {
        self.register(session, stream).is_ok()
    }
}

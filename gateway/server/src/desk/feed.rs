//! The reference-price feed's socket.
//!
//! Control thread. A few sources at a time, read without waiting; a line that is no price is
//! counted, and told once a source. Format: docs/feed.md.

use portcullis_control::config::Config;
use portcullis_control::feed::{FeedBook, FeedParser};
use portcullis_domain::{Command, ReferencePrice};
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Sources at a time; one more is refused.
const SOURCES_MAX: usize = 8;

/// Bytes read from a source in one round.
const READ_BYTES: usize = 16_384;

struct Source {
    stream: TcpStream,
    parser: FeedParser,
    told: bool,
}

/// The feed.
pub(crate) struct Feed {
    listener: TcpListener,
    address: SocketAddr,
    book: FeedBook,
    sources: Vec<Source>,
}

impl Feed {
    /// Listens for sources.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn bind(address: SocketAddr, config: &Config) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let book = FeedBook::new(config);
        Ok(Self {
            listener,
            address,
            book,
            sources: Vec::new(),
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes over the instruments of a new config.
    pub(super) fn reload(&mut self, config: &Config) {
        self.book = FeedBook::new(config);
    }

    /// One round; `send` gets each price as a command and says whether it had room. Returns how many
    /// prices there were.
    pub(super) fn poll(&mut self, send: &mut impl FnMut(Command) -> bool) -> usize {
        while let Ok((stream, _)) = self.listener.accept() {
            let fits = self.sources.len() < SOURCES_MAX && stream.set_nonblocking(true).is_ok();
            if fits {
                self.sources.push(Source {
                    stream,
                    parser: FeedParser::default(),
                    told: false,
                });
            }
        }
        let mut prices = 0;
        let book = &self.book;
        self.sources
            .retain_mut(|source| source.poll(book, &mut prices, send));
        prices
    }
}

impl Source {
    /// Reads what is there; `false` when the source is gone.
    fn poll(
        &mut self,
        book: &FeedBook,
        prices: &mut usize,
        send: &mut impl FnMut(Command) -> bool,
    ) -> bool {
        let mut bytes = [0; READ_BYTES];
        let count = match self.stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(_) => return false,
        };
        let told = &mut self.told;
        self.parser
            .push(&bytes[..count], book, |line, price| match price {
                Ok(price) => {
                    let (instrument, price) = (price.instrument, price.price);
                    // Without room the price is stale by the time there is: the next one will do.
                    *prices += usize::from(send(Command::Reference(ReferencePrice {
                        instrument,
                        price,
                    })));
                }
                Err(error) => {
                    if !*told {
                        eprintln!(
                            "feed: line {line}: {error}; further lines like it are only counted"
                        );
                        *told = true;
                    }
                }
            });
        true
    }
}

//! The ladder's whole state as bytes, and back.
//!
//! Runs on whichever thread holds the ladder, off the path of orders: it allocates. Between two
//! polls, work in hand, reports not yet emitted and commands not yet begun are saved too, so a
//! restored ladder goes on with the very next report.
//!
//! Layout, little-endian: magic (8 bytes), version (u32), then six sections in fixed order, each
//! its number (u32), length in bytes (u64), content, and a checksum (u64, [`Digest`]) over all three.
//! What is saved is what the ladder means, not how it lies in memory: orders stand by age and are
//! put on the book anew. The window of a book is not saved, since no answer depends on it. Equal
//! states give equal bytes.
//!
//! Invariant: whatever the bytes, `restore` yields a ladder that passes its audit or says what is
//! wrong and where; it never panics and allocates no more than the configuration says. It must never
//! repair anything.

mod codec;
mod fields;

use core::fmt;

use portcullis_domain::{Digest, SessionId, TimeInForce};

use crate::audit::AuditFault;
use crate::command::Command;
use crate::config::{ConfigError, LadderConfig};
use crate::ladder::{Ladder, Outbox, Sweep, SweepReason, Task};
use crate::levels::NONE;
use crate::orders::Order;
use crate::report::Report;
use crate::trades::Trade;
use codec::{Reader, Writer};

const MAGIC: [u8; 8] = *b"PCLADDER";
const VERSION: u32 = 1;

/// The sections, in their order.
const SECTIONS: [&str; 6] = ["config", "figures", "orders", "trades", "inbox", "work"];

type WriteSection = fn(&Ladder, &mut Writer<'_>);
type ReadSection = fn(&mut Ladder, &mut Reader<'_>) -> Result<(), RestoreError>;

const NO_TASK: u8 = 0;
const TAKE: u8 = 1;
const SWEEP: u8 = 2;

/// Why bytes are no snapshot of a ladder with this configuration. Offsets are in bytes from the
/// start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The configuration given is out of its ranges.
    Config(ConfigError),
    /// The bytes do not begin as a snapshot does.
    NotASnapshot,
    /// It was written by another version of the format.
    Version {
        /// The version it names.
        found: u32,
    },
    /// The bytes end too early.
    Truncated {
        /// In which section; "header" before the first.
        section: &'static str,
        /// Where more was wanted.
        offset: usize,
    },
    /// Content and checksum of a section differ.
    Checksum {
        /// Which section.
        section: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// It was saved under another configuration.
    ConfigDiffers {
        /// Which field.
        field: &'static str,
        /// What it was.
        saved: i64,
        /// What it is now.
        configured: i64,
    },
    /// A field holds what no ladder of this configuration can hold.
    Field {
        /// In which section.
        section: &'static str,
        /// Which field.
        field: &'static str,
        /// Where the field ends.
        offset: usize,
    },
    /// A section holds more than belongs there, or bytes follow the last one.
    Trailing {
        /// Where the excess begins.
        offset: usize,
    },
    /// Field by field it could be, as a whole it cannot.
    Audit(AuditFault),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ladder snapshot: ")?;
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NotASnapshot => f.write_str("the bytes at offset 0 are not those of a snapshot"),
            Self::Version { found } => {
                write!(
                    f,
                    "format version {found} at offset 8; this build reads {VERSION} alone"
                )
            }
            Self::Truncated { section, offset } => {
                write!(
                    f,
                    "ends too early, in section `{section}` at offset {offset}"
                )
            }
            Self::Checksum { section, offset } => write!(
                f,
                "section `{section}` at offset {offset} is damaged: take an earlier snapshot"
            ),
            Self::ConfigDiffers {
                field,
                saved,
                configured,
            } => write!(
                f,
                "saved with `{field}` = {saved}, configured with {configured}; start with the old \
                 configuration"
            ),
            Self::Field {
                section,
                field,
                offset,
            } => write!(
                f,
                "field `{field}` before offset {offset} in section `{section}` holds what cannot be"
            ),
            Self::Trailing { offset } => write!(f, "unexpected bytes at offset {offset}"),
            Self::Audit(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for RestoreError {}

impl Ladder {
    /// Appends the whole state to `out`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let writers: [WriteSection; SECTIONS.len()] = [
            Self::save_config,
            Self::save_figures,
            Self::save_orders,
            |ladder, to| {
                to.put(&ladder.trades.latest());
                ladder.trades.held().for_each(|trade| to.put(trade));
            },
            |ladder, to| {
                to.put(&(ladder.inbox.len() as u32));
                for command in &ladder.inbox {
                    to.put(command);
                }
            },
            Self::save_work,
        ];
        for (number, write) in writers.iter().enumerate() {
            let start = out.len();
            out.extend_from_slice(&(number as u32).to_le_bytes());
            out.extend_from_slice(&0_u64.to_le_bytes());
            let content = out.len();
            write(self, &mut Writer::new(out));
            let length = (out.len() - content) as u64;
            out[content - 8..content].copy_from_slice(&length.to_le_bytes());
            let checksum = checksum(&out[start..]);
            out.extend_from_slice(&checksum.to_le_bytes());
        }
    }

    /// The ladder that [`Ladder::save`] wrote; its next reports are those the saved one would give.
    ///
    /// # Errors
    /// If the configuration is not the one it was saved under, or the bytes are damaged, cut or made
    /// up: what is wrong and where.
    pub fn restore(config: LadderConfig, bytes: &[u8]) -> Result<Self, RestoreError> {
        let mut ladder = Self::new(config).map_err(RestoreError::Config)?;
        let mut offset = read_header(bytes)?;
        let readers: [ReadSection; SECTIONS.len()] = [
            |ladder, from| read_config(&ladder.config, from),
            Self::restore_figures,
            Self::restore_orders,
            Self::restore_trades,
            Self::restore_inbox,
            Self::restore_work,
        ];
        for (number, read) in readers.iter().enumerate() {
            let mut reader = open_section(bytes, offset, number)?;
            read(&mut ladder, &mut reader)?;
            reader.end()?;
            offset = reader.offset() + 8;
        }
        if offset != bytes.len() {
            return Err(RestoreError::Trailing { offset });
        }
        ladder.audit().map_err(RestoreError::Audit)?;
        Ok(ladder)
    }

    fn save_config(&self, to: &mut Writer<'_>) {
        for (_, value) in config_words(&self.config) {
            to.put(&value);
        }
    }

    fn save_figures(&self, to: &mut Writer<'_>) {
        to.put(&self.order_ref_next);
        to.put(&self.counters);
        for counters in &self.by_instrument {
            to.put(counters);
        }
    }

    fn restore_figures(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        self.order_ref_next = from.field("order_ref_next")?;
        let possible = (1..1 << 63).contains(&self.order_ref_next);
        from.hold(possible)?;
        self.counters = from.field("counters")?;
        for counters in &mut self.by_instrument {
            *counters = from.field("instrument_counters")?;
        }
        Ok(())
    }

    fn save_orders(&self, to: &mut Writer<'_>) {
        let orders = self.books.orders();
        let mut resting: Vec<&Order> = (0..orders.sessions())
            .flat_map(|session| {
                core::iter::successors(orders.oldest(session), |slot| {
                    orders.newer_of_session(*slot)
                })
            })
            .map(|slot| orders.get(slot))
            .collect();
        resting.sort_unstable_by_key(|order| order.order_ref);
        to.put(&orders.live());
        for order in resting {
            to.put(order);
        }
    }

    fn restore_orders(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        let count: u32 = from.field("orders")?;
        from.hold(count <= self.config.orders_max)?;
        let mut last_ref = 0;
        for _ in 0..count {
            let order: Order = from.field("order")?;
            self.check_order(&order, from)?;
            from.hold(!order.is_immediate())?;
            from.hold((last_ref + 1..self.order_ref_next).contains(&order.order_ref))?;
            last_ref = order.order_ref;
            self.books.rest(order);
        }
        Ok(())
    }

    /// Whether an order read may go on the book: known, in range, its name free, room for it.
    fn check_order(&self, order: &Order, from: &Reader<'_>) -> Result<(), RestoreError> {
        let orders = self.books.orders();
        from.hold(orders.knows(order.session))?;
        from.hold(order.time_in_force != TimeInForce::GoodTillTime)?;
        let instrument = self.config.instruments.get(order.instrument.index());
        let in_range = instrument.is_some_and(|instrument| {
            (1..=instrument.qty_max.lots()).contains(&order.leaves)
                && (1..=instrument.price_max.ticks()).contains(&order.price)
        });
        from.hold(in_range)?;
        from.hold(order.executed >= 0 && order.executed.checked_add(order.leaves).is_some())?;
        from.hold(orders.find(order.session, order.user_ref).is_none())?;
        if order.is_immediate() {
            return Ok(());
        }
        from.hold(!orders.is_full())?;
        from.hold(
            self.books
                .has_room_at(order.instrument, order.side, order.price),
        )
    }

    fn restore_trades(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        let latest: u64 = from.field("match_number")?;
        from.hold(latest < 1 << 63)?;
        // Those still held: all there ever were, or a ring full.
        let held = latest.min(self.config.trades_max.into());
        self.trades.resume_after(latest - held);
        for _ in 0..held {
            let trade: Trade = from.field("trade")?;
            self.trades.push(trade);
        }
        Ok(())
    }

    fn restore_inbox(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        let count: u32 = from.field("commands")?;
        from.hold(count <= self.config.inbox_max)?;
        for _ in 0..count {
            let command: Command = from.field("command")?;
            self.inbox.push_back(command);
        }
        Ok(())
    }

    fn save_work(&self, to: &mut Writer<'_>) {
        match &self.task {
            Task::Idle => to.put(&NO_TASK),
            Task::Take(order) => {
                to.put(&TAKE);
                to.put(order);
            }
            Task::Sweep(sweep) => {
                to.put(&SWEEP);
                to.put(&sweep.session);
                to.put(&sweep.session_end);
                let next = sweep
                    .next
                    .map(|slot| self.books.orders().get(slot).order_ref);
                to.put(&next);
                to.put(&sweep.instrument);
                to.put(&sweep.side);
                to.put(&(sweep.reason == SweepReason::DayEnd));
            }
        }
        let [waiting, behind] = &self.outbox.reports;
        assert!(
            behind.is_none(),
            "a poll that makes two reports emits one at least"
        );
        to.put(waiting);
    }

    fn restore_work(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        let task: u8 = from.field("task")?;
        self.task = match task {
            NO_TASK => Task::Idle,
            TAKE => {
                let order: Order = from.field("taker")?;
                self.check_order(&order, from)?;
                // The taker is the latest order there is, and anything resting is older.
                from.hold(order.order_ref + 1 == self.order_ref_next)?;
                Task::Take(order)
            }
            SWEEP => Task::Sweep(self.restore_sweep(from)?),
            _ => return Err(from.wrong()),
        };
        let waiting: Option<Report> = from.field("report")?;
        self.outbox = Outbox {
            reports: [waiting, None],
        };
        Ok(())
    }

    fn restore_sweep(&self, from: &mut Reader<'_>) -> Result<Sweep, RestoreError> {
        let orders = self.books.orders();
        let session: u32 = from.field("sweep_session")?;
        from.hold(orders.knows(SessionId::new(session)))?;
        let session_end: u32 = from.field("sweep_session_end")?;
        from.hold((session + 1..=orders.sessions()).contains(&session_end))?;
        let next: Option<u64> = from.field("sweep_next")?;
        let find = |order_ref: u64| {
            let mut slots = core::iter::successors(orders.oldest(session), |slot| {
                orders.newer_of_session(*slot)
            });
            slots.find(|slot| orders.get(*slot).order_ref == order_ref)
        };
        let next = next.map(|order_ref| find(order_ref).unwrap_or(NONE));
        from.hold(next != Some(NONE))?;
        let instrument = from.field("sweep_instrument")?;
        let side = from.field("sweep_side")?;
        let day_end: bool = from.field("sweep_day_end")?;
        let reason = if day_end {
            SweepReason::DayEnd
        } else {
            SweepReason::MassCancel
        };
        Ok(Sweep {
            session,
            session_end,
            next,
            instrument,
            side,
            reason,
        })
    }
}

impl Command {
    /// Appends a command that whoever holds the ladder has not submitted yet.
    pub fn save(&self, out: &mut Vec<u8>) {
        Writer::new(out).put(self);
    }

    /// The command at the front of the bytes, and how many of them it takes.
    ///
    /// # Errors
    /// If there is none.
    pub fn restore(bytes: &[u8]) -> Result<(Self, usize), RestoreError> {
        let mut reader = Reader::new("command", bytes, 0, bytes.len());
        let command = reader.field("command")?;
        Ok((command, reader.offset()))
    }
}

/// Each number of the configuration by name, in a fixed order.
fn config_words(config: &LadderConfig) -> Vec<(&'static str, i64)> {
    let mut words = vec![
        ("instruments", config.instruments.len() as i64),
        ("sessions_max", config.sessions_max.into()),
        ("orders_max", config.orders_max.into()),
        ("levels_max", config.levels_max.into()),
        ("inbox_max", config.inbox_max.into()),
        ("trades_max", config.trades_max.into()),
        ("window_ticks", config.window_ticks.into()),
    ];
    for instrument in &config.instruments {
        words.push(("qty_max", instrument.qty_max.lots()));
        words.push(("price_max", instrument.price_max.ticks()));
        words.push(("maker_per_lot", instrument.fees.maker_per_lot.quanta()));
        words.push(("taker_per_lot", instrument.fees.taker_per_lot.quanta()));
    }
    words
}

fn read_config(config: &LadderConfig, from: &mut Reader<'_>) -> Result<(), RestoreError> {
    for (field, configured) in config_words(config) {
        let saved: i64 = from.field(field)?;
        if saved != configured {
            return Err(RestoreError::ConfigDiffers {
                field,
                saved,
                configured,
            });
        }
    }
    Ok(())
}

/// Where the first section begins.
fn read_header(bytes: &[u8]) -> Result<usize, RestoreError> {
    let mut header = Reader::new("header", bytes, 0, bytes.len());
    let magic: u64 = header.field("magic")?;
    if magic.to_le_bytes() != MAGIC {
        return Err(RestoreError::NotASnapshot);
    }
    let found: u32 = header.field("version")?;
    if found != VERSION {
        return Err(RestoreError::Version { found });
    }
    Ok(header.offset())
}

/// A reader over the content of the section that begins at `start`, its checksum verified.
fn open_section(bytes: &[u8], start: usize, number: usize) -> Result<Reader<'_>, RestoreError> {
    let section = SECTIONS[number];
    let mut head = Reader::new(section, bytes, start, bytes.len());
    let found: u32 = head.field("section")?;
    head.hold(found as usize == number)?;
    let length: u64 = head.field("length")?;
    let content = head.offset();
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| content.checked_add(length));
    let cut = RestoreError::Truncated {
        section,
        offset: bytes.len(),
    };
    let end = end.filter(|end| *end <= bytes.len()).ok_or(cut)?;
    let stored: u64 = Reader::new(section, bytes, end, bytes.len()).field("checksum")?;
    if stored != checksum(&bytes[start..end]) {
        return Err(RestoreError::Checksum {
            section,
            offset: start,
        });
    }
    Ok(Reader::new(section, bytes, content, end))
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.push(bytes.len() as u64);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        digest.push(u64::from_le_bytes(word));
    }
    digest.value()
}

#[cfg(test)]
mod tests;

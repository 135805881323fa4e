//! From market-by-order records to intents.
//!
//! **Thread.** The driver's; records are read one at a time.
//! **Invariants.** Memory is bounded by the recorded book: an order is remembered from its add to
//! its end. A record that only keeps books after a fill is never sent.
//! **Never.** Make up an order that no record stands for, or round a price.
//!
//! | record | becomes |
//! |---|---|
//! | snapshot, `A` | Enter, day; the account is dealt by seed and order id |
//! | `T` with a side | Enter, immediate or cancel, of the aggressor at the trade's price and size |
//! | `T` without a side | nothing: an auction's print has no aggressor |
//! | `F` of a resting order | nothing; its size is taken off what the recorded book has left |
//! | `F` of the aggressor of the trade before it | nothing: it is the other end of that trade |
//! | `C`, `M` that leave just what the fills left | nothing: they keep books |
//! | other `M` | Replace |
//! | other `C` | Cancel, in part if something is left |
//! | `R` | Cancel of every order that is left |
//!
//! How aggressors meet what rests: the gateway's own book decides. The recorded counterparties of a
//! `T` rest there because their adds were sent before it, and at the same price and in the same
//! order of arrival they are first in line; so an immediate order of the trade's size trades with
//! them, and the fill takes off the gateway's book what the record then takes off the recorded one.
//! To keep the order of arrival across sockets, such an intent says that it `meets` (see
//! [`crate::Intent`]). Where the two books differ (an order was refused; orders crossed before the
//! opening auction, which here trade at once), the immediate order takes what is best there, and
//! what it does not find is cancelled. An order whose recorded counterparty never came stays in the
//! gateway's book until somebody trades with it or all orders are cancelled.
//!
//! An order that rests and then trades as the aggressor was amended into the market: the trade goes
//! in as an immediate order of its own, and the amendment behind it, which is more than
//! book-keeping, as the Replace or Cancel that it is.

use crate::error::FlowError;
use crate::intent::{Act, Enter, Flaw, Intent, Listing};
use crate::venue::Venue;
use dbn::decode::{DbnDecoder, DbnMetadata, DecodeRecord, DynReader};
use dbn::{MboMsg, Schema};
use portcullis_domain::Side;
use portcullis_wire::ouch50::{OUCH50, TimeInForce};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Units of a recorded price (10^-9) in a wire unit (10^-4).
const RECORDED_PER_WIRE: i64 = 100_000;

/// What was read and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DbnCounts {
    /// Records of the instrument.
    pub records: u64,
    /// Of them with the snapshot flag.
    pub snapshot: u64,
    /// `A`.
    pub adds: u64,
    /// `C`.
    pub cancels: u64,
    /// `M`.
    pub modifies: u64,
    /// `F`.
    pub fills: u64,
    /// `T`.
    pub trades: u64,
    /// `R`.
    pub clears: u64,
    /// Records of another instrument, or of an action that is none of the above.
    pub other: u64,
    /// Enters made from adds.
    pub enters: u64,
    /// Enters made from trades.
    pub immediates: u64,
    /// Replaces made.
    pub replaces: u64,
    /// Cancels made.
    pub cancels_made: u64,
    /// `C` and `M` not sent, since they keep books after a fill.
    pub bookkeeping: u64,
    /// Records that say nothing OUCH can: no side, no price, an order that was never added.
    pub unmapped: u64,
}

/// A market-by-order file as a sequence of intents.
pub(crate) struct DbnFeed {
    path: PathBuf,
    decoder: DbnDecoder<DynReader<'static, BufReader<File>>>,
    seed: u64,
    tick_wire: u64,
    lot_wire: u32,
    /// The recorded book.
    book: HashMap<u64, Resting>,
    /// Intents of a record that makes many.
    queue: VecDeque<Intent>,
    /// Order id of the aggressor of the last trade.
    aggressor: Option<u64>,
    instrument_id: Option<u32>,
    /// Receive time of the first record that is not of the snapshot.
    origin_ns: Option<u64>,
    /// Due time of the last intent; it never falls.
    due_ns: u64,
    counts: DbnCounts,
}

#[derive(Clone, Copy, Debug)]
struct Resting {
    price: i64,
    /// As the recorded book has it, less fills that no `C` or `M` has taken off yet.
    left: u32,
    /// Whether such a fill is outstanding.
    filled: bool,
    /// As the recorded book has it.
    size: u32,
}

impl DbnFeed {
    /// Opens a file, plain or compressed with zstd; records go into the first instrument.
    ///
    /// # Errors
    /// The file is missing, is no DBN file, or has another schema than market by order.
    pub(crate) fn open(path: &Path, seed: u64, venue: &Venue) -> Result<Self, FlowError> {
        let fail = |what: String| FlowError::File {
            path: path.to_path_buf(),
            record: 0,
            what,
        };
        let reader = DynReader::from_file(path)
            .map_err(|error| fail(format!("{error}; name a file in DBN format")))?;
        let decoder = DbnDecoder::new(reader)
            .map_err(|error| fail(format!("{error}; name a file in DBN format")))?;
        let schema = decoder.metadata().schema;
        if schema != Some(Schema::Mbo) {
            let what = format!("its schema is {schema:?}; name one of market-by-order records");
            return Err(fail(what));
        }
        // A venue has at least one instrument.
        let (tick_wire, lot_wire) = venue
            .instruments
            .first()
            .map_or((1, 1), |first| (first.tick_wire, first.lot_wire));
        Ok(Self {
            path: path.to_path_buf(),
            decoder,
            seed,
            tick_wire,
            lot_wire,
            book: HashMap::new(),
            queue: VecDeque::new(),
            aggressor: None,
            instrument_id: None,
            origin_ns: None,
            due_ns: 0,
            counts: DbnCounts::default(),
        })
    }

    /// What was read so far.
    pub(crate) fn counts(&self) -> DbnCounts {
        self.counts
    }

    /// The next intent; `None` at the end of the file.
    pub(crate) fn next(&mut self, venue: &Venue) -> Result<Option<Intent>, FlowError> {
        loop {
            if let Some(intent) = self.queue.pop_front() {
                return Ok(Some(intent));
            }
            let record = match self.decoder.decode_record::<MboMsg>() {
                Ok(Some(record)) => record.clone(),
                Ok(None) => return Ok(None),
                Err(error) => {
                    return Err(FlowError::File {
                        path: self.path.clone(),
                        record: self.counts.records + self.counts.other,
                        what: error.to_string(),
                    });
                }
            };
            if let Some(act) = self.map(&record, venue) {
                let meets = matches!(act, Act::Enter(enter) if enter.handle.is_none());
                return Ok(Some(Intent {
                    due_ns: self.due_ns,
                    meets,
                    act,
                }));
            }
        }
    }

    fn map(&mut self, record: &MboMsg, venue: &Venue) -> Option<Act> {
        let instrument = record.hd.instrument_id;
        if *self.instrument_id.get_or_insert(instrument) != instrument {
            self.counts.other += 1;
            return None;
        }
        self.counts.records += 1;
        if record.flags.is_snapshot() {
            self.counts.snapshot += 1;
        } else {
            let origin = *self.origin_ns.get_or_insert(record.ts_recv);
            let due = record.ts_recv.saturating_sub(origin);
            self.due_ns = self.due_ns.max(due);
        }
        match record.action as u8 {
            b'A' => {
                self.counts.adds += 1;
                self.add(record, venue)
            }
            b'T' => {
                self.counts.trades += 1;
                self.trade(record, venue)
            }
            b'F' => {
                self.counts.fills += 1;
                self.fill(record);
                None
            }
            b'C' => {
                self.counts.cancels += 1;
                self.cancel(record)
            }
            b'M' => {
                self.counts.modifies += 1;
                self.modify(record)
            }
            b'R' => {
                self.counts.clears += 1;
                self.clear();
                None
            }
            _ => {
                self.counts.other += 1;
                None
            }
        }
    }

    fn add(&mut self, record: &MboMsg, venue: &Venue) -> Option<Act> {
        let enter = self.enter(record, venue, Some(record.order_id), TimeInForce::Day)?;
        self.counts.enters += 1;
        self.book.insert(
            record.order_id,
            Resting {
                price: record.price,
                left: record.size,
                filled: false,
                size: record.size,
            },
        );
        Some(Act::Enter(enter))
    }

    fn trade(&mut self, record: &MboMsg, venue: &Venue) -> Option<Act> {
        self.aggressor = (record.order_id != 0).then_some(record.order_id);
        let enter = self.enter(record, venue, None, TimeInForce::Ioc)?;
        self.counts.immediates += 1;
        Some(Act::Enter(enter))
    }

    fn fill(&mut self, record: &MboMsg) {
        if self.aggressor == Some(record.order_id) {
            return;
        }
        if let Some(resting) = self.book.get_mut(&record.order_id) {
            // A hidden refill can trade more than was shown.
            resting.left = resting.left.saturating_sub(record.size);
            resting.filled = true;
        }
    }

    fn cancel(&mut self, record: &MboMsg) -> Option<Act> {
        let handle = record.order_id;
        let Some(resting) = self.book.get_mut(&handle) else {
            self.counts.unmapped += 1;
            return None;
        };
        let open = resting.size.saturating_sub(record.size);
        let keeps_books = resting.filled && open == resting.left;
        resting.size = open;
        resting.left = open;
        resting.filled = false;
        if open == 0 {
            self.book.remove(&handle);
        }
        if keeps_books {
            self.counts.bookkeeping += 1;
            return None;
        }
        let Some(open) = open.checked_mul(self.lot_wire) else {
            self.counts.unmapped += 1;
            return None;
        };
        self.counts.cancels_made += 1;
        Some(Act::Cancel { handle, open })
    }

    fn modify(&mut self, record: &MboMsg) -> Option<Act> {
        let handle = record.order_id;
        let price = self.price(record.price);
        let open = record.size.checked_mul(self.lot_wire);
        let (Some(resting), Some(price), Some(open)) = (self.book.get_mut(&handle), price, open)
        else {
            self.counts.unmapped += 1;
            return None;
        };
        let same = record.price == resting.price && record.size == resting.left;
        let keeps_books = resting.filled && same;
        *resting = Resting {
            price: record.price,
            left: record.size,
            filled: false,
            size: record.size,
        };
        if keeps_books {
            self.counts.bookkeeping += 1;
            return None;
        }
        self.counts.replaces += 1;
        Some(Act::Replace {
            handle,
            open,
            price,
        })
    }

    fn clear(&mut self) {
        let mut handles: Vec<u64> = self.book.drain().map(|(handle, _)| handle).collect();
        handles.sort_unstable();
        self.counts.cancels_made += handles.len() as u64;
        self.queue.extend(handles.into_iter().map(|handle| Intent {
            due_ns: self.due_ns,
            meets: false,
            act: Act::Cancel { handle, open: 0 },
        }));
    }

    fn enter(
        &mut self,
        record: &MboMsg,
        venue: &Venue,
        handle: Option<u64>,
        time_in_force: TimeInForce,
    ) -> Option<Enter> {
        let side = match record.side as u8 {
            b'B' => Some(Side::Buy),
            b'A' => Some(Side::Sell),
            _ => None,
        };
        let quantity = record.size.checked_mul(self.lot_wire);
        let (Some(side), Some(price), Some(quantity @ 1..)) =
            (side, self.price(record.price), quantity)
        else {
            self.counts.unmapped += 1;
            return None;
        };
        Some(Enter {
            handle,
            lane: venue.deal(self.seed, record.order_id),
            listing: Listing::Known(0),
            side,
            quantity,
            price,
            time_in_force,
            flaw: Flaw::None,
        })
    }

    /// Wire units of a recorded price; `None` if it is not on the tick or not a limit price of the
    /// dialect.
    fn price(&self, recorded: i64) -> Option<u64> {
        if recorded <= 0 || recorded % RECORDED_PER_WIRE != 0 {
            return None;
        }
        let wire = recorded.unsigned_abs() / RECORDED_PER_WIRE.unsigned_abs();
        (wire.is_multiple_of(self.tick_wire) && wire <= OUCH50.price_max_wire).then_some(wire)
    }
}

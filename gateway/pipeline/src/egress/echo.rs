//! The client's own words about its orders, for the answers that repeat them.
//!
//! Owned by egress. One row an order slot of the core, so that a row is found without looking. What a
//! client entered is kept as it came, and taken apart when an answer needs it, which is never where
//! the engine's own messages are forwarded. Invariant: a row's words are those of the order whose
//! number stands in it; an answer about another order than that finds none.

use super::encode::Encoder;
use portcullis_domain::{OrderId, RAW_BYTES_MAX, ReportKind, UserRef};
use portcullis_risk_core::{ClientReport, OutboundAction, OutboundOrder};
use portcullis_runtime::prefetch;
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    Appendage, Capacity, CrossType, Display, EnterOrderView, Inbound, OrderSide, TimeInForce, YesNo,
};

/// Replaces asked for that a row remembers: four may be unanswered, and each is echoed, as is the
/// entry itself.
const REPLACES: usize = 4;

/// So many rows ahead is the one asked for: the core gives slots out in the order in which they came free, mostly one
/// behind the other, and a row is far away by the time that it is used again.
const SOON: usize = 8;

/// Of the shortest entry: where its last byte is, is the last line of most.
const ENTRY_BYTES: usize = 47;

/// The least that a row takes when it is saved.
const ROW_BYTES_MIN: usize = 24;

/// What one version said.
#[derive(Clone, Copy, Debug)]
pub(super) struct VersionWords {
    pub(super) user_ref: UserRef,
    pub(super) quantity: u32,
    pub(super) price: u64,
    pub(super) time_in_force: TimeInForce,
    pub(super) display: Display,
    pub(super) iso_eligible: YesNo,
    pub(super) cl_ord_id: Alpha<14>,
}

impl VersionWords {
    fn save(&self, out: &mut SavedWriter<'_>) {
        out.user_ref(self.user_ref);
        out.u32(self.quantity);
        out.u64(self.price);
        out.u8(self.time_in_force.byte());
        out.u8(self.display.byte());
        out.u8(self.iso_eligible.byte());
        out.bytes(self.cl_ord_id.bytes());
    }

    fn load(from: &mut SavedReader<'_>) -> Result<Self, SavedError> {
        let user_ref = from.user_ref("version")?;
        let quantity = from.u32("quantity")?;
        let price = from.u64("price")?;
        let time_in_force = TimeInForce::from_byte(from.u8("time in force")?);
        let display = Display::from_byte(from.u8("display")?);
        let iso_eligible = YesNo::from_byte(from.u8("iso eligible")?);
        let cl_ord_id = from.bytes("cl_ord_id", 14)?.first_chunk().copied();
        let cl_ord_id = cl_ord_id.and_then(|bytes| Alpha::from_wire(bytes).ok());
        Ok(Self {
            user_ref,
            quantity,
            price,
            time_in_force: from.have("time in force", time_in_force)?,
            display: from.have("display", display)?,
            iso_eligible: from.have("iso eligible", iso_eligible)?,
            cl_ord_id: from.have("cl_ord_id", cl_ord_id)?,
        })
    }
}

/// A replace asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    words: VersionWords,
    /// Whether the engine has said yes or no to it.
    answered: bool,
}

/// What a client said of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    row: &'a Row,
    entered: EnterOrderView<'a>,
}

impl<'a> Words<'a> {
    pub(super) fn side(&self) -> OrderSide {
        self.entered.side()
    }

    pub(super) fn symbol(&self) -> Alpha<8> {
        self.entered.symbol()
    }

    pub(super) fn capacity(&self) -> Capacity {
        self.entered.capacity()
    }

    pub(super) fn cross_type(&self) -> CrossType {
        self.entered.cross_type()
    }

    /// The options it was entered with.
    pub(super) fn options(&self) -> Appendage<'a> {
        self.entered.appendage().unwrap_or(Appendage::EMPTY)
    }

    /// What the version with this number said.
    pub(super) fn version(&self, user_ref: UserRef) -> Option<VersionWords> {
        let replaces = self.row.replaces.iter().flatten();
        let mut asked = replaces.filter(|asked| asked.words.user_ref == user_ref);
        if let Some(asked) = asked.next() {
            return Some(asked.words);
        }
        let view = &self.entered;
        (self.row.user_ref == user_ref).then(|| VersionWords {
            user_ref,
            quantity: view.quantity(),
            price: self.row.price,
            time_in_force: immediate_if(self.row.was_market, view.time_in_force()),
            display: view.display(),
            iso_eligible: view.iso_eligible(),
            cl_ord_id: view.cl_ord_id(),
        })
    }
}

/// What is kept of an order. The lines of an entry come first: mostly nothing else is touched.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Row {
    order: OrderId,
    /// Of the entry: its number, its price in the engine's units, and whether it named none.
    user_ref: UserRef,
    price: u64,
    was_market: bool,
    /// Whether there is any of `replaces`, whose lines an entry does not touch.
    is_replaced: bool,
    raw_len: u8,
    raw: [u8; RAW_BYTES_MAX],
    /// The oldest first, without a gap.
    replaces: [Option<Asked>; REPLACES],
}

impl Row {
    const NONE: Self = Self {
        order: OrderId::NONE,
        user_ref: UserRef { row: 0, number: 0 },
        price: 0,
        was_market: false,
        is_replaced: false,
        raw_len: 0,
        raw: [0; RAW_BYTES_MAX],
        replaces: [None; REPLACES],
    };

    /// Asks for the lines that an entry is put into.
    #[inline]
    fn expect_entry(&self) {
        prefetch(&self.order);
        prefetch(&self.raw[ENTRY_BYTES - 1]);
    }

    fn enter(&mut self, outbound: &OutboundOrder, price: u64, was_market: bool, raw: &[u8]) {
        self.order = outbound.order;
        self.user_ref = outbound.user_ref;
        self.price = price;
        self.was_market = was_market;
        self.raw[..raw.len()].copy_from_slice(raw);
        self.raw_len = raw.len() as u8;
        if self.is_replaced {
            self.is_replaced = false;
            self.replaces = [None; REPLACES];
        }
    }

    fn save(&self, out: &mut SavedWriter<'_>) {
        out.u64(self.order.raw());
        out.user_ref(self.user_ref);
        out.u64(self.price);
        out.u8(u8::from(self.was_market));
        out.u8(self.raw_len);
        out.bytes(&self.raw[..usize::from(self.raw_len)]);
        let asked = || self.replaces.iter().flatten();
        out.u8(asked().count() as u8);
        for asked in asked() {
            asked.words.save(out);
            out.u8(u8::from(asked.answered));
        }
    }

    fn load(from: &mut SavedReader<'_>) -> Result<Self, SavedError> {
        let mut row = Self::NONE;
        row.order = OrderId::from_raw(from.u64("order")?);
        row.user_ref = from.user_ref("entry")?;
        row.price = from.u64("price")?;
        row.was_market = from.u8("was market")? == 1;
        row.raw_len = from.u8("length")?;
        let raw = from.bytes("message", usize::from(row.raw_len))?;
        let room = row.raw.get_mut(..raw.len());
        from.have("length", room)?.copy_from_slice(raw);
        let asked = usize::from(from.u8("replaces")?);
        row.is_replaced = asked > 0;
        let asked = row.replaces.get_mut(..asked);
        for asked in from.have("replaces", asked)? {
            *asked = Some(Asked {
                words: VersionWords::load(from)?,
                answered: from.u8("answered")? == 1,
            });
        }
        Ok(row)
    }

    /// Remembers one more. Where there is no room the oldest that is answered goes: an engine may answer
    /// a later one first, and the one that it has not answered is the one to be echoed.
    fn replace(&mut self, words: VersionWords) {
        self.is_replaced = true;
        let added = Some(Asked {
            words,
            answered: false,
        });
        if let Some(free) = self.replaces.iter_mut().find(|asked| asked.is_none()) {
            *free = added;
            return;
        }
        let mut asked = self.replaces.iter().flatten();
        let leaves = asked.position(|asked| asked.answered).unwrap_or(0);
        self.replaces.copy_within(leaves + 1.., leaves);
        self.replaces[REPLACES - 1] = added;
    }

    fn answered(&mut self, version: UserRef) {
        let mut asked = self.replaces.iter_mut().flatten();
        if let Some(asked) = asked.find(|asked| asked.words.user_ref == version) {
            asked.answered = true;
        }
    }
}

/// The rows.
#[derive(Debug)]
pub(super) struct Echoes {
    rows: Box<[Row]>,
}

impl Echoes {
    pub(super) fn new(orders_max: usize) -> Self {
        Self {
            rows: vec![Row::NONE; orders_max].into_boxed_slice(),
        }
    }

    /// Writes every row that holds an order.
    pub(super) fn save(&self, out: &mut SavedWriter<'_>) {
        let filled = || self.rows.iter().filter(|row| row.order != OrderId::NONE);
        out.count(filled().count());
        filled().for_each(|row| row.save(out));
    }

    /// Reads what [`Self::save`] wrote.
    pub(super) fn load(&mut self, from: &mut SavedReader<'_>) -> Result<(), SavedError> {
        for _ in 0..from.count("rows", ROW_BYTES_MIN)? {
            let row = Row::load(from)?;
            let place = self.rows.get_mut(row.order.slot());
            *from.have("order", place)? = row;
        }
        Ok(())
    }

    /// Remembers what a client said of an order that went to the venue.
    pub(super) fn remember(&mut self, outbound: &OutboundOrder, raw: &[u8], encoder: &Encoder) {
        let slot = outbound.order.slot();
        if let Some(row) = self.rows.get(slot + SOON) {
            row.expect_entry();
        }
        let Some(row) = self.rows.get_mut(slot) else {
            return;
        };
        let price = encoder.price(outbound.instrument, outbound.action);
        match outbound.action {
            OutboundAction::Enter { was_market, .. } => {
                row.enter(outbound, price, was_market, raw);
            }
            OutboundAction::Replace { was_market, .. } if row.order == outbound.order => {
                let Ok(Inbound::ReplaceOrder(view)) = Inbound::parse(raw) else {
                    return;
                };
                row.replace(VersionWords {
                    user_ref: outbound.user_ref,
                    quantity: view.quantity(),
                    price,
                    time_in_force: immediate_if(was_market, view.time_in_force()),
                    display: view.display(),
                    iso_eligible: view.iso_eligible(),
                    cl_ord_id: view.cl_ord_id(),
                });
            }
            OutboundAction::Replace { .. } | OutboundAction::Cancel { .. } => {}
        }
    }

    /// Notes that the engine has answered a replace.
    pub(super) fn answered(&mut self, report: &ClientReport) {
        let (ReportKind::Replaced { new } | ReportKind::ReplaceRejected { new }) = report.kind
        else {
            return;
        };
        let row = self.rows.get_mut(report.order.slot());
        if let Some(row) = row.filter(|row| row.order == report.order) {
            row.answered(new);
        }
    }

    /// The words of an order; `None` where its client said none.
    pub(super) fn of(&self, order: OrderId) -> Option<Words<'_>> {
        let row = self.rows.get(order.slot())?;
        if row.order != order {
            return None;
        }
        let raw = &row.raw[..usize::from(row.raw_len)];
        match Inbound::parse(raw) {
            Ok(Inbound::EnterOrder(entered)) => Some(Words { row, entered }),
            Ok(_) | Err(_) => None,
        }
    }
}

fn immediate_if(was_market: bool, asked: TimeInForce) -> TimeInForce {
    if was_market { TimeInForce::Ioc } else { asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: [u8; 4] = *b"TEST";

    fn saved(row: &Row) -> Vec<u8> {
        let mut bytes = Vec::new();
        row.save(&mut SavedWriter::begin(&mut bytes, KIND, 1));
        bytes
    }

    fn number(number: u32) -> UserRef {
        UserRef { row: 0, number }
    }

    fn words(of: u32) -> VersionWords {
        VersionWords {
            user_ref: number(of),
            quantity: of,
            price: u64::from(of),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            iso_eligible: YesNo::No,
            cl_ord_id: Alpha::BLANK,
        }
    }

    fn remembered(row: &Row) -> Vec<u32> {
        let asked = row.replaces.iter().flatten();
        asked.map(|asked| asked.words.user_ref.number).collect()
    }

    /// What the engine has not answered is kept, whatever it answers first.
    #[test]
    fn the_oldest_that_is_answered_makes_room() {
        let cases: [(&[u32], [u32; REPLACES]); 4] = [
            (&[1], [2, 3, 4, 5]),
            (&[2], [1, 3, 4, 5]),
            (&[4, 3], [1, 2, 4, 5]),
            (&[], [2, 3, 4, 5]),
        ];
        for (answered, kept) in cases {
            let mut row = Row::NONE;
            (1..=4).for_each(|of| row.replace(words(of)));
            answered.iter().for_each(|&of| row.answered(number(of)));
            row.replace(words(5));
            assert_eq!(remembered(&row), kept, "answered {answered:?}");
        }
    }

    #[test]
    fn a_row_comes_back_as_it_was_saved() {
        let mut row = Row::NONE;
        (1..=3).for_each(|of| row.replace(words(of)));
        row.answered(number(2));
        let bytes = saved(&row);
        let mut from = SavedReader::begin(&bytes, KIND, 1).expect("it was saved");
        let loaded = Row::load(&mut from).expect("it was saved");
        assert_eq!(format!("{loaded:?}"), format!("{row:?}"));
    }

    #[test]
    fn no_row_takes_less_than_an_empty_one() {
        let mut frame = Vec::new();
        SavedWriter::begin(&mut frame, KIND, 1);
        assert_eq!(saved(&Row::NONE).len() - frame.len(), ROW_BYTES_MIN);
    }
}

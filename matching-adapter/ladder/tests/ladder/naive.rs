//! A price-time book written to be obviously right: maps, queues, whole commands at once.
//!
//! Runs on the test's thread. It shares the words (commands and reports) with the ladder and not a
//! line of its workings. It must never be made fast.

use std::collections::{BTreeMap, VecDeque};

use portcullis_domain::{
    InstrumentId, Money, Price, Qty, QtyMeaning, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_ladder::{
    Cancel, CancelReason, Command, Disposition, LadderConfig, Liquidity, MassCancel, NewOrder,
    RejectReason, Replace, Report, ReportKind,
};

#[derive(Clone, Debug)]
struct Resting {
    session: SessionId,
    user_ref: UserRef,
    tag: u64,
    age: u64,
    instrument: InstrumentId,
    side: Side,
    price: i64,
    open: i64,
    done: i64,
    life: TimeInForce,
}

struct Printed {
    sides: [(SessionId, UserRef, u64); 2],
    instrument: InstrumentId,
    qty: i64,
    price: i64,
    busted: bool,
}

/// Which queue an order stands in.
type Place = (usize, Side, i64);

pub(crate) struct Naive {
    config: LadderConfig,
    queues: BTreeMap<Place, VecDeque<Resting>>,
    places: BTreeMap<(SessionId, UserRef), Place>,
    prints: Vec<Printed>,
    last_age: u64,
    said: Vec<Report>,
    /// Lots bought, which are the lots sold.
    pub(crate) traded_lots: i128,
    /// Lots cancelled.
    pub(crate) canceled_lots: i128,
}

impl Naive {
    pub(crate) fn new(config: LadderConfig) -> Self {
        Self {
            config,
            queues: BTreeMap::new(),
            places: BTreeMap::new(),
            prints: Vec::new(),
            last_age: 0,
            said: Vec::new(),
            traded_lots: 0,
            canceled_lots: 0,
        }
    }

    pub(crate) fn apply(&mut self, command: &Command) -> Vec<Report> {
        match command {
            Command::New(new) => self.new_order(new),
            Command::Replace(replace) => self.replace(replace),
            Command::Cancel(cancel) => self.cancel(cancel),
            Command::MassCancel(filter) => self.mass_cancel(filter),
            Command::DayEnd => self.day_end(),
            Command::Bust { match_number } => self.bust(*match_number),
        }
        std::mem::take(&mut self.said)
    }

    pub(crate) fn open_orders(&self) -> usize {
        self.places.len()
    }

    /// Price, lots and orders of each level of a side, best first.
    pub(crate) fn depth(&self, instrument: usize, side: Side) -> Vec<(i64, i64, u32)> {
        let queues = self.side(instrument, side);
        queues
            .into_iter()
            .map(|(price, queue)| {
                (
                    price,
                    queue.iter().map(|order| order.open).sum(),
                    queue.len() as u32,
                )
            })
            .collect()
    }

    fn side(&self, instrument: usize, side: Side) -> Vec<(i64, &VecDeque<Resting>)> {
        let range = (instrument, side, i64::MIN)..=(instrument, side, i64::MAX);
        let mut queues: Vec<_> = self
            .queues
            .range(range)
            .map(|((_, _, price), queue)| (*price, queue))
            .collect();
        if side == Side::Buy {
            queues.reverse();
        }
        queues
    }

    fn best(&self, instrument: usize, side: Side) -> Option<i64> {
        let range = (instrument, side, i64::MIN)..=(instrument, side, i64::MAX);
        let mut prices = self.queues.range(range).map(|((_, _, price), _)| *price);
        match side {
            Side::Buy => prices.next_back(),
            Side::Sell => prices.next(),
        }
    }

    fn live(&self, session: SessionId, user_ref: UserRef) -> Option<Resting> {
        let place = self.places.get(&(session, user_ref))?;
        let queue = &self.queues[place];
        queue
            .iter()
            .find(|order| order.session == session && order.user_ref == user_ref)
            .cloned()
    }

    /// What must hold of the detail of any order or replace, in the order in which it is looked at.
    fn price_for(
        &self,
        instrument: InstrumentId,
        side: Side,
        asked: Option<Price>,
    ) -> Result<i64, RejectReason> {
        let highest = self.config.instruments[instrument.index()]
            .price_max
            .ticks();
        match asked.map(Price::ticks) {
            Some(ticks) if ticks >= 1 && ticks <= highest => Ok(ticks),
            Some(_) => Err(RejectReason::PriceInvalid),
            None => self
                .best(instrument.index(), side.opposite())
                .ok_or(RejectReason::NoOppositePrice),
        }
    }

    fn new_order(&mut self, new: &NewOrder) {
        if self.places.contains_key(&(new.session, new.user_ref)) {
            return;
        }
        match self.admit(new) {
            Ok(price) => {
                let order = Resting {
                    session: new.session,
                    user_ref: new.user_ref,
                    tag: new.tag,
                    age: 0,
                    instrument: new.instrument,
                    side: new.side,
                    price,
                    open: new.qty.lots(),
                    done: 0,
                    life: new.time_in_force,
                };
                self.arrive(order, new.qty_min.lots(), None);
            }
            Err(reason) => self.said.push(Report {
                session: new.session,
                user_ref: new.user_ref,
                tag: new.tag,
                instrument: new.instrument,
                kind: ReportKind::Rejected { reason },
            }),
        }
    }

    fn admit(&self, new: &NewOrder) -> Result<i64, RejectReason> {
        let Some(instrument) = self.config.instruments.get(new.instrument.index()) else {
            return Err(if new.session.raw() >= self.config.sessions_max {
                RejectReason::SessionUnknown
            } else {
                RejectReason::InstrumentUnknown
            });
        };
        let immediate = new.time_in_force == TimeInForce::ImmediateOrCancel;
        let (qty, qty_min) = (new.qty.lots(), new.qty_min.lots());
        let faults = [
            (
                new.session.raw() >= self.config.sessions_max,
                RejectReason::SessionUnknown,
            ),
            (
                new.instruction.is_some(),
                new.instruction
                    .map_or(RejectReason::QtyInvalid, RejectReason::Unsupported),
            ),
            (
                new.time_in_force == TimeInForce::GoodTillTime,
                RejectReason::TimeInForceUnsupported,
            ),
            (
                qty <= 0 || qty > instrument.qty_max.lots(),
                RejectReason::QtyInvalid,
            ),
            (qty_min < 0 || qty_min > qty, RejectReason::MinQtyInvalid),
            (qty_min > 0 && !immediate, RejectReason::MinQtyNotImmediate),
        ];
        if let Some((_, reason)) = faults.iter().find(|(fails, _)| *fails) {
            return Err(*reason);
        }
        let price = self.price_for(new.instrument, new.side, new.price)?;
        if !immediate && self.places.len() >= self.config.orders_max as usize {
            return Err(RejectReason::OrdersFull);
        }
        let new_level = !self
            .queues
            .contains_key(&(new.instrument.index(), new.side, price));
        if !immediate && new_level && self.queues.len() >= self.config.levels_max as usize {
            return Err(RejectReason::LevelsFull);
        }
        Ok(price)
    }

    fn replace(&mut self, wanted: &Replace) {
        let Some(old) = self.live(wanted.session, wanted.original) else {
            return;
        };
        if self.live(wanted.session, wanted.user_ref).is_some() {
            return;
        }
        let (price, open) = match self.new_detail(&old, wanted) {
            Ok(detail) => detail,
            Err(reason) => {
                self.take_away(&old);
                return self.say_canceled(&old, old.open, 0, reason);
            }
        };
        let mut new = old.clone();
        new.user_ref = wanted.user_ref;
        new.tag = wanted.tag;
        new.life = wanted.time_in_force;
        (new.price, new.open) = (price, open);
        let immediate = new.life == TimeInForce::ImmediateOrCancel;
        if !immediate && price == old.price && open <= old.open {
            let place = self
                .places
                .remove(&(old.session, old.user_ref))
                .expect("live");
            self.places.insert((new.session, new.user_ref), place);
            let queue = self.queues.get_mut(&place).expect("live");
            *queue
                .iter_mut()
                .find(|order| order.age == old.age)
                .expect("live") = new.clone();
            return self.say_entry(&new, Disposition::Resting, Some(old.user_ref));
        }
        let instrument = old.instrument.index();
        let alone = self.queues[&(instrument, old.side, old.price)].len() == 1;
        let levels_after = self.queues.len() - usize::from(alone);
        let has_level = self.queues.contains_key(&(instrument, old.side, price));
        if !immediate && !has_level && levels_after >= self.config.levels_max as usize {
            let kind = ReportKind::ReplaceRejected {
                original: old.user_ref,
                reason: RejectReason::LevelsFull,
            };
            return self.say(&new, kind);
        }
        self.take_away(&old);
        self.arrive(new, 0, Some(old.user_ref));
    }

    fn new_detail(&self, old: &Resting, wanted: &Replace) -> Result<(i64, i64), CancelReason> {
        let invalid = |reason| Err(CancelReason::ReplaceInvalid(reason));
        if let Some(instruction) = wanted.instruction {
            return invalid(RejectReason::Unsupported(instruction));
        }
        if wanted.time_in_force == TimeInForce::GoodTillTime {
            return invalid(RejectReason::TimeInForceUnsupported);
        }
        if wanted.qty.lots() <= 0 {
            return invalid(RejectReason::QtyInvalid);
        }
        let open = match wanted.qty_meaning {
            QtyMeaning::Open => wanted.qty.lots(),
            QtyMeaning::Total => wanted.qty.lots() - old.done,
        };
        if open <= 0 {
            return Err(CancelReason::ReplaceNothingLeft);
        }
        if open
            > self.config.instruments[old.instrument.index()]
                .qty_max
                .lots()
        {
            return invalid(RejectReason::QtyInvalid);
        }
        match self.price_for(old.instrument, old.side, wanted.price) {
            Ok(price) => Ok((price, open)),
            Err(reason) => invalid(reason),
        }
    }

    fn arrive(&mut self, order: Resting, qty_min: i64, original: Option<UserRef>) {
        let mut order = order;
        self.last_age += 1;
        order.age = self.last_age;
        let instrument = order.instrument.index();
        let allows = |price: i64| match order.side {
            Side::Buy => price <= order.price,
            Side::Sell => price >= order.price,
        };
        let reachable: i64 = self
            .depth(instrument, order.side.opposite())
            .iter()
            .filter(|(price, _, _)| allows(*price))
            .map(|(_, lots, _)| lots)
            .sum();
        let immediate = order.life == TimeInForce::ImmediateOrCancel;
        if reachable == 0 || reachable < qty_min {
            if !immediate {
                self.say_entry(&order, Disposition::Resting, original);
                return self.put(order);
            }
            self.say_entry(&order, Disposition::Dead, original);
            let reason = if qty_min > 0 {
                CancelReason::MinQty
            } else {
                CancelReason::ImmediateOrCancel
            };
            return self.say_canceled(&order, order.open, 0, reason);
        }
        self.say_entry(&order, Disposition::Taking, original);
        let mut wanted = order.open.min(reachable);
        while wanted > 0 {
            let price = self
                .best(instrument, order.side.opposite())
                .expect("reachable");
            let place = (instrument, order.side.opposite(), price);
            wanted -= self.trade(&mut order, place);
        }
        if order.open > 0 && immediate {
            self.say_canceled(&order, order.open, 0, CancelReason::ImmediateOrCancel);
        } else if order.open > 0 {
            self.put(order);
        }
    }

    /// One trade with the first of the queue; the lots traded.
    fn trade(&mut self, taker: &mut Resting, place: Place) -> i64 {
        let queue = self.queues.get_mut(&place).expect("a queue");
        let maker = queue.front_mut().expect("not empty");
        let qty = taker.open.min(maker.open);
        maker.open -= qty;
        maker.done += qty;
        taker.open -= qty;
        taker.done += qty;
        let maker = maker.clone();
        if maker.open == 0 {
            self.take_away(&maker);
        }
        self.traded_lots += i128::from(qty);
        let name = |order: &Resting| (order.session, order.user_ref, order.tag);
        self.prints.push(Printed {
            sides: [name(taker), name(&maker)],
            instrument: taker.instrument,
            qty,
            price: maker.price,
            busted: false,
        });
        let fees = self.config.instruments[place.0].fees;
        let sides = [
            (&*taker, Liquidity::Removed, fees.taker_per_lot.quanta()),
            (&maker, Liquidity::Added, fees.maker_per_lot.quanta()),
        ];
        for (order, liquidity, rate) in sides {
            let kind = ReportKind::Executed {
                qty: Qty::new(qty),
                price: Price::new(maker.price),
                match_number: self.prints.len() as u64,
                liquidity,
                fee: Money::new(rate * qty),
                leaves: Qty::new(order.open),
            };
            let order = order.clone();
            self.say(&order, kind);
        }
        qty
    }

    fn put(&mut self, order: Resting) {
        let place = (order.instrument.index(), order.side, order.price);
        self.places.insert((order.session, order.user_ref), place);
        self.queues.entry(place).or_default().push_back(order);
    }

    fn take_away(&mut self, order: &Resting) {
        let place = self
            .places
            .remove(&(order.session, order.user_ref))
            .expect("live");
        let queue = self.queues.get_mut(&place).expect("live");
        queue.retain(|other| other.age != order.age);
        if queue.is_empty() {
            self.queues.remove(&place);
        }
    }

    fn cancel(&mut self, cancel: &Cancel) {
        let Some(order) = self.live(cancel.session, cancel.user_ref) else {
            return;
        };
        let done = match cancel.qty_meaning {
            QtyMeaning::Open => 0,
            QtyMeaning::Total => order.done,
        };
        let keeps = (i128::from(cancel.qty.lots()) - i128::from(done)).max(0);
        if keeps >= i128::from(order.open) {
            return;
        }
        let keeps = keeps as i64;
        if keeps == 0 {
            self.take_away(&order);
        } else {
            let place = self.places[&(order.session, order.user_ref)];
            let queue = self.queues.get_mut(&place).expect("live");
            queue
                .iter_mut()
                .find(|other| other.age == order.age)
                .expect("live")
                .open = keeps;
        }
        self.say_canceled(&order, order.open - keeps, keeps, CancelReason::User);
    }

    fn mass_cancel(&mut self, filter: &MassCancel) {
        self.cancel_where(CancelReason::MassCancel, |order| {
            filter
                .session
                .is_none_or(|session| order.session == session)
                && filter
                    .instrument
                    .is_none_or(|instrument| order.instrument == instrument)
                && filter.side.is_none_or(|side| order.side == side)
        });
    }

    fn day_end(&mut self) {
        self.cancel_where(CancelReason::DayEnd, |order| order.life == TimeInForce::Day);
    }

    fn cancel_where(&mut self, reason: CancelReason, goes: impl Fn(&Resting) -> bool) {
        let mut leaving: Vec<Resting> = self
            .queues
            .values()
            .flatten()
            .filter(|order| goes(order))
            .cloned()
            .collect();
        leaving.sort_by_key(|order| (order.session, order.age));
        for order in leaving {
            self.take_away(&order);
            self.say_canceled(&order, order.open, 0, reason);
        }
    }

    fn bust(&mut self, match_number: u64) {
        let newest = self.prints.len() as u64;
        let forgotten = newest.saturating_sub(self.config.trades_max.into());
        if match_number <= forgotten || match_number > newest {
            return;
        }
        let print = &mut self.prints[match_number as usize - 1];
        if print.busted {
            return;
        }
        print.busted = true;
        for (session, user_ref, tag) in print.sides {
            self.said.push(Report {
                session,
                user_ref,
                tag,
                instrument: print.instrument,
                kind: ReportKind::BrokenTrade {
                    match_number,
                    qty: Qty::new(print.qty),
                    price: Price::new(print.price),
                },
            });
        }
    }

    fn say_entry(&mut self, order: &Resting, disposition: Disposition, original: Option<UserRef>) {
        let (order_ref, open) = (order.age, Qty::new(order.open));
        let price = Price::new(order.price);
        let kind = match original {
            None => ReportKind::Accepted {
                order_ref,
                qty: open,
                price,
                disposition,
            },
            Some(original) => ReportKind::Replaced {
                original,
                order_ref,
                open,
                price,
                disposition,
            },
        };
        self.say(order, kind);
    }

    fn say_canceled(&mut self, order: &Resting, qty: i64, leaves: i64, reason: CancelReason) {
        self.canceled_lots += i128::from(qty);
        let (qty, leaves) = (Qty::new(qty), Qty::new(leaves));
        self.say(
            order,
            ReportKind::Canceled {
                qty,
                leaves,
                reason,
            },
        );
    }

    fn say(&mut self, order: &Resting, kind: ReportKind) {
        self.said.push(Report {
            session: order.session,
            user_ref: order.user_ref,
            tag: order.tag,
            instrument: order.instrument,
            kind,
        });
    }
}

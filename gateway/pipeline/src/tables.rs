//! Who may log on and what their symbols mean: looked up at logon or by table, never allocated.
//!
//! Built at start, read by ingress and egress. Invariant: a name that is not in a table is a
//! refusal, never an insert.

use portcullis_domain::{AccountId, Duration, InstrumentId, SessionId};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::InstrumentScale;

/// What a session may do.
#[derive(Clone, Debug)]
pub struct SessionProfile {
    /// The session.
    pub session: SessionId,
    /// The account of orders that name no firm; [`AccountId::NONE`] where each must name one.
    pub default_account: AccountId,
    /// Firm codes it may name, and their accounts.
    pub firms: Vec<(Alpha<4>, AccountId)>,
    /// Whether it may send market orders.
    pub market_orders: bool,
    /// How long its client may be silent, unless its login says another time.
    pub silence_max: Duration,
}

impl SessionProfile {
    /// The account a firm code stands for; [`AccountId::NONE`] for one it may not name.
    #[must_use]
    #[inline]
    pub fn account(&self, firm: Option<Alpha<4>>) -> AccountId {
        match firm.filter(|firm| !firm.is_blank()) {
            None => self.default_account,
            Some(firm) => self
                .firms
                .iter()
                .find(|(code, _)| *code == firm)
                .map_or(AccountId::NONE, |(_, account)| *account),
        }
    }
}

/// An instrument on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// Its name.
    pub name: Alpha<8>,
    /// Which it is.
    pub instrument: InstrumentId,
    /// Its ticks and lots in the wire's units.
    pub scale: InstrumentScale,
}

/// Symbols by name: open addressing, at most half full.
#[derive(Clone, Debug)]
pub struct SymbolTable {
    slots: Box<[Option<Symbol>]>,
    by_instrument: Box<[Symbol]>,
}

impl SymbolTable {
    /// The table of `symbols`, whose instruments are 0, 1, 2 and so on.
    ///
    /// # Panics
    /// If the instruments are not dense, or a name stands twice: the config is checked before.
    #[must_use]
    pub fn new(symbols: &[Symbol]) -> Self {
        let mut slots = vec![None; (symbols.len() * 2).next_power_of_two().max(2)];
        for (index, symbol) in symbols.iter().enumerate() {
            assert_eq!(symbol.instrument.index(), index, "instruments are dense");
            let mut slot = home(symbol.name, slots.len());
            while let Some(taken) = slots[slot] {
                let taken: Symbol = taken;
                assert!(taken.name != symbol.name, "a symbol stands twice");
                slot = (slot + 1) % slots.len();
            }
            slots[slot] = Some(*symbol);
        }
        Self {
            slots: slots.into_boxed_slice(),
            by_instrument: symbols.into(),
        }
    }

    /// The symbol of this name.
    #[must_use]
    #[inline]
    pub fn find(&self, name: Alpha<8>) -> Option<&Symbol> {
        let mut slot = home(name, self.slots.len());
        while let Some(symbol) = &self.slots[slot] {
            if symbol.name == name {
                return Some(symbol);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        None
    }

    /// The symbol of an instrument.
    #[must_use]
    pub fn of(&self, instrument: InstrumentId) -> Option<&Symbol> {
        self.by_instrument.get(instrument.index())
    }

    /// All symbols, by instrument.
    #[must_use]
    pub fn all(&self) -> &[Symbol] {
        &self.by_instrument
    }
}

fn home(name: Alpha<8>, slots: usize) -> usize {
    let word = u64::from_le_bytes(*name.bytes());
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (slots - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{Price, Qty};
    use portcullis_wire::ouch50::OUCH50;
    use std::num::{NonZeroU32, NonZeroU64};

    #[test]
    fn each_symbol_is_found_and_no_other() {
        let scale = OUCH50
            .fits(
                NonZeroU64::MIN,
                NonZeroU32::MIN,
                Price::new(1),
                Price::new(9),
                Qty::new(9),
            )
            .expect("fits");
        let name = |n: u32| Alpha::new(format!("S{n}").as_bytes()).expect("short");
        let symbols: Vec<_> = (0..100)
            .map(|n| Symbol {
                name: name(n),
                instrument: InstrumentId::new(n),
                scale,
            })
            .collect();
        let table = SymbolTable::new(&symbols);
        for n in 0..200 {
            let found = table.find(name(n)).map(|symbol| symbol.instrument);
            assert_eq!(found, (n < 100).then_some(InstrumentId::new(n)));
        }
    }
}

//! What a client was told, and what must be so of it.
//!
//! Owned by its client: the auditor on the outside. Invariants: it knows nothing of the gateway but
//! bytes; each message has the next number, or is the one it was when it came first; each order is
//! answered once, and never executed beyond what was asked.

use super::script::{NUMBERS, Numbered};
use crate::random::Prng;
use crate::violation::{Rule, Violation};
use portcullis_wire::ouch50::Outbound;
use std::collections::BTreeMap;

/// Where a version of an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// No answer yet.
    Asked,
    /// The engine has it.
    Confirmed,
    /// Refused, or passed over by a later one.
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    number: u32,
    /// Lots in all, executed ones included.
    lots: u32,
    standing: Standing,
}

/// An order and its versions, oldest first.
#[derive(Clone, Debug)]
struct Chain {
    versions: Vec<Version>,
    executed: u32,
    over: bool,
}

impl Chain {
    fn version(&mut self, number: u32) -> &mut Version {
        let mut versions = self.versions.iter_mut();
        let found = versions.find(|version| version.number == number);
        found.expect("the index names versions of this chain")
    }

    /// The version that the engine holds.
    fn confirmed(&self) -> Option<Version> {
        let mut versions = self.versions.iter().rev();
        versions
            .find(|version| version.standing == Standing::Confirmed)
            .copied()
    }

    /// Versions whose answer is still due: of a replace none once the order is over, and none behind
    /// one that was refused since the last that the engine confirmed: it then does not answer.
    fn due(&self) -> impl Iterator<Item = u32> {
        let first = self.versions[0];
        let confirmed = self
            .versions
            .iter()
            .rposition(|version| version.standing == Standing::Confirmed);
        let behind = confirmed.map_or(&[][..], |place| &self.versions[place + 1..]);
        let behind = behind
            .iter()
            .take_while(|version| version.standing != Standing::Gone && !self.over);
        core::iter::once(first)
            .chain(behind.copied())
            .filter(|version| version.standing == Standing::Asked)
            .map(|version| version.number)
    }
}

/// The story so far.
pub(crate) struct Story {
    client: u32,
    /// Sequenced messages, the first of the session first.
    told: Vec<Vec<u8>>,
    chains: Vec<Chain>,
    /// The chain of each version.
    by_number: BTreeMap<u32, usize>,
    /// Lots executed in all.
    pub(crate) executed: i64,
}

impl Story {
    pub(super) const fn new(client: u32) -> Self {
        Self {
            client,
            told: Vec::new(),
            chains: Vec::new(),
            by_number: BTreeMap::new(),
            executed: 0,
        }
    }

    /// Messages told so far.
    pub(crate) fn told(&self) -> &[Vec<u8>] {
        &self.told
    }

    /// Orders asked for so far.
    pub(crate) fn orders(&self) -> usize {
        self.chains.len()
    }

    /// Notes what the client asks for.
    pub(super) fn asked(&mut self, numbered: Numbered) {
        match numbered {
            Numbered::Order { number, lots } => {
                self.by_number.insert(number, self.chains.len());
                self.chains.push(Chain {
                    versions: vec![asked(number, lots)],
                    executed: 0,
                    over: false,
                });
            }
            Numbered::Replace {
                original,
                number,
                lots,
            } => {
                let chain = self.by_number[&original];
                self.by_number.insert(number, chain);
                self.chains[chain].versions.push(asked(number, lots));
            }
        }
    }

    /// Takes the message with a number; says whether it is new.
    pub(super) fn heard(&mut self, number: u64, message: &[u8]) -> Result<Option<u32>, Violation> {
        let place = number as usize;
        if place <= self.told.len() {
            return self.heard_again(place, message).map(|()| None);
        }
        if place != self.told.len() + 1 {
            let why = format!("message {number} after {}", self.told.len());
            return Err(self.violation(Rule::StreamNumber, &why));
        }
        self.told.push(message.to_vec());
        let outbound = Outbound::parse(message)
            .map_err(|why| self.violation(Rule::StreamForeign, &format!("{why:?}")))?;
        self.understand(&outbound)
    }

    fn heard_again(&self, place: usize, message: &[u8]) -> Result<(), Violation> {
        let before = &self.told[place - 1];
        if before == message {
            return Ok(());
        }
        let why = format!("message {place} was {before:?} and came again as {message:?}");
        Err(self.violation(Rule::StreamChanged, &why))
    }

    /// The number that the message answers, if it answers one.
    fn understand(&mut self, message: &Outbound<'_>) -> Result<Option<u32>, Violation> {
        match message {
            Outbound::OrderAccepted(view) => {
                let number = view.user_ref_num().get();
                self.answer(number, Standing::Confirmed, message)
            }
            Outbound::Rejected(view) => self.answer(view.user_ref_num(), Standing::Gone, message),
            Outbound::OrderReplaced(view) => {
                let original = view.orig_user_ref_num().get();
                self.replaced(original, view.user_ref_num().get(), message)
            }
            Outbound::OrderExecuted(view) => {
                self.executed(view.user_ref_num().get(), view.quantity(), message)?;
                Ok(None)
            }
            Outbound::OrderCanceled(view) => {
                self.canceled(view.user_ref_num().get(), message)?;
                Ok(None)
            }
            Outbound::MassCancelResponse(_)
            | Outbound::DisableOrderEntryResponse(_)
            | Outbound::EnableOrderEntryResponse(_)
            | Outbound::AccountQueryResponse(_)
            | Outbound::CancelReject(_)
            | Outbound::CancelPending(_) => Ok(None),
            Outbound::SystemEvent(_)
            | Outbound::AiqCanceled(_)
            | Outbound::BrokenTrade(_)
            | Outbound::PriorityUpdate(_)
            | Outbound::OrderModified(_)
            | Outbound::OrderRestated(_) => {
                Err(self.violation(Rule::StreamForeign, &format!("{message:?}")))
            }
        }
    }

    fn chain(&mut self, number: u32, message: &Outbound<'_>) -> Result<&mut Chain, Violation> {
        let Some(place) = self.by_number.get(&number).copied() else {
            let why = format!(
                "{number} is none of this client's numbers, which lie from {}: {message:?}",
                self.client * NUMBERS
            );
            return Err(self.violation(Rule::StreamForeign, &why));
        };
        Ok(&mut self.chains[place])
    }

    fn answer(
        &mut self,
        number: u32,
        standing: Standing,
        message: &Outbound<'_>,
    ) -> Result<Option<u32>, Violation> {
        let chain = self.chain(number, message)?;
        let first = chain.versions[0].number == number;
        let version = chain.version(number);
        if version.standing != Standing::Asked || (standing == Standing::Confirmed && !first) {
            let why = format!("{version:?} is answered by {message:?}");
            return Err(self.violation(Rule::AnswerTwice, &why));
        }
        version.standing = standing;
        chain.over |= first && standing == Standing::Gone;
        Ok(Some(number))
    }

    fn replaced(
        &mut self,
        original: u32,
        new: u32,
        message: &Outbound<'_>,
    ) -> Result<Option<u32>, Violation> {
        let of_original = self.by_number.get(&original).copied();
        let of_new = self.by_number.get(&new).copied();
        let chain = self.chain(new, message)?;
        let standing = chain.version(new).standing;
        if of_original != of_new || chain.over || standing != Standing::Asked {
            let why = format!("{chain:?} is answered by {message:?}");
            return Err(self.violation(Rule::AnswerTwice, &why));
        }
        let before = chain
            .versions
            .iter_mut()
            .take_while(|version| version.number != new);
        for version in before {
            version.standing = Standing::Gone;
        }
        chain.version(new).standing = Standing::Confirmed;
        Ok(Some(new))
    }

    fn executed(
        &mut self,
        number: u32,
        lots: u32,
        message: &Outbound<'_>,
    ) -> Result<(), Violation> {
        let chain = self.chain(number, message)?;
        let most = chain.confirmed().map_or(0, |version| version.lots);
        chain.executed += lots;
        if chain.over || chain.executed > most {
            let why = format!("{chain:?} is told {message:?}");
            return Err(self.violation(Rule::Overfilled, &why));
        }
        chain.over = chain.executed == most;
        self.executed += i64::from(lots);
        Ok(())
    }

    fn canceled(&mut self, number: u32, message: &Outbound<'_>) -> Result<(), Violation> {
        let chain = self.chain(number, message)?;
        if chain.over || chain.version(number).standing != Standing::Confirmed {
            let why = format!("{chain:?} is told {message:?}");
            return Err(self.violation(Rule::AnswerTwice, &why));
        }
        chain.over = true;
        Ok(())
    }

    /// A number that was never answered though nothing excuses it.
    pub(crate) fn unanswered(&self) -> Option<u32> {
        self.chains.iter().find_map(|chain| chain.due().next())
    }

    /// Whether an answer to a number may still come.
    pub(super) fn may_be_answered(&self, number: u32) -> bool {
        let chain = &self.chains[self.by_number[&number]];
        let asked =
            |version: &Version| version.number == number && version.standing == Standing::Asked;
        asked(&chain.versions[0]) || !chain.over && chain.versions.iter().any(asked)
    }

    /// The number and the lots in all of some order that the engine has.
    pub(super) fn some_open(&self, prng: &mut Prng) -> Option<(u32, u32)> {
        let open = self.chains.iter().filter(|chain| !chain.over);
        let open: Vec<Version> = open.filter_map(Chain::confirmed).collect();
        if open.is_empty() {
            return None;
        }
        let version = open[prng.below(open.len())];
        Some((version.number, version.lots))
    }

    /// Any number ever used.
    pub(super) fn some_version(&self, prng: &mut Prng) -> Option<u32> {
        if self.by_number.is_empty() {
            return None;
        }
        let place = prng.below(self.by_number.len());
        self.by_number.keys().nth(place).copied()
    }

    fn violation(&self, rule: Rule, why: &str) -> Violation {
        Violation::new(rule, format!("client {}: {why}", self.client))
    }
}

const fn asked(number: u32, lots: u32) -> Version {
    Version {
        number,
        lots,
        standing: Standing::Asked,
    }
}

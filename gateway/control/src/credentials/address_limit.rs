//! How often an address may fail to log on.
//!
//! Owned by the credential thread. Invariants: a fixed table, so that no flood of addresses makes
//! it grow; what is pushed out of it is the oldest of a few, never the whole. IPv6 addresses count
//! by their /64, which is what one customer commonly has.

use portcullis_domain::{Duration, Timestamp};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

/// Sets in the table.
const SETS: usize = 1_024;
/// Addresses in a set.
const WAYS: usize = 8;

/// What an address is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitedTo {
    /// Failures in a window.
    pub failures_max: u32,
    /// The window, which begins with the first failure.
    pub window: Duration,
}

#[derive(Clone, Copy)]
struct Entry {
    network: u128,
    since: Timestamp,
    failures: u32,
}

const EMPTY: Entry = Entry {
    network: 0,
    since: Timestamp::ZERO,
    failures: 0,
};

/// Failures by address.
pub struct AddressLimit {
    limited_to: LimitedTo,
    entries: Box<[[Entry; WAYS]]>,
    /// Which set an address is in: nobody may pick addresses that push each other out.
    keyed: RandomState,
}

impl AddressLimit {
    /// An empty table.
    #[must_use]
    pub fn new(limited_to: LimitedTo) -> Self {
        Self {
            limited_to,
            entries: vec![[EMPTY; WAYS]; SETS].into_boxed_slice(),
            keyed: RandomState::new(),
        }
    }

    /// Whether the address may try once more.
    #[must_use]
    pub fn allows(&self, address: IpAddr, now: Timestamp) -> bool {
        let network = network(address);
        let set = &self.entries[self.set_of(network)];
        set.iter()
            .find(|entry| entry.failures > 0 && entry.network == network)
            .is_none_or(|entry| {
                self.is_over(entry, now) || entry.failures < self.limited_to.failures_max
            })
    }

    /// Counts a failure of the address.
    pub fn failed(&mut self, address: IpAddr, now: Timestamp) {
        let network = network(address);
        let index = self.set_of(network);
        let known = self.entries[index]
            .iter()
            .position(|entry| entry.failures > 0 && entry.network == network);
        let way = known.unwrap_or_else(|| {
            let ages = self.entries[index].iter().enumerate();
            ages.min_by_key(|(_, entry)| (entry.failures > 0, entry.since))
                .map_or(0, |(way, _)| way)
        });
        let entry = self.entries[index][way];
        self.entries[index][way] = if known.is_none() || self.is_over(&entry, now) {
            Entry {
                network,
                since: now,
                failures: 1,
            }
        } else {
            Entry {
                failures: entry.failures.saturating_add(1),
                ..entry
            }
        };
    }

    fn set_of(&self, network: u128) -> usize {
        self.keyed.hash_one(network) as usize % SETS
    }

    fn is_over(&self, entry: &Entry, now: Timestamp) -> bool {
        now.since(entry.since) >= self.limited_to.window
    }
}

/// What an address counts by: itself, or its /64, never the same for both families.
fn network(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_ipv6_mapped().to_bits(),
            None => v6.to_bits() >> 64 << 64,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    const LIMIT: LimitedTo = LimitedTo {
        failures_max: 3,
        window: Duration::from_ns(100),
    };

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_limit_is_exact_and_ends_with_its_window() {
        let mut limit = AddressLimit::new(LIMIT);
        let here = address("192.0.2.1");
        for at in [10, 20, 30] {
            assert!(limit.allows(here, Timestamp::from_ns(at)));
            limit.failed(here, Timestamp::from_ns(at));
        }
        assert!(!limit.allows(here, Timestamp::from_ns(109)));
        assert!(limit.allows(here, Timestamp::from_ns(110)));
        assert!(limit.allows(address("192.0.2.2"), Timestamp::from_ns(31)));
        limit.failed(here, Timestamp::from_ns(110));
        assert!(limit.allows(here, Timestamp::from_ns(111)));
    }

    #[test]
    fn addresses_of_one_customer_count_together() {
        let mut limit = AddressLimit::new(LIMIT);
        let now = Timestamp::from_ns(1);
        for text in ["2001:db8::1", "2001:db8::2", "2001:db8::3:4"] {
            limit.failed(address(text), now);
        }
        assert!(!limit.allows(address("2001:db8::5"), now));
        assert!(limit.allows(address("2001:db8:0:1::5"), now));
        for _ in 0..3 {
            limit.failed(address("::ffff:192.0.2.9"), now);
        }
        assert!(!limit.allows(address("192.0.2.9"), now));
    }

    /// Networks whose hash under keys of 0, which all can work out, puts them into one set: one more than it has
    /// room for, each failing in its turn, would push the next one's count out.
    #[test]
    fn networks_picked_to_push_each_other_out_are_all_counted() {
        let set_of = |network: u128| {
            let mut known = DefaultHasher::new();
            network.hash(&mut known);
            known.finish() as usize % SETS
        };
        let networks = (0_u128..).map(|of| 0x2001_0DB8 << 96 | of << 64);
        let one_set = networks.filter(|network| set_of(*network) == 0);
        let picked: Vec<IpAddr> = one_set
            .take(WAYS + 1)
            .map(|network| IpAddr::V6(network.into()))
            .collect();
        let mut limit = AddressLimit::new(LIMIT);
        let mut guesses = 0;
        for at in 0..20 {
            let now = Timestamp::from_ns(at);
            for address in &picked {
                if limit.allows(*address, now) {
                    guesses += 1;
                    limit.failed(*address, now);
                }
            }
        }
        assert_eq!(guesses, LIMIT.failures_max as usize * picked.len());
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_table() {
        let mut limit = AddressLimit::new(LIMIT);
        let size = limit.entries.len();
        for host in 0..100_000_u32 {
            limit.failed(IpAddr::V4(host.into()), Timestamp::from_ns(u64::from(host)));
        }
        assert_eq!(limit.entries.len(), size);
    }
}

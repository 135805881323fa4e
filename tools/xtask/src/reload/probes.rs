//! Probes: orders that pass under neither config, and fail another check under each.
//!
//! A table judged whole fails exactly the one check named for it. A table mixed of both, account
//! cells of one and firm or instrument cells of the other, would accept the probe or fail both.
//! Invariant: nothing that is judged here depends on other orders: no probe ever rests, and nobody
//! else trades its instrument or firm.

use super::config::Which;

/// Lots of a probe.
pub(super) const QTY: u32 = 50;

/// Ticks of every instrument's reference price, which never moves: 100.00.
pub(super) const REFERENCE_TICKS: i64 = 10_000;

/// One kind of probe, with an account of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    /// Its account's name.
    pub(super) account: &'static str,
    /// The OUCH firm code by which sessions name the account.
    pub(super) code: &'static str,
    /// Its account's firm.
    pub(super) firm: &'static str,
    /// What it wants to buy.
    pub(super) symbol: &'static str,
    /// Its limit.
    pub(super) price_ticks: i64,
    /// Its account's cash in whole units of the settlement asset.
    pub(super) cash: i64,
    /// Its account's `qty_max` under A and B.
    pub(super) qty_max: [i64; 2],
    /// Its account's `notional_max` under A and B, in whole units.
    pub(super) notional_max: [i64; 2],
    /// The check that it fails under A and B.
    pub(super) fails: [&'static str; 2],
}

const TIGHT_QTY: i64 = 10;
const LOOSE_QTY: i64 = 1_000;
const TIGHT_NOTIONAL: i64 = 600;
const LOOSE_NOTIONAL: i64 = 100_000_000;

/// The usual probe: the account's quantity is tight under A; what is tight under B stands elsewhere.
const USUAL: Probe = Probe {
    account: "",
    code: "",
    firm: "probes",
    symbol: "PLAIN",
    price_ticks: REFERENCE_TICKS,
    cash: 1_000_000,
    qty_max: [TIGHT_QTY, LOOSE_QTY],
    notional_max: [LOOSE_NOTIONAL, LOOSE_NOTIONAL],
    fails: ["QTY_MAX", ""],
};

/// Every kind.
pub(super) const PROBES: [Probe; 7] = [
    Probe {
        account: "probe-notional",
        code: "P001",
        notional_max: [LOOSE_NOTIONAL, TIGHT_NOTIONAL],
        fails: ["QTY_MAX", "NOTIONAL_MAX"],
        ..USUAL
    },
    Probe {
        account: "probe-quantity",
        code: "P002",
        qty_max: [LOOSE_QTY, TIGHT_QTY],
        notional_max: [TIGHT_NOTIONAL, LOOSE_NOTIONAL],
        fails: ["NOTIONAL_MAX", "QTY_MAX"],
        ..USUAL
    },
    Probe {
        account: "probe-firm-notional",
        code: "P003",
        firm: "firm-notional",
        fails: ["QTY_MAX", "NOTIONAL_MAX"],
        ..USUAL
    },
    Probe {
        account: "probe-firm-orders",
        code: "P004",
        firm: "firm-orders",
        fails: ["QTY_MAX", "FIRM_OPEN_ORDERS_MAX"],
        ..USUAL
    },
    Probe {
        account: "probe-collar",
        code: "P005",
        symbol: "COLLAR",
        price_ticks: REFERENCE_TICKS + REFERENCE_TICKS / 5,
        fails: ["QTY_MAX", "COLLAR"],
        ..USUAL
    },
    Probe {
        account: "probe-oi-cap",
        code: "P006",
        symbol: "OICAP",
        fails: ["QTY_MAX", "OI_CAP"],
        ..USUAL
    },
    Probe {
        account: "probe-margin",
        code: "P007",
        symbol: "MARGIN",
        cash: 1_000,
        fails: ["QTY_MAX", "MARGIN"],
        ..USUAL
    },
];

impl Probe {
    /// The check that it fails under a config.
    pub(super) const fn fails_under(&self, which: Which) -> &'static str {
        self.fails[which.index()]
    }
}

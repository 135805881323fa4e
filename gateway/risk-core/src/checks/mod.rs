//! The checks on an order, each in a file of its own, and the registry that lists them once.
//!
//! Risk thread. From the registry follow mask bit, reject code, precedence, wire reasons, docs and
//! property tests; adding a check is one file here and a line in `registry!`, two of one that is judged. Invariants: numbers
//! are given once, ascend in the order of precedence of RULES, and stay below 64; every check of a
//! list is evaluated, without an early exit; a check reads its view and changes nothing.

use crate::effect::Explanation;
use crate::gcra::Judged;
use crate::glance::Glance;
use crate::view::{Form, View};
use portcullis_domain::{CheckMask, RejectCode, Side};

/// What kind of harm a check keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Band {
    /// The message itself.
    Form,
    /// The path to the engine, and the gateway's own bounds.
    Venue,
    /// Trading states, permissions, lists.
    State,
    /// Orders in time.
    Rate,
    /// One order's size, and how many there are.
    Size,
    /// One order's price.
    Price,
    /// What all orders together could come to.
    Exposure,
    /// What they could cost.
    Margin,
    /// Volume in time.
    Flow,
    /// The quality of the prices all this depends on.
    PriceQuality,
}

/// What the registry says of a check.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Its number: mask bit, reject code and precedence. Given once.
    pub number: u8,
    /// Its name, as vectors, metrics and answers write it.
    pub name: &'static str,
    /// What kind of harm it keeps out.
    pub band: Band,
    /// Whether it is evaluated for an order that provably reduces.
    pub judges_reducing: bool,
    /// Scope and name of the limits it reads.
    pub fields: &'static [(&'static str, &'static str)],
    /// Reason of an OUCH 5.0 Rejected message.
    pub ouch_reason: u16,
    /// FIX OrdRejReason (103).
    pub fix_reason: u16,
    /// When it fails, in one line.
    pub summary: &'static str,
}

impl Descriptor {
    /// Its reject code.
    #[must_use]
    pub const fn code(&self) -> RejectCode {
        RejectCode::new(self.number)
    }
}

/// A check of the message's form: those that fail are answered alone.
pub(crate) trait FormCheck {
    const DESCRIPTOR: Descriptor;
    fn fails(form: &Form) -> bool;
    fn explain(form: &Form) -> Explanation;
}

/// A check of an order in its circumstances.
pub(crate) trait Check {
    const DESCRIPTOR: Descriptor;
    /// Whether `is_clear` reads the firm, and so must be asked of a clearing member too where that is another.
    const READS_FIRM: bool = false;
    fn fails(view: &View<'_>) -> bool;
    /// Whether it is plain that the check passes. Where it says so, `fails` says `false` of the same
    /// order; where it does not, nothing is known yet.
    fn is_clear(glance: &Glance<'_>) -> bool;
    fn explain(view: &View<'_>) -> Explanation;
}

macro_rules! registry {
    (form { $($form_module:ident :: $form:ident,)+ } judged { $($module:ident :: $check:ident,)+ }
     at_a_glance { $($glanced_module:ident :: $glanced:ident,)+ }) => {
        $(mod $form_module;)+
        $(pub(crate) mod $module;)+

        /// Every check, in order of precedence.
        pub const REGISTRY: &[Descriptor] = &[
            $(<$form_module::$form as FormCheck>::DESCRIPTOR,)+
            $(<$module::$check as Check>::DESCRIPTOR,)+
        ];

        /// How many are checks of form.
        const fn form_len() -> usize {
            [$(<$form_module::$form as FormCheck>::DESCRIPTOR.number,)+].len()
        }

        /// The form checks, in order of precedence.
        pub(crate) fn form() -> impl Iterator<Item = &'static Descriptor> {
            REGISTRY[..form_len()].iter()
        }

        /// All others.
        pub(crate) fn judged() -> impl Iterator<Item = &'static Descriptor> {
            REGISTRY[form_len()..].iter()
        }

        /// The form checks that fail.
        pub(crate) fn evaluate_form(form: &Form) -> CheckMask {
            CheckMask::EMPTY$(.with(
                <$form_module::$form as FormCheck>::DESCRIPTOR.code(),
                $form_module::$form::fails(form),
            ))+
        }

        /// Whether any form check fails: each is evaluated, which of them does is not kept.
        #[inline(always)]
        pub(crate) fn form_fails(form: &Form) -> bool {
            false $(| $form_module::$form::fails(form))+
        }

        /// Those that are looked at for a glance.
        const AT_A_GLANCE: &[Descriptor] = &[$(<$glanced_module::$glanced as Check>::DESCRIPTOR,)+];

        /// Whether it is plain that each check passes that judges the order. The first that is not clear
        /// ends it: of orders that come here nearly all are clear of every check, so each branch is
        /// foretold, and what is not clear is evaluated whole elsewhere.
        #[inline(always)]
        pub(crate) fn all_clear(glance: &Glance<'_>, reducing: bool) -> bool {
            $((!<$glanced_module::$glanced as Check>::DESCRIPTOR.judges_reducing
                || $glanced_module::$glanced::is_clear(glance)) &&)+
            (reducing || ($((<$glanced_module::$glanced as Check>::DESCRIPTOR.judges_reducing
                || $glanced_module::$glanced::is_clear(glance)) &&)+ true))
        }

        /// The same of a clearing member, which `glance` has as its firm, by the checks that read one. What a
        /// single order may be is bounded by the member's limits in the firm's own.
        #[inline(always)]
        pub(crate) fn clear_of_member(glance: &Glance<'_>, reducing: bool) -> bool {
            $((!<$module::$check as Check>::READS_FIRM
                || reducing && !<$module::$check as Check>::DESCRIPTOR.judges_reducing
                || $module::$check::is_clear(glance)) &&)+ true
        }

        /// Which of all others fail.
        pub(crate) fn evaluate(view: &View<'_>) -> CheckMask {
            CheckMask::EMPTY$(.with(
                <$module::$check as Check>::DESCRIPTOR.code(),
                $module::$check::fails(view),
            ))+
        }

        /// The numbers behind a failing form check.
        #[cold]
        pub(crate) fn explain_form(code: RejectCode, form: &Form) -> Explanation {
            $(if code == <$form_module::$form as FormCheck>::DESCRIPTOR.code() {
                return $form_module::$form::explain(form);
            })+
            Explanation::default()
        }

        /// The numbers behind any other failing check.
        #[cold]
        pub(crate) fn explain(code: RejectCode, view: &View<'_>) -> Explanation {
            $(if code == <$module::$check as Check>::DESCRIPTOR.code() {
                return $module::$check::explain(view);
            })+
            Explanation::default()
        }
    };
}

registry! {
    form {
        account_unknown::AccountUnknown,
        instrument_unknown::InstrumentUnknown,
        quantity_invalid::QuantityInvalid,
        price_invalid::PriceInvalid,
        tick_invalid::TickInvalid,
        lot_invalid::LotInvalid,
        order_type_unsupported::OrderTypeUnsupported,
        time_in_force_unsupported::TimeInForceUnsupported,
        message_unsupported::MessageUnsupported,
        order_type_not_permitted::OrderTypeNotPermitted,
        overloaded::Overloaded,
    }
    judged {
        journal_down::JournalDown,
        venue_down::VenueDown,
        orders_full::OrdersFull,
        positions_full::PositionsFull,
        replace_pending::ReplacePending,
        state_halted::StateHalted,
        state_reduce_only::StateReduceOnly,
        not_permitted::NotPermitted,
        restricted::Restricted,
        session_rate::SessionRate,
        rate::Rate,
        firm_rate::FirmRate,
        repeated::Repeated,
        qty_max::QtyMax,
        notional_max::NotionalMax,
        open_orders_max::OpenOrdersMax,
        firm_open_orders_max::FirmOpenOrdersMax,
        reference_missing::ReferenceMissing,
        reference_stale::ReferenceStale,
        collar::Collar,
        position_max::PositionMax,
        open_notional_max::OpenNotionalMax,
        firm_open_notional_max::FirmOpenNotionalMax,
        loss_max::LossMax,
        oi_cap::OiCap,
        oi_share::OiShare,
        margin::Margin,
        account_volume::AccountVolume,
        volume_spike::VolumeSpike,
    }
    // All that are judged, in an order that decides nothing: by the row that they read, so that few rows are in hand
    // at a time, and first what waits for no row of the account.
    at_a_glance {
        positions_full::PositionsFull,
        replace_pending::ReplacePending,
        reference_missing::ReferenceMissing,
        loss_max::LossMax,
        margin::Margin,
        session_rate::SessionRate,
        venue_down::VenueDown,
        journal_down::JournalDown,
        state_halted::StateHalted,
        state_reduce_only::StateReduceOnly,
        collar::Collar,
        orders_full::OrdersFull,
        firm_rate::FirmRate,
        rate::Rate,
        qty_max::QtyMax,
        reference_stale::ReferenceStale,
        oi_cap::OiCap,
        oi_share::OiShare,
        volume_spike::VolumeSpike,
        restricted::Restricted,
        firm_open_orders_max::FirmOpenOrdersMax,
        firm_open_notional_max::FirmOpenNotionalMax,
        notional_max::NotionalMax,
        not_permitted::NotPermitted,
        repeated::Repeated,
        account_volume::AccountVolume,
        position_max::PositionMax,
        open_orders_max::OpenOrdersMax,
        open_notional_max::OpenNotionalMax,
    }
}

const _: () = {
    assert!(
        mask_of(AT_A_GLANCE).bits() == mask_of(REGISTRY.split_at(form_len()).1).bits(),
        "a glance looks at each check that is judged"
    );
};

const _: () = {
    let mut index = 1;
    while index < REGISTRY.len() {
        assert!(
            REGISTRY[index - 1].number < REGISTRY[index].number,
            "numbers ascend"
        );
        index += 1;
    }
};

/// Checks that are not evaluated for a reducing order.
pub(crate) const NOT_OF_REDUCING: CheckMask = {
    let mut mask = CheckMask::EMPTY;
    let mut index = 0;
    while index < REGISTRY.len() {
        mask = mask.with(REGISTRY[index].code(), !REGISTRY[index].judges_reducing);
        index += 1;
    }
    mask
};

/// The bits of these checks.
const fn mask_of(checks: &[Descriptor]) -> CheckMask {
    let mut mask = CheckMask::EMPTY;
    let mut index = 0;
    while index < checks.len() {
        mask = mask.with(checks[index].code(), true);
        index += 1;
    }
    mask
}

/// The breaker alone: an order that fails nothing else trips it.
pub(crate) const SPIKE_ALONE: CheckMask = <volume_spike::VolumeSpike as Check>::DESCRIPTOR
    .code()
    .mask();

/// Codes that ingress may stamp on a record.
pub mod early {
    use super::{
        FormCheck, lot_invalid, message_unsupported, order_type_not_permitted,
        order_type_unsupported, overloaded, tick_invalid, time_in_force_unsupported,
    };
    use portcullis_domain::RejectCode;

    /// The price is not a whole number of ticks.
    pub const TICK_INVALID: RejectCode = tick_invalid::TickInvalid::DESCRIPTOR.code();
    /// The quantity is not a whole number of lots.
    pub const LOT_INVALID: RejectCode = lot_invalid::LotInvalid::DESCRIPTOR.code();
    /// The rules cannot price this order type.
    pub const ORDER_TYPE_UNSUPPORTED: RejectCode =
        order_type_unsupported::OrderTypeUnsupported::DESCRIPTOR.code();
    /// The time in force is not supported.
    pub const TIME_IN_FORCE_UNSUPPORTED: RejectCode =
        time_in_force_unsupported::TimeInForceUnsupported::DESCRIPTOR.code();
    /// The message asks for what the gateway does not do.
    pub const MESSAGE_UNSUPPORTED: RejectCode =
        message_unsupported::MessageUnsupported::DESCRIPTOR.code();
    /// The session may not send this order type.
    pub const ORDER_TYPE_NOT_PERMITTED: RejectCode =
        order_type_not_permitted::OrderTypeNotPermitted::DESCRIPTOR.code();
    /// The gateway is overloaded.
    pub const OVERLOADED: RejectCode = overloaded::Overloaded::DESCRIPTOR.code();
}

/// What the registry says of a code, if it is one of a check.
#[must_use]
pub fn descriptor(code: RejectCode) -> Option<&'static Descriptor> {
    REGISTRY
        .iter()
        .find(|descriptor| descriptor.number == code.raw())
}

/// The name of a code; `UNNAMED` for a number that no check has.
#[must_use]
pub fn name(code: RejectCode) -> &'static str {
    descriptor(code).map_or("UNNAMED", |descriptor| descriptor.name)
}

/// Lots by which an order of this side would still reduce.
fn reducible(view: &View<'_>) -> i128 {
    let against = match view.side {
        Side::Buy => -i128::from(view.net),
        Side::Sell => i128::from(view.net),
    };
    (against - i128::from(view.on_hold)).max(0)
}

/// Quanta of one lot at the order's price.
fn per_lot(view: &View<'_>) -> Option<i128> {
    let price = view.price.filter(|price| *price > 0)?;
    Some(i128::from(price) * i128::from(view.instrument.value.quanta()))
}

fn explain_rate(judged: &Judged) -> Explanation {
    Explanation::of(judged.tolerance_ns.into(), judged.ahead_ns.into(), 0, 0)
}

fn explain_notional(view: &View<'_>, limit: i128, used: i128) -> Explanation {
    let free = limit.saturating_sub(used).max(0);
    let passing = per_lot(view).map_or(0, |per_lot| free / per_lot);
    Explanation::of(limit, used, view.hold_notional.unwrap_or(0), passing)
}

//! Mass cancels, kills and lost sessions, slice by slice.
//!
//! Owned by a test. Claims: each order of the scope is asked for once, in every version, and no
//! other is; a slice asks for few; the last comes within the number of slices that is stated.

use super::brute_force::wide;
use super::driver::CoreMachine;
use super::op::{Machine, Op, OrderOp, ReplaceOp};
use super::prng::Prng;
use portcullis_domain::{
    AccountId, Command, FirmId, InstrumentId, MassCancel, Scope, SessionId, Side, StateChange,
    TradingState, UserRef,
};
use portcullis_risk_core::{Effect, OutboundAction};

/// Orders that rest; they go to the sessions in turn.
const ORDERS: u32 = 1_500;
const SESSIONS: u32 = 3;
const ACCOUNTS: u32 = 3;

/// What a slice does at the most: orders asked for, open orders looked at, slots passed over.
const ORDERS_A_SLICE: u32 = 4;
const LOOKS_A_SLICE: u32 = 32;
const SLOTS_A_SLICE: u32 = 64 * 64;

/// An order of the test: every one has a number that tells its session and account.
const fn account_of(id: u32) -> u32 {
    id / SESSIONS % ACCOUNTS
}

/// A core in which orders rest, those of each five-hundredth number with an unanswered replace.
fn resting() -> CoreMachine {
    let mut config = wide(&mut Prng::new(7), 1);
    config.accounts[0].open_orders_max = Some(ORDERS.into());
    config.accounts = vec![config.accounts[0].clone(); ACCOUNTS as usize];
    config.sessions = SESSIONS;
    let mut core = CoreMachine::new(&config, 2 * ORDERS as usize).expect("the limits load");
    let mut time_ns = 1;
    let mut apply = |op: Op| {
        time_ns += 1_000_000;
        core.apply(time_ns, &op).to_string()
    };
    for account in 0..ACCOUNTS {
        let amount = 1 << 58;
        apply(Op::Deposit { account, amount });
    }
    apply(Op::Reference {
        instrument: 0,
        price: 1_000,
    });
    for id in 1..=ORDERS {
        let side = if id % 2 == 0 { Side::Buy } else { Side::Sell };
        let order = OrderOp {
            account: account_of(id),
            instrument: 0,
            id,
            side,
            qty: 2,
            price: Some(1_000),
        };
        apply(Op::Order(order));
    }
    for original in (1..=ORDERS).filter(|id| id.is_multiple_of(500)) {
        let replace = ReplaceOp {
            original,
            id: original + ORDERS,
            qty: 1,
            price: Some(1_000),
        };
        apply(Op::Replace(replace));
    }
    assert_eq!(core.core.open_orders(), ORDERS as usize);
    core
}

/// The numbers that one slice asks cancels for.
fn slice(core: &mut CoreMachine) -> Vec<u32> {
    let effects = core.send(Command::Tick).iter();
    effects
        .map(|effect| {
            let Effect::Approved(approved) = effect else {
                panic!("a slice says nothing but cancels: {effect:?}");
            };
            let order = approved.get();
            let OutboundAction::Cancel { by_gateway, .. } = order.action else {
                panic!("a slice sends nothing but cancels: {order:?}");
            };
            assert!(by_gateway, "no client asked for it");
            order.user_ref.number
        })
        .collect()
}

/// Works a sweep off; returns the numbers asked for, in order, and how many slices it took.
fn swept(core: &mut CoreMachine) -> (Vec<u32>, u32) {
    let (mut asked, mut slices) = (Vec::new(), 0);
    while core.core.work_pending() {
        let numbers = slice(core);
        let orders = numbers.iter().filter(|number| **number <= ORDERS).count();
        assert!(orders <= ORDERS_A_SLICE as usize, "{orders} in one slice");
        asked.extend(numbers);
        slices += 1;
        assert!(slices <= 2 * ORDERS, "the sweep does not end");
    }
    (asked, slices)
}

/// Each order for which `wanted` holds is asked for once, with its replace, and within `looks` of a
/// line for each order that is open.
fn check(begin: Command, looks: u32, wanted: impl Fn(u32) -> bool) {
    let mut core = resting();
    core.send(begin);
    let (mut asked, slices) = swept(&mut core);
    asked.sort_unstable();
    let versions = |id: &u32| wanted(if *id > ORDERS { *id - ORDERS } else { *id });
    let replaced = (1..=ORDERS).filter(|id| id.is_multiple_of(500));
    let replaced = replaced.map(|id| id + ORDERS);
    let expected: Vec<u32> = (1..=ORDERS).chain(replaced).filter(versions).collect();
    assert_eq!(asked, expected, "{begin:?}");
    let matching = (1..=ORDERS).filter(|id| wanted(*id)).count() as u32;
    let most = matching / ORDERS_A_SLICE
        + looks * ORDERS / LOOKS_A_SLICE
        + core.core.open_orders() as u32 / SLOTS_A_SLICE
        + 3;
    assert!(slices <= most, "{begin:?}: {slices} slices, not {most}");
    // What was asked for is not asked for again.
    core.send(begin);
    assert_eq!(swept(&mut core).0, [], "{begin:?}");
}

fn kill(scope: Scope) -> Command {
    Command::SetState(StateChange {
        scope,
        state: TradingState::CancelOnly,
        cancel: true,
    })
}

#[test]
fn a_kill_takes_off_all_of_its_scope_within_its_slices() {
    check(kill(Scope::Venue), 1, |_| true);
    check(kill(Scope::Firm(FirmId::new(0))), 4, |_| true);
    let session = Scope::Session(SessionId::new(1));
    check(kill(session), 1, |id| id % SESSIONS == 1);
    let account = Scope::Account(AccountId::new(2));
    check(kill(account), 1, |id| account_of(id) == 2);
    let instrument = Scope::Instrument(InstrumentId::new(0));
    check(kill(instrument), 1, |_| true);
}

#[test]
fn a_mass_cancel_takes_off_what_it_names() {
    let own = |side, account| {
        Command::MassCancel(MassCancel {
            session: SessionId::new(1),
            user_ref: UserRef::new(3 * ORDERS),
            account,
            instrument: InstrumentId::NONE,
            side,
        })
    };
    check(own(None, AccountId::NONE), 1, |id| id % SESSIONS == 1);
    check(own(Some(Side::Buy), AccountId::new(1)), 1, |id| {
        id % SESSIONS == 1 && id % 2 == 0 && account_of(id) == 1
    });
}

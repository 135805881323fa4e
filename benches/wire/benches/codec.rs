//! `cargo bench -p portcullis-bench-wire --bench codec`: OUCH 5.0 in SoupBinTCP: an order written and read, its
//! acceptance written and read.
//!
//! One thread, no sockets. Not a bench of the table in docs/performance.md: for telling before from after while the
//! codec is worked on. Invariant: what is read is what was written, or nothing is measured.

use criterion::{Criterion, Throughput};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, Capacity, CrossType, Display, Element, EnterOrder, Inbound, OrderAccepted,
    OrderSide, OrderState, Outbound, TimeInForce, UserRefNum, YesNo,
};
use portcullis_wire::soupbin::{Packet, Parsed, encode, parse};
use std::hint::black_box;

const NUMBER: u32 = 7;
const PRICE: u64 = 1_000_100;

fn order() -> EnterOrder {
    EnterOrder {
        user_ref_num: UserRefNum::new(NUMBER).expect("numbers begin with 1"),
        side: OrderSide::Buy,
        quantity: 5,
        symbol: Alpha::new(b"SYM01   ").expect("eight characters"),
        price: PRICE,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::BLANK,
    }
}

fn acceptance() -> OrderAccepted {
    let order = order();
    OrderAccepted {
        timestamp: 1,
        user_ref_num: order.user_ref_num,
        side: order.side,
        quantity: order.quantity,
        symbol: order.symbol,
        price: order.price,
        time_in_force: order.time_in_force,
        display: order.display,
        order_ref_num: 1,
        capacity: order.capacity,
        iso_eligible: order.iso_eligible,
        cross_type: order.cross_type,
        order_state: OrderState::Live,
        cl_ord_id: order.cl_ord_id,
    }
}

/// The packet of an order with its firm; returns its length.
fn write_order(order: &EnterOrder, out: &mut [u8]) -> usize {
    let mut appendage = AppendageBuilder::new();
    let firm = Alpha::new(b"BNCH").expect("four characters");
    appendage
        .push(Element::Firm(firm))
        .expect("the first of its kind");
    let mut message = [0; 64];
    let len = order
        .encode(Some(appendage.finish()), &mut message)
        .expect("a valid order");
    encode::unsequenced(&message[..len], out).expect("room for a packet")
}

/// What the gateway takes from an order's packet: number, quantity and price.
fn read_order(packet: &[u8]) -> (u32, u32, u64) {
    let Ok(Parsed::Packet {
        packet: Packet::Unsequenced(message),
        ..
    }) = parse(packet)
    else {
        panic!("it is a packet");
    };
    let Ok(Inbound::EnterOrder(order)) = Inbound::parse(message) else {
        panic!("it is an order");
    };
    (order.user_ref_num().get(), order.quantity(), order.price())
}

fn write_acceptance(accepted: &OrderAccepted, out: &mut [u8]) -> usize {
    let mut message = [0; 96];
    let len = accepted
        .encode(None, &mut message)
        .expect("a valid message");
    encode::sequenced(&message[..len], out).expect("room for a packet")
}

/// What the gateway takes from an acceptance's packet: number and quantity.
fn read_acceptance(packet: &[u8]) -> (u32, u32) {
    let Ok(Parsed::Packet {
        packet: Packet::Sequenced(message),
        ..
    }) = parse(packet)
    else {
        panic!("it is a packet");
    };
    let Ok(Outbound::OrderAccepted(accepted)) = Outbound::parse(message) else {
        panic!("it is an acceptance");
    };
    (accepted.user_ref_num().get(), accepted.quantity())
}

fn codec(criterion: &mut Criterion) {
    let (mut entered, mut accepted) = ([0; 96], [0; 128]);
    let entered_len = write_order(&order(), &mut entered);
    let accepted_len = write_acceptance(&acceptance(), &mut accepted);
    let (entered, accepted) = (&entered[..entered_len], &accepted[..accepted_len]);
    assert_eq!(read_order(entered), (NUMBER, 5, PRICE));
    assert_eq!(read_acceptance(accepted), (NUMBER, 5));
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(entered_len as u64));
    let (mut out, order) = ([0; 128], order());
    group.bench_function("write an order", |bencher| {
        bencher.iter(|| write_order(black_box(&order), &mut out));
    });
    group.bench_function("read an order", |bencher| {
        bencher.iter(|| read_order(black_box(entered)));
    });
    group.throughput(Throughput::Bytes(accepted_len as u64));
    let acceptance = acceptance();
    group.bench_function("write an acceptance", |bencher| {
        bencher.iter(|| write_acceptance(black_box(&acceptance), &mut out));
    });
    group.bench_function("read an acceptance", |bencher| {
        bencher.iter(|| read_acceptance(black_box(accepted)));
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    codec(&mut criterion);
    criterion.final_summary();
}

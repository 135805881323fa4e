//! Every message, byte by byte as the document lays it out, against encoder and view.

use super::*;
use crate::field::Letter;

/// The bytes of a message written out field by field.
macro_rules! laid_out {
    ($($part:expr),* $(,)?) => {{
        let mut bytes: Vec<u8> = Vec::new();
        $( bytes.extend_from_slice(&$part[..]); )*
        bytes
    }};
}

/// The encoder writes exactly these bytes and the view reads the value back from them.
macro_rules! check {
    ($all:ident, $name:ident, $value:expr, $appendage:expr, $bytes:expr) => {{
        let value: $name = $value;
        let bytes: Vec<u8> = $bytes;
        assert_eq!(
            encoded(|out| value.encode($appendage, out)),
            bytes,
            stringify!($name)
        );
        match $all::parse(&bytes) {
            Ok($all::$name(view)) => {
                assert_eq!(view.value(), value);
                assert_eq!(view.bytes(), &bytes[..]);
                assert_eq!(view.appendage(), $appendage.or(view.appendage()));
            }
            other => panic!("{} became {other:?}", stringify!($name)),
        }
    }};
}

const NONE: Option<Appendage<'static>> = None;

fn text<const N: usize>(text: &[u8]) -> Alpha<N> {
    Alpha::new(text).expect("fits")
}

fn index_element(builder: &mut AppendageBuilder) -> Option<Appendage<'_>> {
    builder.push(Element::UserRefIdx(3)).expect("first");
    Some(builder.finish())
}

#[test]
fn enter_and_replace_in() {
    check!(
        Inbound,
        EnterOrder,
        enter(),
        NONE,
        laid_out!(
            b"O",
            1_u32.to_be_bytes(),
            b"B",
            100_u32.to_be_bytes(),
            b"ESH4    ",
            47_500_000_u64.to_be_bytes(),
            b"0",
            b"Y",
            b"P",
            b"N",
            b"N",
            b"order 1       ",
            [0, 0],
        )
    );
    check!(
        Inbound,
        ReplaceOrder,
        replace(),
        NONE,
        laid_out!(
            b"U",
            1_u32.to_be_bytes(),
            2_u32.to_be_bytes(),
            80_u32.to_be_bytes(),
            47_502_500_u64.to_be_bytes(),
            b"0",
            b"Y",
            b"N",
            b"order 2       ",
            [0, 0],
        )
    );
}

#[test]
fn cancel_and_modify_in() {
    let cancel_bytes = laid_out!(b"X", 1_u32.to_be_bytes(), 0_u32.to_be_bytes());
    check!(Inbound, CancelOrder, cancel(), NONE, cancel_bytes.clone());
    let mut builder = AppendageBuilder::new();
    let elements = index_element(&mut builder);
    check!(
        Inbound,
        CancelOrder,
        cancel(),
        elements,
        laid_out!(cancel_bytes, [0, 3, 2, 28, 3])
    );
    let modify = ModifyOrder {
        user_ref_num: number(7),
        side: OrderSide::SellShort,
        quantity: 5,
    };
    check!(
        Inbound,
        ModifyOrder,
        modify,
        NONE,
        laid_out!(b"M", 7_u32.to_be_bytes(), b"T", 5_u32.to_be_bytes(),)
    );
}

#[test]
fn desk_messages_in() {
    let mass = MassCancel {
        user_ref_num: number(9),
        firm: text(b"FIRM"),
        symbol: Alpha::BLANK,
    };
    check!(
        Inbound,
        MassCancel,
        mass,
        NONE,
        laid_out!(b"C", 9_u32.to_be_bytes(), b"FIRM", b"        ", [0, 0],)
    );
    let disable = DisableOrderEntry {
        user_ref_num: number(10),
        firm: text(b"FIRM"),
    };
    check!(
        Inbound,
        DisableOrderEntry,
        disable,
        NONE,
        laid_out!(b"D", 10_u32.to_be_bytes(), b"FIRM", [0, 0],)
    );
    let enable = EnableOrderEntry {
        user_ref_num: number(11),
        firm: text(b"FIRM"),
    };
    check!(
        Inbound,
        EnableOrderEntry,
        enable,
        NONE,
        laid_out!(b"E", 11_u32.to_be_bytes(), b"FIRM", [0, 0],)
    );
    check!(Inbound, AccountQuery, AccountQuery {}, NONE, b"Q".to_vec());
    check!(
        Inbound,
        AccountQuery,
        AccountQuery {},
        Some(Appendage::EMPTY),
        b"Q\0\0".to_vec()
    );
}

const TIME: u64 = 34_200_000_000_123;

#[test]
fn system_event_out() {
    let event = SystemEvent {
        timestamp: TIME,
        event_code: EventCode::StartOfDay,
    };
    check!(
        Outbound,
        SystemEvent,
        event,
        NONE,
        laid_out!(b"S", TIME.to_be_bytes(), b"S")
    );
}

#[test]
fn order_accepted_out() {
    let accepted = OrderAccepted {
        timestamp: TIME,
        user_ref_num: number(1),
        side: OrderSide::Sell,
        quantity: 100,
        symbol: text(b"ESH4"),
        price: 5,
        time_in_force: TimeInForce::Gtx,
        display: Display::Conformant,
        order_ref_num: 77,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::Yes,
        cross_type: CrossType::Closing,
        order_state: OrderState::Dead,
        cl_ord_id: text(b"a"),
    };
    check!(
        Outbound,
        OrderAccepted,
        accepted,
        NONE,
        laid_out!(
            b"A",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            b"S",
            100_u32.to_be_bytes(),
            b"ESH4    ",
            5_u64.to_be_bytes(),
            b"5",
            b"Z",
            77_u64.to_be_bytes(),
            b"A",
            b"Y",
            b"C",
            b"D",
            b"a             ",
            [0, 0],
        )
    );
}

#[test]
fn order_replaced_out() {
    let replaced = OrderReplaced {
        timestamp: TIME,
        orig_user_ref_num: number(1),
        user_ref_num: number(2),
        side: OrderSide::SellShortExempt,
        quantity: 99,
        symbol: text(b"ESH4"),
        price: 6,
        time_in_force: TimeInForce::AfterHours,
        display: Display::Hidden,
        order_ref_num: 78,
        capacity: Capacity::Other,
        iso_eligible: YesNo::No,
        cross_type: CrossType::Retail,
        order_state: OrderState::Live,
        cl_ord_id: text(b"b"),
    };
    check!(
        Outbound,
        OrderReplaced,
        replaced,
        NONE,
        laid_out!(
            b"U",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            2_u32.to_be_bytes(),
            b"E",
            99_u32.to_be_bytes(),
            b"ESH4    ",
            6_u64.to_be_bytes(),
            b"E",
            b"N",
            78_u64.to_be_bytes(),
            b"O",
            b"N",
            b"R",
            b"L",
            b"b             ",
            [0, 0],
        )
    );
}

#[test]
fn order_modified_out() {
    let modified = OrderModified {
        timestamp: TIME,
        user_ref_num: number(4),
        side: OrderSide::SellShort,
        quantity: 3,
    };
    check!(
        Outbound,
        OrderModified,
        modified,
        NONE,
        laid_out!(
            b"M",
            TIME.to_be_bytes(),
            4_u32.to_be_bytes(),
            b"T",
            3_u32.to_be_bytes(),
        )
    );
}

#[test]
fn order_canceled_out() {
    let canceled = OrderCanceled {
        timestamp: TIME,
        user_ref_num: number(1),
        quantity: 40,
        reason: CancelReason::User,
    };
    check!(
        Outbound,
        OrderCanceled,
        canceled,
        NONE,
        laid_out!(
            b"C",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            40_u32.to_be_bytes(),
            b"U",
        )
    );
}

#[test]
fn aiq_canceled_out() {
    let aiq = AiqCanceled {
        timestamp: TIME,
        user_ref_num: number(1),
        decrement: 10,
        reason: AiqReason::SelfMatch,
        qty_prevented: 10,
        execution_price: 9,
        liquidity_flag: Letter::new(b'A').expect("visible"),
        aiq_strategy: Letter::new(b'D').expect("visible"),
    };
    check!(
        Outbound,
        AiqCanceled,
        aiq,
        NONE,
        laid_out!(
            b"D",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            10_u32.to_be_bytes(),
            b"Q",
            10_u32.to_be_bytes(),
            9_u64.to_be_bytes(),
            b"A",
            b"D",
        )
    );
}

#[test]
fn order_executed_out() {
    let executed = OrderExecuted {
        timestamp: TIME,
        user_ref_num: number(1),
        quantity: 20,
        price: 47_500_000,
        liquidity_flag: Letter::new(b'R').expect("visible"),
        match_number: 4_711,
    };
    check!(
        Outbound,
        OrderExecuted,
        executed,
        NONE,
        laid_out!(
            b"E",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            20_u32.to_be_bytes(),
            47_500_000_u64.to_be_bytes(),
            b"R",
            4_711_u64.to_be_bytes(),
            [0, 0],
        )
    );
}

#[test]
fn broken_trade_out() {
    let broken = BrokenTrade {
        timestamp: TIME,
        user_ref_num: number(1),
        match_number: 4_711,
        reason: BrokenReason::Erroneous,
        cl_ord_id: text(b"c"),
    };
    check!(
        Outbound,
        BrokenTrade,
        broken,
        NONE,
        laid_out!(
            b"B",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            4_711_u64.to_be_bytes(),
            b"E",
            b"c             ",
        )
    );
}

#[test]
fn rejected_out() {
    let rejected = Rejected {
        timestamp: TIME,
        user_ref_num: 0,
        reason: RejectReason::RiskMaxQuantity,
        cl_ord_id: text(b"d"),
    };
    check!(
        Outbound,
        Rejected,
        rejected,
        NONE,
        laid_out!(
            b"J",
            TIME.to_be_bytes(),
            0_u32.to_be_bytes(),
            [0x00, 0x31],
            b"d             ",
        )
    );
}

#[test]
fn cancel_pending_and_refused_out() {
    let pending = CancelPending {
        timestamp: TIME,
        user_ref_num: number(1),
    };
    check!(
        Outbound,
        CancelPending,
        pending,
        NONE,
        laid_out!(b"P", TIME.to_be_bytes(), 1_u32.to_be_bytes(),)
    );
    let refused = CancelReject {
        timestamp: TIME,
        user_ref_num: number(1),
    };
    let mut builder = AppendageBuilder::new();
    let elements = index_element(&mut builder);
    check!(
        Outbound,
        CancelReject,
        refused,
        elements,
        laid_out!(
            b"I",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            [0, 3, 2, 28, 3],
        )
    );
}

#[test]
fn priority_update_out() {
    let priority = PriorityUpdate {
        timestamp: TIME,
        user_ref_num: number(1),
        price: 8,
        display: Display::Attributable,
        order_ref_num: 79,
    };
    check!(
        Outbound,
        PriorityUpdate,
        priority,
        NONE,
        laid_out!(
            b"T",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            8_u64.to_be_bytes(),
            b"A",
            79_u64.to_be_bytes(),
        )
    );
}

#[test]
fn order_restated_out() {
    let restated = OrderRestated {
        timestamp: TIME,
        user_ref_num: number(1),
        reason: RestatedReason::DisplayRefresh,
    };
    let mut builder = AppendageBuilder::new();
    builder.push(Element::DisplayQuantity(258)).expect("first");
    builder
        .push(Element::SecondaryOrdRefNum(5))
        .expect("second");
    check!(
        Outbound,
        OrderRestated,
        restated,
        Some(builder.finish()),
        laid_out!(
            b"R",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            b"R",
            [0, 16, 5, 22, 0, 0, 1, 2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 5],
        )
    );
}

#[test]
fn desk_messages_out() {
    let mass = MassCancelResponse {
        timestamp: TIME,
        user_ref_num: number(9),
        firm: text(b"FIRM"),
        symbol: text(b"ESH4"),
    };
    check!(
        Outbound,
        MassCancelResponse,
        mass,
        NONE,
        laid_out!(
            b"X",
            TIME.to_be_bytes(),
            9_u32.to_be_bytes(),
            b"FIRM",
            b"ESH4    ",
            [0, 0],
        )
    );
    let disabled = DisableOrderEntryResponse {
        timestamp: TIME,
        user_ref_num: number(1),
        firm: text(b"FIRM"),
    };
    check!(
        Outbound,
        DisableOrderEntryResponse,
        disabled,
        NONE,
        laid_out!(
            b"G",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            b"FIRM",
            [0, 0],
        )
    );
    let enabled = EnableOrderEntryResponse {
        timestamp: TIME,
        user_ref_num: number(1),
        firm: text(b"FIRM"),
    };
    check!(
        Outbound,
        EnableOrderEntryResponse,
        enabled,
        NONE,
        laid_out!(
            b"K",
            TIME.to_be_bytes(),
            1_u32.to_be_bytes(),
            b"FIRM",
            [0, 0],
        )
    );
    let answer = AccountQueryResponse {
        timestamp: TIME,
        next_user_ref_num: number(12),
    };
    check!(
        Outbound,
        AccountQueryResponse,
        answer,
        NONE,
        laid_out!(b"Q", TIME.to_be_bytes(), 12_u32.to_be_bytes(),)
    );
}

#[test]
fn tables_have_the_documented_sizes() {
    let sizes = |layouts: &[&'static MessageLayout]| -> Vec<(char, usize, usize)> {
        let row = |layout: &&MessageLayout| {
            (
                char::from(layout.type_byte),
                layout.head_len,
                layout.fixed_len(),
            )
        };
        layouts.iter().map(row).collect()
    };
    assert_eq!(
        sizes(Inbound::LAYOUTS),
        [
            ('O', 45, 47),
            ('U', 38, 40),
            ('X', 9, 11),
            ('M', 10, 12),
            ('C', 17, 19),
            ('D', 9, 11),
            ('E', 9, 11),
            ('Q', 1, 3),
        ]
    );
    assert_eq!(
        sizes(Outbound::LAYOUTS),
        [
            ('S', 10, 10),
            ('A', 62, 64),
            ('U', 66, 68),
            ('C', 18, 20),
            ('D', 32, 34),
            ('E', 34, 36),
            ('B', 36, 38),
            ('J', 29, 31),
            ('P', 13, 15),
            ('I', 13, 15),
            ('T', 30, 32),
            ('M', 18, 20),
            ('R', 14, 16),
            ('X', 25, 27),
            ('G', 17, 19),
            ('K', 17, 19),
            ('Q', 13, 15),
        ]
    );
}

#[test]
fn appendages_are_required_or_optional_as_documented() {
    let forms = |wanted: AppendageForm| -> Vec<&'static str> {
        let all = Inbound::LAYOUTS.iter().chain(Outbound::LAYOUTS);
        all.filter(|layout| layout.appendage == wanted)
            .map(|layout| layout.name)
            .collect()
    };
    assert_eq!(forms(AppendageForm::Never), ["SystemEvent"]);
    assert_eq!(
        forms(AppendageForm::Optional),
        [
            "CancelOrder",
            "ModifyOrder",
            "AccountQuery",
            "OrderCanceled",
            "AiqCanceled",
            "BrokenTrade",
            "Rejected",
            "CancelPending",
            "CancelReject",
            "PriorityUpdate",
            "OrderModified",
            "AccountQueryResponse",
        ]
    );
}

#[test]
fn every_tag_has_its_documented_number_and_width() {
    let rows: Vec<(u8, usize)> = Tag::ALL
        .iter()
        .map(|tag| (*tag as u8, tag.width()))
        .collect();
    assert_eq!(
        rows,
        [
            (1, 8),
            (2, 4),
            (3, 4),
            (4, 1),
            (5, 4),
            (6, 1),
            (7, 4),
            (9, 8),
            (10, 1),
            (11, 4),
            (12, 1),
            (13, 4),
            (14, 4),
            (15, 4),
            (16, 1),
            (17, 1),
            (18, 1),
            (22, 4),
            (23, 8),
            (24, 2),
            (25, 1),
            (26, 4),
            (27, 1),
            (28, 1),
        ]
    );
}

//! OUCH 5.0 messages, outbound: what parses must be what its values encode to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{check_shape, elements_anew, short_of_room};
use portcullis_wire::Alpha;
use portcullis_wire::field::Letter;
use portcullis_wire::ouch50::{
    Appendage, AppendageForm, CancelReason, MESSAGE_BYTES_MAX, Outbound, RejectReason,
    SystemEventView,
};

fuzz_target!(|bytes: &[u8]| {
    let message = match Outbound::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert!(error.to_string().starts_with(error.message));
            return;
        }
    };
    check_shape(message.layout(), bytes, message.appendage());
    assert!(bytes.len() <= MESSAGE_BYTES_MAX);
    let mut copy = [0xAA; MESSAGE_BYTES_MAX];
    let len = message
        .encode(&mut copy)
        .expect("what was read can be said");
    assert_eq!(&copy[..len], bytes);
    assert_eq!(Outbound::parse(&copy[..len]), Ok(message));
    if let Some(appendage) = message.appendage() {
        let anew = elements_anew(appendage);
        assert_eq!(anew.finish().bytes(), appendage.bytes());
    }
    assert_eq!(message.bytes(), bytes);
    short_of_room(len, |out| message.encode(out));
    assert!(!format!("{message:?}").is_empty());
    if let Outbound::SystemEvent(view) = message
        && SystemEventView::LAYOUT.appendage == AppendageForm::Never
    {
        let refused = view.value().encode(Some(Appendage::EMPTY), &mut copy);
        assert!(refused.is_err_and(|error| error.to_string().contains("no appendage")));
    }
    if let Outbound::Rejected(view) = message {
        assert_eq!(RejectReason::from_code(view.reason().code()), view.reason());
        assert!(!view.reason().to_string().is_empty());
        assert_eq!(
            u16::from(RejectReason::from(view.reason().code())),
            view.reason().code()
        );
        let text = view.cl_ord_id();
        let shown = text.to_string();
        assert_eq!(shown.trim_ascii().as_bytes(), text.trimmed());
        assert_eq!(
            Alpha::<14>::new(shown.as_bytes()).map(|again| again.to_string()),
            Some(shown)
        );
    }
    if let Outbound::OrderExecuted(view) = message {
        let flag = view.liquidity_flag();
        assert_eq!(Letter::new(flag.byte()), Some(flag));
        let mut out = [0; MESSAGE_BYTES_MAX];
        let bare = view
            .value()
            .encode(None, &mut out)
            .expect("an empty appendage is put there");
        assert!(bare <= len);
    }
    if let Outbound::OrderCanceled(view) = message {
        assert_eq!(CancelReason::from_code(view.reason().code()), view.reason());
        assert!(!view.reason().to_string().is_empty());
    }
});

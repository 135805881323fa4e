//! OUCH 5.0 messages, outbound: what parses must be what its values encode to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{check_shape, elements_anew};
use portcullis_wire::ouch50::{CancelReason, MESSAGE_BYTES_MAX, Outbound, RejectReason};

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
    assert!(!format!("{message:?}").is_empty());
    if let Outbound::Rejected(view) = message {
        assert_eq!(RejectReason::from_code(view.reason().code()), view.reason());
        assert!(!view.reason().to_string().is_empty());
    }
    if let Outbound::OrderCanceled(view) = message {
        assert_eq!(CancelReason::from_code(view.reason().code()), view.reason());
        assert!(!view.reason().to_string().is_empty());
    }
});

//! What a client's bytes say beside the canonical order, for the embedded ladder.
//!
//! Venue thread. Ingress has refused what the ladder does not do; what is left is the minimum
//! quantity.

use portcullis_domain::{InstrumentId, Qty};
use portcullis_pipeline::tables::SymbolTable;
use portcullis_venue_embedded::{RawTerms, TermsReader};
use portcullis_wire::ouch50::{Element, Inbound, Tag};

/// The reader of raw OUCH messages.
pub(super) fn reader(symbols: SymbolTable) -> TermsReader {
    Box::new(move |instrument: InstrumentId, raw: &[u8]| {
        let found = match Inbound::parse(raw) {
            Ok(message) => message
                .appendage()
                .and_then(|options| options.find(Tag::MinQty)),
            Err(_) => None,
        };
        let (Some(Element::MinQty(wire)), Some(symbol)) = (found, symbols.of(instrument)) else {
            return RawTerms::default();
        };
        let lots = wire.div_ceil(symbol.scale.lot_wire().get());
        RawTerms {
            qty_min: Qty::new(lots.into()),
            instruction: None,
        }
    })
}

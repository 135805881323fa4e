//! portcullis-venue-ouch

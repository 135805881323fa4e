//! portcullis-venue-sim

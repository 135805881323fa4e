//! portcullis-venue-embedded

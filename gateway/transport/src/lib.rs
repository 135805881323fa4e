//! portcullis-transport

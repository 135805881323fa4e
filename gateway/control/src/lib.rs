//! portcullis-control

//! portcullis-flow

//! portcullis-risk-core

//! portcullis-journal

//! portcullis-ladder

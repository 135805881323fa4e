//! portcullis-pipeline

//! The embedded venue behind a risk core.
//!
//! One thread a test.

mod end_to_end;
mod recall;
mod remarks;
mod rig;

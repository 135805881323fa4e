//! The adapter behind a risk core, against an engine on the other side of real sockets.
//!
//! One thread a test, the engine's and the dialing thread beside it. The adapter's time is counted
//! in polls; nothing depends on how fast the machine is.

mod cut_off;
mod directed;
mod engine;
mod hostile;
mod patient;
mod quiet;
mod recall;
#[path = "../../../embedded/tests/venue/rig/mod.rs"]
mod rig;
mod rows;
mod scene;

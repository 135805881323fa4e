//! Client sessions from bytes to bytes: the agents on a transport in memory, on one thread.
//!
//! The tests step the agents by hand under a clock that stands until it is moved, and answer the
//! logins in place of the credential thread; a run is a function of the calls made. Every step of
//! every test also shows that no agent allocates after start. They must never look at real time.

mod allocation;
mod blocked_link;
mod client;
mod connections;
mod framing;
mod gated;
mod journal;
mod journal_trouble;
mod limits;
mod orders;
mod origin;
mod resend;
mod rig;
mod shares;

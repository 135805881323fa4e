//! Logon passwords: hashes, their verification on a thread of its own, and the limit before it.
//!
//! Invariants: a password is present as a hash alone; an unknown user costs the same work as a
//! known one; a source address that has failed too often costs none. Must never run on a thread of
//! the data plane: a hash takes milliseconds on purpose.

mod address_limit;
mod hash;
mod worker;

pub use address_limit::{AddressLimit, LimitedTo};
pub use hash::{HashCost, HashError, check_hash, hash_password};
pub use worker::{
    CredentialQueues, CredentialTable, LogonAnswer, LogonRequest, LogonVerdict, Verifier, run,
};

//! The naive model of RULES that the risk core's own tests hold it against: here, the auditor's.
//!
//! Included, not copied: one model, two uses. Owned by the auditor. Invariant: it shares no code with
//! the risk core but the names of sides, states and scopes.

#[path = "../../../gateway/risk-core/tests/model/config.rs"]
pub(crate) mod config;
#[path = "../../../gateway/risk-core/tests/model/naive/mod.rs"]
pub(crate) mod naive;
#[allow(
    dead_code,
    reason = "the words of vector files, which are printed elsewhere"
)]
#[path = "../../xtask/src/vectors/op.rs"]
pub(crate) mod op;
#[path = "../../../gateway/risk-core/tests/model/prng.rs"]
pub(crate) mod prng;
#[path = "../../xtask/src/vectors/spec.rs"]
pub(crate) mod spec;
#[path = "../../xtask/src/vectors/words.rs"]
pub(crate) mod words;

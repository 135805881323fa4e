//! Argon2id hashes as PHC strings: made, and held to bounds.
//!
//! Owned by no thread. Invariant: a hash that passes [`check_hash`] costs at most [`MEMORY_KIB_MAX`]
//! and [`PASSES_MAX`] to verify, so that a config cannot stall the logons.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use core::fmt;

/// The most memory of one hash.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// The most passes over it.
const PASSES_MAX: u32 = 16;
/// The most lanes.
const LANES_MAX: u32 = 16;
/// The longest PHC string.
const TEXT_MAX: usize = 256;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB, at least 8.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for HashCost {
    /// 19 MiB and 2 passes: the least that current password guidance (OWASP) asks of Argon2id.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
        }
    }
}

/// Why a hash cannot be made or used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashError(String);

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for HashError {}

/// The PHC string of a password, with a salt of its own.
///
/// # Errors
/// The password is not 1 to 10 printable characters, which is what SoupBinTCP can carry; the cost
/// is out of bounds; or the system gave no random salt.
pub fn hash_password(password: &str, cost: HashCost) -> Result<String, HashError> {
    let carried =
        (1..=10).contains(&password.len()) && password.bytes().all(|byte| byte.is_ascii_graphic());
    if !carried {
        let what = "a SoupBinTCP password is 1 to 10 printable characters without blanks";
        return Err(HashError(what.to_owned()));
    }
    let params = Params::new(cost.memory_kib, cost.passes, 1, None);
    let params = params.map_err(|error| HashError(format!("cost out of bounds: {error}")))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2
        .hash_password(normal(password.as_bytes()).as_slice())
        .map_err(|error| HashError(format!("no hash could be made: {error}")))?;
    let text = hash.to_string();
    check_hash(&text)?;
    Ok(text)
}

/// Whether a PHC string can be used: Argon2id, with a salt and a hash, at a bounded cost.
///
/// # Errors
/// What is wrong with it.
pub fn check_hash(text: &str) -> Result<(), HashError> {
    parse(text).map(|_| ())
}

pub(super) fn parse(text: &str) -> Result<(PasswordHash, HashCost), HashError> {
    let wrong = |what: &str| HashError(what.to_owned());
    if text.len() > TEXT_MAX {
        return Err(wrong("it is too long for a PHC string"));
    }
    let hash = PasswordHash::new(text).map_err(|_| wrong("it is no PHC string"))?;
    if hash.algorithm.as_str() != "argon2id" {
        return Err(wrong("its algorithm is not argon2id"));
    }
    if hash.version.is_some_and(|version| version != 19) {
        return Err(wrong("its version is not 19"));
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(wrong("its salt or its hash is missing"));
    }
    let params = Params::try_from(&hash).map_err(|_| wrong("its parameters are not Argon2's"))?;
    let bounded = params.m_cost() <= MEMORY_KIB_MAX
        && params.t_cost() <= PASSES_MAX
        && params.p_cost() <= LANES_MAX;
    if !bounded {
        let what = format!(
            "it costs m={}, t={}, p={}, beyond m={MEMORY_KIB_MAX}, t={PASSES_MAX}, p={LANES_MAX}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost()
        );
        return Err(HashError(what));
    }
    Ok((
        hash,
        HashCost {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
        },
    ))
}

/// Whether the password is the one of the hash; the work is that of the hash's own parameters.
pub(super) fn matches(password: &[u8], hash: &PasswordHash) -> bool {
    Argon2::default()
        .verify_password(normal(password).as_slice(), hash)
        .is_ok()
}

/// SoupBinTCP passwords do not distinguish case and may be padded on either side.
fn normal(password: &[u8]) -> Vec<u8> {
    password.trim_ascii().to_ascii_uppercase()
}

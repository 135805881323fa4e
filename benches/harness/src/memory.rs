//! What memory the machine has to spare, and what this process holds of it.
//!
//! Asked between measurements, never inside one.

use std::fs;

/// Bytes that could be taken without the system giving up something that is in use.
///
/// # Errors
/// The system does not say, in words.
pub fn available_bytes() -> Result<u64, String> {
    bytes("/proc/meminfo", "MemAvailable:")
}

/// Bytes of this process that are in memory.
///
/// # Errors
/// The system does not say, in words.
pub fn resident_bytes() -> Result<u64, String> {
    bytes("/proc/self/status", "VmRSS:")
}

fn bytes(path: &str, name: &str) -> Result<u64, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    field(&text, name).ok_or_else(|| format!("{path} says no {name}"))
}

/// A line's number of kibibytes, as bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib = line.trim().strip_suffix("kB")?.trim();
    kib.parse::<u64>().ok().map(|kib| kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_what_is_taken_is_counted() {
        assert_eq!(field("A: 1 kB\nB:   12 kB\n", "B:"), Some(12 * 1_024));
        assert_eq!(field("A: 1 kB\n", "B:"), None);
        let before = resident_bytes().expect("a system that says it");
        let taken = vec![1_u8; 64 << 20];
        let after = resident_bytes().expect("as before");
        assert!(
            after >= before + (32 << 20),
            "{before} {after} {}",
            taken[9]
        );
        assert!(available_bytes().expect("as before") > 0);
    }
}

//! Memory is locked where the system allows it, and the error says what to raise where not.
//!
//! One test in a process of its own: locks, limits and capabilities are the process's.

use portcullis_runtime::lock_memory;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

fn locked_kib() -> u64 {
    kib("VmLck:")
}

fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.expect("it is told").trim().split(' ').next();
    number.and_then(|kib| kib.parse().ok()).expect("a number")
}

#[test]
fn a_limit_in_the_way_is_named_with_what_to_raise() {
    assert_eq!(locked_kib(), 0);
    // Whoever may pass limits by may no more.
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    let limit = getrlimit(Resource::Memlock);
    let set = |current| {
        let limit = Rlimit { current, ..limit };
        setrlimit(Resource::Memlock, limit).expect("lower is always allowed");
    };
    // Later memory is locked too where there is no limit, which holds here if it may be raised.
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    let _ = setrlimit(Resource::Memlock, unlimited);
    // What is allowed is locked, and by threads that may: before the capabilities go.
    if lock_memory().is_ok() {
        assert!(locked_kib() > 0);
        // What comes later is advised about its pages first, so none may be made before it is written.
        let before_kib = kib("VmRSS:");
        let later = std::hint::black_box(Vec::<u8>::with_capacity(64 << 20));
        assert!(kib("VmRSS:") < before_kib + (32 << 10));
        drop(later);
        rustix::mm::munlockall().expect("what was locked");
    }
    set(Some(1 << 20));
    set_capabilities(None, none).expect("fewer are always allowed");
    let error = lock_memory().expect_err("the process is larger than 1 MiB");
    let said = error.to_string();
    assert!(said.starts_with("memory is not locked ("), "{said}");
    assert!(said.contains("may lock 1 MiB"), "{said}");
    assert!(said.contains("ulimit -l unlimited"), "{said}");
    assert!(said.contains("LimitMEMLOCK=infinity"), "{said}");
    assert_eq!(locked_kib(), 0, "it is as it was");
}

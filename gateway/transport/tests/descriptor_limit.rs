//! What a gateway does about the system's limit of descriptors before it starts. Alone in its
//! process, whose limit it lowers.

use portcullis_transport::{allow_descriptors, descriptors_wanted};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn the_limit_is_raised_as_far_as_it_goes_and_beyond_that_it_is_said() {
    let limits = Rlimit {
        current: Some(128),
        maximum: Some(256),
    };
    setrlimit(Resource::Nofile, limits).expect("limits can be lowered");
    allow_descriptors(100).expect("it is below");
    assert_eq!(getrlimit(Resource::Nofile).current, Some(128));
    allow_descriptors(256).expect("it can be raised");
    assert_eq!(getrlimit(Resource::Nofile).current, Some(256));
    let told = allow_descriptors(descriptors_wanted(100, 1)).expect_err("too many");
    let told = told.to_string();
    assert!(
        told.contains("265 file descriptors") && told.contains("allows 256"),
        "{told}"
    );
}

//! A gateway that runs out of descriptors refuses connections, says so, and takes them again as
//! soon as it can, though the system tells of none anew. Alone in its process, whose limit it lowers.

use portcullis_domain::Timestamp;
use portcullis_pipeline::transport::InboundTransport;
use portcullis_transport::{TcpInbound, TcpOptions, tcp_transport_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// A thousand tries, which is many times what the transport lets pass between two looks.
fn accepts(inbound: &mut TcpInbound) -> bool {
    (0..1_000).any(|_| inbound.accept(Timestamp::ZERO).is_some())
}

#[test]
fn running_out_of_descriptors_is_survived() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(128);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("a limit can be lowered");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut inbound, _outbound, address) =
        tcp_transport_with(listen, TcpOptions::new(4)).expect("it listens");
    let _first = TcpStream::connect(address).expect("it listens");
    let second = TcpStream::connect(address).expect("it listens");
    let own_path = std::env::current_exe().expect("this test has a file");
    let mut hoard: Vec<File> = std::iter::from_fn(|| File::open(&own_path).ok()).collect();

    // No descriptor for the connection at all: it keeps waiting.
    assert!(!accepts(&mut inbound));
    let failures = inbound.counters().accept_failures;
    assert!(failures > 0);

    // One, where the two halves need two: it is refused, and gives back the one it had.
    hoard.pop();
    assert!(!accepts(&mut inbound));
    assert_eq!(inbound.counters().refused_failed, 2);
    assert_eq!(inbound.counters().accepted, 0);

    drop((hoard, second));
    let _third = TcpStream::connect(address).expect("it listens");
    assert!(accepts(&mut inbound));
    assert_eq!(inbound.counters().accepted, 1);
}

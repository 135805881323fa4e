//! Once made, neither half of the TCP transport allocates: through accept, read, write, refusal,
//! closing and the reuse of slots.
#![allow(unsafe_code)] // An allocator can only be replaced by an unsafe trait.

use portcullis_domain::Timestamp;
use portcullis_pipeline::transport::{
    ConnectionId, InboundTransport, OutboundTransport, ReadOutcome, WriteOutcome,
};
use portcullis_transport::tcp_transport;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

thread_local! {
    /// Allocations of this thread.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on as it came to the system's allocator, which keeps the contract;
// the count beside it neither allocates nor unwinds, its cell needing no construction.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise about `pointer` and `layout` is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn the_data_path_does_not_allocate() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ALLOCATIONS.get(), before + 1, "the count counts");

    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut inbound, mut outbound, address) = tcp_transport(listen, 2).expect("it listens");
    for round in 0..20 {
        let mut clients: Vec<TcpStream> = (0..3)
            .map(|_| TcpStream::connect(address).expect("it listens"))
            .collect();
        for client in &mut clients {
            client.write_all(b"ping").expect("it is sent");
        }
        let before = ALLOCATIONS.get();
        let refused = inbound.counters().refused_full;
        let mut open = [None; 2];
        while open.contains(&None) || inbound.counters().refused_full == refused {
            if let Some((connection, _)) = inbound.accept(Timestamp::ZERO) {
                open[connection.slot()] = Some(connection);
            }
        }
        let mut answered = 0;
        while answered < 2 {
            inbound.poll_ready(&mut |inbound, connection: ConnectionId| {
                let mut bytes = [0; 16];
                if inbound.read(connection, &mut bytes) == ReadOutcome::Bytes(4) {
                    assert_eq!(bytes[..4], *b"ping");
                    let outcome = outbound.write(connection, &bytes[..4]);
                    assert_eq!(outcome, WriteOutcome::Wrote(4));
                    answered += 1;
                }
                true
            });
        }
        for connection in open.into_iter().flatten() {
            outbound.close(connection);
            assert_eq!(inbound.read(connection, &mut [0; 4]), ReadOutcome::Closed);
            inbound.close(connection);
        }
        assert_eq!(ALLOCATIONS.get(), before, "allocated in round {round}");
        let mut answer = [0; 4];
        clients[0].read_exact(&mut answer).expect("it arrives");
        assert_eq!(&answer, b"ping");
    }
}

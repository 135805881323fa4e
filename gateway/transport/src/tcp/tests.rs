//! TCP over the loopback. Deadlines only end a test that hangs; none measures.

use super::*;
use portcullis_domain::Timestamp;
use portcullis_pipeline::transport::{
    InboundTransport, OutboundTransport, ReadOutcome, WriteOutcome,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

mod closing;
mod crowd;
mod readiness;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Both halves on one thread, and where they listen.
struct Gateway {
    inbound: TcpInbound,
    outbound: TcpOutbound,
    address: SocketAddr,
}

impl Gateway {
    fn new(connections_max: usize) -> Self {
        Self::with(TcpOptions::new(connections_max))
    }

    fn with(options: TcpOptions) -> Self {
        let (inbound, outbound, address) =
            tcp_transport_with(LOOPBACK, options).expect("the loopback can be listened on");
        Self {
            inbound,
            outbound,
            address,
        }
    }

    /// The socket of a connection that is open.
    fn socket(&mut self, connection: ConnectionId) -> &mut mio::net::TcpStream {
        &mut self.inbound.table.stream(connection).expect("open").stream
    }

    fn connect(&mut self) -> (TcpStream, ConnectionId) {
        let client = client_of(self.address);
        let (connection, peer) = eventually(|| self.inbound.accept(Timestamp::ZERO));
        assert_eq!(peer, Ipv4Addr::LOCALHOST);
        (client, connection)
    }

    /// What the next read says that finds anything.
    fn read(&mut self, connection: ConnectionId) -> Result<Vec<u8>, ()> {
        let mut bytes = [0; 256];
        eventually(|| match self.inbound.read(connection, &mut bytes) {
            ReadOutcome::Bytes(length) => Some(Ok(bytes[..length].to_vec())),
            ReadOutcome::Nothing => None,
            ReadOutcome::Closed => Some(Err(())),
        })
    }

    /// The connections that the next call names, each answered with `taken`.
    fn named(&mut self, taken: bool) -> Vec<ConnectionId> {
        let mut named = Vec::new();
        self.inbound.poll_ready(&mut |_, connection| {
            named.push(connection);
            taken
        });
        named
    }

    fn close(&mut self, connection: ConnectionId) {
        self.inbound.close(connection);
        self.outbound.close(connection);
    }
}

fn client_of(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).expect("somebody listens");
    let limit = Some(Duration::from_secs(60));
    client.set_read_timeout(limit).expect("a limit is set");
    client.set_write_timeout(limit).expect("a limit is set");
    client
}

fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it never happened"
        );
        std::thread::yield_now();
    }
}

/// Whether the other end is gone: an orderly end, or a reset.
fn is_over(client: &mut TcpStream) -> bool {
    match client.read(&mut [0; 64]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn bytes_go_both_ways() {
    let mut gateway = Gateway::new(4);
    let (mut client, connection) = gateway.connect();
    assert_eq!(
        gateway.inbound.read(connection, &mut [0; 8]),
        ReadOutcome::Nothing
    );
    client.write_all(b"enter").expect("it is sent");
    assert_eq!(gateway.read(connection), Ok(b"enter".to_vec()));
    assert_eq!(
        gateway.outbound.write(connection, b"accepted"),
        WriteOutcome::Wrote(8)
    );
    let mut answer = [0; 8];
    client.read_exact(&mut answer).expect("it arrives");
    assert_eq!(&answer, b"accepted");

    let inbound = gateway.inbound.counters();
    assert_eq!((inbound.accepted, inbound.read_bytes), (1, 5));
    assert!(inbound.read_calls >= 2);
    let outbound = gateway.outbound.counters();
    assert_eq!((outbound.written_bytes, outbound.write_calls), (8, 1));
}

#[test]
fn no_bytes_asked_or_given_is_not_the_end() {
    let mut gateway = Gateway::new(1);
    let (mut client, connection) = gateway.connect();
    client.write_all(b"x").expect("it is sent");
    assert_eq!(
        gateway.inbound.read(connection, &mut []),
        ReadOutcome::Nothing
    );
    assert_eq!(
        gateway.outbound.write(connection, &[]),
        WriteOutcome::Wrote(0)
    );
    assert_eq!(gateway.read(connection), Ok(b"x".to_vec()));
}

#[test]
fn the_sockets_options_are_set() {
    let mut options = TcpOptions::new(1);
    options.send_buffer_bytes = Some(16_384);
    let mut gateway = Gateway::with(options);
    let (_client, connection) = gateway.connect();
    let socket = gateway.socket(connection);
    assert!(socket.nodelay().expect("it can be asked"));
    let size = rustix::net::sockopt::socket_send_buffer_size(&*socket).expect("it can be asked");
    assert!((16_384..=2 * 16_384).contains(&size), "{size}");
    let reuse = rustix::net::sockopt::socket_reuseaddr(&gateway.inbound.listener);
    assert!(reuse.expect("it can be asked"));
}

#[test]
fn what_cannot_be_set_up_is_said() {
    for connections_max in [0, ConnectionId::SLOTS_MAX + 1] {
        let error = tcp_transport(LOOPBACK, connections_max).expect_err("out of range");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("connections_max"), "{error}");
    }
    let gateway = Gateway::new(1);
    let error = tcp_transport(gateway.address, 1).expect_err("the port is taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn connections_have_the_congestion_control_that_was_asked_for() {
    let options = TcpOptions {
        congestion_control: Some("reno"),
        ..TcpOptions::new(2)
    };
    let mut gateway = Gateway::with(options);
    let (_client, connection) = gateway.connect();
    let socket = gateway.socket(connection);
    let name = rustix::net::sockopt::tcp_congestion(&*socket).expect("it has one");
    assert_eq!(name, "reno");
    let unknown = TcpOptions {
        congestion_control: Some("none_such"),
        ..TcpOptions::new(2)
    };
    let why = tcp_transport_with(LOOPBACK, unknown).expect_err("no system has it");
    assert!(why.to_string().contains("none_such"), "{why}");
}

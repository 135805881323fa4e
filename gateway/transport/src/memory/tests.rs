//! The transport in memory, held to what the trait and TCP promise.

use super::*;
use portcullis_domain::Timestamp;
use portcullis_pipeline::transport::{ConnectionId, InboundTransport, OutboundTransport};
use std::net::Ipv4Addr;

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

fn connect(network: &MemoryNetwork, inbound: &mut MemoryInbound) -> (MemoryClient, ConnectionId) {
    let client = network.connect(FROM);
    let (connection, from) = inbound.accept(Timestamp::ZERO).expect("a slot is free");
    assert_eq!(from, FROM);
    (client, connection)
}

fn read(inbound: &mut MemoryInbound, connection: ConnectionId) -> Result<Vec<u8>, ReadOutcome> {
    let mut bytes = [0; 64];
    match inbound.read(connection, &mut bytes) {
        ReadOutcome::Bytes(length) => Ok(bytes[..length].to_vec()),
        other @ (ReadOutcome::Nothing | ReadOutcome::Closed) => Err(other),
    }
}

#[test]
fn bytes_go_both_ways_and_wait_for_the_accept() {
    let (mut inbound, mut outbound, network) = memory_transport(MemoryOptions::new(2));
    let client = network.connect(FROM);
    assert_eq!(client.send(b"early"), WriteOutcome::Wrote(5));
    let (connection, _) = inbound.accept(Timestamp::ZERO).expect("a slot is free");
    assert_eq!(inbound.accept(Timestamp::ZERO), None);
    assert_eq!(read(&mut inbound, connection), Ok(b"early".to_vec()));
    assert_eq!(read(&mut inbound, connection), Err(ReadOutcome::Nothing));
    assert_eq!(
        outbound.write(connection, b"answer"),
        WriteOutcome::Wrote(6)
    );
    let mut received = Vec::new();
    assert_eq!(client.receive(&mut received), ReadOutcome::Bytes(6));
    assert_eq!(client.receive(&mut received), ReadOutcome::Nothing);
    assert_eq!(received, b"answer");
    assert_eq!(inbound.counters().read_bytes, 5);
    assert_eq!(outbound.counters().written_bytes, 6);
}

#[test]
fn messages_are_split_as_told() {
    let options = MemoryOptions {
        read_bytes_max: 2,
        write_bytes_max: 3,
        ..MemoryOptions::new(1)
    };
    let (mut inbound, mut outbound, network) = memory_transport(options);
    let (client, connection) = connect(&network, &mut inbound);
    client.send(b"abcde");
    for piece in ["ab", "cd", "e"] {
        assert_eq!(read(&mut inbound, connection), Ok(piece.into()));
    }
    assert_eq!(outbound.write(connection, b"abcd"), WriteOutcome::Wrote(3));
}

#[test]
fn each_direction_is_bounded() {
    let options = MemoryOptions {
        buffer_bytes: 4,
        ..MemoryOptions::new(1)
    };
    let (mut inbound, mut outbound, network) = memory_transport(options);
    let (client, connection) = connect(&network, &mut inbound);
    assert_eq!(client.send(b"abcdef"), WriteOutcome::Wrote(4));
    assert_eq!(client.send(b"ef"), WriteOutcome::Wrote(0));
    assert_eq!(outbound.write(connection, b"123"), WriteOutcome::Wrote(3));
    assert_eq!(outbound.write(connection, b"45"), WriteOutcome::Wrote(1));
    assert_eq!(outbound.write(connection, b"5"), WriteOutcome::Wrote(0));
    let mut received = Vec::new();
    client.receive(&mut received);
    assert_eq!(outbound.write(connection, b"5"), WriteOutcome::Wrote(1));
    client.receive(&mut received);
    assert_eq!(received, b"12345");
}

#[test]
fn readiness_names_who_has_bytes_and_again_who_kept_some() {
    let (mut inbound, _outbound, network) = memory_transport(MemoryOptions::new(3));
    let clients: Vec<_> = (0..3).map(|_| connect(&network, &mut inbound)).collect();
    let read_all = |inbound: &mut MemoryInbound| {
        let mut found = Vec::new();
        inbound.poll_ready(&mut |inbound, connection| {
            found.extend(read(inbound, connection).map(|bytes| (connection, bytes)));
            true
        });
        found
    };
    assert_eq!(read_all(&mut inbound), []);
    clients[1].0.send(b"x");
    assert_eq!(read_all(&mut inbound), [(clients[1].1, b"x".to_vec())]);
    assert_eq!(read_all(&mut inbound), []);
    assert_eq!(inbound.table.hot_len(), 0);

    clients[2].0.send(b"y");
    for _ in 0..3 {
        let mut named = Vec::new();
        inbound.poll_ready(&mut |_, connection| {
            named.push(connection);
            false
        });
        assert_eq!(named, [clients[2].1]);
    }
}

#[test]
fn a_client_that_closes_is_read_to_its_end() {
    let (mut inbound, mut outbound, network) = memory_transport(MemoryOptions::new(1));
    let (client, connection) = connect(&network, &mut inbound);
    client.send(b"last");
    drop(client);
    assert_eq!(read(&mut inbound, connection), Ok(b"last".to_vec()));
    assert_eq!(read(&mut inbound, connection), Err(ReadOutcome::Closed));
    assert_eq!(outbound.write(connection, b"x"), WriteOutcome::Closed);
}

#[test]
fn the_end_of_a_silent_client_is_named() {
    let (mut inbound, _outbound, network) = memory_transport(MemoryOptions::new(1));
    let (client, connection) = connect(&network, &mut inbound);
    let mut outcomes = Vec::new();
    let mut poll = |inbound: &mut MemoryInbound| {
        inbound.poll_ready(&mut |inbound, ready| {
            assert_eq!(ready, connection);
            outcomes.push(inbound.read(ready, &mut [0; 8]));
            true
        });
    };
    (0..3).for_each(|_| poll(&mut inbound));
    client.close();
    (0..3).for_each(|_| poll(&mut inbound));
    assert_eq!(outcomes, [ReadOutcome::Nothing, ReadOutcome::Closed]);
}

#[test]
fn a_half_closed_client_is_answered() {
    let (mut inbound, mut outbound, network) = memory_transport(MemoryOptions::new(1));
    let (client, connection) = connect(&network, &mut inbound);
    client.close_sending();
    assert_eq!(client.send(b"x"), WriteOutcome::Closed);
    assert_eq!(read(&mut inbound, connection), Err(ReadOutcome::Closed));
    inbound.close(connection);
    assert_eq!(outbound.write(connection, b"bye"), WriteOutcome::Wrote(3));
    outbound.close(connection);
    let mut received = Vec::new();
    assert_eq!(client.receive(&mut received), ReadOutcome::Bytes(3));
    assert_eq!(client.receive(&mut received), ReadOutcome::Closed);
}

#[test]
fn shutting_down_ends_both_sides_and_is_named_until_told() {
    let (mut inbound, mut outbound, network) = memory_transport(MemoryOptions::new(1));
    let (client, connection) = connect(&network, &mut inbound);
    client.send(b"never read");
    outbound.close(connection);
    assert_eq!(client.send(b"x"), WriteOutcome::Closed);
    assert_eq!(outbound.write(connection, b"x"), WriteOutcome::Closed);
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        inbound.poll_ready(&mut |inbound, connection| {
            outcomes.push(inbound.read(connection, &mut [0; 8]));
            true
        });
    }
    assert_eq!(outcomes, [ReadOutcome::Closed]);
}

#[test]
fn a_full_table_refuses_and_a_freed_slot_has_a_new_generation() {
    let (mut inbound, mut outbound, network) = memory_transport(MemoryOptions::new(1));
    let (_first, stale) = connect(&network, &mut inbound);
    let refused = network.connect(FROM);
    assert_eq!(refused.send(b"hello"), WriteOutcome::Wrote(5));
    assert_eq!(inbound.accept(Timestamp::ZERO), None);
    assert_eq!(inbound.counters().refused_full, 1);
    assert_eq!(refused.send(b"x"), WriteOutcome::Closed);
    assert_eq!(refused.receive(&mut Vec::new()), ReadOutcome::Closed);

    outbound.close(stale);
    inbound.close(stale);
    let (client, current) = connect(&network, &mut inbound);
    assert_eq!(current.slot(), stale.slot());
    client.send(b"mine");
    assert_eq!(read(&mut inbound, stale), Err(ReadOutcome::Closed));
    assert_eq!(outbound.write(stale, b"x"), WriteOutcome::Closed);
    outbound.close(stale);
    inbound.close(stale);
    assert_eq!(read(&mut inbound, current), Ok(b"mine".to_vec()));
}

#[test]
fn clients_beyond_the_backlog_or_of_a_gateway_gone_are_closed() {
    let (inbound, outbound, network) = memory_transport(MemoryOptions::new(1));
    let waiting = network.connect(FROM);
    let beyond = network.connect(FROM);
    assert_eq!(waiting.send(b"x"), WriteOutcome::Wrote(1));
    assert_eq!(beyond.send(b"x"), WriteOutcome::Closed);
    drop((inbound, outbound));
    assert_eq!(waiting.receive(&mut Vec::new()), ReadOutcome::Closed);
    assert_eq!(network.connect(FROM).send(b"x"), WriteOutcome::Closed);
}

#[test]
fn dropping_the_gateway_closes_its_connections() {
    let (mut inbound, mut outbound, network) = memory_transport(MemoryOptions::new(2));
    let (known, connection) = connect(&network, &mut inbound);
    let (unknown, _) = connect(&network, &mut inbound);
    outbound.write(connection, b"last");
    drop(inbound);
    assert_eq!(known.send(b"x"), WriteOutcome::Wrote(1));
    drop(outbound);
    let mut received = Vec::new();
    assert_eq!(known.receive(&mut received), ReadOutcome::Bytes(4));
    assert_eq!(known.receive(&mut received), ReadOutcome::Closed);
    assert_eq!(unknown.send(b"x"), WriteOutcome::Closed);
}

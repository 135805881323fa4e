//! Which connections are named, in what turn, and a client that does not read.

use super::closing::cool;
use super::*;
use portcullis_runtime::LASTING_CALLS;

#[test]
fn what_was_not_taken_is_named_again() {
    let mut gateway = Gateway::new(1);
    let (mut client, connection) = gateway.connect();
    cool(&mut gateway);
    client.write_all(b"later").expect("it is sent");
    eventually(|| (gateway.named(false) == [connection]).then_some(()));
    for _ in 0..3 * TcpOptions::new(1).idle_reads_max {
        assert_eq!(gateway.named(false), [connection]);
    }
    assert_eq!(gateway.read(connection), Ok(b"later".to_vec()));
}

/// The agent may keep bytes of its own to work off, with the socket empty.
#[test]
fn a_connection_with_work_left_is_named_though_its_socket_is_silent() {
    let mut options = TcpOptions::new(1);
    options.idle_reads_max = 1;
    let mut gateway = Gateway::with(options);
    let (_client, connection) = gateway.connect();
    for _ in 0..100 {
        let mut named = 0;
        gateway.inbound.poll_ready(&mut |inbound, ready| {
            assert_eq!(ready, connection);
            assert_eq!(inbound.read(ready, &mut [0; 8]), ReadOutcome::Nothing);
            named += 1;
            false
        });
        assert_eq!(named, 1);
    }
}

#[test]
fn a_connection_gone_cold_is_heard_beside_a_hot_one() {
    let mut options = TcpOptions::new(2);
    options.idle_reads_max = 1;
    let mut gateway = Gateway::with(options);
    let (mut cold, cold_connection) = gateway.connect();
    cool(&mut gateway);
    let (_hot, hot_connection) = gateway.connect();
    for round in 0..10_u8 {
        cold.write_all(&[round]).expect("it is sent");
        let heard = eventually(|| {
            let mut heard = None;
            gateway.inbound.poll_ready(&mut |inbound, connection| {
                let mut byte = [0; 1];
                if connection == hot_connection {
                    return false;
                }
                assert_eq!(connection, cold_connection);
                if inbound.read(connection, &mut byte) == ReadOutcome::Bytes(1) {
                    heard = Some(byte[0]);
                }
                true
            });
            heard
        });
        assert_eq!(heard, round);
    }
    assert!(gateway.inbound.counters().poll_calls > 0);
}

fn is_watched(gateway: &mut Gateway, connection: ConnectionId) -> bool {
    gateway
        .inbound
        .table
        .stream(connection)
        .expect("open")
        .watched
}

/// Reads what is named and finds nothing, until it is not watched any more.
fn until_unwatched(gateway: &mut Gateway, connection: ConnectionId) {
    for _ in 0..1_000 {
        if !is_watched(gateway, connection) {
            return;
        }
        gateway.inbound.poll_ready(&mut |inbound, ready| {
            assert_eq!(inbound.read(ready, &mut [0; 8]), ReadOutcome::Nothing);
            true
        });
    }
    panic!("it is watched, hot as it is");
}

/// The word comes after the last read that found nothing and before the poller watches again.
#[test]
fn what_comes_as_a_connection_cools_is_heard() {
    let mut options = TcpOptions::new(1);
    options.idle_reads_max = 200;
    let mut gateway = Gateway::with(options);
    let (mut client, connection) = gateway.connect();
    for round in 0..3_u8 {
        until_unwatched(&mut gateway, connection);
        while gateway.inbound.table.hot_len() > 0 {
            assert!(!is_watched(&mut gateway, connection));
            gateway.inbound.poll_ready(&mut |inbound, ready| {
                assert_eq!(inbound.read(ready, &mut [0; 8]), ReadOutcome::Nothing);
                let last = inbound.counters().read_calls;
                // Of 200 reads from rest, the last.
                if (last - u64::from(round)).is_multiple_of(200) {
                    client.write_all(&[round]).expect("it is sent");
                    let socket = &inbound.table.stream(ready).expect("open").stream;
                    eventually(|| socket.peek(&mut [0; 1]).ok());
                }
                true
            });
        }
        assert!(is_watched(&mut gateway, connection));
        let heard = eventually(|| {
            let mut heard = None;
            gateway.inbound.poll_ready(&mut |inbound, ready| {
                let mut byte = [0; 1];
                if inbound.read(ready, &mut byte) == ReadOutcome::Bytes(1) {
                    heard = Some(byte[0]);
                }
                true
            });
            heard
        });
        assert_eq!(heard, round);
    }
}

/// Speaks each time it has cooled, which is the worst that it can do.
#[test]
fn who_makes_itself_hot_and_cold_costs_the_poller_a_pair_of_calls_in_so_many_reads() {
    const SPELLS: u64 = 50;
    let calls = u64::from(LASTING_CALLS);
    for reads_max in [1, LASTING_CALLS - 1, LASTING_CALLS, LASTING_CALLS + 1, 200] {
        let mut options = TcpOptions::new(1);
        options.idle_reads_max = reads_max;
        let mut gateway = Gateway::with(options);
        let (mut client, _) = gateway.connect();
        for _ in 0..SPELLS {
            cool(&mut gateway);
            client.write_all(b"word").expect("it is sent");
            eventually(|| {
                let mut heard = false;
                gateway.inbound.poll_ready(&mut |inbound, ready| {
                    heard = inbound.read(ready, &mut [0; 8]) == ReadOutcome::Bytes(4);
                    true
                });
                heard.then_some(())
            });
        }
        let counters = gateway.inbound.counters();
        let pairs = counters.watch_calls / 2;
        assert!(pairs * calls <= counters.read_calls, "{counters:?}");
        // Not for want of trying: who stays hot for long is unwatched, and watched again.
        let unwatched = if reads_max > LASTING_CALLS {
            SPELLS - 1
        } else {
            0
        };
        assert!(pairs >= unwatched, "{reads_max}: {counters:?}");
    }
}

#[test]
fn a_connection_ends_and_its_slot_goes_on_while_it_is_not_watched() {
    let mut gateway = Gateway::new(1);
    for _ in 0..3 {
        let (client, connection) = gateway.connect();
        until_unwatched(&mut gateway, connection);
        drop(client);
        assert_eq!(gateway.read(connection), Err(()));
        gateway.close(connection);
    }
    let (_client, connection) = gateway.connect();
    until_unwatched(&mut gateway, connection);
    gateway.outbound.close(connection);
    assert_eq!(gateway.read(connection), Err(()));
    gateway.inbound.close(connection);
    gateway.connect();
}

#[test]
fn a_flood_does_not_starve_another() {
    let mut gateway = Gateway::new(2);
    let (mut flooder, flooding) = gateway.connect();
    let (mut quiet, patient) = gateway.connect();
    flooder.set_nonblocking(true).expect("it can be set");
    let mut flooded = 0;
    for round in 0..50_u8 {
        quiet.write_all(&[round]).expect("it is sent");
        let mut heard = None;
        eventually(|| {
            // Never empty: it sends faster than the 16 bytes a call that are read.
            while flooder.write(&[0; 4_096]).is_ok() {}
            let mut named = [0; 2];
            gateway.inbound.poll_ready(&mut |inbound, connection| {
                let mut bytes = [0; 16];
                named[connection.slot()] += 1;
                let outcome = inbound.read(connection, &mut bytes);
                if connection == flooding {
                    flooded += u64::from(matches!(outcome, ReadOutcome::Bytes(_)));
                    return false;
                }
                assert_eq!(connection, patient);
                if outcome == ReadOutcome::Bytes(1) {
                    heard = Some(bytes[0]);
                }
                true
            });
            assert!(named.iter().all(|times| *times <= 1), "{named:?}");
            heard
        });
        assert_eq!(heard, Some(round));
    }
    assert!(flooded > 0);
}

#[test]
fn each_comes_first_in_its_turn() {
    let mut gateway = Gateway::new(3);
    let _clients: Vec<_> = (0..3).map(|_| gateway.connect()).collect();
    let mut firsts: Vec<usize> = (0..6).map(|_| gateway.named(false)[0].slot()).collect();
    assert_eq!(firsts[..3], firsts[3..]);
    firsts.truncate(3);
    firsts.sort_unstable();
    assert_eq!(firsts, [0, 1, 2]);
}

#[test]
fn a_connection_closed_by_the_callback_of_another_is_not_named() {
    let mut gateway = Gateway::new(2);
    let _clients: Vec<_> = (0..2).map(|_| gateway.connect()).collect();
    let mut named = 0;
    gateway.inbound.poll_ready(&mut |inbound, connection| {
        named += 1;
        let other = ConnectionId::new(1 - connection.slot() as u16, 1);
        inbound.close(other);
        false
    });
    assert_eq!(named, 1);
    assert_eq!(gateway.named(true).len(), 1);
}

#[test]
fn a_client_that_does_not_read_is_noticed_and_loses_nothing() {
    let mut options = TcpOptions::new(1);
    options.send_buffer_bytes = Some(8_192);
    let mut gateway = Gateway::with(options);
    let (mut client, connection) = gateway.connect();
    let line: Vec<u8> = (0..=250).collect();
    let mut sent = 0_usize;
    loop {
        let from = sent % line.len();
        match gateway.outbound.write(connection, &line[from..]) {
            WriteOutcome::Wrote(0) => break,
            WriteOutcome::Wrote(bytes) => sent += bytes,
            WriteOutcome::Closed => panic!("the client is there"),
        }
        assert!(sent < 1 << 28, "it is never full");
    }
    let mut received = vec![0; sent];
    client.read_exact(&mut received).expect("all arrives");
    let same = |(at, byte): (usize, &u8)| *byte == line[at % line.len()];
    assert!(received.iter().enumerate().all(same));
    eventually(|| {
        let outcome = gateway.outbound.write(connection, b"more");
        (outcome != WriteOutcome::Wrote(0)).then_some(())
    });
    assert_eq!(gateway.outbound.counters().written_bytes, sent as u64 + 4);
}

//! Many connections at once, more than there are slots, and the halves on two threads.

use super::*;
use std::sync::mpsc;

#[test]
fn a_thousand_at_once_each_get_their_own_answer() {
    const CROWD: usize = 1_000;
    let mut gateway = Gateway::new(CROWD);
    let address = gateway.address;
    let connecting = std::thread::spawn(move || {
        let mut clients: Vec<TcpStream> = (0..CROWD).map(|_| client_of(address)).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            let word = (number as u32).to_be_bytes();
            client.write_all(&word).expect("it is sent");
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let mut word = [0; 4];
            client.read_exact(&mut word).expect("it is answered");
            assert_eq!(u32::from_be_bytes(word), number as u32);
        }
        clients
    });
    let (mut accepted, mut answered) = (0, 0);
    let outbound = &mut gateway.outbound;
    let inbound = &mut gateway.inbound;
    eventually(|| {
        while inbound.accept(Timestamp::ZERO).is_some() {
            accepted += 1;
        }
        inbound.poll_ready(&mut |inbound, connection| {
            let mut word = [0; 4];
            if let ReadOutcome::Bytes(length) = inbound.read(connection, &mut word) {
                // Four bytes sent by one call arrive together on the loopback.
                assert_eq!(length, 4);
                assert_eq!(outbound.write(connection, &word), WriteOutcome::Wrote(4));
                answered += 1;
            }
            true
        });
        (answered == CROWD).then_some(())
    });
    assert_eq!(accepted, CROWD);
    let clients = connecting.join().expect("every client had its answer");
    assert_eq!(clients.len(), CROWD);
    assert_eq!(gateway.inbound.counters().refused_full, 0);
}

/// Once more than a few speak, a call reads those that have something and no others.
#[test]
fn of_a_crowd_only_those_are_read_that_have_something() {
    let mut gateway = Gateway::new(8);
    let mut clients: Vec<_> = (0..8).map(|_| gateway.connect()).collect();
    let mut hear = |gateway: &mut Gateway, from: usize| {
        let (client, connection) = &mut clients[from];
        client.write_all(b"word").expect("it is sent");
        eventually(|| {
            let mut heard = false;
            gateway.inbound.poll_ready(&mut |inbound, ready| {
                if let ReadOutcome::Bytes(length) = inbound.read(ready, &mut [0; 8]) {
                    assert_eq!((ready, length), (*connection, 4));
                    heard = true;
                }
                true
            });
            heard.then_some(())
        });
    };
    // The system is asked seldom until it has named them.
    (0..200).for_each(|word| hear(&mut gateway, word % 8));
    let before = gateway.inbound.counters().read_calls;
    const WORDS: usize = 200;
    (0..WORDS).for_each(|word| hear(&mut gateway, word % 8));
    let reads = gateway.inbound.counters().read_calls - before;
    // One that finds the word, and one that finds nothing after it, which may come with the next word.
    assert!(reads <= 2 * WORDS as u64 + 2, "{reads} reads");
}

#[test]
fn what_exceeds_the_table_is_refused_and_a_freed_slot_is_given_again() {
    let mut gateway = Gateway::new(4);
    let taken: Vec<_> = (0..4).map(|_| gateway.connect()).collect();
    let mut refused: Vec<TcpStream> = (0..40).map(|_| client_of(gateway.address)).collect();
    eventually(|| {
        assert_eq!(gateway.inbound.accept(Timestamp::ZERO), None);
        (gateway.inbound.counters().refused_full == 40).then_some(())
    });
    assert!(refused.iter_mut().all(is_over));

    let (_, first) = &taken[0];
    gateway.inbound.close(*first);
    let mut still_refused = client_of(gateway.address);
    eventually(|| {
        assert_eq!(gateway.inbound.accept(Timestamp::ZERO), None);
        (gateway.inbound.counters().refused_full == 41).then_some(())
    });
    assert!(is_over(&mut still_refused));

    gateway.outbound.close(*first);
    let (_client, again) = gateway.connect();
    assert_eq!(again.slot(), first.slot());
    assert_ne!(again, *first);
    assert_eq!(gateway.inbound.counters().accepted, 5);
}

/// Ingress on one thread, egress on another: slots go round many times, every message is answered
/// on the connection it came by.
#[test]
fn the_halves_may_live_on_two_threads() {
    const CLIENTS: u32 = 200;
    let Gateway {
        mut inbound,
        mut outbound,
        address,
    } = Gateway::new(2);
    let (to_egress, messages) = mpsc::channel::<(ConnectionId, Option<[u8; 4]>)>();
    let egress = std::thread::spawn(move || {
        for (connection, message) in messages {
            match message {
                Some(word) => {
                    let outcome = outbound.write(connection, &word);
                    assert_eq!(outcome, WriteOutcome::Wrote(4));
                }
                None => outbound.close(connection),
            }
        }
        outbound.counters()
    });
    let ingress = std::thread::spawn(move || {
        let mut ended = 0;
        eventually(|| {
            while inbound.accept(Timestamp::ZERO).is_some() {}
            inbound.poll_ready(&mut |inbound, connection| {
                let mut word = [0; 4];
                let message = match inbound.read(connection, &mut word) {
                    ReadOutcome::Nothing => return true,
                    ReadOutcome::Bytes(_) => Some(word),
                    ReadOutcome::Closed => {
                        inbound.close(connection);
                        ended += 1;
                        None
                    }
                };
                to_egress.send((connection, message)).expect("it listens");
                true
            });
            (ended == CLIENTS).then_some(())
        });
        inbound.counters()
    });
    let mut served = 0_u32;
    eventually(|| {
        let mut client = client_of(address);
        let mut answer = [0; 4];
        // Refused if egress has not yet forgotten the connection before the last.
        let sent = client.write_all(&served.to_be_bytes());
        if sent.is_ok() && client.read_exact(&mut answer).is_ok() {
            assert_eq!(u32::from_be_bytes(answer), served);
            served += 1;
        }
        (served == CLIENTS).then_some(())
    });
    let reads = ingress.join().expect("ingress ends");
    let writes = egress.join().expect("egress ends");
    assert_eq!(reads.accepted, u64::from(CLIENTS));
    assert_eq!(reads.read_bytes, writes.written_bytes);
    assert_eq!(writes.closed, u64::from(CLIENTS));
}

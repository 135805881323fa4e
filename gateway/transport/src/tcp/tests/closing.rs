//! How connections end: by either side, half, by reset, and what a stale id then says.

use super::*;

#[test]
fn a_peer_that_leaves_is_read_to_its_end() {
    let mut gateway = Gateway::new(1);
    let (mut client, connection) = gateway.connect();
    client.write_all(b"last").expect("it is sent");
    drop(client);
    assert_eq!(gateway.read(connection), Ok(b"last".to_vec()));
    assert_eq!(gateway.read(connection), Err(()));
    assert_eq!(gateway.read(connection), Err(()));
}

#[test]
fn a_half_open_peer_can_still_be_answered() {
    let mut gateway = Gateway::new(1);
    let (mut client, connection) = gateway.connect();
    client.shutdown(Shutdown::Write).expect("half is shut");
    assert_eq!(gateway.read(connection), Err(()));
    assert_eq!(
        gateway.outbound.write(connection, b"bye"),
        WriteOutcome::Wrote(3)
    );
    gateway.inbound.close(connection);
    assert_eq!(
        gateway.outbound.write(connection, b"!"),
        WriteOutcome::Wrote(1)
    );
    gateway.outbound.close(connection);
    let mut all = Vec::new();
    client.read_to_end(&mut all).expect("an orderly end");
    assert_eq!(all, b"bye!");
}

#[test]
fn shutting_down_ends_the_inbound_half_at_once() {
    let mut gateway = Gateway::new(1);
    let (mut client, connection) = gateway.connect();
    client.write_all(b"never read").expect("it is sent");
    let socket = gateway.socket(connection);
    eventually(|| socket.peek(&mut [0; 1]).ok());
    assert_eq!(
        gateway.outbound.write(connection, b"reason"),
        WriteOutcome::Wrote(6)
    );
    gateway.outbound.close(connection);
    assert_eq!(
        gateway.outbound.write(connection, b"more"),
        WriteOutcome::Closed
    );
    assert_eq!(gateway.named(false), [connection]);
    assert_eq!(
        gateway.inbound.read(connection, &mut [0; 8]),
        ReadOutcome::Closed
    );
    // Told, and so not named again unless the agent asks for it.
    for _ in 0..3 {
        assert_eq!(gateway.named(false), [connection]);
    }
    gateway.named(true);
    assert_eq!(gateway.named(true), []);
    let mut all = Vec::new();
    client.read_to_end(&mut all).expect("an orderly end");
    assert_eq!(all, b"reason");
    let reset = client.take_error().expect("it can be asked");
    assert!(reset.is_none(), "{reset:?}");
    assert_eq!(gateway.outbound.counters().closed, 1);
}

#[test]
fn bytes_that_wait_at_the_shutdown_are_never_read() {
    let mut gateway = Gateway::new(1);
    let (mut client, connection) = gateway.connect();
    client.set_nonblocking(true).expect("it can be set");
    // More than a shutdown throws away.
    while client.write(&[0; 65_536]).is_ok() {}
    gateway.outbound.close(connection);
    assert_eq!(
        gateway.inbound.read(connection, &mut [0; 8]),
        ReadOutcome::Closed
    );
}

#[test]
fn a_reset_closes_both_halves() {
    let mut gateway = Gateway::new(1);
    let (client, connection) = gateway.connect();
    gateway.outbound.write(connection, b"unread");
    eventually(|| client.peek(&mut [0; 1]).ok());
    // Dropped over unread bytes, the client's system answers with a reset.
    drop(client);
    assert_eq!(gateway.read(connection), Err(()));
    eventually(|| (gateway.outbound.write(connection, b"x") == WriteOutcome::Closed).then_some(()));
    gateway.close(connection);
    let (_client, next) = gateway.connect();
    assert_ne!(next, connection);
}

#[test]
fn an_end_is_named_to_a_connection_gone_cold() {
    let mut options = TcpOptions::new(1);
    options.idle_reads_max = 1;
    let mut gateway = Gateway::with(options);
    let (client, connection) = gateway.connect();
    cool(&mut gateway);
    drop(client);
    let outcome = eventually(|| {
        let mut outcome = None;
        gateway.inbound.poll_ready(&mut |inbound, ready| {
            assert_eq!(ready, connection);
            outcome = Some(inbound.read(ready, &mut [0; 8]));
            true
        });
        outcome.filter(|outcome| *outcome != ReadOutcome::Nothing)
    });
    assert_eq!(outcome, ReadOutcome::Closed);
}

#[test]
fn a_stale_id_is_closed_after_its_slot_went_on() {
    let mut gateway = Gateway::new(1);
    let (_old_client, stale) = gateway.connect();
    gateway.close(stale);
    let (mut client, current) = gateway.connect();
    assert_eq!(current.slot(), stale.slot());
    client.write_all(b"mine").expect("it is sent");
    assert_eq!(
        gateway.inbound.read(stale, &mut [0; 8]),
        ReadOutcome::Closed
    );
    assert_eq!(gateway.outbound.write(stale, b"x"), WriteOutcome::Closed);
    gateway.close(stale);
    assert_eq!(gateway.read(current), Ok(b"mine".to_vec()));
    assert_eq!(
        gateway.outbound.write(current, b"x"),
        WriteOutcome::Wrote(1)
    );
}

#[test]
fn unknown_ids_are_closed() {
    let mut gateway = Gateway::new(2);
    for raw in [0, 1, 1 << 16, u32::MAX] {
        let unknown = ConnectionId::from_raw(raw);
        assert_eq!(
            gateway.inbound.read(unknown, &mut [0; 8]),
            ReadOutcome::Closed
        );
        assert_eq!(gateway.outbound.write(unknown, b"x"), WriteOutcome::Closed);
        gateway.close(unknown);
    }
    assert_eq!(gateway.outbound.counters().closed, 0);
}

/// Calls until nothing is hot.
pub(super) fn cool(gateway: &mut Gateway) {
    eventually(|| {
        gateway.inbound.poll_ready(&mut |inbound, connection| {
            assert_eq!(
                inbound.read(connection, &mut [0; 8]),
                ReadOutcome::Nothing,
                "only a silent connection cools"
            );
            true
        });
        (gateway.inbound.table.hot_len() == 0).then_some(())
    });
}

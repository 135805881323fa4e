//! The credential thread: verifies logins that ingress asks about.
//!
//! A thread of its own, since a hash takes long on purpose. Invariant: one login at a time; the
//! queue before it is bounded, and ingress refuses what it has no room for.

use portcullis_control::credentials::{LogonRequest, LogonVerdict, Verifier};
use portcullis_domain::Timestamp;
use portcullis_pipeline::ingress::{LoginQuery, LoginVerdict};
use portcullis_runtime::{Clock, RingConsumer, RingProducer, StopFlag, SystemClock};
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1);

/// Starts the thread, which ends when the gateway stops.
pub(super) fn start(
    verifier: Verifier,
    queries: RingConsumer<LoginQuery>,
    verdicts: RingProducer<LoginVerdict>,
    stop: StopFlag,
) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name("credentials".to_owned());
    thread.spawn(move || run(verifier, queries, verdicts, &stop))
}

/// Verifies until the gateway stops.
fn run(
    mut verifier: Verifier,
    mut queries: RingConsumer<LoginQuery>,
    mut verdicts: RingProducer<LoginVerdict>,
    stop: &StopFlag,
) {
    while !stop.is_set() {
        let Ok(query) = queries.pop() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        let request = LogonRequest {
            connection: query.connection.raw(),
            user: *query.user.bytes(),
            password: *query.password.0.bytes(),
            address: query.address,
        };
        let now: Timestamp = SystemClock.now();
        let session = match verifier.verify(&request, now) {
            LogonVerdict::Accepted(session) => Some(session),
            LogonVerdict::Refused | LogonVerdict::AddressLimited => None,
        };
        let verdict = LoginVerdict {
            connection: query.connection,
            session,
        };
        while verdicts.push(verdict).is_err() && !stop.is_set() {
            std::thread::sleep(PAUSE);
        }
    }
}

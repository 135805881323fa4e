//! The ring in each interleaving of two threads that the model checker finds, and each value that its
//! loads may see.

use super::*;
use loom::thread;

#[derive(Debug, PartialEq, Eq)]
struct Numbered {
    number: u64,
    len: usize,
}

impl Lead for Numbered {
    fn bytes_behind(&self) -> usize {
        self.len
    }
}

/// Lengths that make messages of one, two and three units, so that they lie over the end of the ring
/// and begin anew in several places.
fn len_of(number: u64) -> usize {
    [0, 64, 100][number as usize % 3]
}

/// Switches of thread that are tried in a run beside those where one waits: more find nothing else and
/// take minutes.
const PREEMPTIONS: usize = 2;

/// Alone a message is sent as one is, else written to be published with others.
fn put(
    producer: &mut MessageProducer<Numbered>,
    lead: Numbered,
    bytes: &[u8],
    together: u64,
) -> bool {
    if together == 1 {
        producer.send(lead, bytes)
    } else {
        producer.write(lead, bytes)
    }
}

/// `messages` go through a ring of `units`; the producer publishes after each `together`.
fn pass(units: usize, messages: u64, together: u64) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS);
    model.check(move || {
        let (mut producer, mut consumer) = message_ring_of_units::<Numbered>(units);
        let sender = thread::spawn(move || {
            for number in 0..messages {
                let len = len_of(number);
                let bytes = vec![number as u8; len];
                while !put(&mut producer, Numbered { number, len }, &bytes, together) {
                    producer.publish();
                    thread::yield_now();
                }
                if (number + 1) % together == 0 {
                    producer.publish();
                }
            }
            producer.publish();
        });
        for number in 0..messages {
            while consumer.front().is_none() {
                thread::yield_now();
            }
            let (lead, bytes) = consumer.take().expect("it was at the front");
            assert_eq!((lead.number, lead.len), (number, len_of(number)));
            assert!(bytes.iter().all(|byte| *byte == number as u8));
        }
        assert!(consumer.front().is_none());
        sender.join().expect("the sender ends");
    });
}

#[test]
fn each_message_arrives_whole_and_in_its_turn() {
    pass(4, 4, 1);
}

#[test]
fn so_it_does_where_several_are_published_together() {
    pass(5, 4, 2);
}

#[test]
fn so_it_does_where_the_ring_begins_anew() {
    pass(8, 5, 1);
}

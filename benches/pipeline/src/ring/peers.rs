//! Rings of others, with the ends that the measurement takes.
//!
//! Owned by the two threads of a measurement. Invariant: they are used as their authors mean them to
//! be used, each end on its own thread.

use crossbeam_queue::ArrayQueue;
use portcullis_bench_pipeline::hop::{Sends, Takes, Word};
use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use std::marker::PhantomData;
use std::sync::Arc;

/// `ringbuf`'s ring, whose ends keep the other's cursor.
pub(crate) struct Backed<T>(PhantomData<T>);

/// Its ends.
pub(crate) struct Producing<T>(HeapProd<T>);
pub(crate) struct Consuming<T>(HeapCons<T>);

impl<T: Word> Backed<T> {
    pub(crate) fn ring(slots: usize) -> (Producing<T>, Consuming<T>) {
        let (producer, consumer) = HeapRb::new(slots).split();
        (Producing(producer), Consuming(consumer))
    }
}

impl<T: Word> Sends for Producing<T> {
    #[inline]
    fn send(&mut self, word: u64) -> bool {
        self.0.try_push(T::of(word)).is_ok()
    }
}

impl<T: Word> Takes for Consuming<T> {
    #[inline]
    fn take(&mut self) -> Option<u64> {
        self.0.try_pop().map(|value| value.word())
    }
}

/// `crossbeam`'s bounded queue, from either side.
pub(crate) struct Queue<T>(Arc<ArrayQueue<T>>);

pub(crate) fn queue<T: Word>(slots: usize) -> (Queue<T>, Queue<T>) {
    let queue = Arc::new(ArrayQueue::new(slots));
    (Queue(Arc::clone(&queue)), Queue(queue))
}

impl<T: Word> Sends for Queue<T> {
    #[inline]
    fn send(&mut self, word: u64) -> bool {
        self.0.push(T::of(word)).is_ok()
    }
}

impl<T: Word> Takes for Queue<T> {
    #[inline]
    fn take(&mut self) -> Option<u64> {
        self.0.pop().map(|value| value.word())
    }
}

//! Spare segments made on a thread of their own.
//!
//! The thread removes what an earlier life left behind, makes one ahead and waits until it is taken; what the file system
//! refuses it tries again after a pause. It closes full segments, too: to give back the pages of one that is mapped takes
//! milliseconds.
//! Invariants: one spare at the most waits, one at the most is made; the thread ends when the source is dropped. Must
//! never make the taker wait.

use crate::segment::SEGMENT_BYTES_MIN;
use crate::source::{SegmentSource, Spare, make_spare, refusal, remove_stale_spares, spare_name};
use crate::storage::Storage;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::sync::mpsc::{channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Pause before a failed attempt is made again.
const RETRY: Duration = Duration::from_millis(200);

type Made<S> = Spare<<S as Storage>::File>;

/// A source whose spares are made elsewhere.
#[derive(Debug)]
pub struct ThreadSource<S: Storage> {
    made: Option<Receiver<Made<S>>>,
    refused: Receiver<io::Error>,
    segment_bytes: u64,
    /// Full segments' files to the thread, which closes them; dropped to end its pauses.
    closing: Option<Sender<S::File>>,
    thread: Option<JoinHandle<()>>,
    ready: Option<Spare<S::File>>,
    failed: Option<io::Error>,
}

impl<S: Storage> ThreadSource<S> {
    /// Starts the thread, which makes the first spare at once. Whoever starts it holds the folder.
    ///
    /// # Errors
    /// If no thread can be started.
    ///
    /// # Panics
    /// If `segment_bytes` is less than [`SEGMENT_BYTES_MIN`].
    pub fn start(storage: S, segment_bytes: u64) -> io::Result<Self> {
        assert!(
            segment_bytes >= SEGMENT_BYTES_MIN,
            "a segment has room for a frame"
        );
        // No room beside the hand-over: a spare that nobody takes is the only one.
        let (give, made) = sync_channel(0);
        let (refuse, refused) = sync_channel(1);
        let (closing, closed) = channel();
        let thread = thread::Builder::new()
            .name("segments".to_owned())
            .spawn(move || make_spares(&storage, segment_bytes, &give, &refuse, &closed))?;
        Ok(Self {
            made: Some(made),
            refused,
            segment_bytes,
            closing: Some(closing),
            thread: Some(thread),
            ready: None,
            failed: None,
        })
    }
}

fn make_spares<S: Storage>(
    storage: &S,
    segment_bytes: u64,
    give: &SyncSender<Made<S>>,
    refuse: &SyncSender<io::Error>,
    closed: &Receiver<S::File>,
) {
    // What cannot be removed is written over, in its turn.
    let _ = remove_stale_spares(storage);
    for number in 0.. {
        let made = loop {
            match make_spare(storage, spare_name(number), segment_bytes) {
                Ok(spare) => break spare,
                Err(error) => {
                    // Where one is waiting to be heard, this one says no more.
                    let _ = refuse.try_send(error);
                    if let Err(RecvTimeoutError::Disconnected) = closed.recv_timeout(RETRY) {
                        return;
                    }
                }
            }
        };
        // They were handed over with the spare before this one.
        closed.try_iter().for_each(drop);
        let name = made.name.clone();
        if give.send(made).is_err() {
            // Made for nobody; the next life removes it if this does not.
            let _ = storage.remove(&name);
            return;
        }
    }
}

impl<S: Storage> SegmentSource<S> for ThreadSource<S> {
    fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    fn poll(&mut self) -> bool {
        if self.ready.is_none() {
            let made = self
                .made
                .as_ref()
                .expect("it is there until the source is dropped");
            match made.try_recv() {
                Ok(spare) => {
                    self.ready = Some(spare);
                    self.failed = None;
                }
                Err(TryRecvError::Empty) => {
                    if let Ok(error) = self.refused.try_recv() {
                        self.failed = Some(error);
                    }
                }
                Err(TryRecvError::Disconnected) => {
                    self.failed =
                        Some(io::Error::other("the thread that makes segments has ended"));
                }
            }
        }
        self.ready.is_some()
    }

    fn is_refused(&self) -> bool {
        self.failed.is_some()
    }

    fn take(&mut self) -> io::Result<Spare<S::File>> {
        self.poll();
        let failed = self.failed.as_ref();
        self.ready.take().ok_or_else(|| refusal(failed))
    }

    fn close(&mut self, file: S::File) {
        if let Some(closing) = &self.closing {
            // To a thread that has ended: it is closed here.
            let _ = closing.send(file);
        }
    }
}

impl<S: Storage> Drop for ThreadSource<S> {
    fn drop(&mut self) {
        drop(self.made.take());
        drop(self.closing.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

//! What clients have been told, as a snapshot keeps it.
//!
//! The thread that makes or loads a snapshot. Invariants: what loads is what was saved, or an error; streams
//! go on under the numbers they had; a store that has become smaller keeps the newest messages.

use super::EgressConfig;
use super::client_streams::ClientStreams;
use super::stream::Stream;
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};

const KIND: [u8; 4] = *b"TOLD";
const VERSION: u32 = 2;

/// The least that a stream takes when it is saved, and a message of one.
const STREAM_BYTES_MIN: usize = 16;
const MESSAGE_BYTES_MIN: usize = 4;

impl ClientStreams {
    /// Appends all that clients were told.
    pub fn save(&self, out: &mut Vec<u8>) {
        let mut out = SavedWriter::begin(out, KIND, VERSION);
        out.count(self.streams.len());
        for stream in &self.streams {
            let (oldest, next) = stream.reach();
            out.u64(oldest);
            out.u64(next - oldest);
            for message in stream.stored() {
                out.u32(message.len() as u32);
                out.bytes(message);
            }
        }
        self.echoes.save(&mut out);
    }

    /// By session, the oldest message that was saved of it, or the next one where none was.
    pub(crate) fn oldest_saved(bytes: &[u8]) -> Result<Vec<u64>, SavedError> {
        let mut from = SavedReader::begin(bytes, KIND, VERSION)?;
        let mut all = Vec::new();
        for _ in 0..from.count("sessions", STREAM_BYTES_MIN)? {
            all.push(from.u64("oldest")?);
            for _ in 0..from.count("messages", MESSAGE_BYTES_MIN)? {
                let len = from.u32("message length")? as usize;
                from.bytes("message", len)?;
            }
        }
        Ok(all)
    }

    /// What clients were told, as it was saved; a session that was not there then has been told nothing.
    ///
    /// # Errors
    /// The bytes are something else, or do not fit the config.
    pub fn load(config: &EgressConfig, bytes: &[u8]) -> Result<Self, SavedError> {
        let mut from = SavedReader::begin(bytes, KIND, VERSION)?;
        let mut streams = Self::new(config);
        for index in 0..from.count("sessions", STREAM_BYTES_MIN)? {
            let heartbeat = config.heartbeats.get(index);
            let heartbeat = *from.have("sessions", heartbeat)?;
            let oldest = from.u64("oldest")?;
            from.hold("oldest", oldest > 0)?;
            let mut stream = Stream::beginning_at(oldest, config, heartbeat);
            for _ in 0..from.count("messages", MESSAGE_BYTES_MIN)? {
                let len = from.u32("message length")? as usize;
                let message = from.bytes("message", len)?;
                let stored = stream.publish(message);
                from.hold("message length", stored)?;
            }
            streams.streams[index] = stream;
        }
        streams.echoes.load(&mut from)?;
        from.end()?;
        Ok(streams)
    }
}

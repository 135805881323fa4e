//! Where others connect to a gateway: opened before there is one, so that what is taken already is said in time.
//!
//! Control thread, or the thread that promotes a standby, once. Invariant: nobody is let in before the gateway's own
//! threads ask.

use super::assemble::{StartError, cannot};
use portcullis_control::config::{Config, Matching};
use portcullis_transport::{
    TcpInbound, TcpOptions, TcpOutbound, allow_descriptors, descriptors_wanted, tcp_transport_with,
};
use std::net::{SocketAddr, TcpListener};

/// Sockets that listen.
pub(crate) struct Doors {
    pub(super) inbound: TcpInbound,
    pub(super) outbound: TcpOutbound,
    /// Where clients connect.
    pub(super) address: SocketAddr,
    /// Where a standby does, if the config says so.
    pub(super) standby: Option<TcpListener>,
}

impl Doors {
    /// Opens all that a config names.
    ///
    /// # Errors
    /// Which one cannot be had, and why.
    pub(crate) fn open(config: &Config) -> Result<Self, StartError> {
        let capacities = &config.profile.capacities;
        let connections_max = capacities.connections_max as usize;
        let house = match &config.profile.matching {
            Matching::Ouch { house, .. } => house.len() + config.sessions.len(),
            Matching::Embedded | Matching::Sim { .. } => 0,
        };
        allow_descriptors(descriptors_wanted(connections_max, house))
            .map_err(|error| cannot("connections_max", error))?;
        let options = TcpOptions {
            send_buffer_bytes: Some(capacities.send_buffer_bytes as usize),
            congestion_control: config.profile.congestion_control.name(),
            ..TcpOptions::new(connections_max)
        };
        let listen = config.profile.listen;
        let (inbound, outbound, address) = tcp_transport_with(listen, options)
            .map_err(|error| cannot(&format!("listening on {listen}"), error))?;
        let standby = config.profile.replication.listen.map(|listen| {
            TcpListener::bind(listen)
                .map_err(|error| cannot(&format!("a standby's socket {listen}"), error))
        });
        Ok(Self {
            inbound,
            outbound,
            address,
            standby: standby.transpose()?,
        })
    }
}

//! Engine links that stopped: said once when it comes to pass, and in the state for as long as it lasts.
//!
//! Control thread. Invariant: what is said is why a link stopped and what a person does about it. A session that the
//! config gives no link is no news.

use portcullis_control::config::{Config, Matching};
use portcullis_venue_ouch::{StopReader, StopReason};
use std::time::{Duration, Instant};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// All of them.
pub(super) struct Links {
    links: Vec<Link>,
    looked: Option<Instant>,
}

struct Link {
    name: String,
    stop: StopReader,
    said: Option<StopReason>,
}

impl Links {
    /// The links of a config's sessions, and behind them those of the house.
    pub(super) fn new(stops: Vec<StopReader>, config: &Config) -> Self {
        let clients = config.sessions.iter();
        let clients = clients.map(|session| format!("session {}", session.user));
        let house = match &config.profile.matching {
            Matching::Ouch { house, .. } => house.as_slice(),
            Matching::Embedded | Matching::Sim { .. } => &[],
        };
        let house = house.iter().map(|link| format!("house {}", link.user));
        let links = stops.into_iter().zip(clients.chain(house));
        Self {
            links: links
                .map(|(stop, name)| Link {
                    name,
                    stop,
                    said: None,
                })
                .collect(),
            looked: None,
        }
    }

    /// What is to be said now.
    pub(super) fn news(&mut self, now: Instant) -> Vec<String> {
        let is_due = |at| now.duration_since(at) >= LOOK_EVERY;
        if self.links.is_empty() || !self.looked.is_none_or(is_due) {
            return Vec::new();
        }
        self.looked = Some(now);
        self.links.iter_mut().filter_map(Link::news).collect()
    }

    /// The links that are stopped, a line each.
    pub(super) fn describe(&self) -> String {
        let stopped = self.links.iter().filter_map(|link| {
            let reason = link.stopped()?;
            Some(format!("\nengine link of {} stopped: {reason}", link.name))
        });
        stopped.collect()
    }
}

impl Link {
    fn stopped(&self) -> Option<StopReason> {
        let reason = self.stop.get();
        reason.filter(|reason| *reason != StopReason::NoRoute)
    }

    fn news(&mut self) -> Option<String> {
        let reason = self.stopped();
        let before = std::mem::replace(&mut self.said, reason);
        let name = &self.name;
        match (before, reason) {
            (_, Some(reason)) if before != Some(reason) => Some(format!(
                "ALARM: the engine link of {name} stopped: {reason}"
            )),
            (Some(_), None) => Some(format!("the engine link of {name} tries again")),
            (_, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_venue_ouch::StopWriter;

    fn links() -> (Links, [StopWriter; 2]) {
        let writers = [StopWriter::default(), StopWriter::default()];
        let links = writers.iter().zip(["session DESK1", "house GATE01"]);
        let links = links.map(|(writer, name)| Link {
            name: name.to_owned(),
            stop: writer.reader(),
            said: None,
        });
        let links = Links {
            links: links.collect(),
            looked: None,
        };
        (links, writers)
    }

    #[test]
    fn a_link_that_stops_is_said_once_and_stands_in_the_state() {
        let (mut links, [mut desk, mut house]) = links();
        let begin = Instant::now();
        let at = |looks: u32| begin + looks * LOOK_EVERY;
        house.tell(Some(StopReason::NoRoute));
        assert_eq!(
            (links.news(at(0)), links.describe()),
            (vec![], String::new())
        );
        desk.tell(Some(StopReason::NotAuthorised));
        assert!(links.news(at(0)).is_empty(), "it is not time yet");
        let said = links.news(at(1)).concat();
        let begins = "ALARM: the engine link of session DESK1 stopped: the engine refused its user";
        assert!(said.starts_with(begins), "{said}");
        assert!(links.news(at(2)).is_empty(), "it was said");
        let state = links.describe();
        let line = "\nengine link of session DESK1 stopped: the engine refused its user";
        assert!(
            state.starts_with(line) && state.contains("mend them in the config"),
            "{state}"
        );
        desk.tell(Some(StopReason::Unreadable { number: 71 }));
        assert!(
            links
                .news(at(3))
                .concat()
                .contains("message 71 cannot be read")
        );
        desk.tell(None);
        let again = "the engine link of session DESK1 tries again";
        assert_eq!(links.news(at(4)), [again]);
        assert_eq!(links.describe(), "");
    }
}

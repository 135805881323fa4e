//! What clients found, in figures.

/// What a client found in the end, or all of them together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    /// Orders entered.
    pub(crate) entered: u64,
    /// Those that were accepted or refused.
    pub(crate) answered: u64,
    /// Replaces asked for.
    pub(crate) replaces: u64,
    /// Messages told.
    pub(crate) messages: u64,
    /// Messages told again and found the same.
    pub(crate) compared: u64,
    /// Orders sent again under their number.
    pub(crate) sent_again: u64,
    /// Logins taken.
    pub(crate) logins: u64,
    /// Orders without an answer.
    pub(crate) lost: u64,
    /// Replaces without one, whose order lives.
    pub(crate) replaces_lost: u64,
    /// Orders with two.
    pub(crate) duplicated: u64,
    /// Messages whose number was not the next.
    pub(crate) gaps: u64,
    /// Messages that were another when they were told again.
    pub(crate) changed: u64,
    /// Messages about orders of somebody else, or beyond what is open of its own.
    pub(crate) foreign: u64,
    /// Clients that took no part: no order answered, or none of the restarts outlived.
    pub(crate) idle: u64,
}

impl Orders {
    /// Adds what another client found.
    pub(crate) const fn add(&mut self, client: &Self) {
        self.entered += client.entered;
        self.answered += client.answered;
        self.replaces += client.replaces;
        self.messages += client.messages;
        self.compared += client.compared;
        self.sent_again += client.sent_again;
        self.logins += client.logins;
        self.lost += client.lost;
        self.replaces_lost += client.replaces_lost;
        self.duplicated += client.duplicated;
        self.gaps += client.gaps;
        self.changed += client.changed;
        self.foreign += client.foreign;
        self.idle += client.idle;
    }

    pub(crate) fn print(&self) {
        println!(
            "orders     entered {}, answered {}, sent again {}; lost {}, answered twice {}",
            self.entered, self.answered, self.sent_again, self.lost, self.duplicated
        );
        println!(
            "replaces   {} asked for; lost while their order lived {}",
            self.replaces, self.replaces_lost
        );
        println!(
            "messages   {} told over {} logins, {} told again; gaps {}, changed {}, another's {}; idle clients {}",
            self.messages,
            self.logins,
            self.compared,
            self.gaps,
            self.changed,
            self.foreign,
            self.idle
        );
    }

    pub(crate) const fn violations(&self) -> u64 {
        self.lost
            + self.replaces_lost
            + self.duplicated
            + self.gaps
            + self.changed
            + self.foreign
            + self.idle
    }
}

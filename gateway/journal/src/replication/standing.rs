//! What a node knows of terms: the highest it has heard of, and the one it leads.
//!
//! **Thread.** The process has one, with the thread that owns its connections.
//! **Invariants.** The highest term heard of never goes back. A node leads at most one term, and no longer than no
//! higher one was heard of; a term is made by a promotion alone, above all that were heard of.
//! **Never.** Lead again a term that was lost. A restart does not make a term: the node that restarts may have been
//! succeeded while it was down, and would then make the same term as its successor.

use crate::frame::Term;

/// A node's standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    heard: Term,
    leads: Option<Term>,
}

impl Standing {
    /// A node that follows, and has heard of this term.
    #[must_use]
    pub const fn following(heard: Term) -> Self {
        Self { heard, leads: None }
    }

    /// A node that starts to lead, in the term of its log; `None` if it has heard of a higher one: it was succeeded.
    #[must_use]
    pub fn leading(term: Term, heard: Term) -> Option<Self> {
        (heard <= term).then_some(Self {
            heard: term,
            leads: Some(term),
        })
    }

    /// The highest term heard of.
    #[must_use]
    pub const fn heard(&self) -> Term {
        self.heard
    }

    /// The term it leads.
    #[must_use]
    pub const fn leads(&self) -> Option<Term> {
        self.leads
    }

    /// A term was heard of; true if it is higher than any before. Who leads a lower one leads no more.
    pub fn hear(&mut self, term: Term) -> bool {
        let raised = term > self.heard;
        if raised {
            self.heard = term;
            self.leads = None;
        }
        raised
    }

    /// Another node claims to lead the term that is led here. Neither may go on.
    pub fn contested(&mut self) {
        self.leads = None;
    }

    /// Leads a new term, above all that were heard of; `None` at the end of the numbers.
    pub fn promote(&mut self) -> Option<Term> {
        let term = Term::new(self.heard.raw().checked_add(1)?);
        self.heard = term;
        self.leads = Some(term);
        Some(term)
    }
}

//! Notices to a holder or their guardians, and which of them counts (C5.3.5, M3).

use types::{Duration, Instant, LoanId, text_enum};

/// How long before a receipt a notice may lie and still be about that restitution: longer than any reminder.
const ABOUT_THIS_RETURN: Duration = Duration::from_secs(92 * 86_400);

text_enum! {
    /// What a notice says.
    NoticeKind: "kind of notice" {
        /// The tablet is due soon: what to save, where to bring it.
        Reminder = "reminder",
        /// The loan is over: what to save, where to bring it.
        LoanOver = "loan-over",
        /// The tablet was received, and will be erased: what is missing, until when data can be saved.
        Received = "received",
        /// The tablet should have come back.
        Overdue = "overdue",
        /// The rules that apply to the tablet changed (C5.2.6).
        RulesChanged = "rules-changed",
        /// The summer is near: where the tablet is handed in, and that it is kept as it is (C5.2.2).
        Deposit = "deposit",
    }
}

impl NoticeKind {
    /// Whether it tells the holder to save what they want to keep, before all data is erased (C5.3.5).
    #[must_use]
    pub const fn tells_to_save(self) -> bool {
        match self {
            Self::Reminder | Self::LoanOver | Self::Received | Self::Overdue => true,
            // Nothing is erased by a deposit: whoever was told of one was not told of an erasure.
            Self::RulesChanged | Self::Deposit => false,
        }
    }
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It waits.
    Waits,
    /// A mail server accepted it.
    MailAccepted(Instant),
    /// A mail server accepted it, and it came back: it does not count.
    Bounced,
    /// A technician recorded handing over the letter.
    LetterHandedOver(Instant),
}

/// A notice of one loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The loan.
    pub loan: LoanId,
    /// What it says.
    pub kind: NoticeKind,
    /// What became of it.
    pub sent: Sent,
}

impl Notice {
    /// Since when it counts as a notice to save one's data; `None` if it does not.
    #[must_use]
    pub const fn counts_since(&self) -> Option<Instant> {
        match self.sent {
            Sent::MailAccepted(at) | Sent::LetterHandedOver(at) if self.kind.tells_to_save() => Some(at),
            Sent::MailAccepted(_) | Sent::LetterHandedOver(_) | Sent::Waits | Sent::Bounced => None,
        }
    }
}

/// What a holder knows about the erasure of their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The notices of the loan.
    pub notices: Vec<Notice>,
    /// When the holder, or a guardian, confirmed that their data is saved.
    pub saved_at: Option<Instant>,
}

/// Until when an erasure waits for the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// No longer than this.
    Until(Instant),
    /// For as long as no notice counts.
    ForANotice,
}

impl Told {
    /// How long the erasure of a tablet that came back then waits: until `notice` has passed since the first notice that
    /// counts, or until the holder confirmed that their data is saved, whichever comes first (M3).
    #[must_use]
    pub fn wait(&self, loan: LoanId, came_back: Instant, notice: Duration) -> Wait {
        let about_this = came_back.minus(ABOUT_THIS_RETURN);
        let own = self.notices.iter().filter(|sent| sent.loan == loan);
        let first = own.filter_map(Notice::counts_since).filter(|at| *at >= about_this).min();
        match (first.map(|at| at.plus(notice)), self.saved_at) {
            (Some(elapsed), Some(saved)) => Wait::Until(elapsed.min(saved)),
            (Some(instant), None) | (None, Some(instant)) => Wait::Until(instant),
            (None, None) => Wait::ForANotice,
        }
    }
}

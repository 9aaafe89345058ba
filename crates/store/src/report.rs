//! The one write of a connect: the report on a command, the delivery of the next, what the tablet told. What many tablets
//! say together is written by the same few statements as what one says ([`write`]).
//!
//! Every statement states its own condition, so that a late, repeated or foreign report changes nothing
//! (T-A18), and a command that was cancelled since it was read is not delivered.

mod write;

use orders::{Gate, Order};
use types::{CommandId, EnrolmentId, Instant, Supervision, TabletId};
use uuid::Uuid;

use crate::vitals::{self, About};
use crate::{StoreError, Together, Tx};

pub(crate) use write::apply;

/// Connects are written together.
pub(crate) struct Connects;

impl Together for Connects {
    type Ask = ConnectWrite;
    type Answer = ConnectWritten;

    fn whose(write: &ConnectWrite) -> Uuid {
        write.enrolment.as_uuid()
    }

    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        writes: &[&ConnectWrite],
    ) -> Result<Vec<ConnectWritten>, StoreError> {
        if let [first, others @ ..] = writes {
            vitals::about(About::Batch(first.enrolment, others.len()));
        }
        apply(tx, writes)
    }
}

/// What one connect writes.
#[derive(Debug, Clone)]
pub struct ConnectWrite {
    /// Whose tablet it is.
    pub enrolment: EnrolmentId,
    /// The tablet's report on a command.
    pub report: Option<CommandReport>,
    /// The command to deliver: it is marked as sent, and its payload comes back.
    pub deliver: Option<Delivery>,
    /// What the tablet reported about itself, by kind; the newest replaces what was known.
    pub observations: Vec<(String, serde_json::Value)>,
    /// What is now known of the enrolment.
    pub facts: ReportedFacts,
    /// The tablet came and there is nothing more for it: no push is wanted for what was queued before `at`.
    pub settle_push: bool,
    /// The present instant.
    pub at: Instant,
}

impl ConnectWrite {
    /// A write for `enrolment` that changes nothing yet.
    #[must_use]
    pub fn new(enrolment: EnrolmentId, at: Instant) -> Self {
        Self {
            enrolment,
            report: None,
            deliver: None,
            observations: Vec::new(),
            facts: ReportedFacts::default(),
            settle_push: false,
            at,
        }
    }
}

/// A command that is to be given to a tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The command.
    pub command: CommandId,
    /// If the tablet does not answer, the first instant it is given it again; `None`: when it connects next.
    pub again_at: Option<Instant>,
    /// It opens a conversation (the tablet said Idle), in which everything that met a NotNow in an earlier one, and
    /// whose pause is over, is offered once more.
    pub opens: bool,
}

/// A tablet's report on a command.
#[derive(Debug, Clone)]
pub struct CommandReport {
    /// The command.
    pub command: CommandId,
    /// What became of it.
    pub outcome: CommandOutcome,
    /// The answer, of kinds whose answer is kept; never of a locate command.
    pub result: Option<serde_json::Value>,
    /// The raw answer, of kinds on the list that holds no secret, position or personal data.
    pub raw: Option<Vec<u8>>,
}

/// What a tablet says of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandOutcome {
    /// Done.
    Acknowledged,
    /// Refused, with the tablet's errors.
    Failed {
        /// The error chain, in the tablet's words.
        error: serde_json::Value,
    },
    /// Not now.
    NotNow {
        /// The first instant it is offered again; an urgent one may be offered in the same conversation then.
        retry_at: Instant,
    },
}

/// What a tablet told of itself; `None` leaves what is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedFacts {
    /// Whether Setup Assistant waits for DeviceConfigured.
    pub awaiting_configuration: Option<bool>,
    /// Whether it is supervised.
    pub supervision: Option<Supervision>,
    /// The version of iPadOS.
    pub os_version: Option<String>,
    /// The build of iPadOS.
    pub build_version: Option<String>,
    /// The product name.
    pub product_name: Option<String>,
    /// The token of the declarations it has.
    pub reported_token: Option<String>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectWritten {
    /// What became of the report; `None` if there was none.
    pub report: Option<ReportFate>,
    /// The delivery; `None` if none was asked for, or the command was cancelled, expired or answered meanwhile.
    pub delivered: Option<Delivered>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFate {
    /// It was recorded.
    Applied,
    /// The command had been answered, cancelled or replaced before, or was never sent: nothing changed.
    AlreadyAnswered,
    /// This enrolment has no such command: nothing changed.
    Unknown,
}

/// A command that is being given to a tablet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Its id.
    pub command: CommandId,
    /// Its tablet.
    pub tablet: TabletId,
    /// Its name on the wire.
    pub request_type: String,
    /// The kind of proof it rests on.
    pub gate: Gate,
    /// What it rests on, to be checked afresh.
    pub order: Option<Order>,
    /// The `Command` dictionary, as a property list; `None`: render it now from its kind and order.
    pub payload: Option<Vec<u8>>,
    /// When it was queued.
    pub queued_at: Instant,
    /// What it is for: the key by which a newer one replaces it.
    pub replaces_key: Option<String>,
}

//! The one write of a connect: the report on a command, the delivery of the next, what the tablet told.
//!
//! Every statement states its own condition, so that a late, repeated or foreign report changes nothing
//! (T-A18), and a command that was cancelled since it was read is not delivered.

use diesel::sql_types::{BigInt, Binary, Nullable, Text, Untyped};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _,
};
use orders::{Gate, Order};
use types::{CommandId, Duration, EnrolmentId, Instant, Supervision, TabletId};

use crate::column::{Column as _, read};
use crate::commands::CommandState;
use crate::prepared::Prepared;
use crate::schema::commands;
use crate::{StoreError, Tx, observations};

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

/// What is not known leaves what is.
const FACTS: &str = "UPDATE enrolments SET awaiting_configuration = coalesce(?, awaiting_configuration), \
    supervision = coalesce(?, supervision), os_version = coalesce(?, os_version), \
    build_version = coalesce(?, build_version), product_name = coalesce(?, product_name), \
    reported_token = coalesce(?, reported_token) WHERE id = ?";

/// Applies one write in an open transaction.
pub(crate) fn apply(tx: &mut Tx<'_>, write: &ConnectWrite) -> Result<ConnectWritten, StoreError> {
    let report = write.report.as_ref().map(|report| record(tx, write, report)).transpose()?;
    for (kind, body) in &write.observations {
        observations::put(tx, write.enrolment, kind, body, write.at)?;
    }
    if write.facts != ReportedFacts::default() {
        let facts = &write.facts;
        let values = vec![
            facts.awaiting_configuration.into(),
            facts.supervision.stored().into(),
            facts.os_version.as_deref().into(),
            facts.build_version.as_deref().into(),
            facts.product_name.as_deref().into(),
            facts.reported_token.as_deref().into(),
            write.enrolment.to_string().into(),
        ];
        tx.run(|connection| Prepared::<Untyped>::new(FACTS, values).execute(connection))?;
    }
    if write.settle_push {
        settle_push(tx, write)?;
    }
    let delivered = match write.deliver {
        Some(delivery) => deliver(tx, write, delivery)?,
        None => None,
    };
    Ok(ConnectWritten { report, delivered })
}

/// What a tablet still waits for, as far as its next wake-up goes.
#[derive(diesel::Queryable)]
struct Waiting {
    queued_at: i64,
    not_before: Option<i64>,
    retry_at: Option<i64>,
    not_now_at: Option<i64>,
    not_now_count: i32,
}

/// How long a tablet that said NotNow is given to come back by itself, before it is woken for it.
const COMES_BACK: Duration = Duration::from_secs(3_600);
/// The longest that a tablet which goes on saying NotNow is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(24 * 3_600);

impl Waiting {
    /// When the tablet is to be woken for it, if it came at `at` and was not given it.
    fn wake_at(&self, at: i64) -> Option<i64> {
        if let Some(not_now_at) = self.not_now_at {
            // It comes back by itself when it is unlocked; a push is for one that forgets to, ever less often.
            let doublings = u32::try_from(self.not_now_count).unwrap_or(0).saturating_sub(1).min(5);
            let alone = COMES_BACK.saturating_mul(2_u32.saturating_pow(doublings)).min(LEFT_ALONE);
            return Some(
                Instant::from_millis(not_now_at).plus(alone).as_millis().max(self.retry_at.unwrap_or(at)),
            );
        }
        self.retry_at.or(self.not_before).filter(|due| *due > at)
    }
}

/// The tablet has come for all that was due: it is woken again only when what was put off, by whoever queued it or
/// by the tablet itself, is due.
fn settle_push(tx: &mut Tx<'_>, write: &ConnectWrite) -> Result<(), StoreError> {
    let (enrolment, at) = (write.enrolment.to_string(), write.at.as_millis());
    let waiting: Vec<Waiting> = tx.run(|connection| {
        commands::table
            .filter(commands::enrolment_id.eq(&enrolment))
            .filter(commands::pending)
            .filter(commands::expires_at.is_null().or(commands::expires_at.gt(at)))
            .select((
                commands::queued_at,
                commands::not_before,
                commands::retry_at,
                commands::not_now_at,
                commands::not_now_count,
            ))
            .load(connection)
    })?;
    let put_off = || waiting.iter().filter_map(|one| Some((one.wake_at(at)?, one.queued_at)));
    let due_at = put_off().map(|(due, _)| due).min();
    let wanted_at = put_off().map(|(_, queued_at)| queued_at).min();
    let values = vec![wanted_at.into(), due_at.into(), enrolment.into(), at.into()];
    tx.run(|connection| Prepared::<Untyped>::new(SETTLE, values).execute(connection))?;
    Ok(())
}

/// What was queued after the tablet's connect was read is not settled by it: it is still to be woken.
const SETTLE: &str = "UPDATE push_states SET wanted_at = ?, due_at = ?, lease_until = NULL, attempts = 0, \
    unanswered = 0 WHERE enrolment_id = ? AND wanted_at < ?";

fn record(tx: &mut Tx<'_>, write: &ConnectWrite, report: &CommandReport) -> Result<ReportFate, StoreError> {
    let (command, enrolment) = (report.command.to_string(), write.enrolment.to_string());
    let at = write.at.as_millis();
    let changed = tx.run(|connection| match &report.outcome {
        CommandOutcome::NotNow { retry_at } => {
            let values = vec![
                at.into(),
                retry_at.as_millis().into(),
                command.as_str().into(),
                enrolment.as_str().into(),
            ];
            Prepared::<Untyped>::new(NOT_NOW, values).execute(connection)
        }
        CommandOutcome::Acknowledged | CommandOutcome::Failed { .. } => {
            let (state, error) = match &report.outcome {
                CommandOutcome::Failed { error } => (CommandState::Failed, Some(error.stored())),
                _ => (CommandState::Acknowledged, None),
            };
            let values = vec![
                state.as_str().into(),
                at.into(),
                report.result.stored().into(),
                error.into(),
                report.raw.as_deref().into(),
                command.as_str().into(),
                enrolment.as_str().into(),
            ];
            Prepared::<Untyped>::new(ANSWERED, values).execute(connection)
        }
    })?;
    if changed == 1 {
        return Ok(ReportFate::Applied);
    }
    let theirs = commands::id.eq(&command).and(commands::enrolment_id.eq(&enrolment));
    let known: i64 = tx.run(|connection| commands::table.filter(theirs).count().get_result(connection))?;
    Ok(if known == 0 { ReportFate::Unknown } else { ReportFate::AlreadyAnswered })
}

const NOT_NOW: &str = "UPDATE commands SET state = 'not-now', not_now_at = ?, \
    not_now_count = not_now_count + 1, retry_at = ? WHERE id = ? AND enrolment_id = ? AND state = 'sent'";

/// What was given to a tablet, and is pending, is answered by it, also after a NotNow: that of an earlier delivery may
/// arrive between a later one and its answer.
const ANSWERED: &str = "UPDATE commands SET state = ?, answered_at = ?, result = ?, error = ?, answer_raw = ? \
    WHERE id = ? AND enrolment_id = ? AND pending AND sent_count > 0";

const DELIVER: &str = "UPDATE commands SET state = 'sent', sent_at = ?, sent_count = sent_count + 1, retry_at = ? \
    WHERE id = ? AND enrolment_id = ? AND pending AND (expires_at IS NULL OR expires_at > ?) \
    RETURNING tablet_id, request_type, gate, payload, queued_at, replaces_key, \
    incident_id, warrant_id, erase_order_id, enrolment_end_id";

type DeliveredTypes = (
    (Text, Text, Text, Nullable<Binary>, BigInt, Nullable<Text>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>),
);

type DeliveredRow = (
    (String, String, String, Option<Vec<u8>>, i64, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<String>),
);

fn deliver(
    tx: &mut Tx<'_>,
    write: &ConnectWrite,
    Delivery { command, again_at, opens }: Delivery,
) -> Result<Option<Delivered>, StoreError> {
    let at = write.at.as_millis();
    let values = vec![
        at.into(),
        again_at.stored().into(),
        command.to_string().into(),
        write.enrolment.to_string().into(),
        at.into(),
    ];
    let row: Option<DeliveredRow> = tx.run(|connection| {
        Prepared::<DeliveredTypes>::new(DELIVER, values).get_result(connection).optional()
    })?;
    let Some(((tablet, request_type, gate, payload, queued_at, replaces_key), on)) = row else {
        return Ok(None);
    };
    if opens {
        offer_again(tx, write)?;
    }
    let order = rests_on(tx, on, &command)?;
    Ok(Some(Delivered {
        command,
        tablet: read(tablet, "commands", "tablet_id", &command)?,
        request_type,
        gate: read(gate, "commands", "gate", &command)?,
        order,
        payload,
        queued_at: Instant::from_millis(queued_at),
        replaces_key,
    }))
}

/// In a new conversation, what met a NotNow before is offered like everything else, and once: another NotNow puts it
/// off to the next.
fn offer_again(tx: &mut Tx<'_>, write: &ConnectWrite) -> Result<(), StoreError> {
    let values = vec![write.enrolment.to_string().into(), write.at.as_millis().into()];
    tx.run(|connection| Prepared::<Untyped>::new(OFFER_AGAIN, values).execute(connection))?;
    Ok(())
}

const OFFER_AGAIN: &str = "UPDATE commands SET state = 'queued' WHERE enrolment_id = ? AND pending \
    AND state = 'not-now' AND (retry_at IS NULL OR retry_at <= ?)";

fn rests_on(
    tx: &mut Tx<'_>,
    on: (Option<String>, Option<String>, Option<String>, Option<String>),
    command: &CommandId,
) -> Result<Option<Order>, StoreError> {
    Ok(match on {
        (Some(incident), ..) => Some(Order::Incident(read(incident, "commands", "incident_id", command)?)),
        (_, Some(warrant), ..) => {
            let warrant = read(warrant, "commands", "warrant_id", command)?;
            let row = crate::warrants::get(tx, &warrant)?;
            row.map(|row| Order::Warrant(warrant, row.incident_id))
        }
        (_, _, Some(order), _) => Some(Order::Erase(read(order, "commands", "erase_order_id", command)?)),
        (.., Some(end)) => Some(Order::End(read(end, "commands", "enrolment_end_id", command)?)),
        (None, None, None, None) => None,
    })
}

//! The one write of a connect: the report on a command, the delivery of the next, what the tablet told.
//!
//! Every statement states its own condition, so that a late, repeated or foreign report changes nothing
//! (T-A18), and a command that was cancelled since it was read is not delivered.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _,
};
use orders::{Gate, Order};
use types::{CommandId, EnrolmentId, Instant, Supervision, TabletId};

use crate::column::{Column as _, read};
use crate::commands::CommandState;
use crate::schema::{commands, enrolments, push_states};
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

#[derive(diesel::AsChangeset)]
#[diesel(table_name = enrolments)]
struct FactsChange {
    awaiting_configuration: Option<bool>,
    supervision: Option<String>,
    os_version: Option<String>,
    build_version: Option<String>,
    product_name: Option<String>,
    reported_token: Option<String>,
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
}

/// Applies one write in an open transaction.
pub(crate) fn apply(tx: &mut Tx<'_>, write: &ConnectWrite) -> Result<ConnectWritten, StoreError> {
    let report = write.report.as_ref().map(|report| record(tx, write, report)).transpose()?;
    for (kind, body) in &write.observations {
        observations::put(tx, write.enrolment, kind, body, write.at)?;
    }
    if write.facts != ReportedFacts::default() {
        let facts = &write.facts;
        let change = FactsChange {
            awaiting_configuration: facts.awaiting_configuration,
            supervision: facts.supervision.stored(),
            os_version: facts.os_version.clone(),
            build_version: facts.build_version.clone(),
            product_name: facts.product_name.clone(),
            reported_token: facts.reported_token.clone(),
        };
        tx.run(|connection| {
            diesel::update(enrolments::table.find(write.enrolment.to_string()))
                .set(change)
                .execute(connection)
        })?;
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

diesel::define_sql_function! {
    /// The first that is not null.
    fn coalesce(
        one: diesel::sql_types::Nullable<diesel::sql_types::BigInt>,
        other: diesel::sql_types::Nullable<diesel::sql_types::BigInt>,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::BigInt>;
}

/// The tablet has come for all that was due: it is woken again only when what was put off, by whoever queued it or
/// by the tablet itself, is due.
fn settle_push(tx: &mut Tx<'_>, write: &ConnectWrite) -> Result<(), StoreError> {
    let (enrolment, at) = (write.enrolment.to_string(), write.at.as_millis());
    // What was put off by a NotNow was offered before, so that its first instant has passed.
    let due = || coalesce(commands::retry_at, commands::not_before);
    let put_off = || {
        commands::table.filter(commands::enrolment_id.eq(&enrolment).and(commands::pending).and(due().gt(at)))
    };
    tx.run(|connection| {
        // What was queued after the tablet's connect was read is not settled by it: it is still to be woken.
        let seen_by_this_connect =
            push_states::enrolment_id.eq(&enrolment).and(push_states::wanted_at.lt(at));
        diesel::update(push_states::table.filter(seen_by_this_connect))
            .set((
                push_states::wanted_at
                    .eq(put_off().select(diesel::dsl::min(commands::queued_at)).single_value()),
                push_states::due_at.eq(put_off().select(diesel::dsl::min(due())).single_value()),
                push_states::lease_until.eq(None::<i64>),
                push_states::attempts.eq(0),
            ))
            .execute(connection)
    })?;
    Ok(())
}

fn record(tx: &mut Tx<'_>, write: &ConnectWrite, report: &CommandReport) -> Result<ReportFate, StoreError> {
    let (command, enrolment) = (report.command.to_string(), write.enrolment.to_string());
    let at = write.at.as_millis();
    let theirs = commands::id.eq(&command).and(commands::enrolment_id.eq(&enrolment));
    let sent = commands::table.filter(theirs.and(commands::state.eq(CommandState::Sent.as_str())));
    let changed = tx.run(|connection| match &report.outcome {
        CommandOutcome::NotNow { retry_at } => diesel::update(sent)
            .set((
                commands::state.eq(CommandState::NotNow.as_str()),
                commands::not_now_at.eq(at),
                commands::not_now_count.eq(commands::not_now_count + 1),
                commands::retry_at.eq(retry_at.as_millis()),
            ))
            .execute(connection),
        CommandOutcome::Acknowledged | CommandOutcome::Failed { .. } => {
            let (state, error) = match &report.outcome {
                CommandOutcome::Failed { error } => (CommandState::Failed, Some(error.stored())),
                _ => (CommandState::Acknowledged, None),
            };
            diesel::update(sent)
                .set((
                    commands::state.eq(state.as_str()),
                    commands::answered_at.eq(at),
                    commands::result.eq(report.result.stored()),
                    commands::error.eq(error),
                    commands::answer_raw.eq(&report.raw),
                ))
                .execute(connection)
        }
    })?;
    if changed == 1 {
        return Ok(ReportFate::Applied);
    }
    let known: i64 = tx.run(|connection| commands::table.filter(theirs).count().get_result(connection))?;
    Ok(if known == 0 { ReportFate::Unknown } else { ReportFate::AlreadyAnswered })
}

type DeliveredRow = (
    (String, String, String, Option<Vec<u8>>, i64),
    (Option<String>, Option<String>, Option<String>, Option<String>),
);

fn deliver(
    tx: &mut Tx<'_>,
    write: &ConnectWrite,
    Delivery { command, again_at }: Delivery,
) -> Result<Option<Delivered>, StoreError> {
    let at = write.at.as_millis();
    let row: Option<DeliveredRow> = tx.run(|connection| {
        diesel::update(
            commands::table
                .filter(commands::id.eq(command.to_string()))
                .filter(commands::enrolment_id.eq(write.enrolment.to_string()))
                .filter(commands::pending)
                .filter(commands::expires_at.is_null().or(commands::expires_at.gt(at))),
        )
        .set((
            commands::state.eq(CommandState::Sent.as_str()),
            commands::sent_at.eq(at),
            commands::sent_count.eq(commands::sent_count + 1),
            commands::retry_at.eq(again_at.stored()),
        ))
        .returning((
            (
                commands::tablet_id,
                commands::request_type,
                commands::gate,
                commands::payload,
                commands::queued_at,
            ),
            (
                commands::incident_id,
                commands::warrant_id,
                commands::erase_order_id,
                commands::enrolment_end_id,
            ),
        ))
        .get_result(connection)
        .optional()
    })?;
    let Some(((tablet, request_type, gate, payload, queued_at), on)) = row else {
        return Ok(None);
    };
    let order = rests_on(tx, on, &command)?;
    Ok(Some(Delivered {
        command,
        tablet: read(tablet, "commands", "tablet_id", &command)?,
        request_type,
        gate: read(gate, "commands", "gate", &command)?,
        order,
        payload,
        queued_at: Instant::from_millis(queued_at),
    }))
}

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

//! Every tablet's queue, and what became of each command.
//!
//! The way in is [`enqueue`], which takes a [`Queueable`]: what is dangerous comes with its proof. The way out
//! is the connect path; everything here is for people, the calendar and the end of an enrolment.

mod for_each;
mod together;

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::sql_types::Untyped;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use orders::{Gate, Order, Queueable};
use types::{
    CommandId, Duration, EnrolmentEndId, EnrolmentId, EraseOrderId, IncidentId, Instant, TabletId, WarrantId,
};

use crate::column::stored_enum;
use crate::noun::{by_key, find_all, find_first, noun, on_each_engine, read_all};
use crate::prepared::Prepared;
use crate::schema::commands;
use crate::{StoreError, Tx};

pub use for_each::{Step, Target, count_by_state, cut, enqueue_for_each, hold_targets, other_kind_of_key};
pub use together::{enqueue_all, put_off_all};

stored_enum! {
    /// How far a command has come.
    CommandState {
        /// Waits for the tablet.
        Queued = "queued",
        /// Was given to the tablet, which has not answered yet.
        Sent = "sent",
        /// The tablet said NotNow; it is offered again in its next conversation, from which on it counts as queued.
        NotNow = "not-now",
        /// The tablet did it.
        Acknowledged = "acknowledged",
        /// The tablet refused it, and said why.
        Failed = "failed",
        /// Its time passed.
        Expired = "expired",
        /// Somebody cancelled it, a newer one replaced it, or its enrolment ended.
        Cancelled = "cancelled",
        /// A restored database gave it up (M5).
        Void = "void",
    }
}

impl CommandState {
    /// Whether the tablet may still get or answer it.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Sent | Self::NotNow)
    }
}

noun! {
    /// A command of a tablet's queue, without its payload and its raw answer.
    pub struct Command in commands keyed by id {
        /// Its id; on Apple's wire its `CommandUUID`.
        id: CommandId,
        /// The enrolment it was queued for; another enrolment of the tablet does not get it.
        enrolment_id: EnrolmentId,
        /// The tablet.
        tablet_id: TabletId,
        /// Its name on the wire.
        request_type: String,
        /// The kind of proof it rests on.
        gate: Gate,
        /// The open incident, for lost mode.
        incident_id: Option<IncidentId>,
        /// The warrant, for a position.
        warrant_id: Option<WarrantId>,
        /// The order, for an erasure.
        erase_order_id: Option<EraseOrderId>,
        /// The recorded end, for an unenrolment.
        enrolment_end_id: Option<EnrolmentEndId>,
        /// The higher goes first.
        priority: i32,
        /// Offered also in a conversation in which the tablet said NotNow.
        urgent: bool,
        /// How far it has come.
        state: CommandState,
        /// A newer command with the same key replaces it.
        replaces_key: Option<String>,
        /// The same key queues one command for a tablet, however often it is asked.
        idempotency_key: Option<String>,
        /// When it was queued.
        queued_at: Instant,
        /// Who queued it, as the audit log names them.
        queued_by: String,
        /// The first instant it is offered.
        not_before: Option<Instant>,
        /// The first instant it is not offered any more.
        expires_at: Option<Instant>,
        /// When it was last given to the tablet.
        sent_at: Option<Instant>,
        /// How often it was given to the tablet.
        sent_count: i32,
        /// When the tablet last said NotNow.
        not_now_at: Option<Instant>,
        /// How often the tablet said NotNow.
        not_now_count: i32,
        /// After a NotNow, or after many deliveries without an answer, the first instant it is offered again.
        retry_at: Option<Instant>,
        /// When the tablet answered.
        answered_at: Option<Instant>,
        /// The answer, of kinds whose answer is kept.
        result: Option<serde_json::Value>,
        /// The tablet's errors, in its words.
        error: Option<serde_json::Value>,
    }
}

by_key!(commands, Command, id: CommandId; get);

/// How a command is queued.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// The new command's id.
    pub id: CommandId,
    /// The enrolment it is for.
    pub enrolment: EnrolmentId,
    /// The enrolment's tablet.
    pub tablet: TabletId,
    /// The higher goes first; ordinary work is 0.
    pub priority: i32,
    /// Replaces the pending commands of the enrolment that have the same key.
    pub replaces_key: Option<String>,
    /// Queues one command for a tablet and key, however often it is asked.
    pub idempotency_key: Option<String>,
    /// The instant of queueing.
    pub at: Instant,
    /// Who queues it, as the audit log names them.
    pub by: String,
    /// The first instant it is offered.
    pub not_before: Option<Instant>,
    /// The first instant it is not offered any more.
    pub expires_at: Option<Instant>,
}

/// What became of a request to queue.
#[derive(Debug, Clone, PartialEq)]
pub enum Enqueued {
    /// A new command.
    New(Box<Command>),
    /// The tablet has a command with the same idempotency key: this one.
    Already(CommandId),
}

impl Enqueued {
    /// The command that stands in the queue.
    #[must_use]
    pub fn command(&self) -> CommandId {
        match self {
            Self::New(command) => command.id,
            Self::Already(id) => *id,
        }
    }
}

/// Queues a command. Its payload is stored if it is ordinary and holds no secret; every other one is rendered
/// at delivery.
///
/// # Errors
/// [`StoreError::Refused`] if the tables do not hold the order it rests on, open, for this tablet (M6).
pub fn enqueue(tx: &mut Tx<'_>, queueable: &Queueable, how: Enqueue) -> Result<Enqueued, StoreError> {
    queue(tx, Command::of(queueable, how), queueable.stored_payload())
}

impl Command {
    /// The row of a command that is to be queued.
    fn of(queueable: &Queueable, how: Enqueue) -> Self {
        let order = queueable.order();
        Self {
            id: how.id,
            enrolment_id: how.enrolment,
            tablet_id: how.tablet,
            request_type: queueable.request_type().to_string(),
            gate: queueable.gate(),
            incident_id: order.and_then(|order| match order {
                Order::Incident(incident) => Some(incident),
                Order::Warrant(..) | Order::Erase(_) | Order::End(_) => None,
            }),
            warrant_id: order.and_then(|order| match order {
                Order::Warrant(warrant, _incident) => Some(warrant),
                Order::Incident(_) | Order::Erase(_) | Order::End(_) => None,
            }),
            erase_order_id: order.and_then(|order| match order {
                Order::Erase(order) => Some(order),
                Order::Incident(_) | Order::Warrant(..) | Order::End(_) => None,
            }),
            enrolment_end_id: order.and_then(|order| match order {
                Order::End(end) => Some(end),
                Order::Incident(_) | Order::Warrant(..) | Order::Erase(_) => None,
            }),
            priority: how.priority,
            urgent: queueable.urgent(),
            state: CommandState::Queued,
            replaces_key: how.replaces_key,
            idempotency_key: how.idempotency_key,
            queued_at: how.at,
            queued_by: how.by,
            not_before: how.not_before,
            expires_at: how.expires_at,
            sent_at: None,
            sent_count: 0,
            not_now_at: None,
            not_now_count: 0,
            retry_at: None,
            answered_at: None,
            result: None,
            error: None,
        }
    }
}

/// Queues a row that [`enqueue`] made of a proof.
pub(crate) fn queue(
    tx: &mut Tx<'_>,
    command: Command,
    payload: Option<Vec<u8>>,
) -> Result<Enqueued, StoreError> {
    if let Some(key) = &command.idempotency_key
        && let Some(earlier) = by_idempotency_key(tx, command.tablet_id, key)?
    {
        return Ok(Enqueued::Already(earlier));
    }
    if let Some(key) = &command.replaces_key {
        replace(tx, command.enrolment_id, key, command.queued_at)?;
    }
    let row = (Stored::of(&command), commands::payload.eq(payload));
    // Two requests with one key at the same time: the second meets the first's row here and is run again.
    let inserted = on_each_engine!(tx, |connection| {
        diesel::insert_into(commands::table).values(row).on_conflict_do_nothing().execute(connection)
    })?;
    if inserted == 1 {
        return Ok(Enqueued::New(Box::new(command)));
    }
    match &command.idempotency_key {
        Some(key) => by_idempotency_key(tx, command.tablet_id, key)?
            .map(Enqueued::Already)
            .ok_or(StoreError::Contended { attempts: 1 }),
        None => Err(StoreError::Duplicate { constraint: "commands.id".to_owned() }),
    }
}

fn by_idempotency_key(tx: &mut Tx<'_>, tablet: TabletId, key: &str) -> Result<Option<CommandId>, StoreError> {
    let id: Option<String> = tx.run(|connection| {
        commands::table
            .filter(commands::tablet_id.eq(tablet.to_string()))
            .filter(commands::idempotency_key.eq(key))
            .select(commands::id)
            .first(connection)
            .optional()
    })?;
    id.map(|id| crate::column::read(id.clone(), "commands", "id", &id)).transpose()
}

/// Makes room for a newer command with the same key. One that was already given to the tablet stays, so that
/// its answer finds it, but is not offered again.
fn replace(tx: &mut Tx<'_>, enrolment: EnrolmentId, key: &str, now: Instant) -> Result<(), StoreError> {
    let values = vec![now.as_millis().into(), enrolment.to_string().into(), key.into()];
    tx.run(|connection| Prepared::<Untyped>::new(REPLACE, values).execute(connection))?;
    Ok(())
}

const REPLACE: &str = "UPDATE commands SET state = CASE WHEN state = 'sent' THEN state ELSE 'cancelled' END, \
    expires_at = CASE WHEN state = 'sent' THEN ? ELSE expires_at END \
    WHERE enrolment_id = ? AND replaces_key = ? AND pending";

/// The command that a tablet was last queued in this enrolment under a key of replacement, whatever became of it.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_under_key(
    tx: &mut Tx<'_>,
    (tablet, enrolment): (TabletId, EnrolmentId),
    key: &str,
) -> Result<Option<Command>, StoreError> {
    find_first!(
        tx,
        commands::table
            .filter(commands::tablet_id.eq(tablet.to_string()))
            .filter(commands::enrolment_id.eq(enrolment.to_string()))
            .filter(commands::replaces_key.eq(key))
            .order(commands::id.desc())
    )
}

/// Whether a tablet ever confirmed a command of this kind that rested on this incident.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn was_done_for(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    incident: IncidentId,
    request_type: &str,
) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let done = commands::table
            .filter(commands::tablet_id.eq(tablet.to_string()))
            .filter(commands::incident_id.eq(incident.to_string()))
            .filter(commands::request_type.eq(request_type))
            .filter(commands::state.eq(CommandState::Acknowledged.as_str()));
        diesel::select(exists(done)).get_result(connection)
    })
}

/// At most `limit` commands of a tablet, newest first, from the first one before `before`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_tablet(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    before: Option<CommandId>,
    limit: u32,
) -> Result<Vec<Command>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        commands::table
            .filter(commands::tablet_id.eq(tablet.to_string()))
            .filter(commands::id.lt(before))
            .order(commands::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Every command that was ever queued by an erase order, the first one first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_erase_order(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<Vec<Command>, StoreError> {
    read_all!(tx.run(|connection| {
        commands::table
            .filter(commands::erase_order_id.eq(order.to_string()))
            .order(commands::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// As [`of_erase_order`], of many orders: one statement, or none for no order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_erase_orders(
    tx: &mut Tx<'_>,
    orders: impl IntoIterator<Item = EraseOrderId>,
) -> Result<Vec<Command>, StoreError> {
    let orders = orders.into_iter().map(|one| one.to_string()).collect();
    let mut found: Vec<Command> = find_all!(tx, commands, orders, commands::erase_order_id)?;
    found.sort_by_key(|command| command.id);
    Ok(found)
}

/// Cancels what waits under an erase order. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn cancel_of_erase_order(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            commands::table.filter(commands::erase_order_id.eq(order.to_string())).filter(commands::pending),
        )
        .set(commands::state.eq(CommandState::Cancelled.as_str()))
        .execute(connection)
    })
}

/// The commands that wait for the tablet of an enrolment, in the order they are offered.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn pending(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Vec<Command>, StoreError> {
    read_all!(tx.run(|connection| {
        commands::table
            .filter(commands::enrolment_id.eq(enrolment.to_string()))
            .filter(commands::pending)
            .order((commands::priority.desc(), commands::id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// What the brake's switch stops: erasures, lost mode and unenrolments, not positions (M5).
const DESTRUCTIVE: [&str; 3] = ["erase", "lost-mode", "unenrol"];

/// At most `limit` commands that wait and that the brake's switch would stop, in the order of their ids, from the
/// first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn pending_destructive(
    tx: &mut Tx<'_>,
    after: Option<CommandId>,
    limit: u32,
) -> Result<Vec<Command>, StoreError> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        commands::table
            .filter(commands::pending)
            .filter(commands::gate.eq_any(DESTRUCTIVE))
            .filter(commands::id.gt(after))
            .order(commands::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Cancels every command that waits and that the brake's switch would stop. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn cancel_destructive(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(commands::table.filter(commands::pending).filter(commands::gate.eq_any(DESTRUCTIVE)))
            .set(commands::state.eq(CommandState::Cancelled.as_str()))
            .execute(connection)
    })
}

/// When something is next to be offered to a tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextOffer {
    /// The first instant, from now on, at which anything is.
    pub first: Instant,
    /// The first at which something urgent is, if anything urgent waits.
    pub urgent: Option<Instant>,
}

/// When something is next to be offered to the tablet of each of these enrolments, in one statement. One for which
/// nothing waits is absent.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn next_offers(
    tx: &mut Tx<'_>,
    enrolments: &[EnrolmentId],
    now: Instant,
) -> Result<HashMap<EnrolmentId, NextOffer>, StoreError> {
    let ids: Vec<String> = enrolments.iter().map(ToString::to_string).collect();
    let waiting: Vec<(String, bool, Option<i64>, Option<i64>)> = tx.run(|connection| {
        commands::table
            .filter(commands::enrolment_id.eq_any(ids))
            .filter(commands::pending)
            .filter(commands::expires_at.is_null().or(commands::expires_at.gt(now.as_millis())))
            .select((commands::enrolment_id, commands::urgent, commands::retry_at, commands::not_before))
            .load(connection)
    })?;
    let mut offers: HashMap<EnrolmentId, NextOffer> = HashMap::new();
    for (id, is_urgent, retry_at, not_before) in waiting {
        let enrolment = crate::column::read(id.clone(), "commands", "enrolment_id", &id)?;
        let at = retry_at.or(not_before).map_or(now, |first| Instant::from_millis(first).max(now));
        let urgent = is_urgent.then_some(at);
        let offer = offers.entry(enrolment).or_insert(NextOffer { first: at, urgent });
        offer.first = offer.first.min(at);
        offer.urgent = [offer.urgent, urgent].into_iter().flatten().min();
    }
    Ok(offers)
}

/// The stored payload of a command: the `Command` dictionary, as a property list. `None` for kinds that are
/// rendered at delivery.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn payload(tx: &mut Tx<'_>, id: CommandId) -> Result<Option<Vec<u8>>, StoreError> {
    let payload: Option<Option<Vec<u8>>> = tx.run(|connection| {
        commands::table.find(id.to_string()).select(commands::payload).first(connection).optional()
    })?;
    Ok(payload.flatten())
}

/// Cancels a command that is pending; `false` if it is not.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn cancel(tx: &mut Tx<'_>, id: CommandId) -> Result<bool, StoreError> {
    let cancelled = tx.run(|connection| {
        diesel::update(commands::table.filter(commands::id.eq(id.to_string())).filter(commands::pending))
            .set(commands::state.eq(CommandState::Cancelled.as_str()))
            .execute(connection)
    })?;
    Ok(cancelled == 1)
}

/// Offers a pending command no earlier than `until`, so that others go before it; `false` if it is not pending.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn put_off(tx: &mut Tx<'_>, id: CommandId, until: Instant) -> Result<bool, StoreError> {
    let put_off = tx.run(|connection| {
        diesel::update(commands::table.filter(commands::id.eq(id.to_string())).filter(commands::pending))
            .set(commands::retry_at.eq(until.as_millis()))
            .execute(connection)
    })?;
    Ok(put_off == 1)
}

/// Cancels everything that waits for the tablet of an enrolment: it ended, or the tablet enrolled again and
/// starts clean. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn cancel_of_enrolment(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            commands::table
                .filter(commands::enrolment_id.eq(enrolment.to_string()))
                .filter(commands::pending),
        )
        .set(commands::state.eq(CommandState::Cancelled.as_str()))
        .execute(connection)
    })
}

/// How long after its expiry a command that was given to a tablet still waits for the answer.
const LATE_ANSWER: Duration = Duration::from_secs(24 * 3600);

/// Expires what nobody was given in time, and what was given and not answered a day later; at most `limit` at a
/// time. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn expire(tx: &mut Tx<'_>, now: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let late: Vec<String> = commands::table
            .filter(commands::pending)
            .filter(commands::expires_at.le(now.as_millis()))
            .filter(
                commands::state
                    .ne(CommandState::Sent.as_str())
                    .or(commands::expires_at.le(now.minus(LATE_ANSWER).as_millis())),
            )
            .order(commands::expires_at.asc())
            .limit(i64::from(limit))
            .select(commands::id)
            .load(connection)?;
        // An answer that comes at the same time wins: what has ended stays ended.
        diesel::update(commands::table.filter(commands::id.eq_any(late)).filter(commands::pending))
            .set(commands::state.eq(CommandState::Expired.as_str()))
            .execute(connection)
    })
}

crate::declared::declares! {
    commands kept as Commands {
        personal(AccountsAndAudit: Acts) { queued_by, queued_at }
        personal(DeviceManagement: CommandHistory) { request_type, payload, state, error, answer_raw, result }
        personal(DeviceManagement: ContactTimes) { sent_at, not_now_at, answered_at }
        not_personal("which command of which tablet, and what it rests on") {
            id, enrolment_id, tablet_id, gate, incident_id, warrant_id, erase_order_id, enrolment_end_id,
        }
        not_personal("how the queue is kept") {
            priority, urgent, replaces_key, idempotency_key, not_before, expires_at, sent_count, not_now_count,
            retry_at, pending,
        }
    }
}

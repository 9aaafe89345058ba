//! How connects are written: each kind of change is one statement for all of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use orders::{Gate, Order};
use serde_json::{Value as Json, json};
use types::{CommandId, Duration, EnrolmentId, Instant};

use super::{CommandOutcome, ConnectWrite, ConnectWritten, Delivered, ReportFate, ReportedFacts};
use crate::column::{Column as _, read};
use crate::commands::{self, CommandState};
use crate::many::{Many, many};
use crate::{StoreError, Tx, observations, push_states};

/// A command of an enrolment, as statements return it: another's command of that id is not meant.
type Theirs = (String, String);

/// Applies writes in an open transaction; what became of each. Those of one enrolment are applied in their order.
pub(crate) fn apply(tx: &mut Tx<'_>, writes: &[&ConnectWrite]) -> Result<Vec<ConnectWritten>, StoreError> {
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut before: HashMap<EnrolmentId, usize> = HashMap::new();
    for (place, write) in writes.iter().enumerate() {
        let turn = before.entry(write.enrolment).or_default();
        places.entry(*turn).or_default().push(place);
        *turn += 1;
    }
    let mut written: Vec<Option<ConnectWritten>> = vec![None; writes.len()];
    for turn in places.into_values() {
        let of_turn: Vec<&ConnectWrite> =
            turn.iter().filter_map(|place| writes.get(*place).copied()).collect();
        for (place, one) in turn.into_iter().zip(together(tx, &of_turn)?) {
            if let Some(slot) = written.get_mut(place) {
                *slot = Some(one);
            }
        }
    }
    // Each had its turn.
    Ok(written.into_iter().flatten().collect())
}

/// Applies writes of different enrolments.
fn together(tx: &mut Tx<'_>, writes: &[&ConnectWrite]) -> Result<Vec<ConnectWritten>, StoreError> {
    // Enrolments, then commands, then pushes, as whoever queues a command goes: two that meet wait, and none waits for the
    // other in a circle.
    FACTS.run(tx, writes.iter().filter_map(|write| facts(write)))?;
    let applied = record(tx, writes)?;
    let mut delivered = deliver(tx, writes)?;
    let opened = writes.iter().filter(|write| {
        write.deliver.is_some_and(|delivery| delivery.opens) && delivered.contains_key(&write.enrolment)
    });
    OFFER_AGAIN
        .run(tx, opened.map(|write| json!({ "owner": write.enrolment, "at": write.at.as_millis() })))?;
    let told = writes.iter().flat_map(|write| {
        write.observations.iter().map(|(kind, body)| (write.enrolment, kind.as_str(), body, write.at))
    });
    observations::put_all(tx, told)?;
    settle_push(tx, writes)?;
    writes
        .iter()
        .map(|write| {
            let report = match &write.report {
                Some(report) => Some(fate(tx, &applied, write.enrolment, report.command)?),
                None => None,
            };
            Ok(ConnectWritten { report, delivered: delivered.remove(&write.enrolment) })
        })
        .collect()
}

/// Records the reports; those that changed something.
fn record(tx: &mut Tx<'_>, writes: &[&ConnectWrite]) -> Result<HashSet<Theirs>, StoreError> {
    let (mut answered, mut not_now) = (Vec::new(), Vec::new());
    for write in writes {
        let Some(report) = &write.report else { continue };
        let (state, error) = match &report.outcome {
            CommandOutcome::NotNow { retry_at } => {
                not_now.push(json!({
                    "command": report.command,
                    "owner": write.enrolment,
                    "at": write.at.as_millis(),
                    "again": retry_at.as_millis(),
                }));
                continue;
            }
            CommandOutcome::Acknowledged => (CommandState::Acknowledged, None),
            CommandOutcome::Failed { error } => (CommandState::Failed, Some(error.stored())),
        };
        answered.push(json!({
            "command": report.command,
            "owner": write.enrolment,
            "became": state.as_str(),
            "at": write.at.as_millis(),
            "answer": report.result.stored(),
            "problem": error,
            "raw": report.raw.as_deref().map(hex::encode),
        }));
    }
    let mut applied = ANSWERED.load::<(Text, Text), Theirs>(tx, answered)?;
    applied.append(&mut NOT_NOW.load::<(Text, Text), Theirs>(tx, not_now)?);
    Ok(applied.into_iter().collect())
}

/// What was given to a tablet, and is pending (which is not said so: there is an index of what is, and the way goes by the
/// command's id), is answered by it, also after a NotNow: that of an earlier delivery may
/// arrive between a later one and its answer.
const ANSWERED: Many = many!(
    postgresql "UPDATE commands SET state = note.became, answered_at = note.at, result = note.answer, \
        error = note.problem, answer_raw = decode(note.raw, 'hex') FROM",
    sqlite "UPDATE commands SET state = note.became, answered_at = note.at, result = note.answer, \
        error = note.problem, answer_raw = unhex(note.raw) FROM";
    command text, owner text, became text, at bigint, answer text, problem text, raw text;
    "WHERE id = note.command AND enrolment_id = note.owner AND state IN ('queued', 'sent', 'not-now') \
        AND sent_count > 0 RETURNING id, enrolment_id"
);

const NOT_NOW: Many = many!(
    "UPDATE commands SET state = 'not-now', not_now_at = note.at, not_now_count = not_now_count + 1, \
        retry_at = note.again FROM";
    command text, owner text, at bigint, again bigint;
    "WHERE id = note.command AND enrolment_id = note.owner AND state = 'sent' RETURNING id, enrolment_id"
);

/// What became of a report. Those that changed nothing are rare, and looked at one by one.
fn fate(
    tx: &mut Tx<'_>,
    applied: &HashSet<Theirs>,
    enrolment: EnrolmentId,
    command: CommandId,
) -> Result<ReportFate, StoreError> {
    if applied.contains(&(command.to_string(), enrolment.to_string())) {
        return Ok(ReportFate::Applied);
    }
    let known = commands::get(tx, &command)?.is_some_and(|command| command.enrolment_id == enrolment);
    Ok(if known { ReportFate::AlreadyAnswered } else { ReportFate::Unknown })
}

fn facts(write: &ConnectWrite) -> Option<Json> {
    let facts = &write.facts;
    (*facts != ReportedFacts::default()).then(|| {
        json!({
            "owner": write.enrolment,
            "waits": facts.awaiting_configuration,
            "supervised": facts.supervision.stored(),
            "os": facts.os_version,
            "build": facts.build_version,
            "product": facts.product_name,
            "token": facts.reported_token,
        })
    })
}

/// What is not known leaves what is; what is known already writes no row.
const FACTS: Many = many!(
    "UPDATE enrolments SET awaiting_configuration = coalesce(note.waits, awaiting_configuration), \
        supervision = coalesce(note.supervised, supervision), os_version = coalesce(note.os, os_version), \
        build_version = coalesce(note.build, build_version), product_name = coalesce(note.product, product_name), \
        reported_token = coalesce(note.token, reported_token) FROM";
    owner text, waits boolean, supervised text, os text, build text, product text, token text;
    "WHERE id = note.owner AND (note.waits <> awaiting_configuration OR note.supervised <> supervision \
        OR (note.os IS NOT NULL AND note.os IS DISTINCT FROM os_version) \
        OR (note.build IS NOT NULL AND note.build IS DISTINCT FROM build_version) \
        OR (note.product IS NOT NULL AND note.product IS DISTINCT FROM product_name) \
        OR (note.token IS NOT NULL AND note.token IS DISTINCT FROM reported_token))"
);

/// What a tablet still waits for, as far as its next wake-up goes.
#[derive(diesel::Queryable)]
struct Waiting {
    enrolment_id: String,
    queued_at: i64,
    not_before: Option<i64>,
    retry_at: Option<i64>,
    not_now_at: Option<i64>,
    not_now_count: i32,
    sent_count: i32,
    gate: String,
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
        let put_off = self.retry_at.or(self.not_before).filter(|due| *due > at);
        // It was committed after the tablet's connect was read, whatever its time says: it was never offered.
        put_off.or_else(|| (self.sent_count == 0 && self.gate == Gate::Ordinary.stored()).then_some(at))
    }
}

/// These tablets have come for all that was due: each is woken again only when what was put off, by whoever queued it or
/// by the tablet itself, is due.
fn settle_push(tx: &mut Tx<'_>, writes: &[&ConnectWrite]) -> Result<(), StoreError> {
    let came = || writes.iter().filter(|write| write.settle_push);
    let theirs: Vec<EnrolmentId> = came().map(|write| write.enrolment).collect();
    if theirs.is_empty() {
        return Ok(());
    }
    // Whoever queues a command for one of them at this moment holds its row: what they queued is seen below.
    push_states::hold_all(tx, &theirs)?;
    let notes = came().map(|write| json!({ "owner": write.enrolment, "at": write.at.as_millis() }));
    let waiting: Vec<Waiting> = WAITING.load::<WaitingTypes, _>(tx, notes)?;
    let mut put_off: HashMap<String, Vec<Waiting>> = HashMap::new();
    for one in waiting {
        put_off.entry(one.enrolment_id.clone()).or_default().push(one);
    }
    let notes = came().map(|write| {
        let (owner, at) = (write.enrolment.to_string(), write.at.as_millis());
        let waiting = put_off.get(&owner).map(Vec::as_slice).unwrap_or_default();
        let due = || waiting.iter().filter_map(|one| Some((one.wake_at(at)?, one.queued_at)));
        json!({
            "owner": owner,
            "at": at,
            "due": due().map(|(due, _)| due).min(),
            "wanted": due().map(|(_, queued_at)| queued_at).min(),
        })
    });
    SETTLE.run(tx, notes.collect::<Vec<_>>())
}

type WaitingTypes =
    (Text, BigInt, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, Integer, Integer, Text);

const WAITING: Many = many!(
    "SELECT found.enrolment_id, found.queued_at, found.not_before, found.retry_at, found.not_now_at, \
        found.not_now_count, found.sent_count, found.gate FROM";
    owner text, at bigint;
    postgresql "CROSS JOIN LATERAL (SELECT c.* FROM commands c WHERE c.enrolment_id = note.owner AND c.pending \
        AND (c.expires_at IS NULL OR c.expires_at > note.at) OFFSET 0) AS found",
    sqlite "CROSS JOIN commands found WHERE found.enrolment_id = note.owner AND found.pending \
        AND (found.expires_at IS NULL OR found.expires_at > note.at)"
);

/// What was queued after the tablet's connect was read is not settled by it: it is still to be woken.
const SETTLE: Many = many!(
    "UPDATE push_states SET wanted_at = note.wanted, due_at = note.due, lease_until = NULL, attempts = 0, \
        unanswered = 0 FROM";
    owner text, at bigint, due bigint, wanted bigint;
    "WHERE enrolment_id = note.owner AND wanted_at < note.at"
);

/// Marks commands as given to their tablets; what each is given.
fn deliver(tx: &mut Tx<'_>, writes: &[&ConnectWrite]) -> Result<HashMap<EnrolmentId, Delivered>, StoreError> {
    let notes = writes.iter().filter_map(|write| {
        let delivery = write.deliver?;
        Some(json!({
            "command": delivery.command,
            "owner": write.enrolment,
            "at": write.at.as_millis(),
            "again": delivery.again_at.stored(),
        }))
    });
    let rows: Vec<DeliveredRow> = DELIVER.load::<DeliveredTypes, _>(tx, notes.collect::<Vec<_>>())?;
    let mut delivered = HashMap::with_capacity(rows.len());
    for ((id, enrolment), (tablet, request_type, gate, payload, queued_at, replaces_key), on) in rows {
        let command: CommandId = read(id.clone(), "commands", "id", &id)?;
        let one = Delivered {
            command,
            tablet: read(tablet, "commands", "tablet_id", &command)?,
            request_type,
            gate: read(gate, "commands", "gate", &command)?,
            order: rests_on(tx, on, &command)?,
            payload,
            queued_at: Instant::from_millis(queued_at),
            replaces_key,
        };
        delivered.insert(read(enrolment, "commands", "enrolment_id", &command)?, one);
    }
    Ok(delivered)
}

const DELIVER: Many = many!(
    "UPDATE commands SET state = 'sent', sent_at = note.at, sent_count = sent_count + 1, retry_at = note.again FROM";
    command text, owner text, at bigint, again bigint;
    "WHERE id = note.command AND enrolment_id = note.owner AND state IN ('queued', 'sent', 'not-now') \
        AND (expires_at IS NULL OR expires_at > note.at) \
        RETURNING id, enrolment_id, tablet_id, request_type, gate, payload, queued_at, replaces_key, \
        incident_id, warrant_id, erase_order_id, enrolment_end_id"
);

type DeliveredTypes = (
    (Text, Text),
    (Text, Text, Text, Nullable<Binary>, BigInt, Nullable<Text>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>),
);

type DeliveredRow = (
    Theirs,
    (String, String, String, Option<Vec<u8>>, i64, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<String>),
);

/// In a new conversation, what met a NotNow before is offered like everything else, and once: another NotNow puts it
/// off to the next.
///
/// Each tablet's commands are looked for by themselves: joined, they were found by reading all that waits, whenever the plan
/// was made while little did.
const OFFER_AGAIN: Many = many!(
    postgresql "UPDATE commands SET state = 'queued' WHERE state = 'not-now' AND id = ANY(ARRAY(SELECT found.id FROM",
    sqlite "UPDATE commands SET state = 'queued' WHERE state = 'not-now' AND id IN (SELECT found.id FROM";
    owner text, at bigint;
    postgresql "CROSS JOIN LATERAL (SELECT c.id FROM commands c WHERE c.enrolment_id = note.owner AND c.pending \
        AND c.state = 'not-now' AND (c.retry_at IS NULL OR c.retry_at <= note.at) OFFSET 0) AS found))",
    sqlite "CROSS JOIN commands found WHERE found.enrolment_id = note.owner AND found.pending \
        AND found.state = 'not-now' AND (found.retry_at IS NULL OR found.retry_at <= note.at))"
);

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

//! Alarms: what an operator should look at; listed, and settled by someone who says what it was.

use governance::Permission;
use serde_json::json;
use store::alarms::{self, Alarm};
use types::{AlarmId, Instant};

use crate::audit::{self, Change};
use crate::page::Page;
use crate::{Fleet, Principal, Refusal, tablets};

/// The longest note, in characters.
const LONGEST_NOTE: usize = 500;

/// The open alarms, the latest first; at most `limit` of them (1 to 500, 100 unless told).
///
/// There are no further parts: who settles what stands first sees the rest.
///
/// # Errors
/// [`Refusal::Invalid`] for a limit out of bounds.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    limit: Option<u32>,
    now: Instant,
) -> Result<Vec<Alarm>, Refusal> {
    let page = Page::<AlarmId>::read(None, limit)?;
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewAlarms, now)?;
            Ok(alarms::open(tx, &within, page.limit)?)
        })
        .await
}

/// Settles an alarm; `note` says what it was. Settling one that was settled before changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`] for a note that is too long.
pub async fn settle(
    fleet: &Fleet,
    principal: &Principal,
    id: AlarmId,
    note: Option<String>,
    now: Instant,
) -> Result<Alarm, Refusal> {
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(Refusal::invalid("note", format!("must have at most {LONGEST_NOTE} characters")));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let reach = principal.may(tx, Permission::SettleAlarms, now)?;
            let alarm = alarms::get(tx, &id)?.ok_or_else(|| Refusal::not_found("alarm", id))?;
            if !tablets::is_reached(tx, &reach, alarm.tablet_id)? {
                return Err(Refusal::not_found("alarm", id));
            }
            if !alarms::settle(tx, id, now)? {
                return Ok(alarm);
            }
            let change = Change::new("alarm.settle")
                .tablet(alarm.tablet_id)
                .enrolment(alarm.enrolment_id)
                .reason(note.clone())
                .detail(json!({ "alarm": id, "kind": alarm.kind }));
            audit::record(tx, &principal, change, now)?;
            Ok(Alarm { settled_at: Some(now), ..alarm })
        })
        .await
}

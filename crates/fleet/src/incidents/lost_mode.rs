//! Lost mode: put on for an open incident, under the brake; followed by what the tablet says; put on again when the tablet
//! enrols again meanwhile; and turned off with the incident, which nothing brakes (M1, M5).

use apple::command::{Command, DisableLostMode, RequestType};
use governance::Permission;
use governance::brake::What;
use incidents::lost_mode::{self as rules, LostModeAct, LostModeState, LostModeWish, Message};
use incidents::{Bearing, Incident, OpenIncident};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use serde_json::json;
use store::commands::{self, Enqueue};
use store::enrolments::{self, Enrolment};
use store::lost_modes::{self, LostMode};
use store::{StoreError, Tx, brake, destructions, incident_declarations, incident_hands, tablets};
use types::{
    Actor, CommandId, CountersignatureId, DestructionKind, EnrolmentId, IncidentId, Instant, Supervision,
    TabletId,
};

use super::{LONGEST_REASON, confirm, reached, text};
use crate::audit::{self, Change};
use crate::brake::{Deed, Judged, judge};
use crate::settings::LostModeWords;
use crate::watch::{self, AlarmKind, Subject};
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal, Settings, push};

/// Lost mode goes before everything else, and its end before that.
const BEFORE_ALL: i32 = 100;
/// One command about lost mode replaces the one before.
pub(super) const KEY: &str = "lost-mode";

/// What a tablet says of whether it is in lost mode, in an inventory.
pub(crate) const LOST_MODE_QUERY: &str = "IsMDMLostModeEnabled";
/// The key of an inventory that is asked to know just that.
pub(crate) const QUERY_KEY: &str = "lost-mode-query";

/// What became of a wish for lost mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The tablet.
    pub tablet: TabletId,
    /// The answer of a second person that it waits for; `None`: the tablet is being told.
    pub held: Option<CountersignatureId>,
}

/// Puts the tablet of an open incident in lost mode, with this message; `None`: the département's own words.
///
/// # Errors
/// [`Refusal::Forbidden`] for an incident that carries none, or a tablet that has none, with what else can be done;
/// [`Refusal::Conflict`] for a tablet that is not enrolled; [`Refusal::Stopped`] while the switch is thrown.
pub async fn lose(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    message: Option<Message>,
    reason: &str,
    now: Instant,
) -> Result<Asked, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let message = match message {
        Some(message) => message,
        None => usual(fleet.settings())?,
    };
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let incident = reached(tx, &principal, Permission::LostMode, id, now)?;
            confirm::must_stand(tx, &incident)?;
            let enrolment = possible(tx, &incident, now)?;
            let reference = id.to_string();
            let earlier = destructions::by_reference(tx, DestructionKind::LostMode, &reference)?;
            let judged = match earlier.map(|earlier| (earlier.state, earlier.countersignature_id)) {
                // One incident counts once, however often its tablet has to be told.
                Some((
                    destructions::DestructionState::Counted | destructions::DestructionState::Released,
                    _,
                )) => Judged::Go,
                Some((destructions::DestructionState::Held, Some(asked))) => Judged::Held(asked),
                Some(
                    (destructions::DestructionState::Held, None) | (destructions::DestructionState::Void, _),
                )
                | None => {
                    let deed = Deed {
                        what: What::LostMode,
                        tablet: incident.tablet,
                        college: Some(incident.college.clone()),
                        reference,
                    };
                    judge(tx, &person, &[deed], &reason, now)?
                }
            };
            let row = LostMode {
                tablet_id: incident.tablet,
                incident_id: id,
                state: LostModeState::Off,
                since: now,
                message: message.text().map(str::to_owned),
                phone: message.phone().map(str::to_owned),
                footnote: message.footnote().map(str::to_owned),
            };
            lost_modes::put(tx, &row)?;
            let held = match judged {
                Judged::Go => {
                    enable(tx, &incident, &enrolment, &principal.actor(), now)?;
                    None
                }
                Judged::Held(asked) => Some(asked),
            };
            let change = Change::new("incident.lost-mode")
                .tablet(Some(incident.tablet))
                .enrolment(Some(enrolment.id))
                .reason(Some(reason.clone()))
                .detail(json!({ "incident": id, "held": held }));
            audit::record(tx, &principal, change, now)?;
            Ok(Asked { tablet: incident.tablet, held })
        })
        .await
}

/// Makes a tablet in lost mode sound.
///
/// # Errors
/// [`Refusal::Conflict`] for a tablet that is not in lost mode; as [`lose`].
pub async fn sound(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    now: Instant,
) -> Result<CommandId, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::LostMode, id, now)?;
            confirm::must_stand(tx, &incident)?;
            let enrolment = possible(tx, &incident, now)?;
            let on = lost_modes::get(tx, &incident.tablet)?
                .is_some_and(|mode| mode.incident_id == id && mode.state == LostModeState::On);
            if !on {
                return Err(Worded::contradicts(
                    "only a tablet that confirmed lost mode can sound: put it in lost mode first",
                    "seule une tablette qui a confirmé le mode perdu peut sonner : mettez-la d’abord en mode perdu",
                )
                .then(
                    format!("`ardoise incident lost-mode {id}`; `show` says when it confirmed"),
                    format!("`ardoise incident lost-mode {id}` ; `show` dit quand elle l’a confirmé"),
                )
                .into());
            }
            if let brake::Switch::Engaged(engaged) = brake::switch(tx)? {
                return Err(Refusal::Stopped(engaged));
            }
            let proof = proof(tx, &incident, now)?;
            let how = how(&enrolment, incident.tablet, None, &principal.actor(), now);
            let command = commands::enqueue(tx, &Queueable::Sound(proof), how)?.command();
            push::want(tx, enrolment.id, now, now)?;
            let change = Change::new("incident.sound")
                .tablet(Some(incident.tablet))
                .enrolment(Some(enrolment.id))
                .detail(json!({ "incident": id, "command": command }));
            audit::record(tx, &principal, change, now)?;
            Ok(command)
        })
        .await
}

/// The département's own words, as they are configured.
fn usual(settings: &Settings) -> Result<Message, Refusal> {
    let LostModeWords { message, phone, footnote } = &settings.lost_mode;
    let text = if message.trim().is_empty() {
        format!(
            "Cette tablette est perdue. Elle appartient à : {}. Merci de la rapporter au collège le plus proche.",
            settings.organisation
        )
    } else {
        message.clone()
    };
    Ok(Message::new(&text, phone, footnote)?)
}

/// The live enrolment of the tablet, if it can be put in lost mode for this incident.
fn possible(tx: &mut Tx<'_>, incident: &Incident, now: Instant) -> Result<Enrolment, Refusal> {
    if !incident.kind.is_of_a_missing_tablet() {
        return Err(incidents::Refusal::WrongKind { kind: incident.kind }.into());
    }
    if !incident.state.is_open() {
        return Err(incidents::Refusal::Closed.into());
    }
    match incident_hands::of(tx, incident)?.bearing() {
        Bearing::Stands | Bearing::LentAnew { .. } => {}
        Bearing::HeldByAnother { began_at } => {
            return Err(incidents::Refusal::HeldByAnother { began_at }.into());
        }
        Bearing::OfAnotherCollege => return Err(incidents::Refusal::OfAnotherCollege.into()),
    }
    proof(tx, incident, now)?;
    let serial =
        tablets::get(tx, &incident.tablet)?.map(|tablet| tablet.serial.to_string()).unwrap_or_default();
    let enrolment = enrolments::live_of_tablet(tx, incident.tablet)?.ok_or_else(|| {
        Worded::contradicts(
            format!("tablet {serial} is not enrolled: nothing that is sent would reach it"),
            format!("la tablette {serial} n’est pas enrôlée : rien de ce qui est envoyé ne l’atteindrait"),
        )
    })?;
    rules::possible(enrolment.platform, enrolment.supervision)?;
    Ok(enrolment)
}

/// Whether lost mode rests on the incident as it stands: it is open, and nobody has the tablet whom it does not concern.
pub(super) fn carries(tx: &mut Tx<'_>, incident: &Incident) -> Result<bool, StoreError> {
    let stands =
        matches!(incident_hands::of(tx, incident)?.bearing(), Bearing::Stands | Bearing::LentAnew { .. });
    Ok(stands && incident.state.is_open())
}

fn proof(tx: &mut Tx<'_>, incident: &Incident, now: Instant) -> Result<OpenIncident, Refusal> {
    let recorded = incident_declarations::recorded(tx, incident.id)?
        .ok_or_else(|| Refusal::not_found("incident", incident.id))?;
    OpenIncident::read_back(&recorded, incident.tablet, now)
        .map_err(|why| Worded::contradicts(why.to_string(), why.in_french()).into())
}

fn how(enrolment: &Enrolment, tablet: TabletId, replaces: Option<&str>, by: &Actor, now: Instant) -> Enqueue {
    Enqueue {
        id: CommandId::new(now),
        enrolment: enrolment.id,
        tablet,
        priority: BEFORE_ALL,
        replaces_key: replaces.map(str::to_owned),
        idempotency_key: None,
        at: now,
        by: by.to_string(),
        not_before: None,
        expires_at: None,
    }
}

pub(super) fn enable(
    tx: &mut Tx<'_>,
    incident: &Incident,
    enrolment: &Enrolment,
    by: &Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let proof = proof(tx, incident, now)?;
    let how = how(enrolment, incident.tablet, Some(KEY), by, now);
    commands::enqueue(tx, &Queueable::LostMode(proof), how)?;
    push::want(tx, enrolment.id, now, now)?;
    lost_modes::set(tx, incident.tablet, LostModeState::Asked, now)?;
    Ok(())
}

/// Has the tablet told, once a second person let its lost mode go. An incident that was closed meanwhile carries none.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    reference: &str,
    now: Instant,
) -> Result<(), Refusal> {
    let Ok(id) = reference.parse::<IncidentId>() else { return Ok(()) };
    let Some(incident) = incident_declarations::load(tx, id)? else { return Ok(()) };
    if !carries(tx, &incident)? || !confirm::stands(tx, &incident)? {
        return Ok(());
    }
    let Some(enrolment) = enrolments::live_of_tablet(tx, incident.tablet)? else { return Ok(()) };
    enable(tx, &incident, &enrolment, &principal.actor(), now)
}

/// Turns lost mode off, if it is on or might come on: an ordinary command, which nothing brakes, stops or voids.
pub(crate) fn turn_off(
    tx: &mut Tx<'_>,
    principal: &Principal,
    tablet: TabletId,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(mode) = lost_modes::get(tx, &tablet)? else { return Ok(()) };
    if rules::next_act(LostModeWish::Off, mode.state) != Some(LostModeAct::Disable) {
        return Ok(());
    }
    let Some(enrolment) = enrolments::live_of_tablet(tx, tablet)? else {
        // It left, or was erased; should it come back, nothing puts lost mode on again.
        lost_modes::set(tx, tablet, LostModeState::Off, now)?;
        return Ok(());
    };
    disable(tx, &enrolment, tablet, &principal.actor(), now)?;
    Ok(())
}

pub(super) fn disable(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    tablet: TabletId,
    by: &Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let command = Command::DisableLostMode(DisableLostMode::default());
    let ordinary = Ordinary::check(command, &EnrolmentProfile::Unknown)
        .map_err(|refused| Refusal::Internal(refused.to_string()))?;
    let how = how(enrolment, tablet, Some(KEY), by, now);
    commands::enqueue(tx, &Queueable::Ordinary(ordinary), how)?;
    push::want(tx, enrolment.id, now, now)?;
    lost_modes::set(tx, tablet, LostModeState::Ending, now)?;
    Ok(())
}

/// Passes what somebody sends by hand to turn lost mode off, unless it rests on an open incident: it would be on again a
/// moment later, and ends with the incident (M1).
pub(crate) fn may_be_turned_off_by_hand(tx: &mut Tx<'_>, tablet: TabletId) -> Result<(), Refusal> {
    let Some(mode) = lost_modes::get(tx, &tablet)? else { return Ok(()) };
    match incident_declarations::load(tx, mode.incident_id)? {
        Some(incident) if carries(tx, &incident)? => {
            Err(incidents::Refusal::LostModeStays { incident: incident.id }.into())
        }
        _ => Ok(()),
    }
}

/// The tablet enrolled again: lost mode is off there, and comes back for as long as its incident is open and the brake lets
/// it. What the switch stops now waits for whoever releases it.
pub(crate) fn enrolled_again(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    by: &Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(tablet) = enrolment.tablet_id else { return Ok(()) };
    let Some(mode) = lost_modes::get(tx, &tablet)? else { return Ok(()) };
    lost_modes::set(tx, tablet, LostModeState::Off, now)?;
    let Some(incident) = incident_declarations::load(tx, mode.incident_id)? else { return Ok(()) };
    let goes = carries(tx, &incident)?
        && confirm::stands(tx, &incident)?
        // It was in lost mode as a supervised iPad; what it is now it has not said yet.
        && enrolment.supervision != Supervision::Unsupervised
        && brake::switch(tx)? == brake::Switch::Released
        && destructions::is_let_go(tx, DestructionKind::LostMode, &incident.id.to_string())?;
    if goes { enable(tx, &incident, enrolment, by, now) } else { Ok(()) }
}

/// What a tablet says of a command about lost mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It did it.
    Done,
    /// It could not.
    Refused,
}

/// Writes down what the tablet says of a command. Should lost mode come on where nothing wants it any more, it is turned off
/// again; should it not go off, somebody hears of it, and the calendar has it told again.
///
/// What a tablet says of a command is about the incident of that command, which need not be that of the moment: it may be
/// missing again.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    command: CommandId,
    (kind, said): (RequestType, Said),
    now: Instant,
) -> Result<(), Refusal> {
    let Some(enrolment) = enrolments::get(tx, &enrolment)? else { return Ok(()) };
    let Some(tablet) = enrolment.tablet_id else { return Ok(()) };
    let Some(mode) = lost_modes::get(tx, &tablet)? else { return Ok(()) };
    let Some(row) = commands::get(tx, &command)? else { return Ok(()) };
    let open = match incident_declarations::load(tx, mode.incident_id)? {
        Some(incident) => carries(tx, &incident)?,
        None => false,
    };
    let of_this_incident = row.incident_id == Some(mode.incident_id);
    match (kind, said) {
        (RequestType::EnableLostMode, Said::Done) if !open => {
            disable(tx, &enrolment, tablet, &Actor::Tablet(enrolment.id), now)?;
        }
        // Of an incident before: what this one asked for is still to come.
        (RequestType::EnableLostMode, _) if !of_this_incident => {}
        (RequestType::EnableLostMode, Said::Done) => {
            lost_modes::set(tx, tablet, LostModeState::On, now)?;
        }
        (RequestType::EnableLostMode, Said::Refused) => {
            lost_modes::set(tx, tablet, LostModeState::Refused, now)?;
        }
        // It was asked for again since: its end is of before.
        (RequestType::DisableLostMode, Said::Done) if mode.state == LostModeState::Asked => {}
        (RequestType::DisableLostMode, Said::Done) => {
            lost_modes::set(tx, tablet, LostModeState::Off, now)?;
        }
        (RequestType::DisableLostMode, Said::Refused) if mode.state == LostModeState::Ending => {
            let confirmed =
                commands::was_done_for(tx, tablet, mode.incident_id, RequestType::EnableLostMode.as_str())?;
            if confirmed {
                let detail = json!({ "incident": mode.incident_id, "command": command });
                watch::raise(tx, AlarmKind::LostModeStays, &Subject::enrolment(&enrolment), detail, now)?;
            }
            // It may not be in lost mode at all: it is asked whether it is.
            ask_whether_it_is_lost(tx, &enrolment, tablet, now)?;
        }
        _ => {}
    }
    Ok(())
}

/// Asks a tablet that would not leave lost mode whether it is in it.
fn ask_whether_it_is_lost(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    tablet: TabletId,
    now: Instant,
) -> Result<(), Refusal> {
    // All that an inventory asks: what is known of a tablet is its latest answer.
    let command = Command::DeviceInformation(apple::inventory::device_information());
    let ordinary = Ordinary::check(command, &EnrolmentProfile::Unknown)
        .map_err(|refused| Refusal::Internal(refused.to_string()))?;
    let how = how(enrolment, tablet, Some(QUERY_KEY), &Actor::Tablet(enrolment.id), now);
    commands::enqueue(tx, &Queueable::Ordinary(ordinary), how)?;
    Ok(())
}

/// A tablet tells whether it is in lost mode. One that is not has left it, whatever it said when it was told to.
pub(crate) fn told(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    is_lost: bool,
    now: Instant,
) -> Result<(), StoreError> {
    let tablet = enrolments::get(tx, &enrolment)?.and_then(|enrolment| enrolment.tablet_id);
    let Some(tablet) = tablet else { return Ok(()) };
    let ending = lost_modes::get(tx, &tablet)?.is_some_and(|mode| mode.state == LostModeState::Ending);
    if ending && !is_lost {
        lost_modes::set(tx, tablet, LostModeState::Off, now)?;
    }
    Ok(())
}

/// Whether a queued command about lost mode may be given to its tablet now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtDelivery {
    /// It may.
    Goes,
    /// The brake stands in its way.
    Waits,
    /// Its incident was closed, or somebody has the tablet whom it does not concern.
    Over,
    /// No incident carries it: it was put there by hand.
    WithoutProof,
}

/// Looks again at what a queued command rests on (M6).
pub(crate) fn at_delivery(
    tx: &mut Tx<'_>,
    command: CommandId,
    now: Instant,
) -> Result<AtDelivery, StoreError> {
    let Some(row) = commands::get(tx, &command)? else { return Ok(AtDelivery::Over) };
    let Some(id) = row.incident_id else { return Ok(AtDelivery::WithoutProof) };
    let Some(recorded) = incident_declarations::recorded(tx, id)? else {
        return Ok(AtDelivery::WithoutProof);
    };
    match OpenIncident::read_back(&recorded, row.tablet_id, now) {
        Ok(_open) => {}
        Err(
            incidents::NotOpen::Closed { .. }
            | incidents::NotOpen::HeldByAnother { .. }
            | incidents::NotOpen::OfAnotherCollege { .. },
        ) => return Ok(AtDelivery::Over),
        Err(_another) => return Ok(AtDelivery::WithoutProof),
    }
    let let_go = destructions::is_let_go(tx, DestructionKind::LostMode, &id.to_string())?;
    if let_go && brake::switch(tx)? == brake::Switch::Released {
        Ok(AtDelivery::Goes)
    } else {
        Ok(AtDelivery::Waits)
    }
}

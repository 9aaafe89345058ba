//! How a queued command is put to a tablet: a last look at its row, and the secrets that are never stored.

use apple::command::{Command, DeviceLocation, EnableLostMode, PlayLostModeSound, RequestType};
use apple::plist::{Dictionary, Value};
use incidents::Warrant;
use orders::{EnrolmentProfile, Gate, NotOrdinary, Order};
use privacy::Activity;
use profiles::segment::Item;
use store::enrolments::EnrolmentSecrets;
use store::{
    CommandOutcome, CommandReport, ConnectEnrolment, ConnectKey, ConnectWrite, Delivered, Delivery,
    NextCommand, StoreError, Tx,
};
use types::{Actor, CommandId, Duration, EnrolmentId, Instant, Secret};

use crate::incidents::lost_mode::{AtDelivery, at_delivery};
use crate::incidents::positions;
use crate::lending::{erasures, return_to_service};
use crate::watch::{self, AlarmKind};
use crate::{
    Fleet, Reply, TabletError, enrolment_profile, management_profile, register, segments, unenrolment,
};

/// How often a command is given to a tablet that does not answer it, before others go first.
const PATIENCE: i32 = 5;
/// How long a command waits that the brake stops, until it is looked at again.
const BRAKED: Duration = Duration::from_secs(300);

/// The command to deliver next, if it may be.
///
/// A gated command is made again from its proof at the moment of delivery (M3, M6). One whose proof no room grants yet
/// can only have been put there by hand: it is cancelled, with an alarm.
pub(super) async fn admissible(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    next: &NextCommand,
    key: &ConnectKey,
) -> Result<Option<Delivery>, TabletError> {
    let now = key.now;
    match next.gate {
        Gate::Ordinary => {
            Ok(Some(Delivery { command: next.id, again_at: again_at(next, now), opens: key.fresh }))
        }
        Gate::Unenrol => unenrolment(fleet, enrolment, next, key).await,
        Gate::LostMode => lost_mode(fleet, enrolment, next, key).await,
        Gate::Erase => erase(fleet, enrolment, next, key).await,
        Gate::Locate => locate(fleet, enrolment, next, key).await,
    }
}

/// The removal of the management profile goes only by a recorded end that the brake lets go now (M4, M5). While the brake
/// stands in its way it waits, and the others go before it; without an end it was put there by hand.
async fn unenrolment(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    next: &NextCommand,
    key: &ConnectKey,
) -> Result<Option<Delivery>, TabletError> {
    let (id, command, now) = (enrolment.id, next.id, key.now);
    let standing = fleet
        .store()
        .write(move |tx| {
            if unenrolment::stands(tx, id, now)? {
                return Ok(Some(true));
            }
            if store::enrolment_ends::is_decided(tx, id)? {
                store::commands::put_off(tx, command, now.plus(BRAKED))?;
                return Ok(Some(false));
            }
            store::commands::cancel(tx, command)?;
            Ok::<_, store::StoreError>(None)
        })
        .await?;
    match standing {
        Some(true) => Ok(Some(Delivery { command, again_at: again_at(next, now), opens: key.fresh })),
        Some(false) => Ok(None),
        None => {
            watch::raise_now(fleet, AlarmKind::CommandWithoutProof, enrolment, now).await;
            Ok(None)
        }
    }
}

/// Lost mode, and the sound, go only to the tablet of an open incident, as the brake lets them now (M1, M5). While the brake
/// stands in the way they wait; once the incident is closed they are called off.
async fn lost_mode(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    next: &NextCommand,
    key: &ConnectKey,
) -> Result<Option<Delivery>, TabletError> {
    let (command, now) = (next.id, key.now);
    let found = fleet
        .store()
        .write(move |tx| {
            let found = at_delivery(tx, command, now)?;
            match found {
                AtDelivery::Goes => {}
                AtDelivery::Waits => {
                    store::commands::put_off(tx, command, now.plus(BRAKED))?;
                }
                AtDelivery::Over | AtDelivery::WithoutProof => {
                    store::commands::cancel(tx, command)?;
                }
            }
            Ok::<_, store::StoreError>(found)
        })
        .await?;
    match found {
        AtDelivery::Goes => Ok(Some(Delivery { command, again_at: again_at(next, now), opens: key.fresh })),
        AtDelivery::Waits | AtDelivery::Over => Ok(None),
        AtDelivery::WithoutProof => {
            watch::raise_now(fleet, AlarmKind::CommandWithoutProof, enrolment, now).await;
            Ok(None)
        }
    }
}

/// An erasure goes only by an order that stands at this moment, with all that it rests on (M3, T-A19). While something
/// stands in its way for a while it waits, and the others go before it; once its order has ended it is called off.
async fn erase(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    next: &NextCommand,
    key: &ConnectKey,
) -> Result<Option<Delivery>, TabletError> {
    let (id, command, now, terms) = (enrolment.id, next.id, key.now, fleet.settings().erasures);
    let found = fleet
        .store()
        .write_held(move |tx| {
            let found = erasures::at_delivery(tx, (id, command), &terms, now)?;
            match found {
                erasures::AtDelivery::Goes => {}
                erasures::AtDelivery::Waits => {
                    store::commands::put_off(tx, command, now.plus(BRAKED))?;
                }
                erasures::AtDelivery::Over | erasures::AtDelivery::WithoutProof => {
                    store::commands::cancel(tx, command)?;
                }
            }
            Ok::<_, crate::Refusal>(found)
        })
        .await?;
    match found {
        erasures::AtDelivery::Goes => {
            Ok(Some(Delivery { command, again_at: again_at(next, now), opens: key.fresh }))
        }
        erasures::AtDelivery::Waits | erasures::AtDelivery::Over => Ok(None),
        erasures::AtDelivery::WithoutProof => {
            watch::raise_now(fleet, AlarmKind::CommandWithoutProof, enrolment, now).await;
            Ok(None)
        }
    }
}

/// A request for a position goes only to the tablet of a warrant that is in force now (M1). What is over is called off.
async fn locate(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    next: &NextCommand,
    key: &ConnectKey,
) -> Result<Option<Delivery>, TabletError> {
    let (command, now) = (next.id, key.now);
    match fleet.store().write(move |tx| positions::at_delivery(tx, command, now)).await? {
        positions::AtDelivery::Goes(_proof) => {
            Ok(Some(Delivery { command, again_at: again_at(next, now), opens: key.fresh }))
        }
        positions::AtDelivery::Over => Ok(None),
        positions::AtDelivery::WithoutProof => {
            watch::raise_now(fleet, AlarmKind::CommandWithoutProof, enrolment, now).await;
            Ok(None)
        }
    }
}

/// When a command that stays without an answer is given again: the first times whenever the tablet comes back; then
/// it is parked, ever longer and up to an hour, so that one that a tablet chokes on, or that cannot be rendered,
/// keeps the others from nobody, and no conversation goes on without end (T-A21).
fn again_at(next: &NextCommand, now: Instant) -> Option<Instant> {
    let unanswered = next.sent_count.saturating_sub(next.not_now_count).saturating_add(1);
    let doublings = u32::try_from(unanswered.checked_sub(PATIENCE)?).ok()?.saturating_add(1).min(9);
    let wait = Duration::from_secs(10).saturating_mul(2_u32.saturating_pow(doublings));
    Some(now.plus(wait.min(Duration::from_secs(3_600))))
}

/// The command to give in place of one that failed here, marked as sent.
pub(super) async fn next_instead(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    key: &ConnectKey,
) -> Result<Option<Delivered>, TabletError> {
    let next = fleet.store().connect_read(key.clone()).await?.and_then(|row| row.next);
    let Some(next) = next else { return Ok(None) };
    let mut write = ConnectWrite::new(enrolment.id, key.now);
    write.deliver = admissible(fleet, enrolment, &next, key).await?;
    Ok(fleet.store().connect_write(write).await?.delivered)
}

/// Renders the document that the tablet gets; `None` if the command failed here.
pub(super) async fn render(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    delivered: Delivered,
    now: Instant,
) -> Result<Option<Reply>, TabletError> {
    let Ok(kind) = delivered.request_type.parse::<RequestType>() else {
        return undeliverable(fleet, enrolment, &delivered, "the program does not know this kind", now).await;
    };
    if apple::inventory::lists_apps(kind) {
        // Queued before the DPO took it back: what is off is not even asked for (C3.1.6).
        let switch =
            fleet.store().read(move |tx| register::may_process(tx, Activity::AppInventory, now)).await?;
        if let Err(off) = switch {
            return undeliverable(fleet, enrolment, &delivered, &off.to_string(), now).await;
        }
    }
    let content = match (&delivered.payload, kind) {
        (Some(payload), _) => {
            let profile = profile_of(fleet, enrolment, kind).await?;
            match orders::check_stored(kind, payload, &profile) {
                Ok(content) => match round_the_layers(fleet, kind, &content, delivered.command).await? {
                    None => content,
                    Some(refused) => {
                        watch::raise_now(fleet, AlarmKind::RefusedCommand, enrolment, now).await;
                        return undeliverable(fleet, enrolment, &delivered, &refused.to_string(), now).await;
                    }
                },
                Err(refused) => {
                    watch::raise_now(fleet, AlarmKind::RefusedCommand, enrolment, now).await;
                    return undeliverable(fleet, enrolment, &delivered, &refused.to_string(), now).await;
                }
            }
        }
        (None, RequestType::ClearPasscode) => {
            let id = enrolment.id;
            let secrets: EnrolmentSecrets =
                fleet.store().read(move |tx| store::enrolments::secrets(tx, id)).await?;
            match secrets.unlock_token {
                Some(token) => with(kind, "UnlockToken", &token),
                None => {
                    let why = "the tablet has not given its unlock token; enrol it again to get one";
                    return undeliverable(fleet, enrolment, &delivered, why, now).await;
                }
            }
        }
        (None, RequestType::InstallProfile) if delivered.replaces_key == segments_profile() => {
            let id = enrolment.id;
            let payload = fleet.store().read(move |tx| segment_payload(tx, id)).await?;
            match payload {
                Some(payload) => {
                    let content = with(kind, "Payload", &payload);
                    let profile = profile_of(fleet, enrolment, kind).await?;
                    match orders::check_stored(kind, &apple::plist::to_xml(&content), &profile) {
                        Ok(content) => content,
                        Err(refused) => {
                            watch::raise_now(fleet, AlarmKind::RefusedCommand, enrolment, now).await;
                            return undeliverable(fleet, enrolment, &delivered, &refused.to_string(), now)
                                .await;
                        }
                    }
                }
                None => {
                    let why = "the tablet is in no segment any more";
                    return undeliverable(fleet, enrolment, &delivered, why, now).await;
                }
            }
        }
        (None, RequestType::InstallApplication) => {
            let (context, id) = (fleet.clone(), enrolment.id);
            let bundle = match delivered.replaces_key.as_deref().and_then(Item::of_key) {
                Some(Item::App(bundle)) => bundle,
                _ => return undeliverable(fleet, enrolment, &delivered, "its row names no app", now).await,
            };
            let body =
                fleet.store().read(move |tx| segments::installation(tx, &context, id, &bundle, now)).await?;
            match body {
                Ok(body) => of(&body.into()),
                Err(why) => return undeliverable(fleet, enrolment, &delivered, &why, now).await,
            }
        }
        (None, RequestType::InstallProfile) => {
            with(kind, "Payload", &enrolment_profile::renewal(fleet, enrolment.id, now).await?)
        }
        (None, RequestType::RemoveProfile) => match profile_of(fleet, enrolment, kind).await? {
            EnrolmentProfile::Known(identifier) => removal(&identifier),
            EnrolmentProfile::Unknown => {
                let why = "another server enrolled this tablet, and it has not listed its profiles yet: send ProfileList \
                           first, then decide the end again";
                let id = enrolment.id;
                fleet.store().write(move |tx| unenrolment::failed(tx, id, now)).await?;
                return undeliverable(fleet, enrolment, &delivered, why, now).await;
            }
        },
        (None, RequestType::EraseDevice) => {
            let Some(Order::Erase(order)) = delivered.order else {
                return undeliverable(fleet, enrolment, &delivered, "no order carries it", now).await;
            };
            match return_to_service::command(fleet, enrolment.id, order, now).await? {
                Ok(command) => of(&Command::EraseDevice(command)),
                Err(why) => {
                    let (id, command) = (enrolment.id, delivered.command);
                    let reply = undeliverable(fleet, enrolment, &delivered, &why, now).await?;
                    let not_done = erasures::Said::Refused;
                    fleet
                        .store()
                        .write_held(move |tx| erasures::answered(tx, (id, command), not_done, now))
                        .await?;
                    return Ok(reply);
                }
            }
        }
        (None, RequestType::EnableLostMode) => {
            let id = enrolment.id;
            match fleet.store().read(move |tx| shown(tx, id)).await? {
                Some(command) => of(&Command::EnableLostMode(command)),
                None => {
                    return undeliverable(fleet, enrolment, &delivered, "nothing says what it shows", now)
                        .await;
                }
            }
        }
        (None, RequestType::DeviceLocation) => {
            let command = delivered.command;
            match fleet.store().write(move |tx| positions::at_delivery(tx, command, now)).await? {
                positions::AtDelivery::Goes(proof) => of(&device_location(&proof)),
                positions::AtDelivery::Over | positions::AtDelivery::WithoutProof => return Ok(None),
            }
        }
        (None, RequestType::PlayLostModeSound) => {
            of(&Command::PlayLostModeSound(PlayLostModeSound::default()))
        }
        (None, _) => {
            return undeliverable(fleet, enrolment, &delivered, "its row has no payload", now).await;
        }
    };
    let mut document = Dictionary::new();
    document.insert("Command".into(), Value::Dictionary(content));
    document.insert("CommandUUID".into(), Value::String(delivered.command.to_string()));
    Ok(Some(Reply::Plist(apple::plist::to_xml(&document))))
}

/// Why a stored command goes no further although it harms nobody: it decides what layers do, and nothing but the calendar,
/// which follows the layers, may queue that (C3.1.1). A person may have, under an older version or in the table.
async fn round_the_layers(
    fleet: &Fleet,
    kind: RequestType,
    content: &Dictionary,
    command: CommandId,
) -> Result<Option<NotOrdinary>, TabletError> {
    let Some(refused) =
        Command::from_dictionary(kind, content).ok().as_ref().and_then(orders::goes_round_the_layers)
    else {
        return Ok(None);
    };
    let row = fleet.store().read(move |tx| store::commands::get(tx, &command)).await?;
    let by_the_calendar = row.is_some_and(|row| row.queued_by.parse() == Ok(Actor::Calendar));
    Ok((!by_the_calendar).then_some(refused))
}

/// The key of the command that installs the profile of a segment.
fn segments_profile() -> Option<String> {
    Some(Item::Profile.key())
}

/// The signed profile of the segment that the tablet is in now.
fn segment_payload(
    tx: &mut store::Tx<'_>,
    enrolment: EnrolmentId,
) -> Result<Option<Secret<Vec<u8>>>, store::StoreError> {
    match store::segments::of_enrolment(tx, enrolment)? {
        Some(segment) => store::segments::signed(tx, &segment.payload_sha256),
        None => Ok(None),
    }
}

/// The profile that enrols the tablet; looked up only for kinds that could touch it.
async fn profile_of(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    kind: RequestType,
) -> Result<EnrolmentProfile, TabletError> {
    let touches_profiles = matches!(kind, RequestType::InstallProfile | RequestType::RemoveProfile);
    match management_profile::ours(enrolment.kind) {
        Some(ours) => Ok(ours),
        None if touches_profiles => {
            let (id, kind) = (enrolment.id, enrolment.kind);
            Ok(fleet.store().read(move |tx| management_profile::of(tx, id, kind)).await?)
        }
        None => Ok(EnrolmentProfile::Unknown),
    }
}

/// What the tablet shows in lost mode.
fn shown(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<EnableLostMode>, StoreError> {
    let tablet = store::enrolments::get(tx, &enrolment)?.and_then(|enrolment| enrolment.tablet_id);
    let Some(tablet) = tablet else { return Ok(None) };
    let row = store::lost_modes::get(tx, &tablet)?;
    Ok(row.map(|row| EnableLostMode {
        message: row.message,
        phone_number: row.phone.map(Secret::new),
        footnote: row.footnote,
        ..EnableLostMode::default()
    }))
}

fn of(command: &Command) -> Dictionary {
    let mut content = command.to_dictionary();
    content.insert("RequestType".into(), Value::String(command.request_type().as_str().into()));
    content
}

fn with(kind: RequestType, key: &str, secret: &Secret<Vec<u8>>) -> Dictionary {
    let mut content = Dictionary::new();
    content.insert("RequestType".into(), Value::String(kind.as_str().into()));
    content.insert(key.into(), Value::Data(secret.expose().clone()));
    content
}

/// The removal of the profile that holds the enrolment.
fn removal(identifier: &str) -> Dictionary {
    let mut content = Dictionary::new();
    content.insert("RequestType".into(), Value::String(RequestType::RemoveProfile.as_str().into()));
    content.insert("Identifier".into(), Value::String(identifier.into()));
    content
}

/// The command fails here, with the reason beside it; the tablet hears of it no more. It goes away with nothing,
/// and is woken again at once for what else waits.
async fn undeliverable(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    delivered: &Delivered,
    why: &str,
    now: Instant,
) -> Result<Option<Reply>, TabletError> {
    tracing::warn!(command = %delivered.command, enrolment = %enrolment.id, why, "command not delivered");
    let mut write = ConnectWrite::new(enrolment.id, now);
    write.report = Some(CommandReport {
        command: delivered.command,
        outcome: CommandOutcome::Failed { error: serde_json::json!({ "words": why }) },
        result: None,
        raw: None,
    });
    fleet.store().connect_write(write).await?;
    Ok(None)
}

/// The one place where this command is written: it takes the proof.
fn device_location(_proof: &Warrant) -> Command {
    Command::DeviceLocation(DeviceLocation::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_a21_a_command_without_an_answer_is_given_ever_less_often() {
        let now = Instant::from_millis(1_790_000_000_000);
        let wait = |sent_count, not_now_count| {
            let next = NextCommand {
                id: CommandId::new(now),
                request_type: "InstallProfile".into(),
                gate: Gate::Ordinary,
                sent_count,
                not_now_count,
            };
            again_at(&next, now).map(|again| again.since(now).as_secs())
        };
        let waits: Vec<_> = (0..6).map(|sent| wait(sent, 0)).collect();
        assert_eq!(waits, [None, None, None, None, Some(20), Some(40)], "four times at once, then parked");
        assert_eq!(wait(500, 0), Some(3_600));
        assert_eq!(wait(40, 40), None, "a NotNow is an answer");
    }
}

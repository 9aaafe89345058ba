//! How a queued command is put to a tablet: a last look at its row, and the secrets that are never stored.

use apple::command::RequestType;
use apple::plist::{Dictionary, Value};
use orders::{EnrolmentProfile, Gate};
use store::enrolments::EnrolmentSecrets;
use store::{CommandOutcome, CommandReport, ConnectEnrolment, ConnectWrite, Delivered, NextCommand};
use types::{CommandId, Duration, Instant, Secret};

use crate::watch::{self, AlarmKind};
use crate::{Fleet, Reply, TabletError, enrolment_profile, management_profile};

/// The command to deliver next, if it may be.
///
/// A gated command is made again from its proof at the moment of delivery (M3, M6). No room grants such a
/// proof yet, so a gated row can only have been put there by hand: it is cancelled, with an alarm.
pub(super) async fn admissible(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    next: &NextCommand,
    now: Instant,
) -> Result<Option<CommandId>, TabletError> {
    match next.gate {
        Gate::Ordinary => Ok(Some(next.id)),
        Gate::LostMode | Gate::Locate | Gate::Erase | Gate::Unenrol => {
            let command = next.id;
            fleet.store().write(move |tx| store::commands::cancel(tx, command)).await?;
            watch::raise_now(fleet, AlarmKind::CommandWithoutProof, enrolment, now).await;
            Ok(None)
        }
    }
}

/// When a command that was given `times` before is given again, if no answer comes: at the next connect the first
/// times, since an answer may get lost; then ever later, up to once an hour, so that one which a tablet never
/// answers does not hold up what stands behind it (T-A21).
pub(super) fn again_at(times: i32, now: Instant) -> Option<Instant> {
    /// How often it is given at once.
    const AT_ONCE: i32 = 2;
    let doublings = u32::try_from(times.checked_sub(AT_ONCE)?).ok()?;
    let wait = Duration::from_secs(60).saturating_mul(2_u32.saturating_pow(doublings.min(6)));
    Some(now.plus(wait.min(Duration::from_secs(3_600))))
}

/// Renders the document that the tablet gets.
pub(super) async fn render(
    fleet: &Fleet,
    enrolment: &ConnectEnrolment,
    delivered: Delivered,
    now: Instant,
) -> Result<Reply, TabletError> {
    let Ok(kind) = delivered.request_type.parse::<RequestType>() else {
        return undeliverable(fleet, enrolment, &delivered, "the program does not know this kind", now).await;
    };
    let content = match (&delivered.payload, kind) {
        (Some(payload), _) => {
            let profile = profile_of(fleet, enrolment, kind).await?;
            match orders::check_stored(kind, payload, &profile) {
                Ok(content) => content,
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
        (None, RequestType::InstallProfile) => {
            with(kind, "Payload", &enrolment_profile::renewal(fleet, enrolment.id, now).await?)
        }
        (None, _) => {
            return undeliverable(fleet, enrolment, &delivered, "its row has no payload", now).await;
        }
    };
    let mut document = Dictionary::new();
    document.insert("Command".into(), Value::Dictionary(content));
    document.insert("CommandUUID".into(), Value::String(delivered.command.to_string()));
    Ok(Reply::Plist(apple::plist::to_xml(&document)))
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

fn with(kind: RequestType, key: &str, secret: &Secret<Vec<u8>>) -> Dictionary {
    let mut content = Dictionary::new();
    content.insert("RequestType".into(), Value::String(kind.as_str().into()));
    content.insert(key.into(), Value::Data(secret.expose().clone()));
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
) -> Result<Reply, TabletError> {
    tracing::warn!(command = %delivered.command, enrolment = %enrolment.id, why, "command not delivered");
    let mut write = ConnectWrite::new(enrolment.id, now);
    write.report = Some(CommandReport {
        command: delivered.command,
        outcome: CommandOutcome::Failed { error: serde_json::json!({ "words": why }) },
        result: None,
        raw: None,
    });
    fleet.store().connect_write(write).await?;
    let id = enrolment.id;
    fleet.store().write(move |tx| store::push_states::want(tx, id, now, now)).await?;
    Ok(Reply::Empty)
}

//! Commands: queued, listed, shown with what became of them, cancelled; and why one is still pending.

pub(crate) mod together;

use apple::command::RequestType;
use apple::plist::Dictionary;
use governance::Permission;
use orders::{EnrolmentProfile, Gate, Ordinary, Queueable};
use privacy::Activity;
use serde_json::json;
use store::commands::{self, Command, CommandState, Enqueued};
use store::enrolments::EnrolmentState;
use store::{Tx, enrolments, presence, push_certificates, push_states};
use types::{CommandId, Duration, Instant, QuietHours};

use crate::audit::{self, Change};
use crate::incidents::lost_mode;
use crate::page::{Listed, Page};
use crate::request::Request;
use crate::tablets::{self, Named};
use crate::why::{self, Ending, Facts, Reach, Standing, Why};
use crate::{Fleet, Principal, Refusal, management_profile, push, register, unenrolment};

use together::Asked;
pub(crate) use together::Queueing;

/// The furthest that a command may be put off, or wait to be fetched.
const LONGEST_WAIT: Duration = Duration::from_secs(366 * 86_400);
/// Priorities that people may give; what is urgent by its kind comes before anyway.
const PRIORITIES: std::ops::RangeInclusive<i32> = -10..=10;
/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 200;

/// What a command carries, as a person sends it.
#[derive(Debug, Clone)]
pub enum Content {
    /// The keys of the command.
    Keys(Dictionary),
    /// A property list: the command's dictionary, or a whole `{Command: {…}}` as on Apple's wire.
    PropertyList(Vec<u8>),
}

/// A command that someone wants to be queued.
#[derive(Debug, Clone)]
pub struct NewCommand {
    /// Its kind, by its name on Apple's wire.
    pub request_type: String,
    /// What it carries; `None` is what the kind needs least. For DeviceInformation and
    /// InstalledApplicationList that is what an inventory asks.
    pub content: Option<Content>,
    /// The higher goes first: -10 to 10, 0 is usual.
    pub priority: i32,
    /// The first instant it is offered.
    pub not_before: Option<Instant>,
    /// The first instant it is not offered any more.
    pub expires_at: Option<Instant>,
    /// The same key for the same tablet queues one command, however often it is sent (T-A20).
    pub idempotency_key: Option<String>,
}

/// A command and whether it was just queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The command that stands in the queue.
    pub command: Command,
    /// `false` when an earlier request with the same idempotency key had queued it.
    pub new: bool,
}

/// Queues a command for a tablet, and wants it to be woken.
///
/// A newer one replaces a pending one of the same purpose: the same inventory, the same setting. Kinds that need a
/// proof cannot be queued here at all (M6), nor what layers decide (C3.1.1): they are refused with their rule.
///
/// # Errors
/// [`Refusal::NotValidated`] for what lists apps, while the DPO has not validated that (C3.1.6);
/// [`Refusal::Forbidden`] with the rule, by type *and content*; [`Refusal::Invalid`] names the field;
/// [`Refusal::Conflict`] for a tablet that is not enrolled, or an idempotency key that named another kind.
pub async fn enqueue(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    new: NewCommand,
    now: Instant,
) -> Result<Accepted, Refusal> {
    together::queue(fleet, Asked::read(principal, named, new, now)?).await
}

/// Queues one command, or says why not.
pub(crate) fn alone(tx: &mut Tx<'_>, asked: &Asked) -> Result<Accepted, Refusal> {
    let Asked { principal, named, request, now, .. } = asked;
    let tablet = tablets::reached(tx, principal, Permission::SendCommands, named, *now)?;
    let enrolment = enrolments::hold_live_of_tablet(tx, tablet.id)?.ok_or_else(|| {
        Refusal::Conflict(format!(
            "tablet {} is not enrolled; enrol it, then send the command again",
            tablet.serial
        ))
    })?;
    if apple::inventory::lists_apps(request.request_type) {
        register::may_process(tx, Activity::AppInventory, *now)??;
    }
    if request.request_type == RequestType::DisableLostMode {
        lost_mode::may_be_turned_off_by_hand(tx, tablet.id)?;
    }
    let profile = management_profile::of(tx, enrolment.id, enrolment.kind)?;
    let queueable = check(&profile, request)?;
    let command = match commands::enqueue(tx, &queueable, asked.how(tablet.id, enrolment.id))? {
        Enqueued::New(command) => *command,
        Enqueued::Already(earlier) => return already(get(tx, earlier)?, request),
    };
    push::want(tx, enrolment.id, asked.due(), *now)?;
    audit::record(tx, principal, change(&command), *now)?;
    Ok(Accepted { command, new: true })
}

/// What the log says of a command that was queued.
fn change(command: &Command) -> Change {
    Change::new("command.queue")
        .tablet(Some(command.tablet_id))
        .enrolment(Some(command.enrolment_id))
        .detail(json!({ "command": command.id, "request_type": command.request_type }))
}

/// The commands of a tablet, in all its enrolments, the newest first.
///
/// # Errors
/// [`Refusal::NotFound`] for the tablet.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    page: Page<CommandId>,
    now: Instant,
) -> Result<Listed<Command>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let tablet = tablets::reached(tx, &principal, Permission::ViewTablets, &named, now)?;
            let rows = commands::of_tablet(tx, tablet.id, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |command| command.id.to_string()))
        })
        .await
}

/// One command, with the tablet's answer and its errors in words.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: CommandId,
    now: Instant,
) -> Result<Command, Refusal> {
    let principal = principal.clone();
    fleet.store().read(move |tx| reached(tx, &principal, Permission::ViewTablets, id, now)).await
}

/// Cancels a pending command. One that the tablet has fetched already may still be carried out; its answer
/// then changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] for one that is over.
pub async fn cancel(
    fleet: &Fleet,
    principal: &Principal,
    id: CommandId,
    now: Instant,
) -> Result<Command, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let before = reached(tx, &principal, Permission::CancelCommands, id, now)?;
            if before.state == CommandState::Cancelled {
                return Ok(before);
            }
            if before.gate != Gate::Ordinary && before.state == CommandState::Sent {
                return Err(Refusal::Conflict(
                    "the tablet was given this command; what it says of it is waited for".into(),
                ));
            }
            if let Some(end) = before.enrolment_end_id {
                unenrolment::cancelled(tx, end)?;
            }
            if !commands::cancel(tx, id)? {
                return Err(Refusal::Conflict(format!("the command is over: it is {}", before.state)));
            }
            let detail = json!({ "command": id, "request_type": before.request_type, "was": before.state });
            let change = Change::new("command.cancel")
                .tablet(Some(before.tablet_id))
                .enrolment(Some(before.enrolment_id))
                .detail(detail);
            audit::record(tx, &principal, change, now)?;
            get(tx, id)
        })
        .await
}

/// Why a command is where it is, in one sentence.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn why(fleet: &Fleet, principal: &Principal, id: CommandId, now: Instant) -> Result<Why, Refusal> {
    let (principal, quiet_hours) = (principal.clone(), fleet.settings().quiet_hours);
    fleet
        .store()
        .read(move |tx| {
            let command = reached(tx, &principal, Permission::ViewTablets, id, now)?;
            explain(tx, &command, quiet_hours, now)
        })
        .await
}

/// Why a command is where it is.
pub(crate) fn explain(
    tx: &mut Tx<'_>,
    command: &Command,
    quiet_hours: Option<QuietHours>,
    now: Instant,
) -> Result<Why, Refusal> {
    let reach = match reach(tx, command, now)? {
        // Urgent ones go at any time.
        Reach::NotPushed if !command.urgent => match quiet_hours.and_then(|quiet| quiet.end_after(now)) {
            Some(until) => Reach::Quiet { until },
            None => Reach::NotPushed,
        },
        reach => reach,
    };
    let facts = Facts {
        standing: standing(command, now),
        queued_at: command.queued_at,
        not_before: command.not_before,
        reach,
        last_seen: presence::last_seen(tx, command.enrolment_id)?,
    };
    Ok(why::why(&facts, now))
}

fn get(tx: &mut Tx<'_>, id: CommandId) -> Result<Command, Refusal> {
    commands::get(tx, &id)?.ok_or_else(|| Refusal::not_found("command", id))
}

/// The command, if whoever asks may do this to its tablet; to others it does not exist (T-C1).
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: CommandId,
    now: Instant,
) -> Result<Command, Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let command = get(tx, id)?;
    if tablets::is_reached(tx, &reach, Some(command.tablet_id))? {
        Ok(command)
    } else {
        Err(Refusal::not_found("command", id))
    }
}

pub(crate) fn check_envelope(new: &NewCommand, now: Instant) -> Result<(), Refusal> {
    if !PRIORITIES.contains(&new.priority) {
        return Err(Refusal::invalid("priority", "must be from -10 to 10"));
    }
    for (field, instant) in [("not_before", new.not_before), ("expires_at", new.expires_at)] {
        if instant.is_some_and(|instant| instant > now.plus(LONGEST_WAIT)) {
            return Err(Refusal::invalid(field, "must be within a year"));
        }
    }
    if new.expires_at.is_some_and(|end| end <= new.not_before.unwrap_or(now).max(now)) {
        return Err(Refusal::invalid("expires_at", "must be later than now and than `not_before`"));
    }
    match &new.idempotency_key {
        Some(key) if key.is_empty() || key.len() > LONGEST_KEY || key.chars().any(char::is_control) => {
            Err(Refusal::invalid(
                "idempotency_key",
                format!("must have 1 to {LONGEST_KEY} bytes, none of them a control character"),
            ))
        }
        _ => Ok(()),
    }
}

/// The gate for what people send: by type and content, on the parsed property list (T-C23, C3.1.1).
fn check(profile: &EnrolmentProfile, request: &Request) -> Result<Queueable, Refusal> {
    let Some(command) = request.command.clone() else {
        return Ok(Queueable::Ordinary(Ordinary::clear_passcode()));
    };
    Ordinary::asked_by_hand(command, profile)
        .map(Queueable::Ordinary)
        .map_err(|error| Refusal::Forbidden { rule: error.rule(), what: error.to_string() })
}

/// A repeated request gets the first one's command; a key that named something else is a mistake.
fn already(command: Command, request: &Request) -> Result<Accepted, Refusal> {
    if command.request_type == request.request_type.as_str() {
        return Ok(Accepted { command, new: false });
    }
    Err(Refusal::Conflict(format!(
        "the idempotency key was used for command {}, a {}; choose another key",
        command.id, command.request_type
    )))
}

fn standing(command: &Command, now: Instant) -> Standing {
    let since = |instant: Option<Instant>| instant.unwrap_or(command.queued_at);
    let late = command.expires_at.is_some_and(|end| end <= now);
    match command.state {
        CommandState::Sent if late => Standing::Late { at: since(command.sent_at) },
        // The calendar is about to say the same.
        CommandState::Queued | CommandState::NotNow if late => Standing::Over(Ending::Expired),
        CommandState::Queued if command.not_now_at.is_none() => Standing::Queued,
        CommandState::Sent => Standing::Sent {
            at: since(command.sent_at),
            times: u32::try_from(command.sent_count.saturating_sub(command.not_now_count)).unwrap_or(0),
            again_at: command.retry_at,
        },
        CommandState::Queued | CommandState::NotNow => Standing::NotNow {
            at: since(command.not_now_at),
            times: u32::try_from(command.not_now_count).unwrap_or(0),
        },
        CommandState::Acknowledged => Standing::Over(Ending::Acknowledged),
        CommandState::Failed => Standing::Over(Ending::Failed),
        CommandState::Expired => Standing::Over(Ending::Expired),
        CommandState::Cancelled => Standing::Over(Ending::Cancelled),
        CommandState::Void => Standing::Over(Ending::Void),
    }
}

/// What stands between us and the tablet, the nearest obstacle first.
fn reach(tx: &mut Tx<'_>, command: &Command, now: Instant) -> Result<Reach, Refusal> {
    match enrolments::get(tx, &command.enrolment_id)?.map(|enrolment| enrolment.state) {
        Some(EnrolmentState::Active) => {}
        Some(EnrolmentState::Authenticated) => return Ok(Reach::NoPushToken),
        _ => return Ok(Reach::NotEnrolled),
    }
    let Some(certificate) = push_certificates::current(tx)? else { return Ok(Reach::NoPushCertificate) };
    if certificate.not_after < now {
        return Ok(Reach::PushCertificateExpired { at: certificate.not_after });
    }
    let Some(state) = push_states::get(tx, &command.enrolment_id)? else { return Ok(Reach::NotPushed) };
    if let Some(since) = state.token_invalid_since {
        return Ok(Reach::TokenInvalid { since });
    }
    if let Some(trouble) = push::trouble(&state) {
        return Ok(Reach::PushFailing { trouble, next: state.due_at });
    }
    Ok(match push::covering_push(&state, command.queued_at, now) {
        Some(at) => Reach::Pushed { at },
        None => Reach::NotPushed,
    })
}

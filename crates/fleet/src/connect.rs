//! A tablet connects: it reports what became of a command, and gets the next one. The product's pulse.
//!
//! One read (who it is, what it reported on, what comes next) and, when there is something to remember, one
//! write that shares its commit with other tablets'. Everything in between is decided in memory: whether it is
//! served ([`crate::standing`]), what its answer means ([`crate::answers`]), how the next command is put
//! ([`delivery`]).

mod delivery;

use apple::command::RequestType;
use apple::connect::{Report, Status};
use apple::plist::Value;
use orders::Gate;
use pki::DeviceIdentity;
use privacy::{Activity, Validated};
use store::certificates::CertificateState;
use store::commands::CommandState;
use store::enrolments::EnrolmentState;
use store::{ConnectKey, ConnectRow, ConnectWrite, ReportFate, ReportedCommand};
use types::{CommandId, EnrolmentId, Instant, Udid};

use crate::answers::AppLists;
use crate::checkin::{same_tablet, unknown};
use crate::incidents::lost_mode::{self, LOST_MODE_QUERY, QUERY_KEY, Said};
use crate::incidents::positions;
use crate::lending::erasures;
use crate::segments::{self, Told};
use crate::standing::{self, Admission, Facts, Moment};
use crate::watch::{self, AlarmKind, Claim};
use crate::{Door, Fleet, Reply, TabletError, answers, register, takeover_binding, unenrolment};

/// How many commands that cannot be put to the tablet at all one answer passes over.
const MOST_FAILED_HERE: usize = 16;

/// Receives a report, and answers with the next command or with nothing.
///
/// # Errors
/// [`TabletError`]; the report is not recorded then, and the tablet sends it again.
pub async fn answer(
    fleet: &Fleet,
    door: Door,
    identity: &DeviceIdentity,
    body: &[u8],
    now: Instant,
) -> Result<Reply, TabletError> {
    let (began, meters) = (std::time::Instant::now(), fleet.meters());
    let outcome = received(fleet, door, identity, body, now).await;
    meters.answered(&meters.connects, began, &outcome);
    outcome
}

async fn received(
    fleet: &Fleet,
    door: Door,
    identity: &DeviceIdentity,
    body: &[u8],
    now: Instant,
) -> Result<Reply, TabletError> {
    let report = Report::parse(body)?;
    let claim = Claim { udid: report.udid.clone(), serial: None };
    let outcome = match takeover_binding::bind(fleet, door, identity, claim.udid.as_ref(), now).await {
        Ok(()) => converse(fleet, identity, &report, body, now).await,
        Err(refused) => Err(refused),
    };
    if let Err(error) = &outcome {
        watch::report(fleet, identity, &claim, error, now).await;
    }
    outcome
}

async fn converse(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    report: &Report,
    body: &[u8],
    now: Instant,
) -> Result<Reply, TabletError> {
    let reported = report.command_uuid.as_deref().and_then(|text| text.parse::<CommandId>().ok());
    let key = ConnectKey {
        certificate_sha256: watch::digest(identity),
        reported,
        fresh: report.status == Status::Idle,
        now,
    };
    let Some(row) = fleet.store().connect_read(key.clone()).await? else {
        return Err(unknown(identity, report.udid.as_ref()));
    };
    admit(fleet, identity, &row, report.udid.as_ref(), now).await?;
    if report.body.contains_key("UserID") {
        // The user channel of a Shared iPad, which is declined at check-in: it has no commands.
        return Ok(Reply::Empty);
    }

    let mut write = ConnectWrite::new(row.enrolment.id, now);
    if let Some(command) = &row.reported {
        let apps = app_lists(fleet, command, report, now).await?;
        let apps = apps.as_ref().map_or(AppLists::Off, AppLists::On);
        answers::record(&mut write, command, report, body, apps, now);
        positions::answered(fleet, row.enrolment.id, command, report, now).await?;
    }
    let next = match &row.next {
        Some(next) => delivery::admissible(fleet, &row.enrolment, next, &key).await?,
        None => None,
    };
    write.deliver = next;
    // As long as there is something for it, the tablet is still to be woken: it may vanish in mid-conversation,
    // and behind a command that was stopped here others may wait.
    write.settle_push = row.push_wanted && row.next.is_none();

    fleet.store().seen(row.enrolment.id, now);
    let nothing_to_write = write.report.is_none() && write.deliver.is_none() && !write.settle_push;
    let written = if nothing_to_write { None } else { Some(fleet.store().connect_write(write).await?) };

    let fate = written.as_ref().and_then(|written| written.report);
    if let Some(command) = row.reported.as_ref().filter(|command| command.gate == Gate::Unenrol) {
        // Also when it says so a second time: the first may have been cut off here.
        if fate == Some(ReportFate::Applied) || command.state == CommandState::Acknowledged {
            left(fleet, row.enrolment.id, report.status, now).await?;
        }
    }
    if let Some(command) = row.reported.as_ref().filter(|command| command.gate == Gate::Erase) {
        // Also when it says so a second time: the first may have been cut off here.
        if fate == Some(ReportFate::Applied) || command.state == CommandState::Acknowledged {
            about_its_erasure(fleet, row.enrolment.id, command.id, report.status, now).await?;
        }
    }
    if let Some(command) = row.reported.as_ref().filter(|_new| fate == Some(ReportFate::Applied)) {
        about_lost_mode(fleet, row.enrolment.id, command, report, now).await?;
    }
    let says_something = report.status != Status::Idle;
    if says_something && matches!(fate, None | Some(ReportFate::Unknown)) {
        watch::raise_now(fleet, AlarmKind::UnknownReport, &row.enrolment, now).await;
    }
    let mut delivered = written.and_then(|written| written.delivered);
    if configure(fleet, &row, report, now).await? && delivered.is_none() {
        delivered = delivery::next_instead(fleet, &row.enrolment, &key).await?;
    }
    for _undeliverable in 0..MOST_FAILED_HERE {
        let Some(one) = delivered else { break };
        if let Some(reply) = delivery::render(fleet, &row.enrolment, one, now).await? {
            return Ok(reply);
        }
        delivered = delivery::next_instead(fleet, &row.enrolment, &key).await?;
    }
    Ok(Reply::Empty)
}

/// Takes the next step towards what the tablet's segment is given, if it told something of that, or has not all of it:
/// `true` if a command was queued. An ordinary connect of a tablet that has everything costs nothing here.
async fn configure(
    fleet: &Fleet,
    row: &ConnectRow,
    report: &Report,
    now: Instant,
) -> Result<bool, TabletError> {
    if row.enrolment.segment.is_none() || row.enrolment.state != EnrolmentState::Active {
        return Ok(false);
    }
    let answered = row.reported.as_ref().and_then(|command| segments::answered(command, report));
    let told = match answered {
        Some(answered) => Told::Answer(answered),
        None if row.next.is_none() && row.enrolment.configuration_is_due(now) => Told::Nothing,
        None => return Ok(false),
    };
    segments::advance(fleet, row.enrolment.id, told, now).await
}

/// The DPO's switch, looked at for an answer that lists apps, and for no other.
async fn app_lists(
    fleet: &Fleet,
    command: &ReportedCommand,
    report: &Report,
    now: Instant,
) -> Result<Option<Validated>, TabletError> {
    let lists_apps = command.request_type.parse().is_ok_and(apple::inventory::lists_apps);
    if !lists_apps || report.status != Status::Acknowledged {
        return Ok(None);
    }
    let validated =
        fleet.store().read(move |tx| register::may_process(tx, Activity::AppInventory, now)).await?;
    Ok(validated.ok())
}

/// The tablet was told that it leaves, and says what became of it.
async fn left(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    status: Status,
    now: Instant,
) -> Result<(), TabletError> {
    let done = match status {
        Status::Acknowledged => true,
        Status::Error | Status::CommandFormatError => false,
        Status::Idle | Status::NotNow => return Ok(()),
    };
    fleet
        .store()
        .write(move |tx| {
            let Some(row) = store::enrolments::get(tx, &enrolment)? else { return Ok(()) };
            match row.state {
                EnrolmentState::Authenticated | EnrolmentState::Active if done => {
                    unenrolment::finish(tx, &row, now)?;
                }
                EnrolmentState::Authenticated | EnrolmentState::Active => {
                    unenrolment::failed(tx, enrolment, now)?;
                }
                _ => {}
            }
            Ok::<_, store::StoreError>(())
        })
        .await?;
    Ok(())
}

/// The tablet was told to erase itself, and says what it does.
async fn about_its_erasure(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    command: CommandId,
    status: Status,
    now: Instant,
) -> Result<(), TabletError> {
    let said = match status {
        Status::Acknowledged => erasures::Said::Done,
        Status::Error | Status::CommandFormatError => erasures::Said::Refused,
        Status::Idle | Status::NotNow => return Ok(()),
    };
    fleet.store().write_held(move |tx| erasures::answered(tx, (enrolment, command), said, now)).await?;
    Ok(())
}

/// What the tablet says of lost mode is written down, and what it should not be in any more is turned off.
async fn about_lost_mode(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    command: &ReportedCommand,
    report: &Report,
    now: Instant,
) -> Result<(), TabletError> {
    let kind = match command.request_type.parse() {
        Ok(kind @ (RequestType::EnableLostMode | RequestType::DisableLostMode)) => kind,
        Ok(RequestType::DeviceInformation) => {
            let responses = report.body.get("QueryResponses").and_then(Value::as_dictionary);
            let is_lost = responses.and_then(|responses| responses.get(LOST_MODE_QUERY)?.as_boolean());
            // An ordinary inventory says so too, and is not worth a look at the database.
            if is_lost == Some(false) && command.replaces_key.as_deref() == Some(QUERY_KEY) {
                fleet.store().write(move |tx| lost_mode::told(tx, enrolment, false, now)).await?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    let said = match report.status {
        Status::Acknowledged => Said::Done,
        Status::Error | Status::CommandFormatError => Said::Refused,
        Status::Idle | Status::NotNow => return Ok(()),
    };
    let id = command.id;
    fleet.store().write(move |tx| lost_mode::answered(tx, enrolment, id, (kind, said), now)).await?;
    Ok(())
}

/// Decides whether the tablet is served; in the ordinary case without another look at the database.
async fn admit(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    row: &ConnectRow,
    claimed: Option<&Udid>,
    now: Instant,
) -> Result<(), TabletError> {
    let moment = Moment::Message("a report");
    let ordinary = row.certificate_state == CertificateState::Confirmed
        && matches!(row.enrolment.state, EnrolmentState::Active | EnrolmentState::Authenticated);
    if !ordinary {
        // Rare: a renewal's first use, or a tablet that is not served. The slow path reads the end, confirms
        // the certificate, and decides by the same table.
        let (identity, claimed) = (identity.clone(), claimed.cloned());
        return fleet
            .store()
            .write_held(move |tx| {
                let bound = crate::checkin::bound(tx, &identity, claimed.as_ref(), moment, now)?;
                crate::checkin::confirm(tx, &bound, now)
            })
            .await;
    }
    let facts = Facts {
        certificate: row.certificate_state,
        enrolment: row.enrolment.id,
        state: row.enrolment.state,
        end: None,
    };
    match standing::admit(facts, moment, now)? {
        Admission::Known | Admission::FirstUse => {}
    }
    let bound = row.enrolment.udid.as_deref().and_then(|udid| udid.parse().ok());
    same_tablet(bound.as_ref(), claimed)
}

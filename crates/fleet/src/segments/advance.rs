//! One tablet, one step: what it told is noted, and the next command towards what its segment is given is queued.

use std::collections::BTreeMap;

use apple::OsVersion;
use apple::command::RequestType;
use apple::connect::{Report, Status, error_words};
use apple::plist::{Dictionary, Value};
use apple::status_report::StatusReport;
use orders::{EnrolmentProfile, Queueable};
use privacy::Activity;
use profiles::segment::{
    AppItem, Declaring, Facts, Heard, IpadClass, Item, Known, Plan, RuleState, Step, next, rules,
    tablet_payload,
};
use serde_json::json;
use store::commands::Enqueue;
use store::deliveries::{Delivery, Pending};
use store::enrolments::{Enrolment, EnrolmentState};
use store::segments::Segment;
use store::{ReportedCommand, Tx, apps, deliveries, segments};
use types::{Actor, CommandId, Duration, EnrolmentId, Instant, Platform};

use super::{commands, ensure, frame};
use crate::apps::delivery;
use crate::lending::overdue;
use crate::watch::{self, AlarmKind, Subject};
use crate::{Fleet, TabletError, first_commands, management_profile, push, register};

/// When a step that is under way is looked at again, if its answer was lost.
const LOST: Duration = Duration::from_secs(15 * 60);
/// The most entries of a list that are read.
const MOST_LISTED: usize = 2_000;
/// Where steps of ours stand in the queue: behind what people ask for.
const PRIORITY: i32 = -1;

/// What a tablet told, as far as its configuration goes.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// The answer to a command.
    Answer(Answered),
    /// A status report.
    Status(StatusReport),
    /// Nothing: it came.
    Nothing,
}

/// The answer to a command.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// What it was about; `None` for a question that somebody else asked.
    item: Option<Item>,
    heard: Heard,
}

/// What an answer tells of a tablet's configuration; `None` if nothing.
pub(crate) fn answered(command: &ReportedCommand, report: &Report) -> Option<Answered> {
    let kind = command.request_type.parse::<RequestType>().ok()?;
    let item = command.replaces_key.as_deref().and_then(Item::of_key);
    let heard = match report.status {
        Status::Idle | Status::NotNow => return None,
        Status::Error | Status::CommandFormatError => Heard::Refused(error_words(&report.error_chain)),
        Status::Acknowledged => acknowledged(kind, &report.body),
    };
    let item = match kind {
        RequestType::DeviceInformation => Some(Item::Device),
        RequestType::ProfileList => Some(Item::Profiles),
        RequestType::ManagedApplicationList => Some(Item::Apps),
        _ => Some(item?),
    };
    Some(Answered { item, heard })
}

fn acknowledged(kind: RequestType, body: &Dictionary) -> Heard {
    let list = |key: &str| body.get(key).and_then(Value::as_array).into_iter().flatten().take(MOST_LISTED);
    let text = |one: &Dictionary, key: &str| one.get(key).and_then(Value::as_string).map(str::to_owned);
    match kind {
        RequestType::ProfileList => Heard::Profiles(
            list("ProfileList")
                .filter_map(Value::as_dictionary)
                .filter_map(|one| Some((text(one, "PayloadIdentifier")?, text(one, "PayloadUUID")?)))
                .collect(),
        ),
        RequestType::ManagedApplicationList => {
            let apps = body.get("ManagedApplicationList").and_then(Value::as_dictionary);
            let apps = apps.into_iter().flatten().take(MOST_LISTED);
            Heard::Apps(
                apps.filter_map(|(name, one)| Some((name.clone(), text(one.as_dictionary()?, "Status")?)))
                    .collect(),
            )
        }
        RequestType::Settings => refused_items(list("Settings")),
        RequestType::ScheduleOSUpdate => refused_items(list("UpdateResults")),
        RequestType::InstallApplication => match text(body, "RejectionReason") {
            Some(why) => Heard::Refused(why),
            None => Heard::Done,
        },
        _ => Heard::Done,
    }
}

/// The first item that was refused, in its words.
fn refused_items<'v>(items: impl Iterator<Item = &'v Value>) -> Heard {
    for item in items.filter_map(Value::as_dictionary) {
        let status = item.get("Status").and_then(Value::as_string).unwrap_or_default();
        let chain = item.get("ErrorChain").and_then(Value::as_array);
        if status == "Error" || chain.is_some_and(|chain| !chain.is_empty()) {
            let link = chain.and_then(|chain| chain.first()?.as_dictionary());
            let words = link.and_then(|link| link.get("LocalizedDescription")?.as_string());
            let name = item.get("Item").and_then(Value::as_string).unwrap_or("an item");
            return Heard::Refused(format!("{name}: {}", words.unwrap_or("refused")));
        }
    }
    Heard::Done
}

/// Notes what a tablet told, and queues the next step. `true` if a command was queued.
///
/// # Errors
/// When the memory fails; nothing is noted then, and the tablet is asked again in time.
pub(crate) async fn advance(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    told: Told,
    now: Instant,
) -> Result<bool, TabletError> {
    let context = fleet.clone();
    fleet
        .store()
        .write_held(move |tx| {
            let Some(row) = store::enrolments::hold(tx, enrolment)? else { return Ok(false) };
            if row.state != EnrolmentState::Active {
                return Ok(false);
            }
            let Some(segment) = segments::of_enrolment(tx, enrolment)? else { return Ok(false) };
            let version = row.os_version.as_deref().and_then(|version| version.parse::<OsVersion>().ok());
            let class = version.and_then(|version| IpadClass::of(version, row.supervision));
            let Some(class) = class.filter(|class| class.to_string() == segment.class) else {
                // It is another tablet than its segment is for: it was updated, or supervised. The walk finds it another.
                segments::assign(tx, &[enrolment], None)?;
                return Ok(false);
            };
            let stored = deliveries::get(tx, enrolment)?.unwrap_or_else(|| Delivery::new(enrolment, now));
            let one = One { fleet: &context, row: &row, segment: &segment, class, version, now };
            one.advance(tx, stored, &told)
        })
        .await
}

/// One tablet, in one transaction.
struct One<'a> {
    fleet: &'a Fleet,
    row: &'a Enrolment,
    segment: &'a Segment,
    class: IpadClass,
    version: Option<OsVersion>,
    now: Instant,
}

impl One<'_> {
    fn advance(&self, tx: &mut Tx<'_>, stored: Delivery, told: &Told) -> Result<bool, TabletError> {
        let (plan, mut known) = (self.segment.plan()?, stored.known()?);
        let own = if plan.gives_nothing() { None } else { self.own_profile(tx)? };
        let own_name = own.as_ref().map(|(name, uuid, _xml)| (name.clone(), uuid.clone()));
        self.note(tx, &mut known, &plan, own_name.as_ref(), told)?;
        let enrolment_profile = management_profile::of(tx, self.row.id, self.row.kind)?;
        let facts = Facts {
            version: self.version,
            enrolment_profile: match &enrolment_profile {
                EnrolmentProfile::Known(name) => Some(name.clone()),
                EnrolmentProfile::Unknown => None,
            },
            tablet_profile: own_name,
            apps_may_be_listed: register::may_process(tx, Activity::AppInventory, self.now)?.is_ok(),
            in_flight: is_in_flight(tx, self.row.id)?,
            now: self.now,
        };
        known.tidy(&plan, facts.tablet_profile.as_ref(), self.version);
        self.withhold(tx, &mut known, &plan)?;
        let whole = plan;
        let plan = whole.clone().without(&known.withheld);
        let step = next(&plan, &known, &facts);
        let xml = own.as_ref().map(|(_name, _uuid, xml)| xml.as_slice());
        let queued = self.take(tx, &step, &plan, &mut known, &facts, xml, &enrolment_profile)?;
        let due_at = match &step {
            Step::Rest { until, delivered } => {
                if *delivered {
                    segments::set_delivered(tx, self.row.id, Some(&self.segment.token))?;
                }
                *until
            }
            _ => self.now.plus(LOST),
        };
        let released =
            matches!(step, Step::Rest { .. }) && first_commands::the_setup_may_go_on(tx, self.row, self.now)?;
        self.show(tx, &whole, &known)?;
        let known = serde_json::to_value(&known).map_err(|error| TabletError::Internal(error.to_string()))?;
        deliveries::put(
            tx,
            &Delivery { known, due_at: Some(due_at), woken_at: None, updated_at: self.now, ..stored },
        )?;
        let queued = queued || released;
        if queued && matches!(told, Told::Status(_)) {
            // It is not waiting for a command now.
            push::want(tx, self.row.id, self.now, self.now)?;
        }
        Ok(queued)
    }

    /// Notes what it told, and says so where a profile of ours went that nobody removed (C5.3.2).
    fn note(
        &self,
        tx: &mut Tx<'_>,
        known: &mut Known,
        plan: &Plan,
        own: Option<&(String, String)>,
        told: &Told,
    ) -> Result<(), TabletError> {
        match told {
            Told::Nothing => {}
            Told::Status(report) => {
                let reported = report.declarations.iter().map(|one| {
                    let declaring = Declaring {
                        token: one.server_token.clone(),
                        active: one.active,
                        valid: one.valid.clone(),
                        reasons: one.reasons.clone(),
                    };
                    (one.identifier.clone(), declaring)
                });
                known.report(report.full, reported, &report.removed, plan, self.now);
            }
            Told::Answer(answered) => {
                let key = answered.item.as_ref().map(Item::key);
                let token =
                    key.and_then(|key| Some(known.tries.get(&key)?.token.clone())).unwrap_or_default();
                known.hear(answered.item.as_ref(), answered.heard.clone(), &token, plan, self.now);
                for name in known.went_missing(plan, own) {
                    let detail = json!({ "profile": name });
                    watch::raise(
                        tx,
                        AlarmKind::ProfileRemoved,
                        &Subject::enrolment(self.row),
                        detail,
                        self.now,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Looks which of the apps that the tablet still lacks are not given out as they were decided: those are not installed,
    /// and people hear of it (C3.1.2).
    fn withhold(&self, tx: &mut Tx<'_>, known: &mut Known, plan: &Plan) -> Result<(), TabletError> {
        let lacking: Vec<&AppItem> = known.lacks(plan).collect();
        let rows = apps::by_bundles(tx, Platform::Ipad, lacking.iter().map(|app| app.bundle.as_str()))?;
        let differs = |app: &&AppItem| {
            let why = delivery::agrees(rows.get(&app.bundle), app).err()?;
            Some((app.bundle.clone(), why.to_string()))
        };
        let withheld = lacking.iter().filter_map(differs).collect();
        for bundle in known.withhold(withheld) {
            let told = json!({ "app": bundle, "why": known.withheld.get(&bundle) });
            watch::raise(tx, AlarmKind::AppNotAsDecided, &Subject::thing(bundle), told, self.now)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one step, with all that it is made from")]
    fn take(
        &self,
        tx: &mut Tx<'_>,
        step: &Step,
        plan: &Plan,
        known: &mut Known,
        facts: &Facts,
        own: Option<&[u8]>,
        enrolment_profile: &EnrolmentProfile,
    ) -> Result<bool, TabletError> {
        let (Some((item, token)), Some(tablet)) = (step.item(plan, facts), self.row.tablet_id) else {
            return Ok(false);
        };
        let own = match step {
            Step::InstallTabletProfile => {
                own.map(|xml| ensure::sign(self.fleet, xml)).transpose().map_err(TabletError::Internal)?
            }
            _ => None,
        };
        let Some(ordinary) = commands::command(step, self.segment, plan, own.as_deref(), enrolment_profile)?
        else {
            return Ok(false);
        };
        known.ask(&item, &token, self.now);
        let how = Enqueue {
            id: CommandId::new(self.now),
            enrolment: self.row.id,
            tablet,
            priority: PRIORITY,
            replaces_key: Some(item.key()),
            idempotency_key: None,
            at: self.now,
            by: Actor::Calendar.to_string(),
            not_before: None,
            expires_at: None,
        };
        store::commands::enqueue(tx, &Queueable::Ordinary(ordinary), how)?;
        Ok(true)
    }

    /// The small profile of its own: its name, the UUID of its content, itself.
    fn own_profile(&self, tx: &mut Tx<'_>) -> Result<Option<(String, String, Vec<u8>)>, TabletError> {
        let Some(tablet) = self.row.tablet_id else { return Ok(None) };
        let Some(tablet) = store::tablets::get(tx, &tablet)? else { return Ok(None) };
        let frame = frame(self.fleet).map_err(TabletError::Internal)?;
        let serial = tablet.serial.to_string();
        let belongs = overdue::belongs(tx, tablet.id, self.now)?;
        let label = tablet.asset_tag.as_deref();
        let profile = tablet_payload(label, &serial, belongs.as_deref(), self.class, &frame);
        Ok(profile.map(|profile| {
            let xml = profile.to_xml();
            (profile.identifier, profile.uuid, xml)
        }))
    }

    /// Writes which rules are not in force.
    fn show(&self, tx: &mut Tx<'_>, plan: &Plan, known: &Known) -> Result<(), TabletError> {
        let pending: BTreeMap<String, (Pending, Option<String>)> = rules(plan, known, self.version)
            .into_iter()
            .filter_map(|rule| match rule.state {
                RuleState::Requested => Some((rule.what, (Pending::Requested, None))),
                RuleState::Failed(why) => Some((rule.what, (Pending::Failed, Some(why)))),
                RuleState::Applied | RuleState::Unsupported { .. } => None,
            })
            .collect();
        deliveries::set_rules(tx, self.row.id, &pending, self.now)?;
        Ok(())
    }
}

/// Whether a command of an earlier step waits for its answer.
fn is_in_flight(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<bool, store::StoreError> {
    let pending = store::commands::pending(tx, enrolment)?;
    Ok(pending.iter().any(|command| command.replaces_key.as_deref().and_then(Item::of_key).is_some()))
}

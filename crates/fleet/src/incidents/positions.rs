//! Where a missing tablet is: asked under a warrant, answered once, kept sealed, looked at with a reason (M1, M2, C5.4.3).
//!
//! A request is counted when it is queued, checked again when it is delivered, and its answer once more before it is
//! stored. What cannot be a position, or comes too often, too close or too late, is dropped: it is recorded that it came
//! and why it was dropped, never where. A look at a position that was kept is recorded with who and why, too.

use apple::command::{DeviceLocationAnswer, RequestType};
use apple::connect::{Report, Status};
use governance::Permission;
use incidents::lost_mode::LostModeState;
use incidents::{Basis, Fix, NotInForce, Warrant};
use orders::{Gate, Queueable};
use serde_json::json;
use store::commands::{self, Enqueue};
use store::incident_keys::{Found, IncidentKey};
use store::position_looks::{self, PositionLook};
use store::position_requests::{self, Outcome, PositionRequest};
use store::{ReportedCommand, StoreError, Tx, enrolments, incident_declarations, lost_modes, warrant_grants};
use types::{
    Actor, CommandId, EnrolmentId, IncidentId, Instant, PositionLookId, RuleId, TabletId, WarrantId,
};

use super::declare::again;
use super::warrants::validation;
use super::{LONGEST_REASON, confirm, reached, text};
use crate::apps::sweep::blocking;
use crate::audit::{self, Change};
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal, TabletError, push};

/// A request for a position goes before everything else: its tablet is looked for.
const BEFORE_ALL: i32 = 90;

/// A request for a position, and what became of it. Never where.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The request.
    pub request: PositionRequest,
    /// Whether a position was kept that can still be read.
    pub readable: bool,
    /// Who looked at it, and why.
    pub looks: Vec<PositionLook>,
}

/// A position that somebody looks at. It shows itself in no log.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The request that it answered.
    pub request: CommandId,
    /// Where the tablet said it was.
    pub fix: Fix,
    /// When that was kept.
    pub kept_at: Instant,
}

/// Asks the tablet of an incident where it is, once.
///
/// # Errors
/// [`Refusal::Forbidden`] without a warrant in force, beyond its number or too soon, each with its rule;
/// [`Refusal::Conflict`] for a tablet that is not enrolled, or has not confirmed lost mode.
pub async fn locate(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    reason: &str,
    now: Instant,
) -> Result<PositionRequest, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::Locate, id, now)?;
            confirm::must_stand(tx, &incident)?;
            let warrant = warrant_grants::last(tx, id)?.ok_or_else(|| {
                Worded::forbids(
                    RuleId::M1,
                    "nobody is located without a warrant, and this incident has none: ask for one (`ardoise warrant ask`)",
                    "personne n’est géolocalisé sans autorisation, et ce sinistre n’en a aucune : demandez-en une (`ardoise \
                     warrant ask`)",
                )
                .then(
                    format!("`ardoise warrant ask {id}`, with the reason; a second person signs it"),
                    format!("`ardoise warrant ask {id}`, avec le motif ; une seconde personne signe"),
                )
            })?;
            let facts = Facts::of(tx, warrant, now)?;
            let asking = position_requests::asked(tx, warrant, incident.tablet)?;
            let proof = facts.basis(incident.tablet).to_ask(asking, now)?;
            let enrolment = enrolments::live_of_tablet(tx, incident.tablet)?.ok_or_else(|| {
                Worded::contradicts(
                    "the tablet is not enrolled: nothing that is sent would reach it",
                    "la tablette n’est pas enrôlée : rien de ce qui est envoyé ne l’atteindrait",
                )
            })?;
            let lost = lost_modes::get(tx, &incident.tablet)?
                .is_some_and(|mode| mode.incident_id == id && mode.state == LostModeState::On);
            if !lost {
                return Err(Worded::contradicts(
                    "an iPad tells where it is in lost mode only, and this one has not confirmed it: put it in lost mode first \
                     (`ardoise incident lost-mode`)",
                    "un iPad ne dit où il est qu’en mode perdu, et celui-ci ne l’a pas confirmé : mettez-le d’abord en mode perdu \
                     (`ardoise incident lost-mode`)",
                )
                .then(
                    format!("`ardoise incident show {id}` says whether it confirmed"),
                    format!("`ardoise incident show {id}` dit si elle l’a confirmé"),
                )
                .into());
            }
            let person = principal.person(tx, now)?;
            let how = Enqueue {
                id: CommandId::new(now),
                enrolment: enrolment.id,
                tablet: incident.tablet,
                priority: BEFORE_ALL,
                replaces_key: None,
                idempotency_key: None,
                at: now,
                by: principal.actor().to_string(),
                not_before: None,
                expires_at: Some(proof.expires_at()),
            };
            let command = commands::enqueue(tx, &Queueable::Locate(proof), how)?.command();
            let request = PositionRequest {
                command_id: command,
                warrant_id: warrant,
                asked_by: person.standing.account(),
                reason: reason.clone(),
                asked_at: now,
                outcome: Outcome::Awaited,
                why: None,
                outcome_at: None,
            };
            position_requests::insert(tx, &request)?;
            push::want(tx, enrolment.id, now, now)?;
            let change = Change::new("position.ask")
                .tablet(Some(incident.tablet))
                .enrolment(Some(enrolment.id))
                .reason(Some(reason.clone()))
                .detail(json!({ "incident": id, "warrant": warrant, "command": command }));
            audit::record(tx, &principal, change, now)?;
            Ok(request)
        })
        .await
}

impl From<NotInForce> for Refusal {
    fn from(refused: NotInForce) -> Self {
        match refused {
            NotInForce::NotYet(refusal) => refusal.into(),
            NotInForce::NotValidated { .. } => {
                let next = incidents::Refusal::NotValidated.next_step();
                Worded::forbids(RuleId::C3_1_6, refused.to_string(), refused.in_french())
                    .then(next.english, next.french)
                    .into()
            }
            other => Worded::forbids(RuleId::M1, other.to_string(), other.in_french())
                .then(
                    "`ardoise warrant list` says how each stands; `ardoise warrant extend` asks a second person for more",
                    "`ardoise warrant list` dit où en est chacune ; `ardoise warrant extend` demande davantage à une seconde personne",
                )
                .into(),
        }
    }
}

/// What a warrant and its incident say at this moment.
struct Facts {
    warrant: incidents::RecordedWarrant,
    incident: incidents::RecordedIncident,
    id: IncidentId,
    validation: Option<types::ValidationId>,
}

impl Facts {
    /// The facts of a warrant that was granted, with those of its incident.
    fn of(tx: &mut Tx<'_>, id: WarrantId, now: Instant) -> Result<Self, Refusal> {
        Self::find(tx, id, now)?
            .ok_or_else(|| Refusal::Internal(format!("warrant {id} was granted by nobody, or for nothing")))
    }

    fn find(tx: &mut Tx<'_>, id: WarrantId, now: Instant) -> Result<Option<Self>, Refusal> {
        let Some(row) = store::warrants::get(tx, &id)? else { return Ok(None) };
        let Some(warrant) = warrant_grants::recorded(tx, id)? else { return Ok(None) };
        let Some(incident) = incident_declarations::recorded(tx, row.incident_id)? else { return Ok(None) };
        Ok(Some(Self { warrant, incident, id: row.incident_id, validation: validation(tx, now)? }))
    }

    fn basis(&self, tablet: TabletId) -> Basis<'_> {
        Basis { warrant: &self.warrant, incident: &self.incident, validation: self.validation, tablet }
    }
}

/// Whether a queued request for a position may be given to its tablet now.
#[derive(Debug)]
pub(crate) enum AtDelivery {
    /// It may, by this proof.
    Goes(Warrant),
    /// What it rests on is over.
    Over,
    /// Nobody asked for it, or nobody granted its warrant: it was put there by hand.
    WithoutProof,
}

/// Looks again at what a queued request rests on (M6). What is over is called off, and recorded so.
pub(crate) fn at_delivery(tx: &mut Tx<'_>, command: CommandId, now: Instant) -> Result<AtDelivery, Refusal> {
    let Some(row) = commands::get(tx, &command)? else { return Ok(AtDelivery::Over) };
    let request = position_requests::get(tx, &command)?;
    let (Some(request), Some(warrant)) = (request, row.warrant_id) else {
        commands::cancel(tx, command)?;
        return Ok(AtDelivery::WithoutProof);
    };
    let Some(facts) = Facts::find(tx, warrant, now)? else {
        commands::cancel(tx, command)?;
        return Ok(AtDelivery::WithoutProof);
    };
    let proof = match facts.basis(row.tablet_id).at_delivery(now) {
        Ok(proof) if request.outcome == Outcome::Awaited => proof,
        Ok(_answered) => {
            commands::cancel(tx, command)?;
            return Ok(AtDelivery::Over);
        }
        Err(why) => {
            position_requests::settle(tx, command, Outcome::Cancelled, Some(&why.to_string()), now)?;
            commands::cancel(tx, command)?;
            return Ok(AtDelivery::Over);
        }
    };
    Ok(AtDelivery::Goes(proof))
}

/// Takes in what a tablet says to a request for a position, before its report is recorded: should we die in between, the
/// tablet says it again, and it counts once.
pub(crate) async fn answered(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    command: &ReportedCommand,
    report: &Report,
    now: Instant,
) -> Result<(), TabletError> {
    let locates = command.request_type.parse() == Ok(RequestType::DeviceLocation);
    if command.gate != Gate::Locate || !locates {
        return Ok(());
    }
    let id = command.id;
    match report.status {
        Status::Idle | Status::NotNow => return Ok(()),
        Status::Error | Status::CommandFormatError => {
            let why = "the tablet could not, or would not";
            fleet
                .store()
                .write(move |tx| position_requests::settle(tx, id, Outcome::Cancelled, Some(why), now))
                .await?;
            return Ok(());
        }
        Status::Acknowledged => {}
    }
    let fix = fix(report);
    // A key is made before the transaction: what is in it must be able to run twice.
    let Some(incident) = fleet.store().read(move |tx| awaiting(tx, id)).await? else { return Ok(()) };
    let keys = fleet.shared_folder()?.incident_keys();
    let key = blocking(move || keys.find_or_make(incident)).await?;
    fleet.store().write(move |tx| take_in(tx, enrolment, id, fix, key.as_ref(), now)).await?;
    Ok(())
}

/// The incident of a request that its tablet was given and that nobody has answered.
fn awaiting(tx: &mut Tx<'_>, command: CommandId) -> Result<Option<IncidentId>, StoreError> {
    let given = commands::get(tx, &command)?.is_some_and(|row| row.sent_count > 0);
    let request = position_requests::get(tx, &command)?.filter(|row| row.outcome == Outcome::Awaited);
    let Some(request) = request.filter(|_awaited| given) else { return Ok(None) };
    Ok(store::warrants::get(tx, &request.warrant_id)?.map(|warrant| warrant.incident_id))
}

/// Keeps a position, sealed, or drops it and says why.
fn take_in(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    command: CommandId,
    fix: Option<Fix>,
    key: Option<&IncidentKey>,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(_incident) = awaiting(tx, command)? else { return Ok(()) };
    let Some(row) = commands::get(tx, &command)? else { return Ok(()) };
    let Some(warrant) = row.warrant_id else { return Ok(()) };
    let facts = Facts::of(tx, warrant, now)?;
    let kept = position_requests::kept(tx, warrant, row.tablet_id)?;
    let why = match (fix, key) {
        (None, _) => "it cannot be read as a position".to_owned(),
        (Some(fix), key) => match (facts.basis(row.tablet_id).accept(&fix, kept, now), key) {
            (Ok(position), Some(key)) => {
                let sealed = key.seal(&position, command)?;
                position_requests::keep(tx, command, facts.id, &sealed, now)?;
                return Ok(());
            }
            (Ok(_position), None) => "the key of its incident was destroyed".to_owned(),
            (Err(dropped), _) => dropped.to_string(),
        },
    };
    position_requests::settle(tx, command, Outcome::Dropped, Some(&why), now)?;
    let change = Change::new("position.drop")
        .tablet(Some(row.tablet_id))
        .enrolment(Some(enrolment))
        .detail(json!({ "incident": facts.id, "warrant": warrant, "command": command, "why": why }));
    audit::record_by(tx, Actor::Tablet(enrolment), change, now)
}

/// What a tablet says of where it is; `None` if that cannot be read.
fn fix(report: &Report) -> Option<Fix> {
    let answer = DeviceLocationAnswer::from_dictionary(&report.body).ok()?;
    let accuracy = *answer.horizontal_accuracy.expose();
    Some(Fix {
        latitude: *answer.latitude.expose(),
        longitude: *answer.longitude.expose(),
        // Negative: the tablet does not know.
        accuracy: (accuracy.is_nan() || accuracy >= 0.0).then_some(accuracy),
        measured_at: Some(answer.timestamp.parse().ok()?),
    })
}

/// The requests for a position of an incident, with what became of each; never where the tablet was.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    incident: IncidentId,
    now: Instant,
) -> Result<Vec<Line>, Refusal> {
    let principal = principal.clone();
    let mut lines = fleet
        .store()
        .read(move |tx| {
            reached(tx, &principal, Permission::ViewIncidents, incident, now)?;
            let requests = position_requests::of_incident(tx, incident)?;
            requests
                .into_iter()
                .map(|request| {
                    let looks = position_looks::of(tx, request.command_id)?;
                    Ok(Line { readable: request.outcome == Outcome::Kept, looks, request })
                })
                .collect::<Result<Vec<Line>, Refusal>>()
        })
        .await?;
    if lines.iter().any(|line| line.readable) {
        let keys = fleet.shared_folder()?.incident_keys();
        let found = blocking(move || keys.find(incident)).await?;
        if !matches!(found, Found::Key(_)) {
            lines.iter_mut().for_each(|line| line.readable = false);
        }
    }
    Ok(lines)
}

/// Looks at a position that was kept. Who, when and why is recorded, in the transaction that reads it.
///
/// # Errors
/// [`Refusal::NotFound`] for a request that kept none, or out of reach; [`Refusal::Forbidden`] once its key was destroyed
/// (M2).
pub async fn look(
    fleet: &Fleet,
    principal: &Principal,
    request: CommandId,
    reason: &str,
    now: Instant,
) -> Result<Looked, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let asked = principal.clone();
    let incident = fleet
        .store()
        .read(move |tx| Ok::<_, Refusal>(reached_position(tx, &asked, request, now)?.incident))
        .await?;
    let keys = fleet.shared_folder()?.incident_keys();
    let Found::Key(key) = blocking(move || keys.find(incident)).await? else {
        return Err(Worded::forbids(
            RuleId::M2,
            "where the tablet was cannot be read any more: the key of its incident was destroyed, 30 days after the incident was \
             closed, or 90 days after the last position",
            "l’endroit où était la tablette ne peut plus être lu : la clé de son sinistre a été détruite, 30 jours après sa \
             clôture, ou 90 jours après la dernière position",
        )
        .then(
            "`ardoise position list` has when it was asked for, by whom and why: that remains",
            "`ardoise position list` dit quand elle a été demandée, et pourquoi : cela reste",
        )
        .into());
    };
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let sealed = reached_position(tx, &principal, request, now)?;
            let incident = again(tx, sealed.incident)?;
            let fix = key.open(&sealed.sealed, request)?;
            let look = PositionLook {
                id: PositionLookId::new(now),
                command_id: request,
                looked_by: principal.person(tx, now)?.standing.account(),
                reason: reason.clone(),
                looked_at: now,
            };
            position_looks::insert(tx, &look)?;
            let change = Change::new("position.look")
                .tablet(Some(incident.tablet))
                .reason(Some(reason.clone()))
                .detail(json!({ "incident": incident.id, "command": request, "look": look.id }));
            audit::record(tx, &principal, change, now)?;
            Ok(Looked { request, fix, kept_at: sealed.kept_at })
        })
        .await
}

/// A sealed position, for whoever may look at those of its tablet.
fn reached_position(
    tx: &mut Tx<'_>,
    principal: &Principal,
    request: CommandId,
    now: Instant,
) -> Result<position_requests::SealedPosition, Refusal> {
    let not_found = || Refusal::not_found("position", request);
    principal.may(tx, Permission::LookAtPositions, now)?;
    let sealed = position_requests::kept_for(tx, request)?.ok_or_else(not_found)?;
    reached(tx, principal, Permission::LookAtPositions, sealed.incident, now)
        .map_err(|refused| if matches!(refused, Refusal::NotFound { .. }) { not_found() } else { refused })?;
    Ok(sealed)
}

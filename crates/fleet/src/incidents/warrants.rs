//! Location warrants: asked for, granted by a second person, extended, ended (M1, C5.4.3).
//!
//! Whoever asks says why, how long, how often and how closely. The second person's signature grants it, in its own
//! transaction, on the facts as they are then; nobody has to come back. Without the DPO's validation of geolocation
//! nothing is asked and nothing granted (C3.1.6).

use std::collections::BTreeMap;
use std::time::Duration;

use governance::countersignature::{
    Asked as Countersignature, Content, Purpose, Question, SecondPerson as Answers, Subject,
};
use governance::{Permission, Standing};
use incidents::{
    Asked, Footing, Grant, Hands, Incident, Limits, NoticeOccasion, Petition, Request, SecondPerson,
};
use privacy::Activity;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::countersignatures::Answer;
use store::paper_corrections::{self, PaperCorrection};
use store::position_requests::{self, Outcome};
use store::warrants::{self, OrderState, Warrant};
use store::{Tx, commands, incident_hands, standings, warrant_grants};
use types::{AccountId, CountersignatureId, IncidentId, Instant, Role, ValidationId, WarrantId};

use super::declare::again;
use super::show::{FormerlyNoticed, formerly_noticed, names};
use super::{LONGEST_REASON, confirm, notices, reached, text};
use crate::audit::{self, Change};
use crate::countersignatures::{self, Use};
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal, register, watch};

/// How many warrants one round of the calendar ends.
const BATCH: u32 = 200;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

/// What somebody wants. What they leave open is what is configured.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// How many hours it lasts.
    pub hours: Option<u32>,
    /// How many positions it lets be asked for.
    pub fixes: Option<u32>,
    /// How many minutes two requests lie apart, at least.
    pub interval_minutes: Option<u32>,
}

/// What a second person signs, word for word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    incident: IncidentId,
    kind: String,
    serial: String,
    extends: Option<WarrantId>,
    hours: u32,
    fixes: u32,
    interval_minutes: u32,
}

/// A warrant, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The warrant.
    pub id: WarrantId,
    /// As it was granted.
    pub grant: Grant,
    /// Whether it is in force by its row; its time may be over.
    pub state: OrderState,
    /// How many positions were asked for under it.
    pub asked: u32,
    /// How many were kept.
    pub kept: u32,
    /// When it ended, if it has and that is known.
    pub ended_at: Option<Instant>,
    /// The names of who asked for it and who granted it.
    pub names: BTreeMap<AccountId, String>,
}

/// What came of asking a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Petitioned {
    /// The request that the second person answers.
    pub request: CountersignatureId,
    /// The reason that they read, if the same was asked for before and waits for them: that request stands, with its own
    /// reason, and this one changed nothing.
    pub stands: Option<String>,
}

impl Wanted {
    fn asked(&self, limits: &Limits) -> Asked {
        let usual = limits.usual();
        let span = |count: Option<u32>, unit: u64, usual: Duration| {
            count.map_or(usual, |count| Duration::from_secs(u64::from(count).saturating_mul(unit)))
        };
        Asked {
            lasts: span(self.hours, HOUR, usual.lasts),
            fixes: self.fixes.unwrap_or(usual.fixes),
            interval: span(self.interval_minutes, MINUTE, usual.interval),
        }
    }
}

impl Signed {
    fn asked(&self) -> Asked {
        Asked {
            lasts: Duration::from_secs(u64::from(self.hours) * HOUR),
            fixes: self.fixes,
            interval: Duration::from_secs(u64::from(self.interval_minutes) * MINUTE),
        }
    }
}

/// Asks a second person for the first warrant of an incident. What could not be granted now, whoever were to grant it, is
/// not even asked.
///
/// # Errors
/// [`Refusal::Forbidden`] says which rule; [`Refusal::NotFound`] for an incident out of reach.
pub async fn ask(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    wanted: Wanted,
    reason: &str,
    now: Instant,
) -> Result<Petitioned, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let limits = fleet.settings().warrants;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::AskWarrant, id, now)?;
            put_the_question(tx, &principal, &incident, None, (wanted.asked(&limits), &limits), &reason, now)
        })
        .await
}

/// Asks a second person that the latest warrant of an incident goes on in another, whether it runs or has ended.
///
/// # Errors
/// As [`ask`]; [`Refusal::Conflict`] for one that another goes on from.
pub async fn extend(
    fleet: &Fleet,
    principal: &Principal,
    id: WarrantId,
    wanted: Wanted,
    reason: &str,
    now: Instant,
) -> Result<Petitioned, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let limits = fleet.settings().warrants;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (_warrant, incident) = reached_warrant(tx, &principal, Permission::AskWarrant, id, now)?;
            let asked = (wanted.asked(&limits), &limits);
            put_the_question(tx, &principal, &incident, Some(id), asked, &reason, now)
        })
        .await
}

fn put_the_question(
    tx: &mut Tx<'_>,
    principal: &Principal,
    incident: &Incident,
    extends: Option<WarrantId>,
    (asked, limits): (Asked, &Limits),
    reason: &str,
    now: Instant,
) -> Result<Petitioned, Refusal> {
    let person = principal.person(tx, now)?;
    confirm::must_stand(tx, incident)?;
    must_be_the_last(tx, incident.id, extends)?;
    let request = Request { author: person.standing.account(), reason: reason.to_owned(), asked };
    petition(tx, (incident, &request, &somebody_else(now)), extends, limits, now)??;
    let serial = store::tablets::get(tx, &incident.tablet)?
        .map(|tablet| tablet.serial.to_string())
        .ok_or_else(|| Refusal::Internal(format!("incident {} is of no tablet", incident.id)))?;
    let whole = |span: Duration, unit: u64| u32::try_from(span.as_secs() / unit).unwrap_or(u32::MAX);
    let signed = Signed {
        incident: incident.id,
        kind: incident.kind.to_string(),
        serial,
        extends,
        hours: whole(asked.lasts, HOUR),
        fixes: asked.fixes,
        interval_minutes: whole(asked.interval, MINUTE),
    };
    let content = json!(signed);
    let (purpose, subject) = match extends {
        None => (Purpose::GrantWarrant, Subject::Incident(incident.id)),
        Some(warrant) => (Purpose::ExtendWarrant, Subject::Warrant(warrant)),
    };
    let question = Question {
        purpose,
        subject,
        content: Content::new(&content).map_err(|error| Refusal::Internal(error.to_string()))?,
        second: Answers::HeadOrDepartement { uai: incident.college.clone() },
        reason: reason.to_owned(),
    };
    let (id, new) = countersignatures::ask_within(tx, &person, question, now)?;
    let mut stands = None;
    if new.is_none() {
        stands = store::countersignatures::get(tx, &id)?.and_then(|before| before.reason);
    } else {
        let change = Change::new("warrant.ask")
            .tablet(Some(incident.tablet))
            .reason(Some(reason.to_owned()))
            .detail(json!({ "countersignature": id, "asked": content }));
        audit::record(tx, principal, change, now)?;
    }
    Ok(Petitioned { request: id, stands })
}

/// Decides by the rules, on what is recorded at this moment.
fn petition(
    tx: &mut Tx<'_>,
    (incident, request, second): (&Incident, &Request, &SecondPerson),
    extends: Option<WarrantId>,
    limits: &Limits,
    now: Instant,
) -> Result<Result<Grant, incidents::Refusal>, Refusal> {
    let last = warrant_grants::last(tx, incident.id)?;
    let validation = validation(tx, now)?;
    let hands = incident_hands::of(tx, incident)?;
    let petition = Petition { incident, hands: &hands, request, second, validation, last, limits };
    Ok(match extends {
        None => petition.grant(now),
        Some(_before) => petition.extend(now),
    })
}

/// The DPO's validation of geolocation, if it is in force (C3.1.6).
pub(super) fn validation(tx: &mut Tx<'_>, now: Instant) -> Result<Option<ValidationId>, Refusal> {
    let switch = register::may_process(tx, Activity::Geolocation, now)?;
    Ok(switch.ok().map(|validated| validated.validation()))
}

fn must_be_the_last(
    tx: &mut Tx<'_>,
    incident: IncidentId,
    extends: Option<WarrantId>,
) -> Result<(), Refusal> {
    match (extends, warrant_grants::last(tx, incident)?) {
        (Some(extends), Some(last)) if extends != last => Err(Worded::contradicts(
            format!("warrant {extends} goes on in another already; extend the last one, {last}"),
            format!("l’autorisation {extends} a déjà une suite ; prolongez la dernière, {last}"),
        )
        .then(
            format!("`ardoise warrant extend {last}`, with the reason"),
            format!("`ardoise warrant extend {last}`, avec le motif"),
        )
        .into()),
        _ => Ok(()),
    }
}

/// What is signed.
fn signed(asked: &Countersignature) -> Result<Signed, Refusal> {
    serde_json::from_str(asked.question().content.text())
        .map_err(|_not_ours| Refusal::Internal("what was asked is no question about a warrant".to_owned()))
}

/// What the yes of that person would grant now, by the rules.
///
/// # Errors
/// [`Refusal::Forbidden`] for an incident that waits to be confirmed; [`Refusal::Conflict`] for a warrant that another goes on
/// from. What the rules of incidents refuse is the inner one.
pub(crate) fn would_grant(
    tx: &mut Tx<'_>,
    asked: &Countersignature,
    second: AccountId,
    now: Instant,
) -> Result<Result<Grant, incidents::Refusal>, Refusal> {
    let signed = signed(asked)?;
    let incident = again(tx, signed.incident)?;
    confirm::must_stand(tx, &incident)?;
    must_be_the_last(tx, incident.id, signed.extends)?;
    let second = second_person(tx, second, now)?;
    let reason = asked.question().reason.clone();
    let request = Request { author: asked.asked_by(), reason, asked: signed.asked() };
    // What is configured was looked at when it was asked; beyond the ceiling nobody signs.
    petition(tx, (&incident, &request, &second), signed.extends, &Limits::default(), now)
}

/// What a request for a warrant rests on, as it is recorded at this moment.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The incident.
    pub(crate) incident: Incident,
    /// In whose hands its tablet was, and is.
    pub(crate) hands: Hands,
    /// When its tablet was entered in the inventory.
    pub(crate) entered_at: Option<Instant>,
    /// When it was said before that it was noticed.
    pub(crate) formerly_noticed: Vec<FormerlyNoticed>,
    /// How its papers were put right.
    pub(crate) corrected: Vec<PaperCorrection>,
    /// What the yes of somebody who may would grant now.
    pub(crate) granted: Result<Grant, incidents::Refusal>,
    /// The warrant of the incident that was granted last.
    pub(crate) last: Option<WarrantId>,
    /// How many warrants the incidents had that this one goes on from.
    pub(crate) warrants_before: usize,
    /// The warrant that it goes on from.
    pub(crate) extends: Option<Line>,
    /// How long, how often, how closely.
    pub(crate) asked: Asked,
}

/// What is recorded of what a request rests on.
///
/// # Errors
/// [`Refusal::Internal`] for a request that is none for a warrant.
pub(crate) fn ground(tx: &mut Tx<'_>, asked: &Countersignature, now: Instant) -> Result<Ground, Refusal> {
    let signed = signed(asked)?;
    let incident = again(tx, signed.incident)?;
    let reason = asked.question().reason.clone();
    let request = Request { author: asked.asked_by(), reason, asked: signed.asked() };
    let granted =
        petition(tx, (&incident, &request, &somebody_else(now)), signed.extends, &Limits::default(), now)?;
    let extends = signed.extends.map(|before| line(tx, before)).transpose()?;
    Ok(Ground {
        hands: incident_hands::of(tx, &incident)?,
        entered_at: store::tablets::get(tx, &incident.tablet)?.map(|tablet| tablet.created_at),
        formerly_noticed: formerly_noticed(tx, incident.id, false)?,
        corrected: paper_corrections::of(tx, incident.id)?,
        granted,
        last: warrant_grants::last(tx, incident.id)?,
        warrants_before: warrants_before(tx, &incident)?,
        extends,
        asked: request.asked,
        incident,
    })
}

/// How many warrants the incidents had that this one goes on from.
fn warrants_before(tx: &mut Tx<'_>, incident: &Incident) -> Result<usize, Refusal> {
    let (mut count, mut before) = (0, incident.reopens);
    while let Some(id) = before {
        count += warrants::of_incident(tx, id)?.len();
        before = again(tx, id)?.reopens;
    }
    Ok(count)
}

/// Somebody who may grant it, and had no part in it.
fn somebody_else(now: Instant) -> SecondPerson {
    SecondPerson::Operator { account: AccountId::new(now) }
}

/// The second person has answered. A yes grants the warrant, here and now, or is no yes.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    principal: &Principal,
    asked: &Countersignature,
    answer: &Answer,
    now: Instant,
) -> Result<(), Refusal> {
    let Question { purpose, subject, content, .. } = asked.question();
    let signed = signed(asked)?;
    let incident = again(tx, signed.incident)?;
    let told = json!({ "countersignature": asked.id(), "asked": signed });
    if !answer.given {
        let change =
            Change::new("warrant.refuse").tablet(Some(incident.tablet)).reason(answer.reason.clone());
        return audit::record(tx, principal, change.detail(told), now);
    }
    let id = WarrantId::new(now);
    let used = Use { purpose: *purpose, subject, content, used_for: &format!("warrant:{id}") };
    let signature = countersignatures::proof(tx, asked.id(), &used, now)?;
    let grant = would_grant(tx, asked, signature.answered_by(), now)??;
    if let Some(before) = grant.extends {
        end_with(tx, &incident, before, "another warrant goes on from this one", now)?;
    }
    warrant_grants::record(tx, id, &grant)?;
    notices::tell(tx, &incident, id, NoticeOccasion::Opened, now)?;
    let provisional = grant.footing == Footing::Provisional;
    let change = Change::new(if grant.extends.is_some() { "warrant.extend" } else { "warrant.grant" })
        .tablet(Some(incident.tablet))
        .reason(Some(grant.reason.clone()))
        .detail(json!({
            "warrant": id, "incident": incident.id, "countersignature": asked.id(), "author": grant.author,
            "extends": grant.extends, "opens_at": grant.opens_at, "expires_at": grant.expires_at,
            "provisional": provisional, "fixes": grant.fixes, "interval_minutes": signed.interval_minutes,
        }));
    audit::record(tx, principal, change, now)
}

/// The second person by the role that they answer in.
fn second_person(tx: &mut Tx<'_>, account: AccountId, now: Instant) -> Result<SecondPerson, Refusal> {
    let standing: Standing = standings::of_account(tx, account)?
        .ok_or_else(|| Refusal::Internal(format!("account {account} is missing")))?;
    Ok(match standing.organisation().uai() {
        Some(uai) if standing.has(Role::Head, now) => SecondPerson::Head { account, uai: uai.clone() },
        _ => SecondPerson::Operator { account },
    })
}

/// Ends a warrant by hand: nobody is located under it from now on.
///
/// # Errors
/// [`Refusal::Conflict`] if it has ended; [`Refusal::NotFound`].
pub async fn end(
    fleet: &Fleet,
    principal: &Principal,
    id: WarrantId,
    reason: &str,
    now: Instant,
) -> Result<Line, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (_, incident) = reached_warrant(tx, &principal, Permission::HandleIncident, id, now)?;
            if !end_with(tx, &incident, id, "the warrant was ended", now)? {
                return Err(Worded::contradicts(
                    format!("warrant {id} has ended already"),
                    format!("l’autorisation {id} a déjà pris fin"),
                )
                .then(
                    "`ardoise warrant list` says when each ended",
                    "`ardoise warrant list` dit quand chacune a pris fin",
                )
                .into());
            }
            let change = Change::new("warrant.end")
                .tablet(Some(incident.tablet))
                .reason(Some(reason.clone()))
                .detail(json!({ "warrant": id, "incident": incident.id }));
            audit::record(tx, &principal, change, now)?;
            line(tx, id)
        })
        .await
}

/// Ends a warrant, calls off what waits under it, and has its end told; `false` if it had ended.
pub(super) fn end_with(
    tx: &mut Tx<'_>,
    incident: &Incident,
    id: WarrantId,
    why: &str,
    now: Instant,
) -> Result<bool, Refusal> {
    let ended = warrants::end(tx, id, now)?;
    for request in position_requests::awaited(tx, id)? {
        position_requests::settle(tx, request.command_id, Outcome::Cancelled, Some(why), now)?;
        commands::cancel(tx, request.command_id)?;
    }
    notices::tell(tx, incident, id, NoticeOccasion::Over, now)?;
    Ok(ended)
}

/// Ends the warrants whose time is over. The calendar's work; says how many.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn end_run_out(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let found = fleet.store().read(move |tx| warrants::run_out(tx, now, BATCH)).await?;
    let mut ended = 0;
    for id in found {
        let principal = principal.clone();
        match fleet.store().write(move |tx| end_one(tx, &principal, id, now)).await {
            Ok(done) => ended += usize::from(done),
            Err(failure) => watch::pass_over(fleet, id.to_string(), failure, now).await?,
        }
    }
    Ok(ended)
}

fn end_one(tx: &mut Tx<'_>, principal: &Principal, id: WarrantId, now: Instant) -> Result<bool, Refusal> {
    let Some(warrant) = warrants::get(tx, &id)?.filter(|row| row.state == OrderState::Open) else {
        return Ok(false);
    };
    let incident = again(tx, warrant.incident_id)?;
    end_with(tx, &incident, id, "the warrant ran out", now)?;
    let change = Change::new("warrant.run-out")
        .tablet(Some(incident.tablet))
        .detail(json!({ "warrant": id, "incident": incident.id }));
    audit::record(tx, principal, change, now)?;
    Ok(true)
}

/// The warrants of an incident, the first granted first.
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
    fleet
        .store()
        .read(move |tx| {
            reached(tx, &principal, Permission::ViewIncidents, incident, now)?;
            let ids = warrants::of_incident(tx, incident)?;
            ids.into_iter().map(|warrant| line(tx, warrant.id)).collect()
        })
        .await
}

fn line(tx: &mut Tx<'_>, id: WarrantId) -> Result<Line, Refusal> {
    let (grant, state) =
        warrant_grants::grant_of(tx, id)?.ok_or_else(|| Refusal::not_found("warrant", id))?;
    let asked = position_requests::asked(tx, id, grant.tablet)?.under_this_warrant;
    let kept = position_requests::kept(tx, id, grant.tablet)?.under_this_warrant;
    let ended_at = warrants::get(tx, &id)?.and_then(|row| row.ended_at);
    let names = names(tx, [grant.author, grant.second])?;
    Ok(Line { id, grant, state, asked, kept, ended_at, names })
}

/// The warrant and its incident, for whoever may do this to its tablet.
pub(super) fn reached_warrant(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: WarrantId,
    now: Instant,
) -> Result<(Warrant, Incident), Refusal> {
    let not_found = || Refusal::not_found("warrant", id);
    // Asked first: without the right, whether there is such a warrant is nobody's business.
    principal.may(tx, permission, now)?;
    let warrant = warrants::get(tx, &id)?.ok_or_else(not_found)?;
    let incident = reached(tx, principal, permission, warrant.incident_id, now)
        .map_err(|refused| if matches!(refused, Refusal::NotFound { .. }) { not_found() } else { refused })?;
    Ok((warrant, incident))
}

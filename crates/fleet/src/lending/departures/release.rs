//! What cannot be undone, and therefore comes last: a second person of the département signs, the tablet leaves management,
//! somebody attests that it was released from the owner's accounts and that its activation lock is off; then, for a gift, the
//! deed (C5.1.2, M4).
//!
//! Until the owner's accounts at Apple are connected, release and activation lock are attested by hand, each with what
//! shows it.

use ::lending::Reference;
use ::lending::last_decision::LastKind;
use ::lending::loan::Ending;
use governance::Permission;
use governance::countersignature::{Content, Purpose, Question, SecondPerson, Subject};
use serde_json::json;
use store::departures::{self as ways, Departure};
use store::last_decisions::LastDecision;
use store::loans::{self, Standing};
use store::persons::{self, Known};
use store::tablets::Tablet;
use store::{Tx, enrolment_ends, enrolments};
use types::{CountersignatureId, Day, Instant, LastDecisionId};

use super::super::modes;
use super::{Case, case, departure, is_erased, reached, record};
use crate::countersignatures::{self, Use};
use crate::{Fleet, Principal, Refusal, unenrolment};

/// A deed to print, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// In French.
    pub french: String,
    /// In English.
    pub english: String,
}

/// Asks a second person of the département whether a tablet that is proven empty may go.
///
/// # Errors
/// [`Refusal::Forbidden`] for one that is not proven empty; [`Refusal::NotAsked`]; [`Refusal::NotFound`].
pub async fn ask(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::DecideDeparture, id, now)?;
            departure(tx, &row)?.decided()?.let_go()?;
            let person = principal.person(tx, now)?;
            let (purpose, subject, content) = question(&row, &tablet)?;
            let reason = row.reason.as_str().to_owned();
            let asked = Question { purpose, subject, content, second: SecondPerson::Departement, reason };
            countersignatures::ask(tx, &person, asked, now)
        })
        .await
}

/// Lets the tablet go that a second person signed for: it is told that it leaves management. From now on nothing is taken
/// back.
///
/// # Errors
/// [`Refusal::NotCountersigned`]; [`Refusal::Stopped`] while the switch is thrown; [`Refusal::Forbidden`] for a tablet that
/// is not proven empty; [`Refusal::NotFound`].
pub async fn let_go(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    signed: CountersignatureId,
    now: Instant,
) -> Result<(Case, Option<CountersignatureId>), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::DecideDeparture, id, now)?;
            let way = departure(tx, &row)?;
            way.decided()?.let_go()?;
            let (purpose, subject, content) = question(&row, &tablet)?;
            let used_for = row.id.to_string();
            let used = Use { purpose, subject: &subject, content: &content, used_for: &used_for };
            countersignatures::proof(tx, signed, &used, now)?;
            let way = Departure { countersignature_id: Some(signed), let_go_at: Some(now), ..way };
            ways::update(tx, &way)?;
            let held = leave_management(tx, &principal, (&row, &tablet), now)?;
            record(
                tx,
                &principal,
                "departure.let-go",
                &row,
                json!({ "countersignature": signed, "held": held }),
                now,
            )?;
            Ok((case(tx, row)?, held))
        })
        .await
}

/// Has the tablet told again that it leaves, if it enrolled since, or its end was called off.
///
/// # Errors
/// As [`let_go`]; [`Refusal::Conflict`] for a tablet that is being told, or is not managed.
pub async fn leave_again(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<(Case, Option<CountersignatureId>), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::DecideDeparture, id, now)?;
            if departure(tx, &row)?.let_go_at.is_none() {
                return Err(Refusal::Conflict(format!("tablet {} was not let go yet", tablet.serial)));
            }
            if enrolments::live_of_tablet(tx, tablet.id)?.is_none() {
                return Err(Refusal::Conflict(format!("tablet {} has left management", tablet.serial)));
            }
            let held = leave_management(tx, &principal, (&row, &tablet), now)?;
            record(tx, &principal, "departure.leave-again", &row, json!({ "held": held }), now)?;
            Ok((case(tx, row)?, held))
        })
        .await
}

/// The end of its enrolment, which the brake counts. One that is not enrolled, or is being told, has nothing to be told.
fn leave_management(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (row, tablet): (&LastDecision, &Tablet),
    now: Instant,
) -> Result<Option<CountersignatureId>, Refusal> {
    let Some(enrolment) = enrolments::live_of_tablet(tx, tablet.id)? else { return Ok(None) };
    if enrolment_ends::is_decided(tx, enrolment.id)? {
        return Ok(None);
    }
    let person = principal.person(tx, now)?;
    let leaving = std::slice::from_ref(tablet);
    let decided = unenrolment::decide_within(tx, principal, (&person, leaving), row.reason.as_str(), now)?;
    Ok(decided.held)
}

/// Records that the tablet was released from the owner's accounts, and that its activation lock is off, each with what shows
/// it. That ends it: a gift is its holder's from now on.
///
/// # Errors
/// [`Refusal::Forbidden`] while it is managed, or before a second person signed; [`Refusal::NotFound`].
pub async fn release(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    (released, unlocked): (Reference, Reference),
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::DecideDeparture, id, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let way = departure(tx, &row)?;
            let managed = enrolments::live_of_tablet(tx, tablet.id)?.is_some();
            way.decided()?.release(managed)?;
            let over = Departure {
                release_reference: Some(released.clone()),
                lock_reference: Some(unlocked.clone()),
                released_at: Some(now),
                released_by: Some(by),
                ..way
            };
            ways::update(tx, &over)?;
            if let Some(loan) = row.loan_id.map(|id| loans::get(tx, &id)).transpose()?.flatten()
                && loan.state != Standing::Ended
            {
                let given = loan.decided()?.end(Ending::GivenAway, now)?;
                loans::update(tx, &loan.standing(&given, now))?;
            }
            modes::came_back(tx, tablet.id)?;
            record(tx, &principal, "departure.release", &row, json!({}), now)?;
            case(tx, row)
        })
        .await
}

/// The deed of a gift, to be printed and signed: what was given, to whom, on whose decision.
///
/// # Errors
/// [`Refusal::Conflict`] for anything but a gift that is over; [`Refusal::NotFound`].
pub async fn deed(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Deed, Refusal> {
    let (principal, organisation) = (principal.clone(), fleet.settings().organisation.clone());
    fleet
        .store()
        .read(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::ViewLoans, id, now)?;
            let way = departure(tx, &row)?;
            let (LastKind::Donation, Some(on)) = (row.kind, way.released_at) else {
                return Err(Refusal::Conflict(format!("decision {id} is no gift that was carried out: there is no deed")));
            };
            if !is_erased(way.decided()?.way()) {
                return Err(Refusal::Internal(format!("departure {id} is over and was never erased")));
            }
            let loan = row.loan_id.map(|id| loans::get(tx, &id)).transpose()?.flatten();
            let holder = loan.map(|loan| persons::get(tx, &loan.person_id)).transpose()?.flatten();
            let name = match holder.map(|holder| holder.name) {
                Some(Known::By(name)) => name.as_str().to_owned(),
                Some(Known::Forgotten) | None => "—".to_owned(),
            };
            let model = tablet.model.as_deref().unwrap_or("tablette").to_owned();
            let decided_on = Day::of(row.departement_at.unwrap_or(on));
            let (serial, on) = (&tablet.serial, Day::of(on));
            Ok(Deed {
                french: format!(
                    "{organisation}\n\nACTE DE DON\n\n{organisation}, propriétaire de la tablette {serial} ({model}), la donne à \
                     {name}, sur proposition du chef d’établissement et par décision du département du {decided_on} \
                     (C5.1.2).\n\nLa tablette a été effacée, a quitté la gestion du département et a été libérée des comptes de \
                     son propriétaire le {on}. Elle est donnée en l’état, sans garantie du département.\n\nDécision : {id}\n\nPour \
                     le département :                              Le bénéficiaire et ses représentants légaux :\n",
                ),
                english: format!(
                    "{organisation}\n\nDEED OF GIFT\n\n{organisation}, the owner of tablet {serial} ({model}), gives it to {name}, as \
                     the head of the collège proposed and the département decided on {decided_on} (C5.1.2).\n\nThe tablet was \
                     erased, has left management and was released from its owner's accounts on {on}. It is given as it is, without \
                     any warranty of the département.\n\nDecision: {id}\n\nFor the département:                              The \
                     pupil and their guardians:\n",
                ),
            })
        })
        .await
}

/// What a second person signs: exactly this tablet, by this decision.
fn question(row: &LastDecision, tablet: &Tablet) -> Result<(Purpose, Subject, Content), Refusal> {
    let purpose = match row.kind {
        LastKind::Donation => Purpose::GiveAway,
        LastKind::Retirement => Purpose::ReleaseTablet,
        LastKind::Theft => return Err(Refusal::Internal("a stolen tablet is not let go".into())),
    };
    let content = json!({
        "decision": row.id, "kind": row.kind, "tablet": tablet.id, "serial": tablet.serial, "loan": row.loan_id,
    });
    let content = Content::new(&content).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok((purpose, Subject::Tablet(tablet.id), content))
}

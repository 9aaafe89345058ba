//! A tablet goes to its supplier, its holder gets another meanwhile, and it comes back, or another in its place: each is one
//! act (C5.3.1, C5.4.4, C5.4.5). None of it erases anything; what the holder gives back is received like any tablet.

use std::collections::{BTreeSet, HashMap};

use ::lending::repair::{Afterwards, Repair as Decided, ToSend};
use ::lending::{ClassName, Reference};
use governance::{Permission, Place};
use serde_json::json;
use store::loans::{self, Loan, Standing};
use store::repairs::{self as rows, Repair, RepairState};
use store::restitutions;
use store::tablets::Tablet;
use store::{Tx, school_years, tablets};
use types::{
    CountersignatureId, Day, IncidentKind, Instant, LoanId, RepairId, RestitutionId, SerialNumber, TabletId,
    Uai,
};

use super::counter::{Taken, find, take};
use super::handover::{self, NewLoan, OverTheCounter, lend};
use super::restitutions::Scanned;
use super::{decided_year, loans as acts, modes};
use crate::audit::{self, Change};
use crate::coming_in::Person;
use crate::page::{Listed, Page};
use crate::tablets::Named;
use crate::{Fleet, Principal, Refusal};

/// A repair, with what people know its tablets by.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The repair.
    pub repair: Repair,
    /// The tablet's serial number.
    pub serial: SerialNumber,
    /// The owner's label of it.
    pub asset_tag: Option<String>,
    /// The serial number of the tablet that came in its place.
    pub exchanged_serial: Option<SerialNumber>,
    /// Where the loan stands that rested, if it was lent.
    pub loan: Option<Loan>,
    /// The serial number of the tablet that its holder got in the same act.
    pub loaner_serial: Option<SerialNumber>,
    /// The class of a pupil who holds it.
    pub class: Option<ClassName>,
    /// What comes next, in words.
    pub next: &'static str,
}

/// What became of a tablet that its holder gave back in the same act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    /// Its restitution.
    pub restitution: RestitutionId,
    /// The answer of a second person that its erasure waits for.
    pub held: Option<CountersignatureId>,
    /// Whether the brake has counted it.
    pub counted: bool,
}

/// A tablet that somebody gives to its holder instead: which, and what goes with it.
#[derive(Debug, Clone)]
pub struct Loaner {
    /// The tablet.
    pub tablet: Named,
    /// Its accessories.
    pub accessories: BTreeSet<String>,
    /// The state it is in.
    pub condition: String,
    /// Whether the head signs over what is not on it yet.
    pub under_reserve: bool,
}

/// Sends a tablet to its supplier. Its loan rests, and its holder may be lent another in the same act, which must be as ready
/// as any (C5.3.4).
///
/// # Errors
/// [`Refusal::Forbidden`] says what stands in the way, of either tablet; [`Refusal::Conflict`] for a loaner while nobody
/// holds the tablet; [`Refusal::NotFound`].
pub async fn send(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reference: Reference,
    loaner: Option<Loaner>,
    now: Instant,
) -> Result<Shown, Refusal> {
    let world = handover::world(fleet, now).await?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let tablet = crate::tablets::reached(tx, &principal, Permission::RepairTablets, &named, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let college = handover::college_of(&tablet)?;
            let last = loans::last_of_tablet(tx, tablet.id)?;
            let (repair, rests) = decide(tx, &tablet, last.as_ref(), now)?;
            if let (Some(before), Some(rests)) = (&last, &rests) {
                loans::update(tx, &before.standing(rests, now))?;
                modes::refresh(tx, tablet.id, now)?;
            }
            let lent = match (&loaner, &last) {
                (None, _) => None,
                (Some(loaner), Some(before)) if rests.is_some() => {
                    let new = NewLoan {
                        person: before.person_id,
                        accessories: loaner.accessories.clone(),
                        condition: loaner.condition.clone(),
                        under_reserve: loaner.under_reserve,
                    };
                    let other =
                        crate::tablets::reached(tx, &principal, Permission::HandOver, &loaner.tablet, now)?;
                    let goes = OverTheCounter::checked(&new)?;
                    Some(lend(tx, &principal, (&world, &other), &goes, now)?)
                }
                (Some(_), _) => {
                    return Err(Refusal::Conflict(format!(
                        "nobody holds tablet {}: there is nobody to lend another to meanwhile",
                        tablet.serial
                    )));
                }
            };
            let row = Repair {
                id: repair.repair(),
                tablet_id: tablet.id,
                loan_id: repair.loan(),
                loaner_loan_id: lent.as_ref().map(|loan| loan.id),
                uai: college,
                reference: reference.clone(),
                state: RepairState::AtSupplier,
                sent_at: now,
                sent_by: by,
                closed_at: None,
                closed_by: None,
                exchanged_tablet_id: None,
                loan_rested: repair.rested(),
            };
            rows::insert(tx, &row)?;
            let detail = json!({ "repair": row.id, "loan": row.loan_id, "loaner_loan": row.loaner_loan_id });
            record(tx, &principal, "repair.send", tablet.id, detail, now)?;
            shown(tx, row)
        })
        .await
}

fn decide(
    tx: &mut Tx<'_>,
    tablet: &Tablet,
    last: Option<&Loan>,
    now: Instant,
) -> Result<(Decided, Option<::lending::loan::Loan>), Refusal> {
    let going_on = last.filter(|loan| loan.state != Standing::Ended).map(Loan::decided).transpose()?;
    let awaited = match last.filter(|loan| loan.state == Standing::Ended) {
        None => false,
        Some(over) => restitutions::of_loan(tx, over.id)?.is_none(),
    };
    let open = store::incidents::open_of_tablet(tx, tablet.id)?;
    let what = ToSend {
        tablet: tablet.id,
        going_on: going_on.as_ref(),
        awaited,
        away: rows::standing_of_tablet(tx, tablet.id)?.is_some(),
        missing: open.iter().any(|incident| incident.kind.is_of_a_missing_tablet()),
        asked_for: open.iter().any(|incident| incident.kind == IncidentKind::AuthorityRequest),
    };
    match Decided::send(RepairId::new(now), &what) {
        Ok(sent) => Ok(sent),
        Err(why) => Err(acts::told(tx, tablet.id, &why)?),
    }
}

/// A tablet is back from its supplier: whoever held it has it again, with their data. The one that they had meanwhile is
/// received in the same act, and erased like any that came back.
///
/// # Errors
/// [`Refusal::Forbidden`] while they hold another that is not given back; [`Refusal::Conflict`] for a loaner that nobody
/// holds; [`Refusal::NotFound`].
pub async fn back(
    fleet: &Fleet,
    principal: &Principal,
    id: RepairId,
    loaner: Option<Scanned>,
    now: Instant,
) -> Result<(Shown, Option<GivenBack>), Refusal> {
    if let Some(scanned) = &loaner {
        scanned.check()?;
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, person) = reached(tx, &principal, id, now)?;
            let loan = row.loan_id.map(|id| loans::get(tx, &id)).transpose()?.flatten();
            let given_back = match &loaner {
                None => None,
                Some(scanned) => Some(give_back(tx, &principal, &person, (loan.as_ref(), scanned), now)?),
            };
            let decided = loan.as_ref().map(Loan::decided).transpose()?;
            let another = match &loan {
                None => None,
                Some(loan) => acts::holds_another(tx, loan)?,
            };
            let year = school_years::on(tx, Day::of(now))?.map(|year| decided_year(&year)).transpose()?;
            let today = (year.as_ref(), now);
            let incident_open = !store::incidents::open_of_tablet(tx, row.tablet_id)?.is_empty();
            let back = row.decided()?.back(decided.as_ref(), (another, incident_open), today);
            let (over, afterwards) = match back {
                Ok(back) => back,
                Err(why) => return Err(acts::told(tx, row.tablet_id, &why)?),
            };
            let row = row.ended(&over, person.standing.account(), now);
            rows::update(tx, &row)?;
            if let (Some(loan), Afterwards::Resumes(stands) | Afterwards::Rests(stands)) =
                (&loan, &afterwards)
            {
                loans::update(tx, &loan.standing(stands, now))?;
            }
            modes::refresh(tx, row.tablet_id, now)?;
            let received = given_back.as_ref().map(|given| given.restitution);
            let detail = json!({ "repair": row.id, "loan": row.loan_id, "received": received });
            record(tx, &principal, "repair.back", row.tablet_id, detail, now)?;
            Ok((shown(tx, row)?, given_back))
        })
        .await
}

/// The supplier kept a tablet, and another came in its place. It is of the same collège, and is handed over like any other
/// once it is ready; the loan of the one that was kept is over (C5.4.4). It takes whoever may fill the inventory besides: a
/// technician admits no tablet (C3.3.4).
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::Conflict`] for a serial number that the inventory has already; [`Refusal::NotFound`].
pub async fn exchanged(
    fleet: &Fleet,
    principal: &Principal,
    id: RepairId,
    (serial, asset_tag): (SerialNumber, Option<String>),
    now: Instant,
) -> Result<Shown, Refusal> {
    let asset_tag = asset_tag.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty());
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, person) = reached(tx, &principal, id, now)?;
            // Only tablets that the département admits may enrol: a serial number comes in by whoever fills the inventory.
            principal.may_at(tx, Permission::ImportInventory, &place(&row.uai), now)?;
            if tablets::by_serial(tx, &serial)?.is_some() {
                return Err(Refusal::Conflict(format!(
                    "tablet {serial} is in the inventory already: the one that came has another serial number"
                )));
            }
            let before = of(tx, row.tablet_id)?;
            let new = Tablet {
                id: TabletId::new(now),
                serial: serial.clone(),
                asset_tag: asset_tag.clone(),
                uai: Some(row.uai.clone()),
                created_at: now,
                updated_at: now,
                ..before
            };
            let loan = row.loan_id.map(|id| loans::get(tx, &id)).transpose()?.flatten();
            let decided = loan.as_ref().map(Loan::decided).transpose()?;
            let (over, ended) = row.decided()?.exchanged(new.id, decided.as_ref(), now)?;
            tablets::insert(tx, &new)?;
            let row = row.ended(&over, person.standing.account(), now);
            rows::update(tx, &row)?;
            if let (Some(loan), Some(ended)) = (&loan, &ended) {
                loans::update(tx, &loan.standing(ended, now))?;
            }
            modes::came_back(tx, row.tablet_id)?;
            let detail =
                json!({ "repair": row.id, "loan": row.loan_id, "tablet": new.id, "serial": new.serial });
            record(tx, &principal, "repair.exchange", row.tablet_id, detail, now)?;
            shown(tx, row)
        })
        .await
}

/// Gives whoever holds a tablet another for it: the one is received, the other handed over, and no moment lies between in
/// which they hold two (C5.3.1).
///
/// # Errors
/// As a handover and a receipt; then nothing was changed.
pub async fn swap(
    fleet: &Fleet,
    principal: &Principal,
    id: LoanId,
    (back, instead): (Scanned, Loaner),
    now: Instant,
) -> Result<(acts::Shown, GivenBack), Refusal> {
    back.check()?;
    let world = handover::world(fleet, now).await?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (loan, _by) = acts::reached(tx, &principal, Permission::HandOver, id, now)?;
            let other = crate::tablets::reached(tx, &principal, Permission::HandOver, &instead.tablet, now)?;
            let goes = OverTheCounter::checked(&NewLoan {
                person: loan.person_id,
                accessories: instead.accessories.clone(),
                condition: instead.condition.clone(),
                under_reserve: instead.under_reserve,
            })?;
            if loan.state == Standing::Ended {
                return Err(Refusal::Conflict(format!("loan {id} is over: hand the other tablet over")));
            }
            let person = principal.person(tx, now)?;
            let given = receive_one(tx, &principal, &person, (&loan, &back), now)?;
            let lent = lend(tx, &principal, (&world, &other), &goes, now)?;
            let detail = json!({ "loan": id, "new_loan": lent.id, "received": given.restitution });
            record(tx, &principal, "loan.swap", other.id, detail, now)?;
            Ok((acts::shown(tx, lent, now)?, given))
        })
        .await
}

/// The tablet that a holder had meanwhile is given back.
fn give_back(
    tx: &mut Tx<'_>,
    principal: &Principal,
    person: &Person,
    (loan, scanned): (Option<&Loan>, &Scanned),
    now: Instant,
) -> Result<GivenBack, Refusal> {
    let nobody =
        || Refusal::Conflict("nobody was lent another tablet meanwhile: there is nothing to receive".into());
    let loan = loan.ok_or_else(nobody)?;
    let other = acts::holds_another(tx, loan)?.ok_or_else(nobody)?;
    let other = loans::get(tx, &other)?.ok_or_else(nobody)?;
    receive_one(tx, principal, person, (&other, scanned), now)
}

/// Receives the tablet of a loan; it must be the one that was scanned.
fn receive_one(
    tx: &mut Tx<'_>,
    principal: &Principal,
    person: &Person,
    (loan, scanned): (&Loan, &Scanned),
    now: Instant,
) -> Result<GivenBack, Refusal> {
    let reach = person.standing.may(Permission::ReceiveTablets, &person.access, now)?;
    let tablet = find(tx, &scanned.tablet, &reach)?;
    if tablet.id != loan.tablet_id {
        let lent = of(tx, loan.tablet_id)?.serial;
        return Err(Refusal::Conflict(format!(
            "tablet {} was scanned, and what they hold is tablet {lent}: scan that one",
            tablet.serial
        )));
    }
    let (scanned, found) = (std::slice::from_ref(scanned), vec![Ok(tablet)]);
    let Taken { receipts, held, counted } = take(tx, principal, person, (scanned, found), now)?;
    let [(receipt, _already)] = receipts.as_slice() else {
        return Err(Refusal::Internal("one tablet was received, and not one receipt written".into()));
    };
    Ok(GivenBack { restitution: receipt.id, held, counted })
}

/// Repairs of collèges within reach, in the order they began: those that go on, or all.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    all: bool,
    page: Page<RepairId>,
    now: Instant,
) -> Result<Listed<Shown>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewRestitutions, now)?;
            let found = rows::list(tx, &within, all, page.after, page.with_one_more())?;
            let Listed { items, next } = page.cut(found, |row| row.id.to_string());
            Ok(Listed { items: all_shown(tx, items)?, next })
        })
        .await
}

fn shown(tx: &mut Tx<'_>, repair: Repair) -> Result<Shown, Refusal> {
    let id = repair.id;
    all_shown(tx, vec![repair])?.pop().ok_or_else(|| Refusal::Internal(format!("repair {id} is not shown")))
}

/// Repairs with what people know their tablets by, gathered by one statement for each kind of row.
fn all_shown(tx: &mut Tx<'_>, repairs: Vec<Repair>) -> Result<Vec<Shown>, Refusal> {
    let ids = repairs.iter().flat_map(|row| [row.loan_id, row.loaner_loan_id]).flatten();
    let loans: HashMap<LoanId, Loan> =
        loans::get_all(tx, ids)?.into_iter().map(|loan| (loan.id, loan)).collect();
    let classes = store::persons::classes(tx, loans.values().map(|loan| loan.person_id))?;
    let ids = repairs.iter().flat_map(|row| [Some(row.tablet_id), row.exchanged_tablet_id]).flatten();
    let tablets = crate::tablets::all(tx, ids.chain(loans.values().map(|loan| loan.tablet_id)))?;
    let serial = |id| crate::tablets::of(&tablets, id).map(|tablet| tablet.serial.clone());
    repairs
        .into_iter()
        .map(|repair| {
            let tablet = crate::tablets::of(&tablets, repair.tablet_id)?;
            let loan = repair.loan_id.and_then(|id| loans.get(&id)).cloned();
            let loaner = repair.loaner_loan_id.and_then(|id| loans.get(&id));
            Ok(Shown {
                serial: tablet.serial.clone(),
                asset_tag: tablet.asset_tag.clone(),
                exchanged_serial: repair.exchanged_tablet_id.map(serial).transpose()?,
                loaner_serial: loaner.map(|loan| serial(loan.tablet_id)).transpose()?,
                class: loan.as_ref().and_then(|loan| classes.get(&loan.person_id)).cloned(),
                next: next(repair.state, loan.as_ref().map(|loan| loan.state)),
                loan,
                repair,
            })
        })
        .collect()
}

/// What comes next, in words.
const fn next(repair: RepairState, loan: Option<Standing>) -> &'static str {
    match (repair, loan) {
        (RepairState::AtSupplier, _) => {
            "record that it is back, or have the département record which tablet came in its place"
        }
        (RepairState::Back, Some(Standing::Ended)) => {
            "its loan is over: receive it, so that it is erased before anybody is lent it"
        }
        (RepairState::Back, Some(Standing::Deposited)) => {
            "it is kept over the summer: hand it out again in September"
        }
        (RepairState::Back, Some(Standing::Suspended)) => {
            "its loan rests: close the incident, or give it back to its holder"
        }
        (RepairState::Back, Some(Standing::Lent) | None) => "nothing",
        (RepairState::Exchanged, _) => {
            "enrol the tablet that came and hand it over; have the département retire the one that was kept"
        }
    }
}

fn of(tx: &mut Tx<'_>, id: TabletId) -> Result<Tablet, Refusal> {
    tablets::get(tx, &id)?.ok_or_else(|| Refusal::Internal(format!("tablet {id} is not in the inventory")))
}

/// The repair, for whoever has this right in its collège (T-C1); and who they are.
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    id: RepairId,
    now: Instant,
) -> Result<(Repair, Person), Refusal> {
    let person = principal.person(tx, now)?;
    let reach = person.standing.may(Permission::RepairTablets, &person.access, now)?;
    let found = rows::get(tx, &id)?.filter(|row| reach.covers(&place(&row.uai)));
    Ok((found.ok_or_else(|| Refusal::not_found("repair", id))?, person))
}

fn place(uai: &Uai) -> Place {
    Place::College(Some(uai.clone()))
}

fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    action: &'static str,
    tablet: TabletId,
    detail: serde_json::Value,
    now: Instant,
) -> Result<(), Refusal> {
    audit::record(tx, principal, Change::new(action).tablet(Some(tablet)).detail(detail), now)
}

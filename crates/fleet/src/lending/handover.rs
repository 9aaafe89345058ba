//! The light of a tablet, and its handover: refused until everything that must be on it was reported within the last seven
//! days, and whoever gets it stands on the validated list (C4.2, C5.3.1, C5.3.4).

use std::collections::BTreeSet;
use std::sync::Arc;

use ::lending::loan::Loan as Decided;
use ::lending::readiness::{Held, HolderFacts, Light, Obstacle, Reported, TabletFacts, in_words, light};
use ::lending::restitution::Place as Shelf;
use ::lending::{Condition, Refused};
use apple::OsVersion;
use governance::{Permission, Place};
use privacy::Activity;
use profiles::parts::Install;
use profiles::segment::{Carrier, Known, Plan, RuleState, rules};
use profiles::{Layer, LayerKey};
use serde_json::json;
use store::enrolments::{Enrolment, EnrolmentState};
use store::loans::{self, Filter, Loan, Standing};
use store::persons::{self, Person};
use store::restitutions::{self, Restitution, StageName};
use store::tablets::Tablet;
use store::{
    StoreError, Tx, deliveries, departures, enrolments, incidents, last_decisions, lists, organisations,
    repairs, school_years, segments, supervision_exceptions,
};
use types::{Day, Instant, LoanId, PersonId, Supervision, TabletId, Uai};

use super::{modes, refusals, validated};
use crate::audit::{self, Change};
use crate::segments::{World, of_tablet};
use crate::tablets::{self, Named};
use crate::{Fleet, Principal, Refusal, register, watch};

/// The most accessories that go over the counter with a tablet, and the longest name of one, in characters.
const ACCESSORIES: (usize, usize) = (20, 60);
/// Loans in one look at reserves.
const BATCH: u32 = 200;

/// What a handover takes.
#[derive(Debug, Clone)]
pub struct NewLoan {
    /// Who gets the tablet.
    pub person: PersonId,
    /// What goes over the counter with it.
    pub accessories: BTreeSet<String>,
    /// The state that it is in, in the words of whoever hands it over.
    pub condition: String,
    /// Whether the head signs over what is not on it yet.
    pub under_reserve: bool,
}

/// The light of a tablet, for a person or for anybody of its collège.
///
/// # Errors
/// [`Refusal::NotFound`] for a tablet or a person out of reach.
pub async fn readiness(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    person: Option<PersonId>,
    now: Instant,
) -> Result<Light, Refusal> {
    let world = world(fleet, now).await?;
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let tablet = tablets::reached(tx, &principal, Permission::ViewLoans, &named, now)?;
            let college = college_of(&tablet)?;
            let person = person.map(|id| its_person(tx, &college, id)).transpose()?;
            let holder = holder(tx, &college, person.as_ref(), now)?;
            Ok(light(&holder, &facts(tx, &world, &tablet, &college, now)?, now))
        })
        .await
}

/// Hands a tablet over to a person.
///
/// # Errors
/// [`Refusal::Forbidden`] with everything that stands in the way; [`Refusal::NotAllowed`] for a reserve that no head signs;
/// [`Refusal::NotFound`].
pub async fn hand_over(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    new: NewLoan,
    now: Instant,
) -> Result<Loan, Refusal> {
    let goes = OverTheCounter::checked(&new)?;
    let world = world(fleet, now).await?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let tablet = tablets::reached(tx, &principal, Permission::HandOver, &named, now)?;
            let loan = lend(tx, &principal, (&world, &tablet), &goes, now)?;
            let detail = json!({
                "loan": loan.id, "person": loan.person_id, "accessories": loan.accessories.len(),
                "under_reserve": loan.reserve.len(),
            });
            let change = Change::new("loan.hand-over").tablet(Some(tablet.id)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(loan)
        })
        .await
}

/// A handover whose texts were checked.
#[derive(Debug, Clone)]
pub(super) struct OverTheCounter {
    pub(super) person: PersonId,
    accessories: BTreeSet<String>,
    condition: Condition,
    under_reserve: bool,
}

impl OverTheCounter {
    pub(super) fn checked(new: &NewLoan) -> Result<Self, Refusal> {
        let condition = new.condition.parse().map_err(|error| Refusal::invalid("condition", error))?;
        let accessories = checked(&new.accessories)?;
        Ok(Self { person: new.person, accessories, condition, under_reserve: new.under_reserve })
    }
}

/// Lends a tablet, if nothing stands in the way. Whoever calls has asked for the right to, and writes the log.
pub(super) fn lend(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (world, tablet): (&World, &Tablet),
    goes: &OverTheCounter,
    now: Instant,
) -> Result<Loan, Refusal> {
    let college = college_of(tablet)?;
    if goes.under_reserve {
        let place = Place::College(Some(college.clone()));
        principal.may_at(tx, Permission::DecideLoan, &place, now)?;
    }
    let by = principal.person(tx, now)?.standing.account();
    let person = its_person(tx, &college, goes.person)?;
    let holder = holder(tx, &college, Some(&person), now)?;
    let ready = light(&holder, &facts(tx, world, tablet, &college, now)?, now)
        .hand_over(goes.under_reserve)
        .map_err(|why| not_ready(tablet, &why))?;
    let year = school_years::on(tx, Day::of(now))?
        .ok_or_else(|| Refusal::Internal("a handover outside of any school year".into()))?;
    let reserve: BTreeSet<String> = ready.reserve().iter().map(Obstacle::to_string).collect();
    let decided = Decided::begin(&ready, LoanId::new(now), tablet.id, person.id, person.kind);
    let loan = Loan {
        id: decided.loan(),
        tablet_id: tablet.id,
        person_id: person.id,
        holder_kind: person.kind,
        uai: college,
        school_year: year.label,
        state: Standing::Lent,
        suspension: None,
        began_at: now,
        changed_at: now,
        ended_because: None,
        ended_on: None,
        ended_reference: None,
        handed_over_by: by,
        accessories: goes.accessories.clone(),
        condition: goes.condition.clone(),
        reserve_signed_by: (!reserve.is_empty()).then_some(by),
        deposited_since: None,
        reserve,
    };
    out_of_the_stock(tx, tablet.id, now)?;
    loans::insert(tx, &loan)?;
    modes::refresh(tx, tablet.id, now)?;
    Ok(loan)
}

/// Why a tablet is not handed over, as whoever stands at the counter is told: which one, and what to do.
fn not_ready(tablet: &Tablet, why: &Refused) -> Refusal {
    let Refused::NotReady(obstacles) = why else { return refusals::refused(why) };
    let label = tablet.asset_tag.as_ref().map(|label| format!(" (label {label})")).unwrap_or_default();
    let next = if obstacles.iter().all(Obstacle::may_be_signed_over) {
        "; let it connect and look again, or have the head sign over it (under reserve)"
    } else {
        ""
    };
    let (serial, words) = (&tablet.serial, in_words(obstacles));
    let what = format!("tablet {serial}{label} cannot be handed over: {words}{next}");
    Refusal::Forbidden { rule: why.rule(), what }
}

/// A tablet that is lent again is not to be put anywhere any more: the restitution by which it came back is over.
fn out_of_the_stock(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<(), Refusal> {
    let Some(before) = loans::last_of_tablet(tx, tablet)? else { return Ok(()) };
    let receipt = restitutions::of_loan(tx, before.id)?;
    if let Some(receipt) = receipt.filter(|receipt| receipt.stage == StageName::Erased) {
        let shelved = receipt.decided()?.shelve(Shelf::Stock)?;
        restitutions::update(tx, &receipt.come_to(&shelved, now))?;
    }
    Ok(())
}

fn checked(accessories: &BTreeSet<String>) -> Result<BTreeSet<String>, Refusal> {
    let (most, longest) = ACCESSORIES;
    let names: BTreeSet<String> = accessories.iter().map(|name| name.trim().to_owned()).collect();
    let fits =
        |name: &String| (1..=longest).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if names.len() <= most && names.iter().all(fits) {
        Ok(names)
    } else {
        let must = format!("at most {most} names of 1 to {longest} characters on one line");
        Err(Refusal::invalid("accessories", must))
    }
}

/// What is in force, read once for each of its states.
pub(super) async fn world(fleet: &Fleet, now: Instant) -> Result<Arc<World>, Refusal> {
    Ok(fleet.world(now).await?.1)
}

pub(super) fn college_of(tablet: &Tablet) -> Result<Uai, Refusal> {
    tablet.uai.clone().ok_or_else(|| {
        let serial = &tablet.serial;
        Refusal::Conflict(format!("tablet {serial} is of no collège: give it to one first"))
    })
}

/// A person of that collège: others do not exist there (T-C1).
fn its_person(tx: &mut Tx<'_>, college: &Uai, id: PersonId) -> Result<Person, Refusal> {
    persons::get(tx, &id)?
        .filter(|person| person.uai == *college)
        .ok_or_else(|| Refusal::not_found("person", id))
}

/// What stands in the way on the side of whoever would hold it; of anybody of the collège, if nobody is named.
fn holder(
    tx: &mut Tx<'_>,
    college: &Uai,
    person: Option<&Person>,
    now: Instant,
) -> Result<HolderFacts, Refusal> {
    let year = school_years::on(tx, Day::of(now))?;
    let charter_adopted_on =
        organisations::by_uai(tx, college)?.and_then(|college| college.charter_adopted_on);
    let listed = match (person, &year) {
        (None, _) => true,
        (Some(person), Some(year)) => lists::is_listed(tx, person.id, college, &year.label)?,
        (Some(_), None) => false,
    };
    let mut holds = None;
    if let Some(person) = person {
        for loan in loans::live_of_person(tx, person.id)? {
            if loan.decided()?.counts() {
                let tablet = store::tablets::get(tx, &loan.tablet_id)?
                    .ok_or_else(|| Refusal::Internal(format!("loan {} is of no tablet", loan.id)))?;
                holds = Some(Held { loan: loan.id, serial: tablet.serial });
            }
        }
    }
    Ok(HolderFacts {
        lending_validated: register::may_process(tx, Activity::Lending, now)?.is_ok(),
        in_a_school_year: year.is_some(),
        listed,
        leaves_on: person.and_then(|person| person.leaves_on),
        holds,
        charter_adopted_on,
    })
}

/// What stands in the way on the side of the tablet.
pub(super) fn facts(
    tx: &mut Tx<'_>,
    world: &World,
    tablet: &Tablet,
    college: &Uai,
    now: Instant,
) -> Result<TabletFacts, Refusal> {
    let last = loans::last_of_tablet(tx, tablet.id)?;
    let receipt = match &last {
        None => None,
        Some(loan) => restitutions::of_loan(tx, loan.id)?,
    };
    let clean = is_clean(tx, tablet.id, last.as_ref(), receipt.as_ref())?;
    let in_repair = receipt.as_ref().is_some_and(|receipt| receipt.stage == StageName::InRepair);
    let kept = receipt.as_ref().is_some_and(|receipt| receipt.held_for_check);
    let set_aside = in_repair
        || kept
        || repairs::standing_of_tablet(tx, tablet.id)?.is_some()
        || last_decisions::in_force_of_tablet(tx, tablet.id)?.is_some();
    let enrolment =
        enrolments::live_of_tablet(tx, tablet.id)?.filter(|live| live.state == EnrolmentState::Active);
    let supervised = enrolment.as_ref().is_some_and(|live| live.supervision == Supervision::Supervised);
    let excepted = !supervised && supervision_exceptions::of_tablet(tx, tablet.id)?.is_some();
    let told = match &enrolment {
        None => None,
        Some(enrolment) => told(tx, enrolment)?,
    };
    let kept = match &enrolment {
        None => BTreeSet::new(),
        Some(enrolment) => segments::kept(tx, enrolment.id)?,
    };
    let its_own =
        crate::segments::TabletFacts { tablet: tablet.id, uai: tablet.uai.clone(), loan: None, kept };
    let base = of_tablet(world, &its_own).base().cloned();
    let theirs = world.in_force.iter().find(|one| one.layer() == &LayerKey::College(college.clone()));
    let theirs = theirs.and_then(|one| one.for_tablet(tablet.id, tablet.uai.as_ref()));
    let apps = |layer: Option<&Layer>| required(layer, told.as_ref(), now);
    Ok(TabletFacts {
        of_the_college: tablet.uai.as_ref() == Some(college),
        lent: last.filter(|loan| loan.state != Standing::Ended).map(|loan| loan.id),
        clean,
        incident_open: !incidents::open_of_tablet(tx, tablet.id)?.is_empty(),
        set_aside,
        enrolled: enrolment.is_some(),
        supervised_or_excepted: supervised || excepted,
        base_profile: told.as_ref().map_or(Reported::Never, base_profile),
        base_apps: apps(base.as_ref()),
        complementary_apps: apps(theirs.map(|it| it.value())),
    })
}

/// Whether nobody's data is on a tablet: neither of whoever was lent it last, nor of whoever had it while it was away.
pub(super) fn is_clean(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    last: Option<&Loan>,
    receipt: Option<&Restitution>,
) -> Result<bool, StoreError> {
    Ok(is_received_and_empty(last, receipt) && !departures::taken_in_unproven(tx, tablet)?)
}

/// Whether a tablet came back from whoever was lent it last, and was proven erased.
pub(super) fn is_received_and_empty(last: Option<&Loan>, receipt: Option<&Restitution>) -> bool {
    match (last, receipt) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(receipt)) => {
            matches!(receipt.stage, StageName::Erased | StageName::InStock | StageName::InRepair)
        }
    }
}

/// What a tablet is given, and what it told of it.
struct Told {
    plan: Plan,
    known: Known,
    version: Option<OsVersion>,
}

fn told(tx: &mut Tx<'_>, enrolment: &Enrolment) -> Result<Option<Told>, Refusal> {
    let Some(segment) = segments::of_enrolment(tx, enrolment.id)? else { return Ok(None) };
    let delivery = deliveries::get(tx, enrolment.id)?;
    let known = delivery.as_ref().map_or_else(|| Ok(Known::default()), |delivery| delivery.known())?;
    let version = enrolment.os_version.as_deref().and_then(|version| version.parse().ok());
    Ok(Some(Told { plan: segment.plan()?, known, version }))
}

/// Whether everything of its segment but apps and updates is on the tablet, and since when that is known: the oldest of
/// the reports that it rests on.
fn base_profile(told: &Told) -> Reported {
    // The first base has not reached it yet: that it has nothing is no base.
    if told.plan.gives_nothing() {
        return Reported::NotGiven;
    }
    let heard = [told.known.profiles.as_ref().map(|listed| listed.at), told.known.declarations_at];
    let Some(latest) = heard.into_iter().flatten().max() else { return Reported::Never };
    let mut oldest: Option<Instant> = None;
    for (rule, report) in told.plan.rules.iter().zip(rules(&told.plan, &told.known, told.version)) {
        let reports_again = match rule.carrier {
            Carrier::Profile | Carrier::Declaration(_) => true,
            // What a command did is known from its answer, once.
            Carrier::Settings => false,
            Carrier::App(_) | Carrier::Update | Carrier::Present | Carrier::Unsupported { .. } => continue,
        };
        if rule.what == "os-update" || rule.what.starts_with("app ") {
            continue;
        }
        match (report.state, report.observed_at) {
            (RuleState::Applied, Some(at)) if reports_again => {
                oldest = Some(oldest.map_or(at, |before| before.min(at)));
            }
            (RuleState::Applied, _) => {}
            _ => return Reported::Missing(latest),
        }
    }
    Reported::Present(oldest.unwrap_or(latest))
}

/// The apps that a layer requires on a tablet, and what it told of each.
fn required(layer: Option<&Layer>, told: Option<&Told>, now: Instant) -> Vec<(String, Reported)> {
    let Some(layer) = layer else { return Vec::new() };
    let needed = |layer: &Layer| -> Vec<(String, String)> {
        let required = layer.apps().iter().filter(|(_, app)| app.value.install == Install::Required);
        required.map(|(bundle, app)| (format!("app {bundle}"), app.value.name.clone())).collect()
    };
    let reports = told.map(|told| rules(&told.plan, &told.known, told.version)).unwrap_or_default();
    let listed_at = told.and_then(|told| told.known.app_list.as_ref()).map(|listed| listed.at);
    needed(layer)
        .into_iter()
        .map(|(what, name)| {
            let report = reports.iter().find(|report| report.what == what);
            let reported = match report.map(|report| (&report.state, report.observed_at)) {
                // It came with the tablet.
                Some((RuleState::Applied, at)) => Reported::Present(at.unwrap_or(now)),
                Some((_, Some(at))) => Reported::Missing(at),
                _ => listed_at.map_or(Reported::Never, Reported::Missing),
            };
            (name, reported)
        })
        .collect()
}

/// Lets go of the reserves that are in order by now. Says how many.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn settle_reserves(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let under_reserve = Filter { under_reserve: true, ..Filter::default() };
    let (mut settled, mut after, mut known) = (0, None, None);
    loop {
        let from = after;
        let some = fleet
            .store()
            .read(move |tx| loans::list(tx, &store::Within::Everything, under_reserve, from, BATCH))
            .await?;
        let Some(last) = some.last() else { return Ok(settled) };
        after = Some(last.id);
        let world = match &known {
            Some(world) => Arc::clone(world),
            None => Arc::clone(known.insert(world(fleet, now).await?)),
        };
        for loan in some {
            let (principal, world) = (principal.clone(), Arc::clone(&world));
            match fleet.store().write(move |tx| settle(tx, &principal, &world, loan.id, now)).await {
                Ok(done) => settled += usize::from(done),
                Err(failure) => watch::pass_over(fleet, loan.id.to_string(), failure, now).await?,
            }
        }
    }
}

fn settle(
    tx: &mut Tx<'_>,
    principal: &Principal,
    world: &World,
    id: LoanId,
    now: Instant,
) -> Result<bool, Refusal> {
    let Some(loan) = loans::get(tx, &id)?.filter(|loan| !loan.reserve.is_empty()) else { return Ok(false) };
    let Some(tablet) = store::tablets::get(tx, &loan.tablet_id)? else { return Ok(false) };
    let holder = holder(tx, &loan.uai, None, now)?;
    let light = light(&holder, &facts(tx, world, &tablet, &loan.uai, now)?, now);
    let stays = |it: &Obstacle| it.may_be_signed_over() || *it == Obstacle::NoBase;
    if light.obstacles().iter().any(stays) {
        return Ok(false);
    }
    loans::update(tx, &Loan { reserve: BTreeSet::new(), ..loan })?;
    let change = Change::new("loan.in-order").tablet(Some(tablet.id)).detail(json!({ "loan": id }));
    audit::record(tx, principal, change, now)?;
    Ok(true)
}

/// Lets a tablet be lent that is not supervised: for the département, with a reason; `None` ends it.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] for one that stands, or none.
pub async fn except(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reason: Option<String>,
    now: Instant,
) -> Result<(), Refusal> {
    validated_reason(reason.as_deref())?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let tablet = tablets::reached(tx, &principal, Permission::ExceptSupervision, &named, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let stands = supervision_exceptions::of_tablet(tx, tablet.id)?;
            let change = match (&reason, stands) {
                (Some(_), Some(_)) => {
                    return Err(Refusal::Conflict(format!(
                        "tablet {} has an exception already",
                        tablet.serial
                    )));
                }
                (None, None) => {
                    return Err(Refusal::Conflict(format!("tablet {} has no exception", tablet.serial)));
                }
                (Some(reason), None) => {
                    let row = supervision_exceptions::SupervisionException {
                        id: types::ExceptionId::new(now),
                        tablet_id: tablet.id,
                        reason: reason.trim().to_owned(),
                        granted_by: by,
                        granted_at: now,
                        ended_at: None,
                    };
                    supervision_exceptions::insert(tx, &row)?;
                    Change::new("loan.except").reason(Some(row.reason))
                }
                (None, Some(row)) => {
                    let ended = supervision_exceptions::SupervisionException { ended_at: Some(now), ..row };
                    supervision_exceptions::update(tx, &ended)?;
                    Change::new("loan.end-exception")
                }
            };
            audit::record(tx, &principal, change.tablet(Some(tablet.id)), now)
        })
        .await
}

fn validated_reason(reason: Option<&str>) -> Result<(), Refusal> {
    match reason.map(str::parse::<::lending::Reason>) {
        Some(Err(error)) => Err(Refusal::invalid("reason", error)),
        _ => Ok(()),
    }
}

/// Passes lending while the DPO validated it (C3.1.6).
pub(super) fn lending_is_on(tx: &mut Tx<'_>, now: Instant) -> Result<(), Refusal> {
    validated(tx, Activity::Lending, now)
}

//! Emergency orders: a prepared base, approved jointly, in the ordinary one's place for a while (C5.3.7).

use std::collections::{BTreeMap, BTreeSet};

use ::profiles::{LayerKey, OrderInForce, OrderedDays};
use governance::{NotAllowed, Permission, Place};
use serde_json::json;
use store::Tx;
use store::emergency_orders::{self as rows, EmergencyOrder};
use store::profile_versions::{self as versions, VersionState};
use types::{Day, EmergencyOrderId, Instant, ProfileVersionId, RuleId, Uai};

use super::publish::{all_colleges, notify};
use super::{must_be, must_exist, reason, seen, suspensions};
use crate::audit::{self, Change};
use crate::coming_in::Person;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// How many days before an order its predecessors are counted: more than the longest.
const LOOKED_BACK: i32 = 60;

/// How many days ahead of its first day an order is decided, and of its end a renewal: nobody decides months at once.
const LONGEST_AHEAD: i32 = 7;

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The published version of an emergency base.
    pub base: ProfileVersionId,
    /// For which collèges; for all, if none is named.
    pub colleges: BTreeSet<Uai>,
    /// Why.
    pub reason: String,
    /// Its first day.
    pub starts_on: Day,
    /// Its last day; thirty days in all, at most.
    pub ends_on: Day,
    /// The order that it renews.
    pub renews: Option<EmergencyOrderId>,
    /// Orders that stand in its way and end with it, in the same act: whoever gives it has looked at each.
    pub instead_of: BTreeSet<EmergencyOrderId>,
}

/// An order as people read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its row.
    pub order: EmergencyOrder,
    /// The title of its base.
    pub title: String,
    /// Whether it is in force today.
    pub in_force: bool,
    /// The orders by which it goes on, each for some of its collèges: those that renew it, or renew one that did, and stand.
    /// Ending this one does not end them.
    pub goes_on_by: Vec<EmergencyOrderId>,
}

/// Puts an emergency base in force: the académie for any collèges, a head for their own.
///
/// # Errors
/// [`Refusal::Forbidden`] for a base that is not published, an order for others, no reason, or more than thirty days, and
/// where others stand for these collèges that it neither renews nor ends, which are all named;
/// [`Refusal::Invalid`] for one that begins more than seven days ahead, or a renewal that is too early or for others
/// than it renews.
pub async fn order(
    fleet: &Fleet,
    principal: &Principal,
    wanted: Wanted,
    now: Instant,
) -> Result<Order, Refusal> {
    let why = reason(&wanted.reason)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let colleges = may_order(&person, &wanted.colleges, now)?;
            let renewed = wanted
                .renews
                .map(|id| rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("emergency order", id)))
                .transpose()?;
            // One that was closed meanwhile does not keep the others from being renewed together with it.
            let held = renewed.as_ref().map(|renewed| renewed.uais.clone()).unwrap_or_default();
            must_exist(tx, "colleges", colleges.difference(&held))?;
            let (base, layer) = seen(tx, &person, wanted.base, now)?;
            if !matches!(layer, LayerKey::Emergency(_)) {
                let what = format!(
                    "only an emergency base is put in force by an order; this is a version of {layer}"
                );
                return Err(Refusal::Forbidden { rule: RuleId::C5_3_7, what });
            }
            must_be(&base, VersionState::Published)?;
            let today = Day::of(now);
            let ahead = today.until(wanted.starts_on);
            if !(0..=LONGEST_AHEAD).contains(&ahead) {
                let problem =
                    format!("an order begins today or within {LONGEST_AHEAD} days: decide a later one then");
                return Err(Refusal::invalid("starts_on", problem));
            }
            if let Some(renewed) = &renewed {
                may_be_renewed(renewed, &colleges, wanted.starts_on, today)?;
            }
            let id = EmergencyOrderId::new(now);
            make_way(tx, (&principal, &person), (id, &colleges, &wanted), &why, now)?;
            let proof = versions::approved(tx, base.id)?
                .ok_or_else(|| Refusal::not_found("profile version", base.id))?;
            // The rules on reason and length, and on what stands beside it.
            must_follow(tx, (id, &colleges), (wanted.starts_on, wanted.ends_on), wanted.renews)?;
            OrderInForce::new(id, &proof, colleges.clone(), &why, (wanted.starts_on, wanted.ends_on))
                .map_err(|refused| forbidden(&refused))?;
            let row = EmergencyOrder {
                id,
                version_id: base.id,
                uais: colleges.clone(),
                starts_on: wanted.starts_on,
                ends_on: wanted.ends_on,
                reason: why.clone(),
                organisation_id: person.standing.organisation().id(),
                ordered_by: person.standing.account(),
                ordered_at: now,
                renews: wanted.renews,
                ended_at: None,
                ended_by: None,
            };
            rows::insert(tx, &row)?;
            tell(tx, &row, &base.title, now)?;
            let detail = json!({
                "order": id, "version": base.id, "colleges": colleges, "starts_on": row.starts_on,
                "ends_on": row.ends_on, "renews": row.renews, "instead_of": wanted.instead_of,
            });
            let change = Change::new("emergency.order").reason(Some(why.clone())).detail(detail);
            audit::record(tx, &principal, change, now)?;
            suspensions::review(tx, &principal, now)?;
            shown(tx, row, now)
        })
        .await
}

/// Ends the orders in whose place a new one is given: each that is named, and only what stands in its way, so that the
/// new one goes on from the day on which they end.
fn make_way(
    tx: &mut Tx<'_>,
    (principal, person): (&Principal, &Person),
    (id, colleges, wanted): (EmergencyOrderId, &BTreeSet<Uai>, &Wanted),
    why: &str,
    now: Instant,
) -> Result<(), Refusal> {
    if wanted.instead_of.is_empty() {
        return Ok(());
    }
    if wanted.starts_on != Day::of(now) {
        let problem = "orders end with another that begins today: begin it today, or end them then";
        return Err(Refusal::invalid("starts_on", problem));
    }
    let days = |id, colleges: &BTreeSet<Uai>, first, last, stands| OrderedDays {
        id,
        colleges: colleges.clone(),
        first,
        last,
        stands,
    };
    let new = days(id, colleges, wanted.starts_on, wanted.ends_on, true);
    for other in &wanted.instead_of {
        let row = own(tx, person, *other, now)?;
        let theirs = days(row.id, &row.uais, row.starts_on, row.ends_on, row.ended_at.is_none());
        if wanted.renews == Some(*other) || !theirs.meets(&new) {
            let problem = format!("order {other} does not stand in its way: leave it out");
            return Err(Refusal::invalid("instead_of", problem));
        }
        end_one(tx, (principal, person), row, (why, Some(id)), now)?;
    }
    Ok(())
}

fn forbidden(refused: &::profiles::Refusal) -> Refusal {
    Refusal::Forbidden { rule: RuleId::C5_3_7, what: refused.to_string() }
}

/// Passes an order beside which no other stands for the same collège, and that with those before it does not exceed thirty
/// days without the decision that a renewal is.
fn must_follow(
    tx: &mut Tx<'_>,
    (id, colleges): (EmergencyOrderId, &BTreeSet<Uai>),
    (first, last): (Day, Day),
    renews: Option<EmergencyOrderId>,
) -> Result<(), Refusal> {
    let days = |row: EmergencyOrder| {
        let ended_on = row.ended_at.map(Day::of);
        // One that was ended before it began was never in force.
        let was_in_force = ended_on.is_none_or(|day| row.starts_on <= day);
        was_in_force.then(|| OrderedDays {
            id: row.id,
            colleges: row.uais,
            first: row.starts_on,
            last: ended_on.map_or(row.ends_on, |day| day.min(row.ends_on)),
            stands: ended_on.is_none(),
        })
    };
    // Further back nothing reaches to it without a gap, or it was renewed.
    let since = first.plus(-LOOKED_BACK);
    let before: Vec<OrderedDays> = rows::ending_from(tx, since)?.into_iter().filter_map(days).collect();
    let new = OrderedDays { id, colleges: colleges.clone(), first, last, stands: true };
    ::profiles::follows(&new, renews, &before).map_err(|refused| forbidden(&refused))
}

/// Passes an order that may be renewed now: it stands, its end is near, and it goes on without a gap for its collèges, or
/// for some of them.
fn may_be_renewed(
    renewed: &EmergencyOrder,
    colleges: &BTreeSet<Uai>,
    starts_on: Day,
    today: Day,
) -> Result<(), Refusal> {
    if renewed.ended_at.is_some() {
        return Err(Refusal::Conflict("the order that would be renewed was ended: order anew".to_owned()));
    }
    // Of one for all, any are some.
    let are_its_own = renewed.uais.is_empty() || (!colleges.is_empty() && colleges.is_subset(&renewed.uais));
    if !are_its_own {
        let its: Vec<String> = renewed.uais.iter().map(ToString::to_string).collect();
        let problem = format!("a renewal is for collèges of the order it renews: {}", its.join(", "));
        return Err(Refusal::invalid("colleges", problem));
    }
    if today.until(renewed.ends_on) > LONGEST_AHEAD {
        let problem =
            format!("it ends on {}: it can be renewed in its last {LONGEST_AHEAD} days", renewed.ends_on);
        return Err(Refusal::invalid("renews", problem));
    }
    if starts_on < renewed.starts_on {
        let problem = format!("the order it renews begins on {}: begin then, or later", renewed.starts_on);
        return Err(Refusal::invalid("starts_on", problem));
    }
    if renewed.ends_on.until(starts_on) > 1 {
        let problem =
            format!("the order it renews ends on {}: begin the day after at the latest", renewed.ends_on);
        return Err(Refusal::invalid("starts_on", problem));
    }
    Ok(())
}

/// The collèges that the person may order for, out of those named. A head who names none means their own.
fn may_order(person: &Person, named: &BTreeSet<Uai>, now: Instant) -> Result<BTreeSet<Uai>, Refusal> {
    let permission = Permission::OrderEmergency;
    let reach = person.standing.may(permission, &person.access, now)?;
    if reach.covers(&Place::Fleet) {
        return Ok(named.clone());
    }
    let own: BTreeSet<Uai> = person.standing.organisation().uai().cloned().into_iter().collect();
    let reached = own.iter().all(|uai| reach.covers(&Place::College(Some(uai.clone()))));
    if own.is_empty() || !reached {
        return Err(NotAllowed::OutOfReach { permission }.into());
    }
    if named.is_empty() || *named == own {
        Ok(own)
    } else {
        let what = "a collège orders it for its own tablets; for others, the académie does".to_owned();
        Err(Refusal::Forbidden { rule: RuleId::C5_3_7, what })
    }
}

/// Ends an order before its last day: the ordinary base is in force again, unless a renewal stands, which is said.
///
/// # Errors
/// [`Refusal::NotFound`] for an order that one could not have given; [`Refusal::Conflict`] for one that is over.
pub async fn end(
    fleet: &Fleet,
    principal: &Principal,
    id: EmergencyOrderId,
    why: &str,
    now: Instant,
) -> Result<Order, Refusal> {
    let (why, principal) = (reason(why)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let row = own(tx, &person, id, now)?;
            let order = end_one(tx, (&principal, &person), row, (&why, None), now)?;
            suspensions::review(tx, &principal, now)?;
            Ok(order)
        })
        .await
}

/// The order, for whoever could have given it; to others it does not exist.
fn own(
    tx: &mut Tx<'_>,
    person: &Person,
    id: EmergencyOrderId,
    now: Instant,
) -> Result<EmergencyOrder, Refusal> {
    let reach = person.standing.may(Permission::OrderEmergency, &person.access, now)?;
    let not_found = || Refusal::not_found("emergency order", id);
    let row = rows::get(tx, &id)?.ok_or_else(not_found)?;
    let own = row.organisation_id == person.standing.organisation().id();
    if reach.covers(&Place::Fleet) || own { Ok(row) } else { Err(not_found()) }
}

/// Ends it, by another that is given in its place or for itself, with one entry of the log.
fn end_one(
    tx: &mut Tx<'_>,
    (principal, person): (&Principal, &Person),
    row: EmergencyOrder,
    (why, by): (&str, Option<EmergencyOrderId>),
    now: Instant,
) -> Result<Order, Refusal> {
    let id = row.id;
    if row.ends_on < Day::of(now) {
        return Err(Refusal::Conflict(format!("order {id} was over on {}", row.ends_on)));
    }
    if !rows::end(tx, id, person.standing.account(), now)? {
        return Err(Refusal::Conflict(format!("order {id} was ended before")));
    }
    let row = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("emergency order", id))?;
    let order = shown(tx, row, now)?;
    tell(tx, &order.order, &order.title, now)?;
    let detail = json!({ "order": id, "version": order.order.version_id, "by_order": by });
    let change = Change::new("emergency.end").reason(Some(why.to_owned())).detail(detail);
    audit::record(tx, principal, change, now)?;
    Ok(order)
}

/// Every order, the newest first. They concern what tablets of a collège may do: whoever sees layers sees them.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<EmergencyOrderId>,
    now: Instant,
) -> Result<Listed<Order>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewProfiles, now)?;
            let found = rows::list(tx, page.after, page.with_one_more())?;
            let listed = page.cut(found, |row| row.id.to_string());
            Ok(Listed { items: all_shown(tx, listed.items, now)?, next: listed.next })
        })
        .await
}

fn shown(tx: &mut Tx<'_>, row: EmergencyOrder, now: Instant) -> Result<Order, Refusal> {
    let id = row.id;
    let shown = all_shown(tx, vec![row], now)?.pop();
    shown.ok_or_else(|| Refusal::Internal(format!("emergency order {id} is not shown")))
}

/// As [`shown`], many orders: a statement for each time that one of them was renewed in a row, however many they are.
fn all_shown(tx: &mut Tx<'_>, orders: Vec<EmergencyOrder>, now: Instant) -> Result<Vec<Order>, Refusal> {
    let bases = versions::get_all(tx, orders.iter().map(|row| row.version_id).collect::<BTreeSet<_>>())?;
    let titles: BTreeMap<_, _> = bases.into_iter().map(|version| (version.id, version.title)).collect();
    let today = Day::of(now);
    // Of each order, those that it goes on by, whatever renewed it first.
    let mut goes_on: BTreeMap<EmergencyOrderId, Vec<EmergencyOrderId>> = BTreeMap::new();
    let mut roots: BTreeMap<EmergencyOrderId, BTreeSet<EmergencyOrderId>> =
        orders.iter().map(|row| (row.id, BTreeSet::from([row.id]))).collect();
    let mut latest: Vec<EmergencyOrderId> = roots.keys().copied().collect();
    while !latest.is_empty() {
        let renewals = rows::renewals_of(tx, latest)?;
        for renewal in &renewals {
            let of = renewal.renews.and_then(|renewed| roots.get(&renewed)).cloned().unwrap_or_default();
            if renewal.ended_at.is_none() && today <= renewal.ends_on {
                for root in &of {
                    let by = goes_on.entry(*root).or_default();
                    if !by.contains(&renewal.id) {
                        by.push(renewal.id);
                    }
                }
            }
            roots.entry(renewal.id).or_default().extend(of);
        }
        latest = renewals.into_iter().map(|renewal| renewal.id).collect();
    }
    let one = |row: EmergencyOrder| Order {
        title: titles.get(&row.version_id).cloned().unwrap_or_default(),
        in_force: row.ended_at.is_none() && row.starts_on <= today && today <= row.ends_on,
        goes_on_by: goes_on.remove(&row.id).unwrap_or_default(),
        order: row,
    };
    Ok(orders.into_iter().map(one).collect())
}

fn tell(tx: &mut Tx<'_>, row: &EmergencyOrder, title: &str, now: Instant) -> Result<(), Refusal> {
    let groups: Vec<Uai> =
        if row.uais.is_empty() { all_colleges(tx)? } else { row.uais.iter().cloned().collect() };
    notify(tx, &format!("emergency-order:{}", row.id), &groups, title, now)
}

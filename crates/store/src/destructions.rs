//! What the brake counts (M5): each erasure, lost mode and unenrolment, against whoever gave the order, in their
//! collège, on its day in Paris. What was counted stays counted; what is held waits for a second person.
//!
//! A use case reads the tally, decides and records in one transaction of [`Store::write`](crate::Store::write),
//! which behaves as if it ran alone: of two orders that meet at the end of a budget, one is held.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{
    AccountId, Actor, CampaignId, CountersignatureId, Day, DestructionId, DestructionKind, Instant, TabletId,
    Uai,
};

pub use governance::brake::DestructionState;

use crate::column::{Column as _, read};
use crate::many::{Columns, Insertion};
use crate::noun::{by_key, find_all, find_first, noun, read_all};
use crate::prepared::Row as _;
use crate::schema::destructions;
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

noun! {
    /// An order to destroy, as the brake sees it.
    pub struct Destruction in destructions keyed by id {
        /// Its id.
        id: DestructionId,
        /// What it does.
        kind: DestructionKind,
        /// The day it counts on.
        day: Day,
        /// When it was ordered.
        at: Instant,
        /// Who ordered it, as the audit log names them.
        actor: String,
        /// Their account, if they have one.
        account_id: Option<AccountId>,
        /// The tablet's collège.
        uai: Option<Uai>,
        /// The tablet.
        tablet_id: Option<TabletId>,
        /// What carries it out: the id of a command, or of the order, incident or end it rests on.
        reference: String,
        /// What the brake did with it.
        state: DestructionState,
        /// The second person's answer that it waits for, or that released it.
        countersignature_id: Option<CountersignatureId>,
        /// The campaign it counts in, instead of the budgets.
        campaign_id: Option<CampaignId>,
    }
}

by_key!(destructions, Destruction, id: DestructionId; get);

/// What the brake decided on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes, within the budgets.
    Counted,
    /// It goes, in a campaign.
    InCampaign(CampaignId),
    /// It waits for the answer to this request.
    Held(CountersignatureId),
}

/// An order to destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDestruction {
    /// Its id.
    pub id: DestructionId,
    /// What it does.
    pub kind: DestructionKind,
    /// The day it counts on.
    pub day: Day,
    /// When it is ordered.
    pub at: Instant,
    /// Who orders it: whoever recorded the receipt or gave the order, never the calendar.
    pub actor: Actor,
    /// The tablet's collège.
    pub uai: Option<Uai>,
    /// The tablet.
    pub tablet: Option<TabletId>,
    /// What carries it out: the id of a command, or of the order, incident or end it rests on.
    pub reference: String,
    /// What the brake decided.
    pub fate: Fate,
}

fn counted(new: &NewDestruction) -> Destruction {
    let (state, countersignature_id, campaign_id) = match new.fate {
        Fate::Counted => (DestructionState::Counted, None, None),
        Fate::InCampaign(campaign) => (DestructionState::Counted, None, Some(campaign)),
        Fate::Held(countersignature) => (DestructionState::Held, Some(countersignature), None),
    };
    Destruction {
        id: new.id,
        kind: new.kind,
        day: new.day,
        at: new.at,
        actor: new.actor.to_string(),
        account_id: match new.actor {
            Actor::Account(account) => Some(account),
            Actor::Token(_) | Actor::Tablet(_) | Actor::Calendar | Actor::Host => None,
        },
        uai: new.uai.clone(),
        tablet_id: new.tablet,
        reference: new.reference.clone(),
        state,
        countersignature_id,
        campaign_id,
    }
}

/// Records what the brake decided on an order. A command that destroys is queued and sent only if what it rests
/// on was recorded here, and is not held.
///
/// # Errors
/// [`StoreError::Duplicate`] if that kind and reference were recorded and not given up: one order counts once.
/// [`StoreError::Refused`] if the calendar or a tablet is named, or the campaign does not cover it or is full.
pub fn record(tx: &mut Tx<'_>, new: &NewDestruction) -> Result<(), StoreError> {
    record_all(tx, std::slice::from_ref(new))
}

/// As [`record`], many orders at once: one statement, or none for no order.
///
/// # Errors
/// As [`record`], for any of them: then none is recorded.
pub fn record_all(tx: &mut Tx<'_>, new: &[NewDestruction]) -> Result<(), StoreError> {
    let rows: Vec<Destruction> = new.iter().map(counted).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let (statement, notes) = INSERT.of(rows.iter().map(columns).collect());
    statement.run(tx, notes)
}

static INSERT: Insertion = Insertion::into("destructions", "");

fn columns(row: &Destruction) -> Columns {
    let name = |column: &'static str| if column == "reference" { "ref" } else { column };
    Stored::COLUMNS.iter().map(|column| name(column)).zip(Stored::of(row).values()).collect()
}

/// What became of the latest order of that kind with that reference.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_reference(
    tx: &mut Tx<'_>,
    kind: DestructionKind,
    reference: &str,
) -> Result<Option<Destruction>, StoreError> {
    find_first!(
        tx,
        destructions::table
            .filter(destructions::reference.eq(reference))
            .filter(destructions::kind.eq(kind.as_str()))
            .order(destructions::id.desc())
    )
}

/// As [`by_reference`], for many, by their references: one statement, or none for no reference.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_references(
    tx: &mut Tx<'_>,
    kind: DestructionKind,
    references: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, Destruction>, StoreError> {
    let references = references.into_iter().collect();
    let mut found: Vec<Destruction> = find_all!(
        tx,
        destructions,
        references,
        destructions::reference,
        destructions::kind.eq(kind.as_str())
    )?;
    found.sort_by_key(|one| one.id);
    Ok(found.into_iter().map(|one| (one.reference.clone(), one)).collect())
}

/// What the brake decided last on an order of that kind about a tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_of_tablet(
    tx: &mut Tx<'_>,
    kind: DestructionKind,
    tablet: TabletId,
) -> Result<Option<Destruction>, StoreError> {
    find_first!(
        tx,
        destructions::table
            .filter(destructions::kind.eq(kind.as_str()))
            .filter(destructions::tablet_id.eq(tablet.to_string()))
            .order(destructions::id.desc())
    )
}

/// Whether the brake let an order of that kind with that reference go.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn is_let_go(tx: &mut Tx<'_>, kind: DestructionKind, reference: &str) -> Result<bool, StoreError> {
    let latest = by_reference(tx, kind, reference)?;
    Ok(latest
        .is_some_and(|order| matches!(order.state, DestructionState::Counted | DestructionState::Released)))
}

/// How much went on a day without a second person and outside campaigns, of all kinds together: the budgets are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayTally {
    /// By these actors together.
    pub actors: u64,
    /// In one collège; 0 where no collège was named.
    pub college: u64,
    /// In the whole fleet.
    pub fleet: u64,
}

/// The orders that a day's budgets count: what goes by one person's word, and not what is held, was released by a
/// second person, is void, or of a campaign.
macro_rules! counted_on {
    ($day:expr) => {
        destructions::table
            .filter(destructions::day.eq($day.stored()))
            .filter(destructions::state.eq(DestructionState::Counted.as_str()))
            .filter(destructions::campaign_id.is_null())
    };
}

/// The tally of a day for actors whose acts count together (an account and those it made today, or one alone)
/// and one collège, in one statement.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn tally(tx: &mut Tx<'_>, day: Day, actors: &[Actor], uai: Option<&Uai>) -> Result<DayTally, StoreError> {
    type Row = (Option<i64>, Option<i64>, Option<i64>);
    let actors: Vec<String> = actors.iter().map(Actor::to_string).collect();
    let uai = uai.map(Uai::to_string);
    let (actors, college, fleet): Row = tx.run(|connection| {
        diesel::select((
            counted_on!(day).filter(destructions::actor.eq_any(actors)).select(count_star()).single_value(),
            counted_on!(day).filter(destructions::uai.eq(uai)).select(count_star()).single_value(),
            counted_on!(day).select(count_star()).single_value(),
        ))
        .get_result(connection)
    })?;
    let number = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    Ok(DayTally { actors: number(actors), college: number(college), fleet: number(fleet) })
}

/// The latest day on which anything counts; `None` before the first order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn latest_day(tx: &mut Tx<'_>) -> Result<Option<Day>, StoreError> {
    let day: Option<String> = tx.run(|connection| {
        destructions::table.select(diesel::dsl::max(destructions::day)).get_result(connection)
    })?;
    read(day, "destructions", "day", &"latest")
}

/// Everything that waits, or waited, for this answer, in the order it was asked for.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_countersignature(tx: &mut Tx<'_>, id: CountersignatureId) -> Result<Vec<Destruction>, StoreError> {
    read_all!(tx.run(|connection| {
        destructions::table
            .filter(destructions::countersignature_id.eq(id.to_string()))
            .order(destructions::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The answers that something waits for.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn waiting_for(tx: &mut Tx<'_>) -> Result<Vec<CountersignatureId>, StoreError> {
    let ids: Vec<Option<String>> = tx.run(|connection| {
        destructions::table
            .filter(destructions::state.eq(DestructionState::Held.as_str()))
            .select(destructions::countersignature_id)
            .distinct()
            .load(connection)
    })?;
    ids.into_iter().flatten().map(|id| read(id.clone(), "destructions", "countersignature_id", &id)).collect()
}

/// How much each actor was let do on a day, the most first.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn by_actor(tx: &mut Tx<'_>, day: Day) -> Result<Vec<(String, u64)>, StoreError> {
    let rows: Vec<(String, i64)> = tx.run(|connection| {
        counted_on!(day)
            .group_by(destructions::actor)
            .order((count_star().desc(), destructions::actor.asc()))
            .select((destructions::actor, count_star()))
            .load(connection)
    })?;
    Ok(rows.into_iter().map(|(actor, count)| (actor, u64::try_from(count).unwrap_or(0))).collect())
}

/// How much was let go in each collège on a day, the most first; `None` for tablets of no collège.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_college(tx: &mut Tx<'_>, day: Day) -> Result<Vec<(Option<Uai>, u64)>, StoreError> {
    let rows: Vec<(Option<String>, i64)> = tx.run(|connection| {
        counted_on!(day)
            .group_by(destructions::uai)
            .order((count_star().desc(), destructions::uai.asc()))
            .select((destructions::uai, count_star()))
            .load(connection)
    })?;
    rows.into_iter()
        .map(|(uai, count)| Ok((read(uai, "destructions", "uai", &day)?, u64::try_from(count).unwrap_or(0))))
        .collect()
}

/// Lets go what waits for this answer, which a second person gave. Returns how much.
///
/// # Errors
/// [`StoreError::Refused`] if the answer was not given, or given by whoever ordered one of them.
pub fn release(tx: &mut Tx<'_>, countersignature: CountersignatureId) -> Result<usize, StoreError> {
    settle(tx, countersignature, DestructionState::Released)
}

/// Gives up what waits for this answer: it was refused, withdrawn, or never came. Returns how much.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn give_up(tx: &mut Tx<'_>, countersignature: CountersignatureId) -> Result<usize, StoreError> {
    settle(tx, countersignature, DestructionState::Void)
}

fn settle(
    tx: &mut Tx<'_>,
    countersignature: CountersignatureId,
    state: DestructionState,
) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            destructions::table
                .filter(destructions::countersignature_id.eq(countersignature.to_string()))
                .filter(destructions::state.eq(DestructionState::Held.as_str())),
        )
        .set(destructions::state.eq(state.as_str()))
        .execute(connection)
    })
}

/// At most `limit` orders, the newest first, from the first one before `before`; in one state only, if one is
/// given, and on one day. Within an organisation or collèges: those of its tablets.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    state: Option<DestructionState>,
    day: Option<Day>,
    before: Option<DestructionId>,
    limit: u32,
) -> Result<Vec<Destruction>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = destructions::table
            .filter(destructions::id.lt(before))
            .order(destructions::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(destructions::state.eq(state.as_str()));
        }
        if let Some(day) = day {
            query = query.filter(destructions::day.eq(day.stored()));
        }
        of_colleges_within!(query, within, destructions::uai).load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    destructions kept as Evidence {
        personal(AccountsAndAudit: Acts) {
            kind, day, at, actor, account_id, tablet_id, ref, state, countersignature_id, campaign_id,
        }
        not_personal("a number of ours, and the collège") { id, uai }
    }
}

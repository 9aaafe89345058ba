//! How far each tablet has come with what its segment is given: what it told, and which rules are not in force.

use std::collections::BTreeMap;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use profiles::segment::Known;
use types::{EnrolmentId, Instant, SegmentId};

use crate::column::{read, stored_enum};
use crate::noun::{noun, on_each_engine};
use crate::schema::{deliveries, enrolments, rule_states};
use crate::within::of_tablets_within;
use crate::{StoreError, Tx, Within};

noun! {
    /// What is known of one tablet's configuration.
    pub struct Delivery in deliveries keyed by enrolment_id {
        /// Whose tablet.
        enrolment_id: EnrolmentId,
        /// What it told.
        known: serde_json::Value,
        /// When it is looked at again; `None`: when it connects next, if its segment has changed.
        due_at: Option<Instant>,
        /// When it was last woken because it was due.
        woken_at: Option<Instant>,
        /// When this was last written.
        updated_at: Instant,
    }
}

impl Delivery {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(enrolment: EnrolmentId, now: Instant) -> Self {
        let known = serde_json::Value::Object(serde_json::Map::new());
        Self { enrolment_id: enrolment, known, due_at: None, woken_at: None, updated_at: now }
    }

    /// What it told.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn known(&self) -> Result<Known, StoreError> {
        serde_json::from_value(self.known.clone()).map_err(|_not_known| StoreError::Corrupt {
            table: "deliveries",
            row: self.enrolment_id.to_string(),
            column: "known",
        })
    }
}

/// What is known of a tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn get(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<Delivery>, StoreError> {
    tx.run(|connection| {
        deliveries::table.find(enrolment.to_string()).select(Stored::as_select()).first(connection).optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// Writes what is known of a tablet.
///
/// # Errors
/// [`StoreError::Dangling`] if there is no such enrolment.
pub fn put(tx: &mut Tx<'_>, row: &Delivery) -> Result<(), StoreError> {
    let stored = Stored::of(row);
    let (known, due_at, woken_at, updated_at) =
        (stored.known.clone(), stored.due_at, stored.woken_at, stored.updated_at);
    on_each_engine!(tx, |connection| {
        diesel::insert_into(deliveries::table)
            .values(&stored)
            .on_conflict(deliveries::enrolment_id)
            .do_update()
            .set((
                deliveries::known.eq(&known),
                deliveries::due_at.eq(due_at),
                deliveries::woken_at.eq(woken_at),
                deliveries::updated_at.eq(updated_at),
            ))
            .execute(connection)
    })?;
    Ok(())
}

/// The tablet is looked at again as soon as it connects, whatever was planned.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn look_again(tx: &mut Tx<'_>, enrolment: EnrolmentId, at: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(deliveries::table.find(enrolment.to_string()))
            .set((deliveries::due_at.eq(at.as_millis()), deliveries::woken_at.eq(None::<i64>)))
            .execute(connection)
    })?;
    Ok(())
}

/// The tablets of a segment are looked at again, whatever was planned: what it is given has changed.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn look_again_at_segment(tx: &mut Tx<'_>, segment: SegmentId, at: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        let members =
            enrolments::table.filter(enrolments::segment_id.eq(segment.to_string())).select(enrolments::id);
        diesel::update(deliveries::table.filter(deliveries::enrolment_id.eq_any(members)))
            .set((deliveries::due_at.eq(at.as_millis()), deliveries::woken_at.eq(None::<i64>)))
            .execute(connection)
    })?;
    Ok(())
}

/// The tablets on which a rule fails are looked at again, whatever was planned: what kept it from them may be gone.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn look_again_at_failing(tx: &mut Tx<'_>, rule: &str, at: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        let failing = rule_states::table
            .filter(rule_states::rule.eq(rule).and(rule_states::state.eq(Pending::Failed.as_str())))
            .select(rule_states::enrolment_id);
        diesel::update(deliveries::table.filter(deliveries::enrolment_id.eq_any(failing)))
            .set((deliveries::due_at.eq(at.as_millis()), deliveries::woken_at.eq(None::<i64>)))
            .execute(connection)
    })?;
    Ok(())
}

/// These tablets are looked at from `at` on, and woken for it; of those that are new, nothing is known yet.
///
/// # Errors
/// [`StoreError::Dangling`] if there is no such enrolment.
pub fn plan(tx: &mut Tx<'_>, enrolments: &[EnrolmentId], at: Instant) -> Result<(), StoreError> {
    for some in enrolments.chunks(100) {
        let rows: Vec<Stored> = some
            .iter()
            .map(|id| Stored::of(&Delivery { due_at: Some(at), ..Delivery::new(*id, at) }))
            .collect();
        on_each_engine!(tx, |connection| {
            diesel::insert_into(deliveries::table)
                .values(&rows)
                .on_conflict(deliveries::enrolment_id)
                .do_update()
                .set((deliveries::due_at.eq(at.as_millis()), deliveries::woken_at.eq(None::<i64>)))
                .execute(connection)
        })?;
    }
    Ok(())
}

/// Forgets all of it: the enrolment is over.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn forget(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<(), StoreError> {
    let enrolment = enrolment.to_string();
    tx.run(|connection| {
        diesel::delete(rule_states::table.filter(rule_states::enrolment_id.eq(&enrolment)))
            .execute(connection)?;
        diesel::delete(deliveries::table.find(&enrolment)).execute(connection)
    })?;
    Ok(())
}

/// Takes at most `limit` tablets that are due and were not woken for it, and notes that they are.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn wake(tx: &mut Tx<'_>, now: Instant, limit: u32) -> Result<Vec<EnrolmentId>, StoreError> {
    let ids: Vec<String> = tx.run(|connection| {
        let ids: Vec<String> = deliveries::table
            .filter(deliveries::due_at.le(now.as_millis()))
            .filter(deliveries::woken_at.is_null().or(deliveries::woken_at.lt(deliveries::due_at)))
            .order((deliveries::due_at.asc(), deliveries::enrolment_id.asc()))
            .limit(i64::from(limit))
            .select(deliveries::enrolment_id)
            .load(connection)?;
        diesel::update(deliveries::table.filter(deliveries::enrolment_id.eq_any(&ids)))
            .set(deliveries::woken_at.eq(now.as_millis()))
            .execute(connection)?;
        Ok(ids)
    })?;
    ids.into_iter().map(|id| read(id, "deliveries", "enrolment_id", &"a delivery")).collect()
}

/// Those among these tablets whose configuration is due: they are to come, though no command waits for them yet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn due_among(
    tx: &mut Tx<'_>,
    enrolments: &[EnrolmentId],
    now: Instant,
) -> Result<Vec<EnrolmentId>, StoreError> {
    let among: Vec<String> = enrolments.iter().map(ToString::to_string).collect();
    let ids: Vec<String> = tx.run(|connection| {
        deliveries::table
            .filter(deliveries::enrolment_id.eq_any(&among))
            .filter(deliveries::due_at.le(now.as_millis()))
            .select(deliveries::enrolment_id)
            .load(connection)
    })?;
    ids.into_iter().map(|id| read(id, "deliveries", "enrolment_id", &"a delivery")).collect()
}

stored_enum! {
    /// How a rule stands that is not in force.
    Pending {
        /// It was, or will be, asked for.
        Requested = "requested",
        /// The tablet refused it.
        Failed = "failed",
    }
}

/// Writes which rules are not in force on a tablet, in place of what stood there; since when stays, where nothing
/// changed.
///
/// # Errors
/// [`StoreError::Dangling`] if there is no such enrolment.
pub fn set_rules(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    rules: &BTreeMap<String, (Pending, Option<String>)>,
    now: Instant,
) -> Result<(), StoreError> {
    let id = enrolment.to_string();
    let rows: Vec<(String, String, Option<String>)> = tx.run(|connection| {
        rule_states::table
            .filter(rule_states::enrolment_id.eq(&id))
            .select((rule_states::rule, rule_states::state, rule_states::why))
            .load(connection)
    })?;
    let stands: BTreeMap<&String, (&String, &Option<String>)> =
        rows.iter().map(|(rule, state, why)| (rule, (state, why))).collect();
    let same = |rule: &String, pending: &(Pending, Option<String>)| {
        stands
            .get(rule)
            .is_some_and(|(state, why)| state.as_str() == pending.0.as_str() && **why == pending.1)
    };
    let changed: Vec<_> = rules.iter().filter(|(rule, pending)| !same(rule, pending)).collect();
    let gone: Vec<&String> = stands
        .keys()
        .copied()
        .filter(|rule| rules.get(*rule).is_none_or(|pending| !same(rule, pending)))
        .collect();
    if gone.is_empty() && changed.is_empty() {
        return Ok(());
    }
    tx.run(|connection| {
        diesel::delete(
            rule_states::table
                .filter(rule_states::enrolment_id.eq(&id))
                .filter(rule_states::rule.eq_any(gone)),
        )
        .execute(connection)
    })?;
    let values: Vec<_> = changed
        .into_iter()
        .map(|(rule, (state, why))| {
            (
                rule_states::enrolment_id.eq(&id),
                rule_states::rule.eq(rule),
                rule_states::state.eq(state.as_str()),
                rule_states::why.eq(why.as_deref()),
                rule_states::since.eq(now.as_millis()),
            )
        })
        .collect();
    on_each_engine!(tx, |connection| {
        diesel::insert_into(rule_states::table).values(&values).execute(connection)
    })?;
    Ok(())
}

/// A rule that some tablets refuse, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The rule.
    pub rule: String,
    /// How many tablets refuse it.
    pub tablets: u64,
}

/// The rules that tablets within reach refuse, by their names.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn failing(tx: &mut Tx<'_>, within: &Within) -> Result<Vec<Failing>, StoreError> {
    let rows: Vec<(String, i64)> = tx.run(|connection| {
        let query = rule_states::table
            .inner_join(enrolments::table.on(enrolments::id.eq(rule_states::enrolment_id)))
            .filter(rule_states::state.eq(Pending::Failed.as_str()))
            .group_by(rule_states::rule)
            .select((rule_states::rule, diesel::dsl::count_star()))
            .order(rule_states::rule.asc())
            .into_boxed();
        of_tablets_within!(query, within, enrolments::tablet_id).load(connection)
    })?;
    Ok(rows
        .into_iter()
        .map(|(rule, count)| Failing { rule, tablets: u64::try_from(count).unwrap_or(0) })
        .collect())
}

crate::declared::declares! {
    deliveries kept as Equipment {
        personal(DeviceManagement: DeviceState, AppInventory: ManagedApps) { known }
        personal(DeviceManagement: ContactTimes) { updated_at }
        not_personal("whose tablet, and when it is looked at again") { enrolment_id, due_at, woken_at }
    }
    rule_states kept as Equipment {
        personal(DeviceManagement: DeviceState) { state, why, since }
        not_personal("which rule, on which tablet") { enrolment_id, rule }
    }
}

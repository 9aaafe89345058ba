//! Emergency orders: a prepared base in the ordinary one's place, for some collèges, for thirty days at most (C5.3.7).

use std::collections::BTreeSet;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use profiles::OrderInForce;
use types::{AccountId, Day, EmergencyOrderId, Instant, OrganisationId, ProfileVersionId, Uai};

use crate::noun::{by_key, find_all, noun, read_all};
use crate::profile_versions::VersionState;
use crate::schema::emergency_orders;
use crate::{StoreError, Tx, profile_versions};

noun! {
    /// An order. Frozen once given, except towards its end.
    pub struct EmergencyOrder in emergency_orders keyed by id {
        /// Its id.
        id: EmergencyOrderId,
        /// The version of the emergency base.
        version_id: ProfileVersionId,
        /// The collèges it is for; all, if none is named.
        uais: BTreeSet<Uai>,
        /// Its first day.
        starts_on: Day,
        /// Its last day.
        ends_on: Day,
        /// Why.
        reason: String,
        /// The organisation that ordered it.
        organisation_id: OrganisationId,
        /// Who did.
        ordered_by: AccountId,
        /// When.
        ordered_at: Instant,
        /// The order that it renews.
        renews: Option<EmergencyOrderId>,
        /// When it was ended before its last day.
        ended_at: Option<Instant>,
        /// By whom.
        ended_by: Option<AccountId>,
    }
}

by_key!(emergency_orders, EmergencyOrder, id: EmergencyOrderId; insert, get);

/// Ends an order before its last day; `false` if it was ended before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end(tx: &mut Tx<'_>, id: EmergencyOrderId, by: AccountId, now: Instant) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(
            emergency_orders::table
                .filter(emergency_orders::id.eq(id.to_string()))
                .filter(emergency_orders::ended_at.is_null()),
        )
        .set((emergency_orders::ended_at.eq(now.as_millis()), emergency_orders::ended_by.eq(by.to_string())))
        .execute(connection)
    })?;
    Ok(ended == 1)
}

/// At most `limit` orders, the newest first, from the first one before `before`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    before: Option<EmergencyOrderId>,
    limit: u32,
) -> Result<Vec<EmergencyOrder>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        emergency_orders::table
            .filter(emergency_orders::id.lt(before))
            .order(emergency_orders::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The orders that no one ended and whose last day is not past, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn not_past(tx: &mut Tx<'_>, today: Day) -> Result<Vec<EmergencyOrder>, StoreError> {
    read_all!(tx.run(|connection| {
        emergency_orders::table
            .filter(emergency_orders::ended_at.is_null())
            .filter(emergency_orders::ends_on.ge(today.to_string()))
            .order(emergency_orders::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Every order whose last day is that day or later, ended ones included, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn ending_from(tx: &mut Tx<'_>, day: Day) -> Result<Vec<EmergencyOrder>, StoreError> {
    read_all!(tx.run(|connection| {
        emergency_orders::table
            .filter(emergency_orders::ends_on.ge(day.to_string()))
            .order(emergency_orders::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The orders that renew one of these, ended ones included, the oldest first: one statement, or none for no order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn renewals_of(
    tx: &mut Tx<'_>,
    orders: impl IntoIterator<Item = EmergencyOrderId>,
) -> Result<Vec<EmergencyOrder>, StoreError> {
    let orders = orders.into_iter().map(|one| one.to_string()).collect();
    let mut found: Vec<EmergencyOrder> = find_all!(tx, emergency_orders, orders, emergency_orders::renews)?;
    found.sort_by_key(|order| order.id);
    Ok(found)
}

/// The ids and first days of the orders that no one ended and whose last day is not past, as they stand in their rows, the
/// oldest first: one that cannot be read does not keep the others.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn ids_not_past(tx: &mut Tx<'_>, today: Day) -> Result<Vec<(String, String)>, StoreError> {
    tx.run(|connection| {
        emergency_orders::table
            .filter(emergency_orders::ended_at.is_null())
            .filter(emergency_orders::ends_on.ge(today.to_string()))
            .order(emergency_orders::id.asc())
            .select((emergency_orders::id, emergency_orders::starts_on))
            .load(connection)
    })
}

/// The orders that are in force today, over bases that both organisations approved and nobody withdrew, the oldest first.
/// Where two are for one tablet, the last one holds.
///
/// # Errors
/// [`StoreError::NotApproved`]; [`StoreError::Corrupt`].
pub fn in_force(tx: &mut Tx<'_>, now: Instant) -> Result<Vec<OrderInForce>, StoreError> {
    each_in_force(tx, now)?.into_iter().map(|each| each.map_err(|unreadable| unreadable.error)).collect()
}

/// An order that cannot be read, or whose base those who decide it did not approve.
#[derive(Debug)]
pub struct Unreadable {
    /// Its id, as it stands in its row.
    pub order: String,
    /// The collèges it is for, all if none is named; `None` if not even that can be read.
    pub colleges: Option<BTreeSet<Uai>>,
    /// What is wrong.
    pub error: StoreError,
}

/// As [`in_force`], each by itself: what cannot be read does not keep the others from tablets.
///
/// # Errors
/// Only what is about no row.
pub fn each_in_force(
    tx: &mut Tx<'_>,
    now: Instant,
) -> Result<Vec<Result<OrderInForce, Unreadable>>, StoreError> {
    let today = Day::of(now).to_string();
    let rows: Vec<Stored> = tx.run(|connection| {
        emergency_orders::table
            .filter(emergency_orders::ended_at.is_null())
            .filter(emergency_orders::starts_on.le(&today))
            .filter(emergency_orders::ends_on.ge(&today))
            .order(emergency_orders::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    })?;
    let mut found = Vec::new();
    for row in rows {
        let order = row.id.clone();
        let colleges = crate::column::read(row.uais.clone(), "emergency_orders", "uais", &order).ok();
        match row.read().and_then(|row| one_in_force(tx, &row)) {
            Ok(None) => {}
            Ok(Some(one)) => found.push(Ok(one)),
            Err(error) if error.is_about_a_row() => found.push(Err(Unreadable { order, colleges, error })),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn one_in_force(tx: &mut Tx<'_>, row: &EmergencyOrder) -> Result<Option<OrderInForce>, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "emergency_orders", row: row.id.to_string(), column };
    // Withdrawn, whoever did it, it is in force no more.
    let version = profile_versions::get(tx, &row.version_id)?.ok_or_else(|| corrupt("version_id"))?;
    if matches!(version.state, VersionState::Withdrawn | VersionState::Rejected) {
        return Ok(None);
    }
    let base = profile_versions::approved(tx, row.version_id)?.ok_or_else(|| corrupt("version_id"))?;
    OrderInForce::new(row.id, &base, row.uais.clone(), &row.reason, (row.starts_on, row.ends_on))
        .map(Some)
        .map_err(|_refused| corrupt("ends_on"))
}

crate::declared::declares! {
    emergency_orders kept as Evidence {
        personal(AccountsAndAudit: Acts) { ordered_by, ordered_at, ended_at, ended_by }
        personal(AccountsAndAudit: Reasons) { reason }
        not_personal("which base, for which collèges, on which days") {
            id, version_id, uais, starts_on, ends_on, organisation_id, renews,
        }
    }
}

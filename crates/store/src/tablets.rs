//! The inventory: tablets supplied or approved by the département (C3.3.4).

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{Instant, Platform, SerialNumber, TabletId, Uai};

use crate::noun::{by_key, find_all, find_first, hold_all, hold_first, noun, read_all};
use crate::schema::tablets;
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

noun! {
    /// A tablet of the inventory.
    pub struct Tablet in tablets keyed by id {
        /// Its id, whatever happens to its enrolments.
        id: TabletId,
        /// Its maker's serial number; one row each.
        serial: SerialNumber,
        /// The owner's label.
        asset_tag: Option<String>,
        /// The model, in the supplier's words.
        model: Option<String>,
        /// What it runs.
        platform: Platform,
        /// The collège it is assigned to.
        uai: Option<Uai>,
        /// When it was first imported.
        created_at: Instant,
        /// When its row last changed.
        updated_at: Instant,
    }
}

by_key!(tablets, Tablet, id: TabletId; insert, get, get_all, update);

/// The tablet with that serial number; `None` means it may not enrol (C3.3.4).
///
/// # Errors
/// As [`get`].
pub fn by_serial(tx: &mut Tx<'_>, serial: &SerialNumber) -> Result<Option<Tablet>, StoreError> {
    find_first!(tx, tablets::table.filter(tablets::serial.eq(serial.to_string())))
}

/// The tablets that bear that label of the owner's: one, if labels are what they should be. At most `limit`.
///
/// # Errors
/// As [`get`].
pub fn by_asset_tag(tx: &mut Tx<'_>, tag: &str, limit: u32) -> Result<Vec<Tablet>, StoreError> {
    read_all!(tx.run(|connection| {
        tablets::table
            .filter(tablets::asset_tag.eq(tag))
            .order(tablets::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The tablets that bear one of these labels of the owner's, in no order: one statement, or none for no label.
///
/// # Errors
/// As [`get`].
pub fn by_asset_tags(
    tx: &mut Tx<'_>,
    tags: impl IntoIterator<Item = String>,
) -> Result<Vec<Tablet>, StoreError> {
    find_all!(tx, tablets, tags.into_iter().collect(), tablets::asset_tag)
}

/// As [`by_serial`], and holds the tablet until the end of the transaction: whoever else holds it waits.
///
/// # Errors
/// As [`get`].
pub fn hold_by_serial(tx: &mut Tx<'_>, serial: &SerialNumber) -> Result<Option<Tablet>, StoreError> {
    hold_first!(tx, tablets, tablets::serial.eq(serial.to_string()))
}

/// As [`by_serial`], for many, in no order: one statement, or none for no serial number.
///
/// # Errors
/// As [`get`].
pub fn by_serials(
    tx: &mut Tx<'_>,
    serials: impl IntoIterator<Item = SerialNumber>,
) -> Result<Vec<Tablet>, StoreError> {
    find_all!(tx, tablets, serials.into_iter().map(|one| one.to_string()).collect(), tablets::serial)
}

/// As [`hold_by_serial`], for many, in the order of their ids.
///
/// # Errors
/// As [`get`].
pub fn hold_by_serials(
    tx: &mut Tx<'_>,
    serials: impl IntoIterator<Item = SerialNumber>,
) -> Result<Vec<Tablet>, StoreError> {
    hold_all!(tx, tablets by id, serials.into_iter().map(|one| one.to_string()).collect(), tablets::serial)
}

/// At most `limit` tablets within reach, in the order of their ids, from the first one after `after`.
///
/// # Errors
/// As [`get`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<TabletId>,
    limit: u32,
) -> Result<Vec<Tablet>, StoreError> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let query = tablets::table
            .filter(tablets::id.gt(after))
            .order(tablets::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        of_colleges_within!(query, within, tablets::uai).load::<Stored>(connection)
    }))
}

/// How many tablets the inventory has.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count(tx: &mut Tx<'_>, within: &Within) -> Result<u64, StoreError> {
    let count: i64 = tx.run(|connection| {
        let query = tablets::table.select(diesel::dsl::count_star()).into_boxed();
        of_colleges_within!(query, within, tablets::uai).get_result(connection)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

crate::declared::declares! {
    tablets kept as Equipment {
        personal(DeviceManagement: DeviceIdentifiers) { serial, asset_tag }
        not_personal("what many tablets share") { model, platform, uai }
        not_personal("numbers and dates of ours") { id, created_at, updated_at }
    }
}

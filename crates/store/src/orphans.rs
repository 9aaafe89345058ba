//! Tablets that prove a certificate of our authorities and that no row knows: what a restored database has
//! forgotten. They are answered 503, stand here, and two persons may re-adopt them.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{Instant, SerialNumber, Udid};

use crate::column::Column as _;
use crate::noun::{by_key, noun, on_each_engine, read_all};
use crate::schema::orphans;
use crate::{Digest, StoreError, Tx};

noun! {
    /// A tablet that no row knows.
    pub struct Orphan in orphans keyed by certificate_sha256 {
        /// SHA-256 of the certificate it proves.
        certificate_sha256: Digest,
        /// The UDID it gave.
        udid: Option<Udid>,
        /// The serial number it gave.
        serial: Option<SerialNumber>,
        /// SHA-256 of the authority's certificate.
        authority_fingerprint: Digest,
        /// When it first came.
        first_seen_at: Instant,
        /// When it last came.
        last_seen_at: Instant,
        /// How often it came.
        sightings: i64,
    }
}

by_key!(orphans, Orphan, certificate_sha256: Digest; get);

/// Notes an orphan, or counts it if it is known; a UDID or serial number it did not give before is kept.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn sighted(
    tx: &mut Tx<'_>,
    certificate_sha256: &Digest,
    authority_fingerprint: &Digest,
    udid: Option<&Udid>,
    serial: Option<&SerialNumber>,
    now: Instant,
) -> Result<(), StoreError> {
    let stored = Stored::of(&Orphan {
        certificate_sha256: *certificate_sha256,
        udid: udid.cloned(),
        serial: serial.cloned(),
        authority_fingerprint: *authority_fingerprint,
        first_seen_at: now,
        last_seen_at: now,
        sightings: 1,
    });
    on_each_engine!(tx, |connection| {
        diesel::insert_into(orphans::table)
            .values(stored)
            .on_conflict(orphans::certificate_sha256)
            .do_update()
            .set((orphans::last_seen_at.eq(now.as_millis()), orphans::sightings.eq(orphans::sightings + 1)))
            .execute(connection)
    })?;
    let row = orphans::table.filter(orphans::certificate_sha256.eq(certificate_sha256.stored()));
    tx.run(|connection| {
        if let Some(udid) = udid {
            diesel::update(row.clone().filter(orphans::udid.is_null()))
                .set(orphans::udid.eq(udid.stored()))
                .execute(connection)?;
        }
        if let Some(serial) = serial {
            diesel::update(row.filter(orphans::serial.is_null()))
                .set(orphans::serial.eq(serial.stored()))
                .execute(connection)?;
        }
        Ok(())
    })
}

/// At most `limit` orphans, the latest seen first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Orphan>, StoreError> {
    read_all!(tx.run(|connection| {
        orphans::table
            .order((orphans::last_seen_at.desc(), orphans::certificate_sha256.asc()))
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Removes an orphan that was re-adopted; `false` if there is none.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn remove(tx: &mut Tx<'_>, certificate_sha256: &Digest) -> Result<bool, StoreError> {
    let removed = tx.run(|connection| {
        diesel::delete(orphans::table.find(certificate_sha256.to_string())).execute(connection)
    })?;
    Ok(removed == 1)
}

crate::declared::declares! {
    orphans kept as Orphans {
        personal(DeviceManagement: DeviceIdentifiers) { certificate_sha256, udid, serial }
        personal(DeviceManagement: ContactTimes) { first_seen_at, last_seen_at }
        not_personal("who issued the certificate, and a count") { authority_fingerprint, sightings }
    }
}

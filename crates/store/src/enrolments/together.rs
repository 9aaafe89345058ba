//! Enrolments of many tablets that say the same kind of thing at the same moment, in a few statements.

use std::collections::HashMap;

use diesel::sql_types::Text;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use serde_json::{Value as Json, json};
use types::{EnrolmentId, Instant, TabletId, Udid};

use super::{Enrolment, EnrolmentSecrets, LIVE, Stored, sealed};
use crate::certificates::{self, Certificate};
use crate::column::Column as _;
use crate::many::{Many, many};
use crate::noun::{find_all, hold_all};
use crate::schema::{certificates as certificates_table, enrolments};
use crate::vitals::{self, About};
use crate::{Digest, StoreError, Tx};

/// As [`hold_by_certificate`](super::hold_by_certificate), for many, in three statements; the enrolments are held in the
/// order of their ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_by_certificates(
    tx: &mut Tx<'_>,
    hashes: &[Digest],
) -> Result<HashMap<Digest, (Certificate, Enrolment)>, StoreError> {
    let keys: Vec<String> = hashes.iter().map(ToString::to_string).collect();
    // A certificate is never bound again, so that its enrolment can be found before it is held.
    let owners: Vec<String> = tx.run(|connection| {
        certificates_table::table
            .filter(certificates_table::sha256.eq_any(keys))
            .select(certificates_table::enrolment_id)
            .load(connection)
    })?;
    let held: Vec<Enrolment> = hold_all!(tx, enrolments by id, owners, enrolments::id)?;
    if let [first, others @ ..] = held.as_slice() {
        vitals::about(About::Batch(first.id, others.len()));
    }
    let held: HashMap<EnrolmentId, Enrolment> = held.into_iter().map(|one| (one.id, one)).collect();
    let certificates = certificates::get_all(tx, hashes.iter().copied())?;
    Ok(certificates
        .into_iter()
        .filter_map(|one| Some((one.sha256, (held.get(&one.enrolment_id)?.clone(), one))))
        .map(|(hash, (enrolment, certificate))| (hash, (certificate, enrolment)))
        .collect())
}

/// As [`hold_live_of_tablet`](super::hold_live_of_tablet), for many, in the order of the enrolments' ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_live_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<Enrolment>, StoreError> {
    let tablets = tablets.into_iter().map(|one| one.to_string()).collect();
    let held: Vec<Enrolment> = hold_all!(
        tx,
        enrolments by id,
        tablets,
        enrolments::tablet_id,
        enrolments::state.eq_any(LIVE)
    )?;
    if let [first, others @ ..] = held.as_slice() {
        vitals::about(About::Batch(first.id, others.len()));
    }
    Ok(held)
}

/// As [`live_of_tablet`](super::live_of_tablet), for many, in no order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<Enrolment>, StoreError> {
    find_all!(
        tx,
        enrolments,
        tablets.into_iter().map(|one| one.to_string()).collect(),
        enrolments::tablet_id,
        enrolments::state.eq_any(LIVE)
    )
}

/// As [`live_by_udid`](super::live_by_udid), for many, in no order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_by_udids<'u>(
    tx: &mut Tx<'_>,
    udids: impl IntoIterator<Item = &'u Udid>,
) -> Result<Vec<Enrolment>, StoreError> {
    let udids = udids.into_iter().map(|one| one.as_str().to_owned()).collect();
    // Those that are over are few, and left out here: the index of live ones is by tablet, and would be read whole.
    let mut found: Vec<Enrolment> = find_all!(tx, enrolments, udids, enrolments::udid)?;
    found.retain(|one| LIVE.contains(&one.state.as_str()));
    Ok(found)
}

/// As [`hold_udid`](super::hold_udid), for many, in one order for whoever holds several.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn hold_udids<'u>(tx: &mut Tx<'_>, udids: impl IntoIterator<Item = &'u Udid>) -> Result<(), StoreError> {
    if tx.engine() == crate::Engine::Sqlite {
        // Its only writer holds everything.
        return Ok(());
    }
    let notes = udids.into_iter().map(|udid| json!({ "udid": udid.as_str() }));
    HOLD_UDIDS.load::<Text, String>(tx, notes.collect::<Vec<_>>()).map(drop)
}

/// The lock's number is that of [`hold_udid`](super::hold_udid).
const HOLD_UDIDS: Many = many!(
    "SELECT pg_advisory_xact_lock(8103, hash)::text FROM (SELECT DISTINCT hashtext(note.udid) AS hash FROM";
    udid text;
    "ORDER BY 1) AS udids"
);

/// Tablets asked to enrol: each of these enrolments is their tablet's from now on. It has its `tablet_id`, its
/// `authenticated_at`, and what the tablet told.
///
/// # Errors
/// [`StoreError::Duplicate`] if one of the tablets has a live enrolment already.
pub fn authenticated<'e>(
    tx: &mut Tx<'_>,
    enrolments: impl IntoIterator<Item = &'e Enrolment>,
) -> Result<(), StoreError> {
    let notes = enrolments.into_iter().map(|one| {
        json!({
            "owner": one.id,
            "tablet": one.tablet_id,
            "device": one.udid.stored(),
            "number": one.serial.stored(),
            "os": one.os_version,
            "build": one.build_version,
            "product": one.product_name,
            "at": one.authenticated_at.stored(),
        })
    });
    AUTHENTICATED.run(tx, notes)
}

const AUTHENTICATED: Many = many!(
    "UPDATE enrolments SET state = 'authenticated', tablet_id = note.tablet, udid = note.device, serial = note.number, \
        os_version = note.os, build_version = note.build, product_name = note.product, authenticated_at = note.at FROM";
    owner text, tablet text, device text, number text, os text, build text, product text, at bigint;
    "WHERE id = note.owner"
);

/// Where a tablet is to be pushed from now on.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose tablet.
    pub enrolment: EnrolmentId,
    /// Its secrets; one that it did not tell is kept.
    pub secrets: EnrolmentSecrets,
    /// Whether Setup Assistant waits for us; `None` leaves what is known.
    pub awaiting_configuration: Option<bool>,
    /// When it told.
    pub at: Instant,
}

/// Tablets told where to push: each is managed from now on. One statement, or none for none.
///
/// # Errors
/// [`StoreError::Sealed`] and the like.
pub fn tokens_updated<'n>(
    tx: &mut Tx<'_>,
    told: impl IntoIterator<Item = &'n NewToken>,
) -> Result<(), StoreError> {
    let notes = told.into_iter().map(|one| token_note(tx, one)).collect::<Result<Vec<Json>, _>>()?;
    TOKENS_UPDATED.run(tx, notes)
}

fn token_note(tx: &Tx<'_>, told: &NewToken) -> Result<Json, StoreError> {
    let [token, magic, unlock, bootstrap] = sealed(tx, told.enrolment, &told.secrets)?.map(Json::from);
    Ok(json!({
        "owner": told.enrolment,
        "at": told.at.as_millis(),
        "waits": told.awaiting_configuration,
        "token": token,
        "magic": magic,
        "unlocks": unlock,
        "bootstrap": bootstrap,
    }))
}

/// What is not told leaves what is.
const TOKENS_UPDATED: Many = many!(
    postgresql "UPDATE enrolments SET state = 'active', token_updated_at = note.at, \
        awaiting_configuration = coalesce(note.waits, awaiting_configuration), \
        push_token_sealed = coalesce(decode(note.token, 'hex'), push_token_sealed), \
        push_magic_sealed = coalesce(decode(note.magic, 'hex'), push_magic_sealed), \
        unlock_token_sealed = coalesce(decode(note.unlocks, 'hex'), unlock_token_sealed), \
        bootstrap_token_sealed = coalesce(decode(note.bootstrap, 'hex'), bootstrap_token_sealed) FROM",
    sqlite "UPDATE enrolments SET state = 'active', token_updated_at = note.at, \
        awaiting_configuration = coalesce(note.waits, awaiting_configuration), \
        push_token_sealed = coalesce(unhex(note.token), push_token_sealed), \
        push_magic_sealed = coalesce(unhex(note.magic), push_magic_sealed), \
        unlock_token_sealed = coalesce(unhex(note.unlocks), unlock_token_sealed), \
        bootstrap_token_sealed = coalesce(unhex(note.bootstrap), bootstrap_token_sealed) FROM";
    owner text, at bigint, waits boolean, token text, magic text, unlocks text, bootstrap text;
    "WHERE id = note.owner"
);

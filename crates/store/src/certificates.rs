//! Certificates (not their keys): each bound to one enrolment when it is issued, never rebound.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use serde_json::json;
use types::{EnrolmentId, Instant};

use crate::column::stored_enum;
use crate::many::{Many, many};
use crate::noun::{by_key, noun, read_all};
use crate::schema::certificates;
use crate::{Digest, StoreError, Tx};

stored_enum! {
    /// What a certificate is worth.
    CertificateState {
        /// Issued; not used yet.
        Issued = "issued",
        /// Confirmed at Authenticate, or at its first use after a renewal.
        Confirmed = "confirmed",
        /// Replaced by a renewal or by another enrolment of the same tablet.
        Superseded = "superseded",
        /// Revoked when we ended its enrolment.
        Revoked = "revoked",
    }
}

noun! {
    /// A certificate that was issued, or taken over.
    pub struct Certificate in certificates keyed by sha256 {
        /// SHA-256 of the DER.
        sha256: Digest,
        /// The only enrolment it proves.
        enrolment_id: EnrolmentId,
        /// SHA-256 of the authority's certificate.
        authority_fingerprint: Digest,
        /// The serial number of the certificate, hexadecimal.
        serial_number: String,
        /// What it is worth.
        state: CertificateState,
        /// When it was issued.
        issued_at: Instant,
        /// When it expires.
        not_after: Instant,
        /// When it was first used.
        first_used_at: Option<Instant>,
        /// The certificate it renews.
        renewed_from: Option<Digest>,
    }
}

by_key!(certificates, Certificate, sha256: Digest; insert, get, get_all, update);

/// Every certificate of an enrolment, oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_enrolment(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Vec<Certificate>, StoreError> {
    read_all!(tx.run(|connection| {
        certificates::table
            .filter(certificates::enrolment_id.eq(enrolment.to_string()))
            .order((certificates::issued_at.asc(), certificates::sha256.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Moves every certificate of an enrolment to `state`; returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set_state_of_enrolment(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    state: CertificateState,
) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(certificates::table.filter(certificates::enrolment_id.eq(enrolment.to_string())))
            .set(certificates::state.eq(state.as_str()))
            .execute(connection)
    })
}

/// At most `limit` confirmed certificates that expire before `before`, soonest first, from the first one after
/// `after`: what is to be renewed.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn expiring(
    tx: &mut Tx<'_>,
    before: Instant,
    after: Option<(Instant, Digest)>,
    limit: u32,
) -> Result<Vec<Certificate>, StoreError> {
    let (after, sha256) = match after {
        Some((instant, sha256)) => (instant.as_millis(), sha256.to_string()),
        None => (i64::MIN, String::new()),
    };
    read_all!(tx.run(|connection| {
        certificates::table
            .filter(certificates::not_after.lt(before.as_millis()))
            .filter(
                certificates::not_after
                    .gt(after)
                    .or(certificates::not_after.eq(after).and(certificates::sha256.gt(sha256))),
            )
            .filter(certificates::state.eq(CertificateState::Confirmed.as_str()))
            .order((certificates::not_after.asc(), certificates::sha256.asc()))
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Confirms a certificate at its first use; the enrolment's older ones prove nothing from now on, those that were
/// never used included. `false` if it was not waiting to be confirmed.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn confirm(tx: &mut Tx<'_>, sha256: &Digest, now: Instant) -> Result<bool, StoreError> {
    let Some(certificate) = get(tx, sha256)?.filter(|one| one.state == CertificateState::Issued) else {
        return Ok(false);
    };
    confirm_all(tx, [(&certificate, now)])?;
    Ok(true)
}

/// As [`confirm`], for certificates of different enrolments, in two statements; each waits to be confirmed.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn confirm_all<'c>(
    tx: &mut Tx<'_>,
    used: impl IntoIterator<Item = (&'c Certificate, Instant)>,
) -> Result<(), StoreError> {
    let notes: Vec<_> = used
        .into_iter()
        .map(|(certificate, now)| {
            json!({
                "sha": certificate.sha256.to_string(),
                "owner": certificate.enrolment_id,
                "issued": certificate.issued_at.as_millis(),
                "at": now.as_millis(),
            })
        })
        .collect();
    SUPERSEDE.run(tx, notes.clone())?;
    CONFIRM.run(tx, notes)
}

const SUPERSEDE: Many = many!(
    "UPDATE certificates SET state = 'superseded' FROM (SELECT c.sha256 FROM";
    owner text, issued bigint;
    postgresql "CROSS JOIN LATERAL (SELECT c.sha256 FROM certificates c WHERE c.enrolment_id = note.owner \
        AND (c.state = 'confirmed' OR (c.state = 'issued' AND c.issued_at < note.issued)) OFFSET 0) AS c) AS found \
        WHERE certificates.sha256 = found.sha256 AND state IN ('confirmed', 'issued')",
    sqlite "CROSS JOIN certificates c WHERE c.enrolment_id = note.owner \
        AND (c.state = 'confirmed' OR (c.state = 'issued' AND c.issued_at < note.issued)) LIMIT -1) AS found \
        WHERE certificates.sha256 = found.sha256 AND state IN ('confirmed', 'issued')"
);

const CONFIRM: Many = many!(
    "UPDATE certificates SET state = 'confirmed', first_used_at = note.at FROM";
    sha text, at bigint;
    "WHERE sha256 = note.sha AND state = 'issued'"
);

crate::declared::declares! {
    certificates kept as Equipment {
        personal(DeviceManagement: DeviceIdentifiers) { sha256, serial_number, renewed_from }
        personal(DeviceManagement: ContactTimes) { first_used_at }
        not_personal("what the certificate is worth, who issued it, and for how long") {
            enrolment_id, authority_fingerprint, state, issued_at, not_after,
        }
    }
}

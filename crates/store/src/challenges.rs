//! Single-use SCEP challenges, each bound to one enrolment (T-A11).

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{ChallengeId, EnrolmentId, Instant};

use crate::noun::{by_key, hold_first, noun};
use crate::schema::challenges;
use crate::{Digest, StoreError, Tx};

noun! {
    /// A challenge; only the hash of its secret is stored.
    pub struct Challenge in challenges keyed by id {
        /// Its id.
        id: ChallengeId,
        /// SHA-256 of the secret that the profile carries.
        secret_sha256: Digest,
        /// The only enrolment it may get a certificate for.
        enrolment_id: EnrolmentId,
        /// When it was made.
        created_at: Instant,
        /// The first instant it is refused.
        expires_at: Instant,
        /// When it was used.
        used_at: Option<Instant>,
        /// SHA-256 of the public key that it got a certificate for.
        used_for: Option<Digest>,
        /// That certificate, in DER.
        certificate: Option<Vec<u8>>,
    }
}

by_key!(challenges, Challenge, id: ChallengeId; insert, get);

/// The challenge with that secret, used or not, expired or not, held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_by_secret(tx: &mut Tx<'_>, secret_sha256: &Digest) -> Result<Option<Challenge>, StoreError> {
    hold_first!(tx, challenges, challenges::secret_sha256.eq(secret_sha256.to_string()))
}

/// Uses a challenge for a public key, and keeps the certificate (DER) that this key is given. `true` exactly
/// once: it was there, unused and not expired, and is now used. Of two that try at the same time, one is told
/// `false`.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn consume(
    tx: &mut Tx<'_>,
    id: ChallengeId,
    public_key_sha256: &Digest,
    certificate: &[u8],
    now: Instant,
) -> Result<bool, StoreError> {
    let used = tx.run(|connection| {
        diesel::update(
            challenges::table
                .filter(challenges::id.eq(id.to_string()))
                .filter(challenges::used_at.is_null())
                .filter(challenges::expires_at.gt(now.as_millis())),
        )
        .set((
            challenges::used_at.eq(now.as_millis()),
            challenges::used_for.eq(public_key_sha256.to_string()),
            challenges::certificate.eq(certificate),
        ))
        .execute(connection)
    })?;
    Ok(used == 1)
}

crate::declared::declares! {
    challenges kept as Challenges {
        personal(DeviceManagement: DeviceIdentifiers) { used_for, certificate }
        personal(DeviceManagement: ContactTimes) { used_at }
        not_personal("random bytes, and numbers and dates of ours") {
            id, secret_sha256, enrolment_id, created_at, expires_at,
        }
    }
}

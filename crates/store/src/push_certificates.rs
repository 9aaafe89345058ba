//! Push certificates: the one that pushes, and the ones before it.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{Instant, PushCertificateId, Secret};

use crate::column::stored_enum;
use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::push_certificates;
use crate::{RowName, StoreError, Tx};

stored_enum! {
    /// Whether a push certificate is in use.
    PushCertificateState {
        /// It pushes.
        Current = "current",
        /// A newer one pushes.
        Previous = "previous",
    }
}

noun! {
    /// A push certificate, without its key.
    pub struct PushCertificate in push_certificates keyed by id {
        /// Its id.
        id: PushCertificateId,
        /// The topic: the UID of its subject.
        topic: String,
        /// The chain, PEM.
        chain_pem: String,
        /// When it expires.
        not_after: Instant,
        /// Whether it is in use.
        state: PushCertificateState,
        /// When it was uploaded.
        created_at: Instant,
    }
}

by_key!(push_certificates, PushCertificate, id: PushCertificateId; get);

fn key_place(id: PushCertificateId) -> RowName {
    RowName::new("push_certificates", "key_sealed", &id)
}

/// Adds a push certificate with its private key (PEM or DER, as given) and makes it the current one.
///
/// # Errors
/// [`StoreError::Sealed`] and the like.
pub fn make_current(
    tx: &mut Tx<'_>,
    certificate: &PushCertificate,
    key: &Secret<Vec<u8>>,
) -> Result<(), StoreError> {
    let sealed = tx.vault().seal(key.expose(), &key_place(certificate.id))?;
    let stored = Stored::of(&PushCertificate { state: PushCertificateState::Current, ..certificate.clone() });
    tx.run(|connection| {
        diesel::update(push_certificates::table)
            .set(push_certificates::state.eq(PushCertificateState::Previous.as_str()))
            .execute(connection)?;
        diesel::insert_into(push_certificates::table)
            .values((stored, push_certificates::key_sealed.eq(sealed)))
            .execute(connection)
    })?;
    Ok(())
}

/// The certificate that pushes.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn current(tx: &mut Tx<'_>) -> Result<Option<PushCertificate>, StoreError> {
    find_first!(
        tx,
        push_certificates::table.filter(push_certificates::state.eq(PushCertificateState::Current.as_str()))
    )
}

/// The private key of a push certificate, as it was given.
///
/// # Errors
/// [`StoreError::Sealed`] if the key file lacks its key.
pub fn key(tx: &mut Tx<'_>, id: PushCertificateId) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
    let sealed: Option<Vec<u8>> = tx.run(|connection| {
        push_certificates::table
            .find(id.to_string())
            .select(push_certificates::key_sealed)
            .first(connection)
            .optional()
    })?;
    Ok(sealed.map(|sealed| tx.vault().open(&sealed, &key_place(id))).transpose()?)
}

/// Every push certificate, newest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<PushCertificate>, StoreError> {
    read_all!(tx.run(|connection| {
        push_certificates::table
            .order(push_certificates::id.desc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    push_certificates kept as Configuration {
        not_personal("a push certificate is the server's") {
            id, topic, chain_pem, key_sealed, not_after, state, created_at,
        }
    }
}

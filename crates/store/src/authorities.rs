//! Certificate authorities: ours, rotated, and further ones whose tablets were taken over.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AuthorityId, Instant, Secret};

use crate::column::stored_enum;
use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::authorities;
use crate::{Digest, RowName, StoreError, Tx};

stored_enum! {
    /// Whose authority it is.
    AuthorityKind {
        /// Ours: it issues.
        Own = "own",
        /// Another server's, of tablets that were taken over: it only proves.
        Further = "further",
    }

    /// What an authority is good for now.
    AuthorityState {
        /// It issues (ours) or proves (a further one).
        Current = "current",
        /// It issues no more; its certificates still prove.
        Previous = "previous",
        /// Its certificates prove nothing any more.
        Retired = "retired",
    }
}

noun! {
    /// A certificate authority.
    pub struct Authority in authorities keyed by id {
        /// Its id.
        id: AuthorityId,
        /// Whose it is.
        kind: AuthorityKind,
        /// What it is good for; at most one of ours is current.
        state: AuthorityState,
        /// Its certificate, DER.
        certificate: Vec<u8>,
        /// SHA-256 of the certificate.
        fingerprint: Digest,
        /// When it was made or admitted.
        created_at: Instant,
    }
}

by_key!(authorities, Authority, id: AuthorityId; get);

fn key_place(id: AuthorityId) -> RowName {
    RowName::new("authorities", "key_sealed", &id)
}

/// Adds an authority, with its private key (DER) if it is ours.
///
/// # Errors
/// [`StoreError::Duplicate`] if it is there already, or if one of ours is current.
pub fn insert(
    tx: &mut Tx<'_>,
    authority: &Authority,
    key_der: Option<&Secret<Vec<u8>>>,
) -> Result<(), StoreError> {
    let key = key_der.map(|key| tx.vault().seal(key.expose(), &key_place(authority.id))).transpose()?;
    let stored = Stored::of(authority);
    tx.run(|connection| {
        diesel::insert_into(authorities::table)
            .values((stored, authorities::key_sealed.eq(key)))
            .execute(connection)
    })?;
    Ok(())
}

/// The private key (DER) of an authority of ours; `None` for a further one.
///
/// # Errors
/// [`StoreError::Sealed`] if the key file lacks its key.
pub fn key(tx: &mut Tx<'_>, id: AuthorityId) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
    let sealed: Option<Option<Vec<u8>>> = tx.run(|connection| {
        authorities::table.find(id.to_string()).select(authorities::key_sealed).first(connection).optional()
    })?;
    Ok(sealed.flatten().map(|sealed| tx.vault().open(&sealed, &key_place(id))).transpose()?)
}

/// Our authority that issues.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn current(tx: &mut Tx<'_>) -> Result<Option<Authority>, StoreError> {
    find_first!(
        tx,
        authorities::table
            .filter(authorities::kind.eq(AuthorityKind::Own.as_str()))
            .filter(authorities::state.eq(AuthorityState::Current.as_str()))
    )
}

/// Every authority whose certificates still prove something: all but the retired, newest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn trusted(tx: &mut Tx<'_>) -> Result<Vec<Authority>, StoreError> {
    read_all!(tx.run(|connection| {
        authorities::table
            .filter(authorities::state.ne(AuthorityState::Retired.as_str()))
            .order(authorities::id.desc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Moves an authority to another state; `false` if there is none.
///
/// # Errors
/// [`StoreError::Duplicate`] if a second one of ours would be current.
pub fn set_state(tx: &mut Tx<'_>, id: AuthorityId, state: AuthorityState) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(authorities::table.find(id.to_string()))
            .set(authorities::state.eq(state.as_str()))
            .execute(connection)
    })?;
    Ok(changed > 0)
}

crate::declared::declares! {
    authorities kept as Configuration {
        not_personal("an authority is the server's, or another server's") {
            id, kind, state, certificate, key_sealed, fingerprint, created_at,
        }
    }
}

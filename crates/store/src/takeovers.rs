//! Permissions to bring in a tablet of another server, by an audited import (T-A6). No row, no binding.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{EnrolmentId, Instant, Secret, SerialNumber, TakeoverId, Udid};

use crate::enrolments::EnrolmentSecrets;
use crate::noun::{by_key, hold_first, noun};
use crate::schema::takeovers;
use crate::{Digest, RowName, StoreError, Tx};

noun! {
    /// A permission to bring in one tablet, without its secrets.
    pub struct Takeover in takeovers keyed by id {
        /// Its id.
        id: TakeoverId,
        /// Apple's identifier of the device.
        udid: Udid,
        /// Its serial number, which the inventory must hold.
        serial: SerialNumber,
        /// Its push topic.
        topic: String,
        /// SHA-256 of the only certificate it admits.
        certificate_sha256: Digest,
        /// SHA-256 of the further authority's certificate.
        authority_fingerprint: Digest,
        /// When it was imported.
        imported_at: Instant,
        /// Who imported it, as the audit log names them.
        imported_by: String,
        /// The first instant it is refused.
        window_ends_at: Instant,
        /// When it was used.
        used_at: Option<Instant>,
        /// The enrolment it became.
        enrolment_id: Option<EnrolmentId>,
    }
}

by_key!(takeovers, Takeover, id: TakeoverId; get);

fn place(column: &'static str, id: TakeoverId) -> RowName {
    RowName::new("takeovers", column, &id)
}

/// Adds a permission, with the token and magic to push with, and the unlock token if it is known.
///
/// # Errors
/// [`StoreError::Duplicate`] if its certificate has one already.
pub fn insert(
    tx: &mut Tx<'_>,
    takeover: &Takeover,
    push_token: &Secret<Vec<u8>>,
    push_magic: &Secret<Vec<u8>>,
    unlock_token: Option<&Secret<Vec<u8>>>,
) -> Result<(), StoreError> {
    let seal =
        |secret: &Secret<Vec<u8>>, column| tx.vault().seal(secret.expose(), &place(column, takeover.id));
    let sealed = (
        takeovers::push_token_sealed.eq(seal(push_token, "push_token_sealed")?),
        takeovers::push_magic_sealed.eq(seal(push_magic, "push_magic_sealed")?),
        takeovers::unlock_token_sealed
            .eq(unlock_token.map(|token| seal(token, "unlock_token_sealed")).transpose()?),
    );
    let stored = Stored::of(takeover);
    tx.run(|connection| diesel::insert_into(takeovers::table).values((stored, sealed)).execute(connection))?;
    Ok(())
}

/// The permission for that certificate, used or not, in its window or not, held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_by_certificate(tx: &mut Tx<'_>, sha256: &Digest) -> Result<Option<Takeover>, StoreError> {
    hold_first!(tx, takeovers, takeovers::certificate_sha256.eq(sha256.to_string()))
}

/// Whether there is a permission for that certificate, used or not, in its window or not.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn is_known(tx: &mut Tx<'_>, sha256: &Digest) -> Result<bool, StoreError> {
    let named = takeovers::table.filter(takeovers::certificate_sha256.eq(sha256.to_string()));
    tx.run(|connection| diesel::select(diesel::dsl::exists(named)).get_result(connection))
}

/// Uses a permission for an enrolment. `true` exactly once, and only inside its window.
///
/// # Errors
/// [`StoreError::Dangling`] if there is no such enrolment.
pub fn use_once(
    tx: &mut Tx<'_>,
    id: TakeoverId,
    enrolment: EnrolmentId,
    now: Instant,
) -> Result<bool, StoreError> {
    let used = tx.run(|connection| {
        diesel::update(
            takeovers::table
                .filter(takeovers::id.eq(id.to_string()))
                .filter(takeovers::used_at.is_null())
                .filter(takeovers::window_ends_at.gt(now.as_millis())),
        )
        .set((takeovers::used_at.eq(now.as_millis()), takeovers::enrolment_id.eq(enrolment.to_string())))
        .execute(connection)
    })?;
    Ok(used == 1)
}

/// Opens the secrets of a permission.
///
/// # Errors
/// [`StoreError::Sealed`] if one does not open.
pub fn secrets(tx: &mut Tx<'_>, id: TakeoverId) -> Result<EnrolmentSecrets, StoreError> {
    type Sealed = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);
    let sealed: Option<Sealed> = tx.run(|connection| {
        takeovers::table
            .find(id.to_string())
            .select((
                takeovers::push_token_sealed,
                takeovers::push_magic_sealed,
                takeovers::unlock_token_sealed,
            ))
            .first(connection)
            .optional()
    })?;
    let Some((push_token, push_magic, unlock_token)) = sealed else {
        return Ok(EnrolmentSecrets::default());
    };
    let vault = tx.vault();
    Ok(EnrolmentSecrets {
        push_token: Some(vault.open(&push_token, &place("push_token_sealed", id))?),
        push_magic: Some(vault.open(&push_magic, &place("push_magic_sealed", id))?),
        unlock_token: unlock_token
            .map(|sealed| vault.open(&sealed, &place("unlock_token_sealed", id)))
            .transpose()?,
        bootstrap_token: None,
    })
}

crate::declared::declares! {
    takeovers kept as Takeovers {
        personal(DeviceManagement: DeviceIdentifiers) { udid, serial, certificate_sha256 }
        personal(DeviceManagement: DeviceSecrets) { push_token_sealed, push_magic_sealed, unlock_token_sealed }
        personal(DeviceManagement: ContactTimes) { used_at }
        personal(AccountsAndAudit: Acts) { imported_at, imported_by }
        not_personal("which server it comes from, and until when it may") {
            id, topic, authority_fingerprint, window_ends_at, enrolment_id,
        }
    }
}

//! Who decided a version (C3.1.1, C3.1.3): given once by an organisation, for exactly one content, and never changed.

use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, CountersignatureId, Instant, OrganisationId, ProfileVersionId};

use crate::noun::{noun, read_all};
use crate::schema::{organisations, profile_approvals};
use crate::{Digest, StoreError, Tx};

noun! {
    /// One organisation's approval of one version.
    pub struct Approval in profile_approvals keyed by version_id {
        /// The version.
        version_id: ProfileVersionId,
        /// The organisation.
        organisation_id: OrganisationId,
        /// Who approved for it.
        account_id: AccountId,
        /// SHA-256 of exactly what was approved.
        content_sha256: Digest,
        /// When.
        approved_at: Instant,
        /// The second person's signature it is; a collège decides its own additions without.
        countersignature_id: Option<CountersignatureId>,
    }
}

/// Records an approval.
///
/// # Errors
/// [`StoreError::Refused`] unless the version waits, exactly so, and it is a second person's signature, or the collège's
/// own decision; [`StoreError::Duplicate`] if the organisation approved it before.
pub fn insert(tx: &mut Tx<'_>, approval: &Approval) -> Result<(), StoreError> {
    let stored = Stored::of(approval);
    tx.run(|connection| diesel::insert_into(profile_approvals::table).values(stored).execute(connection))?;
    Ok(())
}

/// The approvals of a version, the first given first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_version(tx: &mut Tx<'_>, version: ProfileVersionId) -> Result<Vec<Approval>, StoreError> {
    read_all!(tx.run(|connection| {
        profile_approvals::table
            .filter(profile_approvals::version_id.eq(version.to_string()))
            .order((profile_approvals::approved_at.asc(), profile_approvals::organisation_id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The approvals of a version as the facts of a proof.
pub(crate) fn facts(
    tx: &mut Tx<'_>,
    version: ProfileVersionId,
) -> Result<Vec<profiles::Approval>, StoreError> {
    let found: Vec<(Stored, String, Option<String>)> = tx.run(|connection| {
        profile_approvals::table
            .inner_join(organisations::table.on(organisations::id.eq(profile_approvals::organisation_id)))
            .filter(profile_approvals::version_id.eq(version.to_string()))
            .order(profile_approvals::organisation_id.asc())
            .select((Stored::as_select(), organisations::kind, organisations::uai))
            .load(connection)
    })?;
    let mut facts = Vec::with_capacity(found.len());
    for (stored, kind, uai) in found {
        let row = stored.read()?;
        let kind = crate::column::read(kind, "organisations", "kind", &row.organisation_id)?;
        let uai = crate::column::read(uai, "organisations", "uai", &row.organisation_id)?;
        #[expect(clippy::disallowed_methods, reason = "this is the row")]
        let fact =
            profiles::Approval::from_row(kind, uai, row.account_id, row.content_sha256, row.approved_at);
        facts.push(fact);
    }
    Ok(facts)
}

crate::declared::declares! {
    profile_approvals kept as Evidence {
        personal(AccountsAndAudit: Acts) { account_id, approved_at, countersignature_id }
        not_personal("which text, for which organisation") { version_id, organisation_id, content_sha256 }
    }
}

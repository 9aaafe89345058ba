//! Organisations: the département, the académie and the collèges, and what each collège decided for itself.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Day, Instant, OrganisationId, OrganisationKind, Secret, Uai};

pub use governance::{HomeUse, OrganisationState};

use crate::column::Column as _;
use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::organisations;
use crate::{RowName, StoreError, Tx, Within};

noun! {
    /// An organisation, without the secrets of its network.
    pub struct Organisation in organisations keyed by id {
        /// Its id.
        id: OrganisationId,
        /// What it is, for good.
        kind: OrganisationKind,
        /// Its name.
        name: String,
        /// A collège's code, for good; others have none.
        uai: Option<Uai>,
        /// Whether it takes part.
        state: OrganisationState,
        /// What a collège decided about use at home (C3.3.3).
        home_use: HomeUse,
        /// The day a collège adopted its IT charter (C3.3.5).
        charter_adopted_on: Option<Day>,
        /// A collège's référent: an account of its own (C3.3.1).
        referent_account_id: Option<AccountId>,
        /// When it was founded here.
        created_at: Instant,
        /// When its row last changed.
        updated_at: Instant,
    }
}

by_key!(organisations, Organisation, id: OrganisationId; insert, get, update);

/// The collège with that code.
///
/// # Errors
/// As [`get`].
pub fn by_uai(tx: &mut Tx<'_>, uai: &Uai) -> Result<Option<Organisation>, StoreError> {
    find_first!(tx, organisations::table.filter(organisations::uai.eq(uai.to_string())))
}

/// The only organisation of that kind: the département, or the académie. Of collèges, the one first founded.
///
/// # Errors
/// As [`get`].
pub fn of_kind(tx: &mut Tx<'_>, kind: OrganisationKind) -> Result<Option<Organisation>, StoreError> {
    find_first!(
        tx,
        organisations::table.filter(organisations::kind.eq(kind.as_str())).order(organisations::id.asc())
    )
}

/// At most `limit` organisations in the order of their ids, from the first one after `after`. Within collèges:
/// those collèges.
///
/// # Errors
/// As [`get`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<OrganisationId>,
    limit: u32,
) -> Result<Vec<Organisation>, StoreError> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let query = organisations::table
            .filter(organisations::id.gt(after))
            .order(organisations::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        let query = match within {
            Within::Everything => query,
            Within::Organisation(id) => query.filter(organisations::id.eq(id.to_string())),
            Within::Colleges(colleges) => query.filter(organisations::uai.eq_any(Within::codes(colleges))),
        };
        query.load::<Stored>(connection)
    }))
}

fn wifi_place(id: OrganisationId) -> RowName {
    RowName::new("organisations", "wifi_sealed", &id)
}

/// Seals what a tablet needs to join the organisation's network at its return to service; `None` forgets it.
/// `false` if there is no such organisation.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set_wifi(
    tx: &mut Tx<'_>,
    id: OrganisationId,
    wifi: Option<&Secret<Vec<u8>>>,
    now: Instant,
) -> Result<bool, StoreError> {
    let sealed = wifi.map(|wifi| tx.vault().seal(wifi.expose(), &wifi_place(id))).transpose()?;
    let changed = tx.run(|connection| {
        diesel::update(organisations::table.find(id.to_string()))
            .set((organisations::wifi_sealed.eq(sealed), organisations::updated_at.eq(now.stored())))
            .execute(connection)
    })?;
    Ok(changed == 1)
}

/// Opens what a tablet needs to join the organisation's network.
///
/// # Errors
/// [`StoreError::Sealed`] if it does not open.
pub fn wifi(tx: &mut Tx<'_>, id: OrganisationId) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
    let sealed: Option<Option<Vec<u8>>> = tx.run(|connection| {
        organisations::table
            .find(id.to_string())
            .select(organisations::wifi_sealed)
            .first(connection)
            .optional()
    })?;
    Ok(sealed.flatten().map(|sealed| tx.vault().open(&sealed, &wifi_place(id))).transpose()?)
}

crate::declared::declares! {
    organisations kept as Organisations {
        personal(AccountsAndAudit: AccountIdentity) { referent_account_id }
        not_personal("an authority or a school, and what it decided for its tablets") {
            id, kind, name, uai, state, home_use, charter_adopted_on, wifi_sealed, created_at, updated_at,
        }
    }
}

//! Enrolment links: for one tablet, or counted for a batch; expiring.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{Instant, LinkId, TabletId, Uai};

use crate::column::stored_enum;
use crate::noun::{by_key, hold_first, noun, read_all};
use crate::schema::{links, organisations, tablets};
use crate::{Digest, StoreError, Tx, Within};

stored_enum! {
    /// For whom a link is.
    LinkKind {
        /// One tablet of the inventory; only its serial number may use it.
        Tablet = "tablet",
        /// A counted number of tablets of the inventory.
        Batch = "batch",
    }
}

noun! {
    /// An enrolment link; only the hash of its token is stored.
    pub struct Link in links keyed by id {
        /// Its id.
        id: LinkId,
        /// SHA-256 of the token in the link's address.
        token_sha256: Digest,
        /// For whom it is.
        kind: LinkKind,
        /// The tablet, for a link of one tablet.
        tablet_id: Option<TabletId>,
        /// The only collège whose tablets may use it.
        uai: Option<Uai>,
        /// How many profiles it gives out.
        max_uses: i32,
        /// How many it gave out.
        uses: i32,
        /// The first instant it is refused.
        expires_at: Instant,
        /// Who made it, as the audit log names them.
        created_by: String,
        /// When it was made.
        created_at: Instant,
        /// When it was revoked.
        revoked_at: Option<Instant>,
    }
}

by_key!(links, Link, id: LinkId; insert, get, get_all);

/// The link with that token, whatever its state, held until the end of the transaction: tablets that open it at the
/// same moment take turns.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_by_token(tx: &mut Tx<'_>, token_sha256: &Digest) -> Result<Option<Link>, StoreError> {
    hold_first!(tx, links, links::token_sha256.eq(token_sha256.to_string()))
}

/// Counts one use. `true` if it was left: neither used up, nor expired, nor revoked.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn use_once(tx: &mut Tx<'_>, id: LinkId, now: Instant) -> Result<bool, StoreError> {
    let used = tx.run(|connection| {
        diesel::update(
            links::table
                .filter(links::id.eq(id.to_string()))
                .filter(links::uses.lt(links::max_uses))
                .filter(links::revoked_at.is_null())
                .filter(links::expires_at.gt(now.as_millis())),
        )
        .set(links::uses.eq(links::uses + 1))
        .execute(connection)
    })?;
    Ok(used == 1)
}

/// Revokes a link; `false` if there is none, or it was revoked before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke(tx: &mut Tx<'_>, id: LinkId, now: Instant) -> Result<bool, StoreError> {
    let revoked = tx.run(|connection| {
        diesel::update(links::table.filter(links::id.eq(id.to_string())).filter(links::revoked_at.is_null()))
            .set(links::revoked_at.eq(now.as_millis()))
            .execute(connection)
    })?;
    Ok(revoked == 1)
}

/// The links for those collèges, or for one of their tablets.
macro_rules! links_of {
    ($uais:expr) => {
        links::uai.eq_any($uais).or(links::tablet_id
            .eq_any(tablets::table.filter(tablets::uai.eq_any($uais)).select(tablets::id.nullable())))
    };
}

/// At most `limit` links in the order of their ids, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<LinkId>,
    limit: u32,
) -> Result<Vec<Link>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let query = links::table
            .filter(links::id.gt(after))
            .order(links::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        let query = match within {
            Within::Everything => query,
            Within::Organisation(organisation) => query.filter(links_of!(
                organisations::table.find(organisation.to_string()).select(organisations::uai)
            )),
            Within::Colleges(colleges) => query.filter(links_of!(Within::codes(colleges))),
        };
        query.load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    links kept as Links {
        personal(AccountsAndAudit: Acts) { created_by, created_at }
        not_personal("the hash of random bytes") { token_sha256 }
        not_personal("for which tablets, how often and until when") {
            id, kind, tablet_id, uai, max_uses, uses, expires_at, revoked_at,
        }
    }
}

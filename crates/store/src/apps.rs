//! The catalogue of apps: what a layer may name, where each app comes from, and how it is set up.
//!
//! An app is one row from the day it is added to the day it is withdrawn. Withdrawn rows stay: they say what was on
//! tablets. Whether an app is required or optional is the layer's to say, not the catalogue's.

use std::collections::BTreeMap;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::{AppId, Instant, Platform};

use crate::column::stored_enum;
use crate::noun::{by_key, hold_first, noun, read_all};
use crate::schema::apps;
use crate::{Digest, StoreError, Tx};

stored_enum! {
    /// Where an app comes from.
    AppSource {
        /// The public shop of its platform, by the number it has there.
        Store = "store",
        /// A file that was uploaded here.
        InHouse = "in-house",
    }

    /// How an app is licensed. Licences that are counted, as Apps and Books gives them out, become a second word here;
    /// until then nothing is offered that would need one.
    AppLicence {
        /// Free of charge, or the département's own: nothing is counted.
        Free = "free",
    }

    /// Whether an app updates itself.
    AppUpdates {
        /// As soon as there is a new version.
        Automatic = "automatic",
        /// Never: the version stays until somebody lets it go.
        Held = "held",
    }
}

noun! {
    /// An app of the catalogue.
    pub struct App in apps keyed by id {
        /// Its id.
        id: AppId,
        /// On which tablets it runs.
        platform: Platform,
        /// Apple's bundle identifier, or Android's package.
        bundle: String,
        /// What people call it.
        name: String,
        /// Where it comes from.
        source: AppSource,
        /// Its number in the public shop.
        store_number: Option<String>,
        /// How it is licensed.
        licence: AppLicence,
        /// The version wanted; only an app from a file has one, and its file must say the same.
        version: Option<String>,
        /// Whether it updates itself.
        updates: AppUpdates,
        /// The settings it reads on the tablet: a JSON object. Not sealed; no place for secrets.
        configuration: Option<serde_json::Value>,
        /// The file that is given out.
        file_sha256: Option<Digest>,
        /// Who added it, as the audit log names them.
        added_by: String,
        /// When it was added.
        added_at: Instant,
        /// Who withdrew it, as the audit log names them.
        withdrawn_by: Option<String>,
        /// When it was withdrawn: no layer may name it any more, and its file is let go.
        withdrawn_at: Option<Instant>,
    }
}

by_key!(apps, App, id: AppId; insert, get, update);

/// The app, held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold(tx: &mut Tx<'_>, id: AppId) -> Result<Option<App>, StoreError> {
    hold_first!(tx, apps, apps::id.eq(id.to_string()))
}

/// The app of that name that is offered now, or else the one that was withdrawn last.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_bundle(tx: &mut Tx<'_>, platform: Platform, bundle: &str) -> Result<Option<App>, StoreError> {
    tx.run(|connection| {
        apps::table
            .filter(apps::platform.eq(platform.to_string()).and(apps::bundle.eq(bundle)))
            // `NULLS FIRST` is not what both engines say; withdrawn or not is.
            .order((apps::withdrawn_at.is_not_null().asc(), apps::withdrawn_at.desc(), apps::id.desc()))
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// The apps of these names, each as [`by_bundle`] finds it.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_bundles<'b>(
    tx: &mut Tx<'_>,
    platform: Platform,
    bundles: impl IntoIterator<Item = &'b str>,
) -> Result<BTreeMap<String, App>, StoreError> {
    let bundles: Vec<&str> = bundles.into_iter().collect();
    if bundles.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found: Result<Vec<App>, StoreError> = read_all!(tx.run(|connection| {
        apps::table
            .filter(apps::platform.eq(platform.to_string()).and(apps::bundle.eq_any(bundles)))
            .order((apps::withdrawn_at.is_null().asc(), apps::withdrawn_at.asc(), apps::id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }));
    // The last of a name stands: the one that is offered, or was withdrawn last.
    Ok(found?.into_iter().map(|app| (app.bundle.clone(), app)).collect())
}

/// At most `limit` apps in the order of their ids, from the first one after `after`; withdrawn ones too, if asked.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    withdrawn_too: bool,
    after: Option<AppId>,
    limit: u32,
) -> Result<Vec<App>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let query = apps::table
            .filter(apps::id.gt(after))
            .order(apps::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        let query = if withdrawn_too { query } else { query.filter(apps::withdrawn_at.is_null()) };
        query.load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    apps kept as Evidence {
        personal(AccountsAndAudit: Acts) { added_by, added_at, withdrawn_by, withdrawn_at }
        not_personal("what an app is, and how it is set up for everybody") {
            id, platform, bundle, name, source, store_number, licence, version, updates, configuration, file_sha256,
        }
    }
}

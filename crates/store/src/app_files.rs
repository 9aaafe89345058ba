//! Uploaded apps: what is known of each file of the shared folder. A file is named by its digest, so that a row never
//! speaks of other bytes than those that were looked at.

use diesel::{
    ExpressionMethods as _, NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::Instant;

use crate::column::{Column as _, stored_enum};
use crate::noun::{by_key, hold_first, noun, on_each_engine, read_all};
use crate::schema::{app_files, apps};
use crate::{Digest, StoreError, Tx};

stored_enum! {
    /// What kind of file it is.
    AppFormat {
        /// Apple's: a zip with one `Payload/*.app`.
        Ipa = "ipa",
        /// Android's: a zip with an `AndroidManifest.xml`.
        Apk = "apk",
    }
}

noun! {
    /// A file of the shared folder.
    pub struct AppFile in app_files keyed by sha256 {
        /// SHA-256 of its bytes, which is its name.
        sha256: Digest,
        /// What kind of file it is.
        format: AppFormat,
        /// How long it is.
        bytes: i64,
        /// What it says it is: the identifier of its app.
        bundle: String,
        /// Which version it says it is.
        version: String,
        /// Which build of it.
        build: Option<String>,
        /// When it was first uploaded.
        uploaded_at: Instant,
        /// When the last app let it go; it is kept for some time more.
        released_at: Option<Instant>,
    }
}

by_key!(app_files, AppFile, sha256: Digest; get);

/// Remembers a file that lies in the shared folder. One that is known stays as it is, and is no longer let go.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn keep(tx: &mut Tx<'_>, file: &AppFile) -> Result<(), StoreError> {
    on_each_engine!(tx, |connection| {
        diesel::insert_into(app_files::table)
            .values(Stored::of(file))
            .on_conflict(app_files::sha256)
            .do_update()
            .set(app_files::released_at.eq(None::<i64>))
            .execute(connection)
    })?;
    Ok(())
}

/// The file, held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold(tx: &mut Tx<'_>, sha256: &Digest) -> Result<Option<AppFile>, StoreError> {
    hold_first!(tx, app_files, app_files::sha256.eq(sha256.to_string()))
}

/// Notes that a file was let go, unless an app still gives it out.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn release(tx: &mut Tx<'_>, sha256: &Digest, now: Instant) -> Result<bool, StoreError> {
    let given_out = apps::table.select(apps::file_sha256).filter(apps::file_sha256.is_not_null());
    let released = tx.run(|connection| {
        diesel::update(
            app_files::table
                .filter(app_files::sha256.eq(sha256.to_string()))
                .filter(app_files::released_at.is_null())
                .filter(app_files::sha256.nullable().ne_all(given_out)),
        )
        .set(app_files::released_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(released == 1)
}

/// Forgets at most `limit` files that were let go before `before`, and says which. Their bytes are swept afterwards.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn forget_released(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<Vec<Digest>, StoreError> {
    let due: Result<Vec<AppFile>, StoreError> = read_all!(tx.run(|connection| {
        app_files::table
            .filter(app_files::released_at.lt(before.as_millis()))
            .order(app_files::sha256.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }));
    let due = due?;
    let names: Vec<String> = due.iter().map(|file| file.sha256.stored()).collect();
    tx.run(|connection| {
        diesel::delete(app_files::table.filter(app_files::sha256.eq_any(names))).execute(connection)
    })?;
    Ok(due.into_iter().map(|file| file.sha256).collect())
}

crate::declared::declares! {
    app_files kept as Configuration {
        not_personal("what was uploaded, and when; who did it stands in the audit log") {
            sha256, format, bytes, bundle, version, build, uploaded_at, released_at,
        }
    }
}

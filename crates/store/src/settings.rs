//! Settings that live with the data: one text a name.

use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};

use crate::noun::on_each_engine;
use crate::schema::settings;
use crate::{StoreError, Tx};

/// The value of a setting.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    tx.run(|connection| settings::table.find(name).select(settings::value).first(connection).optional())
}

/// Sets a setting.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    on_each_engine!(tx, |connection| {
        diesel::insert_into(settings::table)
            .values((settings::name.eq(name), settings::value.eq(value)))
            .on_conflict(settings::name)
            .do_update()
            .set(settings::value.eq(value))
            .execute(connection)
    })?;
    Ok(())
}

crate::declared::declares! {
    settings kept as Configuration {
        not_personal("settings are the server's") { name, value }
    }
}

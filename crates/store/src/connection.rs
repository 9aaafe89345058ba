//! One connection type over both engines.

use diesel::{PgConnection, SqliteConnection};

/// A connection to either engine. Queries are written once; only row locks and upserts look inside.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Postgresql(PgConnection),
    Sqlite(SqliteConnection),
}

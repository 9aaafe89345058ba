//! What every noun has: a typed row, the row as it is stored, and the statements that all of them share.

/// A typed row `pub struct Name in table keyed by column { … }`, and `Stored`, its form in the table.
macro_rules! noun {
    (
        $(#[$doc:meta])*
        $visible:vis struct $name:ident in $table:ident keyed by $key:ident {
            $( $(#[$field_doc:meta])* $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        $visible struct $name {
            $( $(#[$field_doc])* pub $field: $type, )*
        }

        #[derive(diesel::Queryable, diesel::Selectable, diesel::Insertable)]
        #[diesel(
            table_name = crate::schema::$table,
            primary_key($key),
            treat_none_as_null = true,
            treat_none_as_default_value = false
        )]
        pub(crate) struct Stored {
            $( $field: <$type as crate::column::Column>::Stored, )*
        }

        impl Stored {
            pub(crate) fn of(row: &$name) -> Self {
                Self { $( $field: crate::column::Column::stored(&row.$field), )* }
            }

            pub(crate) fn read(self) -> Result<$name, crate::StoreError> {
                let row = self.$key.clone();
                Ok($name {
                    $( $field: crate::column::read(self.$field, stringify!($table), stringify!($field), &row)?, )*
                })
            }
        }

        impl crate::prepared::Row for Stored {
            const TABLE: &'static str = stringify!($table);
            const KEY: &'static str = stringify!($key);
            const COLUMNS: &'static [&'static str] = &[$( stringify!($field), )*];

            fn values(self) -> Vec<crate::prepared::Value<'static>> {
                vec![$( self.$field.into(), )*]
            }
        }
    };
}
pub(crate) use noun;

/// The statements by primary key: any of `insert`, `get`, `get_all`, `update`.
macro_rules! by_key {
    ($table:ident, $name:ident, $key:ident: $key_type:ty;) => {};
    ($table:ident, $name:ident, $key:ident: $key_type:ty; insert $(, $rest:ident)*) => {
        /// Adds the row.
        ///
        /// # Errors
        /// [`StoreError::Duplicate`](crate::StoreError::Duplicate) if a unique value is taken.
        pub fn insert(tx: &mut crate::Tx<'_>, row: &$name) -> Result<(), crate::StoreError> {
            use diesel::RunQueryDsl as _;
            let stored = Stored::of(row);
            tx.run(|connection| {
                diesel::insert_into(crate::schema::$table::table).values(stored).execute(connection)
            })?;
            Ok(())
        }
        crate::noun::by_key!($table, $name, $key: $key_type; $($rest),*);
    };
    ($table:ident, $name:ident, $key:ident: $key_type:ty; get $(, $rest:ident)*) => {
        /// The row with that key.
        ///
        /// # Errors
        /// [`StoreError::Corrupt`](crate::StoreError::Corrupt) if it holds a value that is not ours.
        pub fn get(tx: &mut crate::Tx<'_>, $key: &$key_type) -> Result<Option<$name>, crate::StoreError> {
            use diesel::{OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
            let key = crate::column::Column::stored($key);
            tx.run(|connection| {
                crate::schema::$table::table
                    .find(key)
                    .select(Stored::as_select())
                    .first(connection)
                    .optional()
            })?
            .map(Stored::read)
            .transpose()
        }
        crate::noun::by_key!($table, $name, $key: $key_type; $($rest),*);
    };
    ($table:ident, $name:ident, $key:ident: $key_type:ty; get_all $(, $rest:ident)*) => {
        /// The rows with these keys, as many as there are, in no order; one statement, or none for no key.
        ///
        /// # Errors
        /// [`StoreError::Corrupt`](crate::StoreError::Corrupt) if one holds a value that is not ours.
        pub fn get_all(
            tx: &mut crate::Tx<'_>,
            keys: impl IntoIterator<Item = $key_type>,
        ) -> Result<Vec<$name>, crate::StoreError> {
            let keys: Vec<_> = keys.into_iter().map(|key| crate::column::Column::stored(&key)).collect();
            crate::noun::find_all!(tx, $table, keys, crate::schema::$table::$key)
        }
        crate::noun::by_key!($table, $name, $key: $key_type; $($rest),*);
    };
    ($table:ident, $name:ident, $key:ident: $key_type:ty; update $(, $rest:ident)*) => {
        /// Replaces the row with the same key; `false` if there is none.
        ///
        /// # Errors
        /// [`StoreError::Refused`](crate::StoreError::Refused) if a trigger of the tables forbids the change.
        pub fn update(tx: &mut crate::Tx<'_>, row: &$name) -> Result<bool, crate::StoreError> {
            static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
            let stored = Stored::of(row);
            let changed = tx.run(|connection| crate::prepared::update(&TEXT, stored, connection))?;
            Ok(changed > 0)
        }
        crate::noun::by_key!($table, $name, $key: $key_type; $($rest),*);
    };
}
pub(crate) use by_key;

/// Pastes the same body for each engine: upserts, which the connection enum cannot carry.
macro_rules! on_each_engine {
    ($tx:expr, |$connection:ident| $body:expr) => {
        $tx.run(|any| match any {
            crate::connection::AnyConnection::Postgresql($connection) => $body,
            crate::connection::AnyConnection::Sqlite($connection) => $body,
        })
    };
}
pub(crate) use on_each_engine;

/// Reads every stored row.
macro_rules! read_all {
    ($rows:expr) => {
        $rows?.into_iter().map(Stored::read).collect()
    };
}
pub(crate) use read_all;

/// The first row that a query on one table finds.
macro_rules! find_first {
    ($tx:expr, $query:expr) => {{
        let query = $query;
        $tx.run(|connection| query.select(Stored::as_select()).first(connection).optional())?
            .map(Stored::read)
            .transpose()
    }};
}
pub(crate) use find_first;

/// The rows of a table that have one of these values (a `Vec<String>`) in a column, in no order: one statement, or none
/// for no value.
macro_rules! find_all {
    ($tx:expr, $table:ident, $values:expr, $column:expr $(, $is_it:expr)*) => {{
        use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
        let values: Vec<String> = $values;
        if values.is_empty() {
            Ok(Vec::new())
        } else {
            let query = crate::schema::$table::table.filter($column.eq_any(values))$(.filter($is_it))*;
            crate::noun::read_all!(
                $tx.run(|connection| query.select(Stored::as_select()).load::<Stored>(connection))
            )
        }
    }};
}
pub(crate) use find_all;

/// As [`find_all!`], in the order of `$key`, and held until the end of the transaction: whoever else holds one of them, or
/// changes it, waits.
macro_rules! hold_all {
    ($tx:expr, $table:ident by $key:ident, $values:expr, $column:expr $(, $is_it:expr)*) => {{
        use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
        $tx.holds();
        let values: Vec<String> = $values;
        if values.is_empty() {
            Ok(Vec::new())
        } else {
            let query = crate::schema::$table::table
                .filter($column.eq_any(values))
                $(.filter($is_it))*
                .order(crate::schema::$table::$key.asc());
            crate::noun::read_all!($tx.run(|connection| match connection {
                crate::connection::AnyConnection::Postgresql(connection) => {
                    query.select(Stored::as_select()).for_no_key_update().load::<Stored>(connection)
                }
                // Its only writer holds everything.
                crate::connection::AnyConnection::Sqlite(connection) => {
                    query.select(Stored::as_select()).load::<Stored>(connection)
                }
            }))
        }
    }};
}
pub(crate) use hold_all;

/// The first row of a table for which `$is_it`, held until the end of the transaction: whoever else holds it, or
/// changes it, waits. What is read of it is what it is until then.
macro_rules! hold_first {
    ($tx:expr, $table:ident, $is_it:expr) => {{
        $tx.holds();
        let is_it = $is_it;
        $tx.run(|connection| match connection {
            $crate::connection::AnyConnection::Postgresql(connection) => $table::table
                .filter(is_it)
                .select(Stored::as_select())
                .for_no_key_update()
                .first(connection)
                .optional(),
            // Its only writer holds everything.
            $crate::connection::AnyConnection::Sqlite(connection) => {
                $table::table.filter(is_it).select(Stored::as_select()).first(connection).optional()
            }
        })?
        .map(Stored::read)
        .transpose()
    }};
}
pub(crate) use hold_first;

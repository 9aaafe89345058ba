//! One statement over many rows: they are handed in as one value of JSON, so that the statement's text is the same, and
//! kept prepared, however many they are.

use std::sync::OnceLock;

use diesel::RunQueryDsl as _;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::Untyped;
use serde_json::Value as Json;

use crate::connection::AnyConnection;
use crate::prepared::{Prepared, Row, Value};
use crate::{StoreError, Tx};

/// How long the JSON of one statement gets, about, in bytes: long answers of many tablets are written in several.
const LONGEST: usize = 1 << 20;

/// A statement whose rows are called `note`, in the words of each engine. [`many!`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Many {
    pub(crate) postgresql: &'static str,
    pub(crate) sqlite: &'static str,
}

/// `many!("UPDATE … FROM"; id text, at bigint; "WHERE …")`: the columns of `note`, with PostgreSQL's types. What stands
/// before and after may differ by engine.
///
/// A statement that finds more than one row for a note, or none, finds them by `CROSS JOIN LATERAL (… OFFSET 0)` on
/// PostgreSQL: that goes from each note to its rows. Joined, it may go through all rows of a partial index instead, if
/// these were few when the table was last looked at, and at 8:00 they are not.
macro_rules! many {
    ($before:literal; $($rest:tt)*) => {
        $crate::many::many!(postgresql $before, sqlite $before; $($rest)*)
    };
    (postgresql $postgresql:expr, sqlite $sqlite:expr; $first:ident $first_type:ident $(, $column:ident $type:ident)* ; $after:literal) => {
        $crate::many::many!(
            postgresql $postgresql, sqlite $sqlite; $first $first_type $(, $column $type)*; postgresql $after, sqlite $after
        )
    };
    (postgresql $postgresql:expr, sqlite $sqlite:expr; $first:ident $first_type:ident $(, $column:ident $type:ident)* ;
        postgresql $after:expr, sqlite $sqlite_after:expr) => {
        $crate::many::Many {
            postgresql: concat!(
                $postgresql, " json_to_recordset(?::json) AS note (",
                stringify!($first), " ", stringify!($first_type),
                $( ", ", stringify!($column), " ", stringify!($type), )*
                ") ", $after
            ),
            sqlite: concat!(
                $sqlite, " (SELECT value ->> '", stringify!($first), "' AS ", stringify!($first),
                $( ", value ->> '", stringify!($column), "' AS ", stringify!($column), )*
                " FROM json_each(?)) AS note ", $sqlite_after
            ),
        }
    };
}
pub(crate) use many;

impl Many {
    /// Runs it over these rows; nothing for none.
    pub(crate) fn run(self, tx: &mut Tx<'_>, rows: impl IntoIterator<Item = Json>) -> Result<(), StoreError> {
        for json in texts(rows) {
            tx.run(|connection| {
                Prepared::<Untyped>::new(self.on(connection), vec![json.into()]).execute(connection)
            })?;
        }
        Ok(())
    }

    /// Runs it over these rows, and reads what it returns, in no order.
    pub(crate) fn load<Types, Row>(
        self,
        tx: &mut Tx<'_>,
        rows: impl IntoIterator<Item = Json>,
    ) -> Result<Vec<Row>, StoreError>
    where
        for<'q> Prepared<'q, Types>: LoadQuery<'q, AnyConnection, Row>,
    {
        self.load_with(tx, Vec::new, rows)
    }

    /// As [`Many::load`]; `values` are those of the `?` before the rows.
    pub(crate) fn load_with<Types, Row>(
        self,
        tx: &mut Tx<'_>,
        values: impl Fn() -> Vec<Value<'static>>,
        rows: impl IntoIterator<Item = Json>,
    ) -> Result<Vec<Row>, StoreError>
    where
        for<'q> Prepared<'q, Types>: LoadQuery<'q, AnyConnection, Row>,
    {
        let mut found = Vec::new();
        for json in texts(rows) {
            let mut values = values();
            values.push(json.into());
            found
                .append(&mut tx.run(|connection| {
                    Prepared::<Types>::new(self.on(connection), values).load(connection)
                })?);
        }
        Ok(found)
    }

    fn on(self, connection: &AnyConnection) -> &'static str {
        match connection {
            AnyConnection::Postgresql(_) => self.postgresql,
            AnyConnection::Sqlite(_) => self.sqlite,
        }
    }
}

/// A whole row, column by column.
pub(crate) type Columns = Vec<(&'static str, Value<'static>)>;

/// A statement that inserts whole rows of one table, all with the same columns; its text is made once.
#[derive(Debug)]
pub(crate) struct Insertion {
    table: &'static str,
    after: &'static str,
    text: OnceLock<(String, String)>,
}

impl Insertion {
    /// `after` stands at the end, such as what is returned.
    pub(crate) const fn into(table: &'static str, after: &'static str) -> Self {
        Self { table, after, text: OnceLock::new() }
    }

    /// The statement, and what it is handed for these rows.
    pub(crate) fn of(&'static self, rows: Vec<Columns>) -> (Many, Vec<Json>) {
        let (postgresql, sqlite) =
            self.text.get_or_init(|| self.texts(rows.first().map(Vec::as_slice).unwrap_or_default()));
        let notes = rows.into_iter().map(|row| {
            Json::Object(row.into_iter().map(|(column, value)| (column.to_owned(), value.into())).collect())
        });
        (Many { postgresql, sqlite }, notes.collect())
    }

    /// Adds these rows, which were made ready to be stored; nothing for none.
    pub(crate) fn rows<R: Row>(
        &'static self,
        tx: &mut Tx<'_>,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<(), StoreError> {
        let rows: Vec<Columns> =
            rows.into_iter().map(|row| R::COLUMNS.iter().copied().zip(row.values()).collect()).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let (statement, notes) = self.of(rows);
        statement.run(tx, notes)
    }

    fn texts(&self, row: &[(&'static str, Value<'static>)]) -> (String, String) {
        let list = |one: &dyn Fn(&'static str, &Value<'static>) -> String| {
            row.iter().map(|(column, value)| one(column, value)).collect::<Vec<_>>().join(", ")
        };
        let bytes = |function: &str, column: &str, value: &Value<'_>| match (value, function) {
            (Value::Bytes(_), "decode") => format!("decode(note.{column}, 'hex')"),
            (Value::Bytes(_), function) => format!("{function}(note.{column})"),
            _ => format!("note.{column}"),
        };
        let columns = list(&|column, _| column.to_owned());
        let types = list(&|column, value| match value {
            Value::Text(_) | Value::Bytes(_) => format!("{column} text"),
            Value::Number(_) => format!("{column} bigint"),
            Value::Flag(_) => format!("{column} boolean"),
        });
        let fields = list(&|column, _| format!("value ->> '{column}' AS {column}"));
        let Self { table, after, .. } = self;
        (
            format!(
                "INSERT INTO {table} ({columns}) SELECT {} FROM json_to_recordset(?::json) AS note ({types}) \
                 WHERE true {after}",
                list(&|column, value| bytes("decode", column, value))
            ),
            // SQLite would take ON for the condition of a join.
            format!(
                "INSERT INTO {table} ({columns}) SELECT {} FROM (SELECT {fields} FROM json_each(?)) AS note \
                 WHERE true {after}",
                list(&|column, value| bytes("unhex", column, value))
            ),
        )
    }
}

/// The rows as arrays of JSON, each not much longer than [`LONGEST`].
fn texts(rows: impl IntoIterator<Item = Json>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for row in rows {
        let row = row.to_string();
        match texts.last_mut() {
            Some(text) if text.len() + row.len() <= LONGEST => {
                text.push(',');
                text.push_str(&row);
            }
            _ => texts.push(format!("[{row}")),
        }
    }
    for text in &mut texts {
        text.push(']');
    }
    texts
}

#[cfg(test)]
mod unit {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_go_together_until_they_are_long() {
        assert!(texts([]).is_empty());
        assert_eq!(texts([json!({ "id": 1 }), json!({ "id": 2 })]), [r#"[{"id":1},{"id":2}]"#]);
        let long = || json!({ "id": "x".repeat(LONGEST / 2) });
        let lengths: Vec<usize> = texts([long(), long(), long()]).iter().map(String::len).collect();
        assert_eq!(lengths.len(), 3, "{lengths:?}");
        assert!(texts([long()]).iter().all(|text| serde_json::from_str::<Vec<Json>>(text).is_ok()));
    }
}

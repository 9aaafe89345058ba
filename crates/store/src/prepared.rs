//! Statements that are sent with every connect, kept prepared.
//!
//! diesel has the engine read an UPDATE anew each time it is sent, because its text may depend on its values. On the
//! connect path that costs PostgreSQL more than carrying it out. The text of these is fixed: `?` stands for a value,
//! on both engines.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::OnceLock;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Bool, HasSqlType, Nullable, Text, Untyped};
use diesel::{QueryResult, RunQueryDsl};

use crate::connection::AnyConnection;

/// A value of a statement.
#[derive(Debug)]
pub(crate) enum Value<'v> {
    Text(Option<Cow<'v, str>>),
    Number(Option<i64>),
    Flag(Option<bool>),
    Bytes(Option<Cow<'v, [u8]>>),
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Cow::Owned))
    }
}

impl<'v> From<Option<&'v str>> for Value<'v> {
    fn from(text: Option<&'v str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<Option<bool>> for Value<'_> {
    fn from(flag: Option<bool>) -> Self {
        Self::Flag(flag)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Number(Some(i64::from(number)))
    }
}

impl From<Option<i32>> for Value<'_> {
    fn from(number: Option<i32>) -> Self {
        Self::Number(number.map(i64::from))
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(Some(flag))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Some(Cow::Owned(bytes)))
    }
}

impl From<Option<Vec<u8>>> for Value<'_> {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes.map(Cow::Owned))
    }
}

impl<'v> From<Option<&'v [u8]>> for Value<'v> {
    fn from(bytes: Option<&'v [u8]>) -> Self {
        Self::Bytes(bytes.map(Cow::Borrowed))
    }
}

/// As a value of JSON; bytes are hexadecimal there.
impl From<Value<'_>> for serde_json::Value {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => text.map(Cow::into_owned).into(),
            Value::Number(number) => number.into(),
            Value::Flag(flag) => flag.into(),
            Value::Bytes(bytes) => bytes.map(hex::encode).into(),
        }
    }
}

/// A statement of a fixed text and its values; `Rows` is what it returns.
#[derive(Debug)]
pub(crate) struct Prepared<'v, Rows = Untyped> {
    text: &'static str,
    values: Vec<Value<'v>>,
    rows: PhantomData<Rows>,
}

impl<'v, Rows> Prepared<'v, Rows> {
    /// `text` has a `?` for each of `values`, and no other.
    pub(crate) fn new(text: &'static str, values: Vec<Value<'v>>) -> Self {
        Self { text, values, rows: PhantomData }
    }
}

/// A whole row of a table.
pub(crate) trait Row {
    /// The table.
    const TABLE: &'static str;
    /// Its primary key, one of the columns.
    const KEY: &'static str;
    /// The columns of the row.
    const COLUMNS: &'static [&'static str];

    /// What they hold, in the same order.
    fn values(self) -> Vec<Value<'static>>;
}

/// Replaces the row with the same key; how many there were. `text` keeps the statement.
pub(crate) fn update<R: Row>(
    text: &'static OnceLock<String>,
    row: R,
    connection: &mut AnyConnection,
) -> QueryResult<usize> {
    let text = text.get_or_init(|| {
        let set: Vec<String> = columns_of::<R>().map(|column| format!("{column} = ?")).collect();
        format!("UPDATE {} SET {} WHERE {} = ?", R::TABLE, set.join(", "), R::KEY)
    });
    let (mut key, mut values) = (Vec::with_capacity(1), Vec::with_capacity(R::COLUMNS.len()));
    for (column, value) in R::COLUMNS.iter().zip(row.values()) {
        if *column == R::KEY { key.push(value) } else { values.push(value) }
    }
    values.append(&mut key);
    Prepared::<Untyped>::new(text, values).execute(connection)
}

fn columns_of<R: Row>() -> impl Iterator<Item = &'static str> {
    R::COLUMNS.iter().copied().filter(|column| *column != R::KEY)
}

/// It is kept under its text.
impl<Rows> QueryId for Prepared<'_, Rows> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Rows> Query for Prepared<'_, Rows> {
    type SqlType = Rows;
}

impl<Rows, Connection> RunQueryDsl<Connection> for Prepared<'_, Rows> {}

impl<Rows, DB> QueryFragment<DB> for Prepared<'_, Rows>
where
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Bool> + HasSqlType<Binary>,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
    [u8]: ToSql<Binary, DB>,
    for<'o> Option<&'o str>: ToSql<Nullable<Text>, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    Option<bool>: ToSql<Nullable<Bool>, DB>,
    Option<Vec<u8>>: ToSql<Nullable<Binary>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut texts = self.text.split('?');
        out.push_sql(texts.next().unwrap_or_default());
        for (value, text) in self.values.iter().zip(texts) {
            match value {
                Value::Text(Some(Cow::Borrowed(text))) => out.push_bind_param::<Text, str>(text)?,
                Value::Text(Some(Cow::Owned(text))) => out.push_bind_param::<Text, str>(text)?,
                Value::Text(None) => out.push_bind_param::<Nullable<Text>, Option<&str>>(&None)?,
                Value::Number(number) => out.push_bind_param::<Nullable<BigInt>, Option<i64>>(number)?,
                Value::Flag(flag) => out.push_bind_param::<Nullable<Bool>, Option<bool>>(flag)?,
                Value::Bytes(Some(Cow::Borrowed(bytes))) => out.push_bind_param::<Binary, [u8]>(bytes)?,
                Value::Bytes(Some(Cow::Owned(bytes))) => out.push_bind_param::<Binary, [u8]>(bytes)?,
                Value::Bytes(None) => out.push_bind_param::<Nullable<Binary>, Option<Vec<u8>>>(&None)?,
            }
            out.push_sql(text);
        }
        Ok(())
    }
}

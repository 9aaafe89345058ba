//! What is stored: declared beside each table, column by column, by whoever makes the table.

use crate::{Activity, Category, RetentionClass};

/// A table, how long its rows are kept, and what each of its columns holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableDeclaration {
    /// Its name in the database.
    pub table: &'static str,
    /// How long its rows are kept.
    pub class: RetentionClass,
    /// Its columns, all of them.
    pub columns: &'static [ColumnDeclaration],
}

/// A column and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnDeclaration {
    /// Its name in the database.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Personal data: of which activities, and of what kind. A column that several activities write to names
    /// them all.
    Personal(&'static [Datum]),
    /// Nothing about a person, and why that is so.
    NotPersonal(&'static str),
}

/// Personal data of one activity and one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datum {
    /// What it serves.
    pub activity: Activity,
    /// What kind it is.
    pub category: Category,
}

//! Floor 4: the memory: SQLite and PostgreSQL, one file per noun.

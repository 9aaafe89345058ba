//! What files look like, and what may not lie in some folders.

use std::collections::BTreeSet;

use crate::tree;

/// A file is readable in one sitting.
const MOST_LINES: usize = 600;

/// How a longer file says why, in one of its first lines.
const EXCUSE: &str = "Long because";

#[test]
fn a_source_file_is_short_or_says_why_not() {
    for source in tree::sources() {
        let lines = source.text.lines().count();
        let excused = source.text.lines().take(20).any(|line| line.contains(EXCUSE));
        assert!(
            lines <= MOST_LINES || excused,
            "{} has {lines} lines: split it, or say `//! {EXCUSE} …` at its head",
            source.path
        );
    }
}

#[test]
fn a_source_file_begins_by_saying_what_it_is_for() {
    // The cases of compile-fail tests are programs that must not compile: no place for an introduction.
    for source in tree::sources().iter().filter(|source| !source.path.contains("/tests/")) {
        assert!(source.text.starts_with("//!"), "{} does not begin with `//!`", source.path);
    }
}

#[test]
fn nothing_secret_lies_among_the_certificates() {
    for path in tree::files("certs") {
        let known =
            [".pem", ".cer", ".crt", ".der", ".toml", ".md"].iter().any(|ending| path.ends_with(ending));
        assert!(known, "{path}: certs/ holds certificates and their fingerprints, nothing else");
        let bytes = std::fs::read(tree::root().join(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("PRIVATE KEY-----"), "{path} holds a private key");
    }
}

#[test]
fn the_templates_of_profiles_hold_no_password() {
    for path in tree::files("profiles") {
        assert!(path.ends_with(".toml"), "{path}: profiles/ holds templates, nothing else");
        for (number, line) in tree::read(&path).lines().enumerate() {
            let key = line.split('=').next().unwrap_or_default().trim();
            assert!(!key.ends_with("password"), "{path}:{}: a template is public", number + 1);
        }
    }
}

#[test]
fn both_engines_have_the_same_tables() {
    let (sqlite, postgresql) = (tables("migrations/sqlite"), tables("migrations/postgresql"));
    assert!(!sqlite.is_empty(), "no `CREATE TABLE` under migrations/sqlite");
    assert_eq!(sqlite, postgresql, "left: SQLite, right: PostgreSQL");
}

/// The tables that stand when all `up.sql` of a folder have run, in the order of their names.
fn tables(folder: &str) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for path in tree::files(folder).iter().filter(|path| path.ends_with("up.sql")) {
        let sql = tree::read(path).to_lowercase();
        // Without what is said beside it, which may hold a semicolon.
        let code: Vec<&str> =
            sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code)).collect();
        for statement in code.join("\n").split(';') {
            let words: Vec<&str> = statement
                .split([' ', '(', '\t', '\n'])
                .filter(|word| !word.is_empty() && !["if", "not", "exists", "unlogged"].contains(word))
                .collect();
            match words.as_slice() {
                ["create", "table", name, ..] => drop(tables.insert((*name).to_owned())),
                ["drop", "table", name, ..] => drop(tables.remove(*name)),
                ["alter", "table", old, "rename", "to", new, ..] if tables.remove(*old) => {
                    tables.insert((*new).to_owned());
                }
                _ => {}
            }
        }
    }
    tables
}

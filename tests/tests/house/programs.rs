//! Which other programs ours starts: the database's own tools, by name and with separate arguments. Never a shell.

use crate::tree;

/// The files that start one: backups, and the demo's own database.
const STARTERS: [&str; 2] = ["crates/store/src/backup.rs", "crates/ardoise/src/demo/scratch.rs"];

#[test]
fn t_c5_no_shell_is_ever_started_and_no_program_from_anywhere_else() {
    for source in tree::sources() {
        // The test kit serves no tablet, and the tests of `fleet` stand beside its files.
        let serves = source.room().is_some_and(|room| room != "testkit");
        if !serves || source.path.contains("/people_tests/") {
            continue;
        }
        for (number, line) in source.code_outside_tests() {
            let starts = line.contains("Command::new(");
            assert!(
                !starts || STARTERS.contains(&source.path.as_str()),
                "{}:{number} starts a program: {line}",
                source.path
            );
            for shell in ["\"sh\"", "\"bash\"", "/bin/sh", "/bin/bash", "\"-c\""] {
                assert!(!line.contains(shell), "{}:{number} looks like a shell: {line}", source.path);
            }
        }
    }
    for path in STARTERS {
        assert!(tree::read(path).contains("Command::new("), "{path} starts nothing: take it off the list");
    }
}

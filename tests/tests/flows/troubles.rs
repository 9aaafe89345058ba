//! What can befall a database, on either engine, while it is served.

use testkit::TestServer;

use crate::by_hand::ByHand;

/// A trouble, and how it ends.
pub(crate) struct Trouble {
    pub(crate) name: &'static str,
    /// Whether nothing at all can be read or written meanwhile.
    pub(crate) total: bool,
    pub(crate) begin: Box<dyn Fn(&ByHand)>,
    pub(crate) end: Box<dyn Fn(&ByHand)>,
}

impl Trouble {
    fn sql(name: &'static str, total: bool, begin: &str, end: &str) -> Self {
        let (begin, end) = (begin.to_owned(), end.to_owned());
        Self {
            name,
            total,
            begin: Box::new(move |by_hand| by_hand.run(&begin)),
            end: Box::new(move |by_hand| by_hand.run(&end)),
        }
    }

    fn table_is_gone(name: &'static str, table: &str) -> Self {
        Self::sql(
            name,
            false,
            &format!("ALTER TABLE {table} RENAME TO {table}_gone"),
            &format!("ALTER TABLE {table}_gone RENAME TO {table}"),
        )
    }
}

/// What can befall the database of this server.
pub(crate) fn troubles(server: &TestServer) -> Vec<Trouble> {
    let mut all = vec![
        Trouble::table_is_gone("the table of certificates is gone", "certificates"),
        Trouble::table_is_gone("the table of enrolments is gone", "enrolments"),
        Trouble::table_is_gone("the table of commands is gone", "commands"),
        Trouble::table_is_gone("the table of push states is gone", "push_states"),
        Trouble::sql(
            "a value is not one that the program knows",
            false,
            "UPDATE tablets SET uai = '?' || uai",
            "UPDATE tablets SET uai = substr(uai, 2)",
        ),
    ];
    match server.serving_role() {
        // What a full disk does: nothing that was there is lost, and nothing more can be written.
        None => all.push(Trouble {
            name: "the disk is full",
            total: false,
            begin: Box::new(|by_hand| {
                for table in by_hand.tables() {
                    for event in ["INSERT", "UPDATE", "DELETE"] {
                        by_hand.run(&format!(
                            "CREATE TRIGGER full_{table}_{event} BEFORE {event} ON {table} \
                             BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                        ));
                    }
                }
            }),
            end: Box::new(|by_hand| {
                for trigger in
                    by_hand.texts("name", "sqlite_schema WHERE type = 'trigger' AND name LIKE 'full_%'")
                {
                    by_hand.run(&format!("DROP TRIGGER {trigger}"));
                }
            }),
        }),
        Some(role) => all.extend([
            Trouble {
                name: "nobody may connect",
                total: true,
                begin: Box::new(|by_hand| by_hand.accept_connections(false)),
                end: Box::new(|by_hand| by_hand.accept_connections(true)),
            },
            Trouble {
                name: "every session is ended",
                total: false,
                begin: Box::new(ByHand::end_sessions),
                end: Box::new(|_by_hand| {}),
            },
            Trouble {
                name: "the disk is full",
                total: false,
                begin: Box::new(|by_hand| {
                    by_hand.run(
                        "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                         RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; \
                         END $$",
                    );
                    for table in by_hand.tables() {
                        by_hand.run(&format!(
                            "CREATE TRIGGER a_full_disk BEFORE INSERT OR UPDATE OR DELETE ON {table} \
                             FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()"
                        ));
                    }
                }),
                end: Box::new(|by_hand| by_hand.run("DROP FUNCTION disk_is_full() CASCADE")),
            },
            Trouble::sql(
                "the rights are gone",
                true,
                &format!("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM \"{role}\""),
                &format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\"; \
                     REVOKE DELETE ON audit FROM \"{role}\""
                ),
            ),
            Trouble {
                name: "it takes no writes",
                total: false,
                begin: {
                    let sql = format!("ALTER ROLE \"{role}\" SET default_transaction_read_only = on");
                    Box::new(move |by_hand| {
                        by_hand.run(&sql);
                        by_hand.end_sessions();
                    })
                },
                end: {
                    let sql = format!("ALTER ROLE \"{role}\" RESET default_transaction_read_only");
                    Box::new(move |by_hand| by_hand.run(&sql))
                },
            },
        ]),
    }
    all
}

//! One contract, two engines: every promise of the memory is tested on SQLite and on PostgreSQL.

mod access;
mod backup;
mod brake;
mod by_hand;
mod cast;
mod chain;
mod commands;
mod connect;
mod contention;
mod declarations;
mod endings;
mod engines;
mod fairness;
mod fixture;
mod followed;
mod group_commit;
mod held;
mod in_hands;
mod indexes;
mod lending;
mod lists;
mod located;
mod mails;
mod missing;
mod nouns;
mod orders;
mod people;
mod postgresql;
mod profile_versions;
mod proofs;
mod purge;
mod register;
mod returns;
mod roles;
mod second_persons;
mod segments;
mod serving_role;
mod slips;
mod subjects;
mod switch;
mod thefts;
mod together;
mod upgrade;

/// Declares that each test function, which takes a [`fixture::Fixture`], runs on both engines.
macro_rules! on_both_engines {
    ($($name:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(crate::tests::fixture::Fixture::new(crate::Engine::Sqlite).await).await;
                }
            )*
        }

        mod postgresql {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(crate::tests::fixture::Fixture::new(crate::Engine::Postgresql).await).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_engines;

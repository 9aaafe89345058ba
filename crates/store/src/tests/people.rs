//! Organisations, school years, accounts and their makers.

use types::{AccountId, Actor, OrganisationKind, Secret};

use super::cast::{HERE, THERE, account, organisation, uai};
use super::fixture::{Fixture, at, digest};
use crate::account_makers::{self, Deed};
use crate::accounts::{self, AccountState, Trying};
use crate::organisations::{self, HomeUse, Organisation};
use crate::school_years::{self, SchoolYear};
use crate::tests::on_both_engines;
use crate::{StoreError, Within};

on_both_engines! {
    an_organisation_comes_back_and_its_network_apart,
    there_is_one_departement_one_academie_and_one_college_for_a_code,
    c3_1_7_an_organisation_stays_what_it_is,
    c3_3_1_a_referent_is_of_the_college_that_names_them,
    school_years_run_forwards_and_share_no_day,
    an_account_comes_back_and_what_opens_it_apart,
    c3_1_7_an_account_never_changes_its_organisation,
    a_login_is_one_accounts_whatever_its_case,
    t_c12_an_invitation_opens_once_and_in_time,
    t_c12_a_code_of_the_second_factor_is_used_once,
    a_closed_account_opens_no_more_and_can_be_forgotten,
    c3_1_7_who_made_an_account_is_recorded_for_good,
}

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

async fn an_organisation_comes_back_and_its_network_apart(fixture: Fixture) {
    let cast = fixture.cast().await;
    let here = fixture.read(move |tx| organisations::by_uai(tx, &uai(HERE))).await.unwrap();
    assert_eq!((here.id, here.kind), (cast.here, OrganisationKind::College));
    let decided = Organisation {
        name: "Collège Georges-Brassens".to_owned(),
        home_use: HomeUse::Allowed,
        charter_adopted_on: Some("2026-09-15".parse().unwrap()),
        referent_account_id: Some(cast.denis),
        updated_at: at(5),
        ..here
    };
    let change = decided.clone();
    assert!(fixture.write(move |tx| organisations::update(tx, &change)).await);
    assert!(
        fixture
            .write(move |tx| organisations::set_wifi(tx, cast.here, Some(&secret("network")), at(6)))
            .await
    );
    let found = fixture.read(move |tx| organisations::get(tx, &cast.here)).await;
    assert_eq!(found, Some(Organisation { updated_at: at(6), ..decided }));
    let wifi = fixture.read(move |tx| organisations::wifi(tx, cast.here)).await.unwrap();
    assert_eq!(wifi.expose(), b"network");
    assert!(fixture.read(move |tx| organisations::wifi(tx, cast.there)).await.is_none());
    // Sealed for its own row: moved to another collège, it does not open.
    fixture
        .by_hand(&format!(
            "UPDATE organisations SET wifi_sealed = (SELECT wifi_sealed FROM organisations WHERE id = '{}') \
             WHERE id = '{}'",
            cast.here, cast.there
        ))
        .unwrap();
    let moved = fixture.store.read(move |tx| organisations::wifi(tx, cast.there)).await;
    assert!(matches!(moved, Err(StoreError::Sealed(_))), "{moved:?}");
    fixture.write(move |tx| organisations::set_wifi(tx, cast.here, None, at(7))).await;
    assert!(fixture.read(move |tx| organisations::wifi(tx, cast.here)).await.is_none());
    let departement =
        fixture.read(|tx| organisations::of_kind(tx, OrganisationKind::Departement)).await.unwrap();
    assert_eq!(departement.id, cast.departement);
}

async fn there_is_one_departement_one_academie_and_one_college_for_a_code(fixture: Fixture) {
    let cast = fixture.cast().await;
    for second in [
        organisation(OrganisationKind::Departement, None),
        organisation(OrganisationKind::Academie, None),
        organisation(OrganisationKind::College, Some(HERE)),
    ] {
        let refused = fixture.store.write(move |tx| organisations::insert(tx, &second)).await;
        assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    }
    for (kind, code) in [(OrganisationKind::College, None), (OrganisationKind::Departement, Some(THERE))] {
        let wrong = Organisation { uai: code.map(uai), ..organisation(kind, None) };
        let refused = fixture.store.write(move |tx| organisations::insert(tx, &wrong)).await;
        assert!(
            matches!(refused, Err(StoreError::Refused { .. } | StoreError::Duplicate { .. })),
            "{refused:?}"
        );
    }
    // What a collège decides, nobody else does.
    for decision in [
        "home_use = 'allowed'".to_owned(),
        "charter_adopted_on = '2026-09-01'".to_owned(),
        format!("referent_account_id = '{}'", cast.alice),
    ] {
        fixture.refused_by_hand(&format!(
            "UPDATE organisations SET {decision} WHERE id = '{}'",
            cast.departement
        ));
    }
}

async fn c3_1_7_an_organisation_stays_what_it_is(fixture: Fixture) {
    let cast = fixture.cast().await;
    for edit in [
        format!("UPDATE organisations SET kind = 'college', uai = '0760000Z' WHERE id = '{}'", cast.academie),
        format!("UPDATE organisations SET uai = '0760000Z' WHERE id = '{}'", cast.here),
        format!("UPDATE organisations SET id = 'x' WHERE id = '{}'", cast.here),
        "UPDATE organisations SET created_at = 1".to_owned(),
        "DELETE FROM organisations".to_owned(),
        format!(
            "INSERT INTO organisations (id, kind, name, state, home_use, created_at, updated_at) \
             VALUES ('{}', 'departement', 'x', 'active', 'undecided', 0, 0)",
            cast.academie
        ),
    ] {
        fixture.refused_by_hand(&edit);
    }
    let cut = match fixture.store.engine() {
        crate::Engine::Sqlite => format!(
            "PRAGMA foreign_keys = OFF; INSERT OR REPLACE INTO organisations (id, kind, name, uai, state, home_use, \
             created_at, updated_at) VALUES ('other', 'college', 'x', '{HERE}', 'active', 'undecided', 0, 0)"
        ),
        crate::Engine::Postgresql => "TRUNCATE organisations CASCADE".to_owned(),
    };
    fixture.refused_by_hand(&cut);
    assert_eq!(
        fixture.read(|tx| organisations::list(tx, &Within::Everything, None, 10)).await.len(),
        4,
        "nothing was written over"
    );
}

async fn c3_3_1_a_referent_is_of_the_college_that_names_them(fixture: Fixture) {
    let cast = fixture.cast().await;
    for (referent, expected) in [(cast.elise, false), (cast.alice, false), (cast.denis, true)] {
        let named = fixture
            .store
            .write(move |tx| {
                let here = organisations::get(tx, &cast.here)?.unwrap();
                organisations::update(tx, &Organisation { referent_account_id: Some(referent), ..here })
            })
            .await;
        assert_eq!(named.is_ok(), expected, "{named:?}");
    }
}

async fn school_years_run_forwards_and_share_no_day(fixture: Fixture) {
    let year = |first: u32| SchoolYear {
        label: format!("{first}-{}", first + 1),
        starts_on: format!("{first}-09-01").parse().unwrap(),
        ends_on: format!("{}-08-31", first + 1).parse().unwrap(),
        summer_starts_on: format!("{}-07-04", first + 1).parse().unwrap(),
        summer_ends_on: format!("{}-08-31", first + 1).parse().unwrap(),
    };
    fixture
        .write(move |tx| {
            school_years::insert(tx, &year(2026))?;
            school_years::insert(tx, &year(2027))
        })
        .await;
    let on = |day: &str| {
        let day = day.parse().unwrap();
        fixture.read(move |tx| school_years::on(tx, day))
    };
    assert_eq!(on("2027-08-31").await, Some(year(2026)));
    assert_eq!(on("2027-09-01").await, Some(year(2027)));
    assert_eq!(on("2026-08-31").await, None);
    let pages = fixture
        .read(|tx| {
            let first = school_years::list(tx, None, 1)?;
            let second = school_years::list(tx, Some(&first[0].label), 5)?;
            Ok((first, second))
        })
        .await;
    assert_eq!(pages, (vec![year(2027)], vec![year(2026)]));
    // A year that ends before its break: the break is of that year, until another begins.
    let early = SchoolYear {
        label: "2040-2041".into(),
        starts_on: "2040-09-03".parse().unwrap(),
        ends_on: "2041-07-05".parse().unwrap(),
        summer_starts_on: "2041-07-06".parse().unwrap(),
        summer_ends_on: "2041-09-01".parse().unwrap(),
    };
    let next = SchoolYear { starts_on: "2041-08-30".parse().unwrap(), ..year(2041) };
    let both = [early.clone(), next.clone()];
    fixture.write(move |tx| both.iter().try_for_each(|year| school_years::insert(tx, year))).await;
    assert_eq!(on("2041-07-20").await, Some(early.clone()));
    assert_eq!(on("2041-08-29").await, Some(early));
    assert_eq!(on("2041-08-31").await, Some(next));
    let good = year(2030);
    for wrong in [
        SchoolYear { label: "2031-2032".to_owned(), ..good.clone() },
        SchoolYear { summer_starts_on: good.starts_on, ..good.clone() },
        SchoolYear { summer_ends_on: "2031-07-03".parse().unwrap(), ..good.clone() },
        SchoolYear { ends_on: "2031-09-01".parse().unwrap(), ..good.clone() },
        SchoolYear {
            starts_on: "2030-08-31".parse().unwrap(),
            label: "2026-2031".to_owned(),
            ..good.clone()
        },
        SchoolYear { label: "2026-2027".to_owned(), ..year(2026) },
    ] {
        let shown = format!("{wrong:?}");
        let refused = fixture.store.write(move |tx| school_years::insert(tx, &wrong)).await;
        assert!(
            matches!(refused, Err(StoreError::Refused { .. } | StoreError::Duplicate { .. })),
            "{refused:?} for {shown}"
        );
    }
    let into_the_next = SchoolYear { ends_on: "2027-08-31".parse().unwrap(), ..year(2026) };
    assert!(fixture.write(move |tx| school_years::update(tx, &into_the_next)).await);
    for edit in [
        "UPDATE school_years SET starts_on = '2027-08-31' WHERE label = '2027-2028'",
        "UPDATE school_years SET label = '2028-2029' WHERE label = '2027-2028'",
    ] {
        fixture.refused_by_hand(edit);
    }
}

async fn an_account_comes_back_and_what_opens_it_apart(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = cast.alice;
    let read = || fixture.read(move |tx| accounts::get(tx, &id));
    assert!(fixture.write(move |tx| accounts::describe(tx, id, "Alice L.", Some("a@example.org"))).await);
    fixture.write(move |tx| accounts::note_attempts(tx, id, Trying::Password, 3, Some(at(90)))).await;
    let found = read().await.unwrap();
    assert_eq!((found.name.as_str(), found.email.as_deref()), ("Alice L.", Some("a@example.org")));
    assert_eq!((found.failed_attempts, found.locked_until), (3, Some(at(90))));
    let codes = async || fixture.read(move |tx| accounts::attempts(tx, id, Trying::Code)).await;
    assert_eq!(codes().await, Some((0, None)), "codes are counted apart");
    fixture.write(move |tx| accounts::note_attempts(tx, id, Trying::Code, 7, Some(at(95)))).await;
    assert_eq!(codes().await, Some((7, Some(at(95)))));
    assert!(fixture.write(move |tx| accounts::invite(tx, id, &digest(7), at(100))).await);
    // A new password forgets failed attempts, and any token that waits.
    assert!(fixture.write(move |tx| accounts::set_password(tx, id, Some(&secret("$argon2id$")))).await);
    assert!(fixture.write(move |tx| accounts::set_totp(tx, id, Some(&secret("totp")))).await);
    let found = read().await.unwrap();
    assert_eq!((found.failed_attempts, found.locked_until, found.invitation_sha256), (0, None, None));
    assert_eq!(codes().await, Some((0, None)), "a new second factor forgets failed codes");
    let secrets = fixture.read(move |tx| accounts::secrets(tx, id)).await;
    assert_eq!(secrets.password.unwrap().expose(), b"$argon2id$");
    assert_eq!(secrets.totp.unwrap().expose(), b"totp");
    // Sealed for its own row and column.
    let bruno = cast.bruno;
    fixture
        .by_hand(&format!(
            "UPDATE accounts SET password_sealed = (SELECT password_sealed FROM accounts WHERE id = '{id}') \
             WHERE id = '{bruno}'"
        ))
        .unwrap();
    let moved = fixture.store.read(move |tx| accounts::secrets(tx, bruno)).await;
    assert!(matches!(moved, Err(StoreError::Sealed(_))), "{moved:?}");
    for (from, to, expected) in [
        (AccountState::Active, AccountState::Suspended, true),
        (AccountState::Active, AccountState::Suspended, false),
        (AccountState::Suspended, AccountState::Active, true),
    ] {
        assert_eq!(fixture.write(move |tx| accounts::turn(tx, id, from, to)).await, expected);
    }
    let closed = fixture
        .store
        .write(move |tx| accounts::turn(tx, id, AccountState::Active, AccountState::Closed))
        .await;
    assert!(matches!(closed, Err(StoreError::Refused { .. })), "{closed:?}");
    assert_eq!(fixture.read(move |tx| accounts::count_of(tx, cast.departement)).await, 2);
    let nobody = AccountId::new(at(1));
    assert!(!fixture.write(move |tx| accounts::set_password(tx, nobody, None)).await);
    assert!(fixture.read(move |tx| accounts::secrets(tx, nobody)).await.password.is_none());
}

async fn c3_1_7_an_account_never_changes_its_organisation(fixture: Fixture) {
    let cast = fixture.cast().await;
    for edit in [
        format!("UPDATE accounts SET organisation_id = '{}' WHERE id = '{}'", cast.academie, cast.alice),
        format!("UPDATE accounts SET id = 'x' WHERE id = '{}'", cast.alice),
        "UPDATE accounts SET created_at = 1".to_owned(),
        "DELETE FROM accounts".to_owned(),
    ] {
        fixture.refused_by_hand(&edit);
    }
    let row = |id: &str, login: &str| {
        format!(
            "accounts (id, organisation_id, login, name, state, failed_attempts, created_at) \
             VALUES ('{id}', '{}', '{login}', 'x', 'active', 0, 0)",
            cast.academie
        )
    };
    let alice = cast.alice.to_string();
    match fixture.store.engine() {
        crate::Engine::Sqlite => {
            for written_over in [
                format!("INSERT OR REPLACE INTO {}", row(&alice, "alice")),
                format!("REPLACE INTO {}", row("other", "alice")),
                format!("UPDATE OR REPLACE accounts SET login = 'alice' WHERE id = '{}'", cast.bruno),
            ] {
                fixture.refused_by_hand(&format!("PRAGMA foreign_keys = OFF; {written_over}"));
            }
        }
        crate::Engine::Postgresql => {
            for key in ["id", "login"] {
                fixture.refused_by_hand(&format!(
                    "INSERT INTO {} ON CONFLICT ({key}) DO UPDATE SET organisation_id = EXCLUDED.organisation_id",
                    row(&alice, "alice"),
                ));
            }
            fixture.refused_by_hand("TRUNCATE accounts CASCADE");
        }
    }
    let found = fixture.read(move |tx| accounts::get(tx, &cast.alice)).await.unwrap();
    assert_eq!(found.organisation_id, cast.departement);
    // Nobody comes into an organisation that has left.
    fixture
        .by_hand(&format!("UPDATE organisations SET state = 'closed' WHERE id = '{}'", cast.here))
        .unwrap();
    let late = account(cast.here, "late");
    let refused = fixture.store.write(move |tx| accounts::insert(tx, &late)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
}

async fn a_login_is_one_accounts_whatever_its_case(fixture: Fixture) {
    let cast = fixture.cast().await;
    let twin = account(cast.academie, "alice");
    let refused = fixture.store.write(move |tx| accounts::insert(tx, &twin)).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    let loud = account(cast.academie, "Alice");
    let refused = fixture.store.write(move |tx| accounts::insert(tx, &loud)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    let found = fixture.read(|tx| accounts::by_login(tx, "ALICE")).await.unwrap();
    assert_eq!(found.id, cast.alice);
    assert_eq!(fixture.read(|tx| accounts::by_login(tx, "nobody' OR 'a' = 'a")).await, None);
}

async fn t_c12_an_invitation_opens_once_and_in_time(fixture: Fixture) {
    let cast = fixture.cast().await;
    let mut new = account(cast.academie, "fatou");
    new.state = AccountState::Invited;
    let id = new.id;
    fixture.write(move |tx| accounts::insert(tx, &new)).await;
    let invite = |byte| fixture.write(move |tx| accounts::invite(tx, id, &digest(byte), at(100)));
    let accept = |byte, seconds| {
        fixture.write(move |tx| {
            Ok(accounts::accept_invitation(tx, &digest(byte), at(seconds))?.map(|account| account.state))
        })
    };
    assert!(invite(1).await);
    assert!(invite(2).await);
    assert_eq!(accept(1, 50).await, None, "a later invitation takes the place of an earlier one");
    assert_eq!(accept(2, 100).await, None, "it has expired");
    assert_eq!(accept(2, 99).await, Some(AccountState::Active));
    assert_eq!(accept(2, 99).await, None, "it opens once");
    // A reset token of a suspended account opens nothing.
    assert!(invite(3).await);
    fixture.write(move |tx| accounts::turn(tx, id, AccountState::Active, AccountState::Suspended)).await;
    assert_eq!(accept(3, 50).await, None);
    // Two accounts never wait for one token.
    let taken = fixture.store.write(move |tx| accounts::invite(tx, cast.alice, &digest(3), at(100))).await;
    assert!(matches!(taken, Err(StoreError::Duplicate { .. })), "{taken:?}");
}

async fn t_c12_a_code_of_the_second_factor_is_used_once(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = cast.alice;
    assert!(!fixture.write(move |tx| accounts::use_totp_step(tx, id, 10)).await, "there is no secret yet");
    fixture.write(move |tx| accounts::set_totp(tx, id, Some(&secret("totp")))).await;
    for (step, expected) in [(10, true), (10, false), (9, false), (11, true)] {
        assert_eq!(fixture.write(move |tx| accounts::use_totp_step(tx, id, step)).await, expected, "{step}");
    }
    fixture.refused_by_hand(&format!("UPDATE accounts SET totp_used_step = 10 WHERE id = '{id}'"));
    fixture.refused_by_hand(&format!("UPDATE accounts SET totp_used_step = NULL WHERE id = '{id}'"));
    let uses: Vec<_> = (0..6)
        .map(|_| {
            let store = fixture.store.clone();
            tokio::spawn(
                async move { store.write(move |tx| accounts::use_totp_step(tx, id, 12)).await.unwrap() },
            )
        })
        .collect();
    let mut used = 0;
    for one in uses {
        used += u32::from(one.await.unwrap());
    }
    assert_eq!(used, 1);
    // A new secret has codes of its own.
    fixture.write(move |tx| accounts::set_totp(tx, id, Some(&secret("new")))).await;
    assert!(fixture.write(move |tx| accounts::use_totp_step(tx, id, 5)).await);
}

async fn a_closed_account_opens_no_more_and_can_be_forgotten(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = cast.alice;
    fixture
        .write(move |tx| {
            accounts::set_password(tx, id, Some(&secret("hash")))?;
            accounts::set_totp(tx, id, Some(&secret("totp")))?;
            accounts::use_totp_step(tx, id, 1)?;
            accounts::invite(tx, id, &digest(1), at(900))
        })
        .await;
    assert!(fixture.write(move |tx| accounts::close(tx, id, at(10))).await);
    assert!(!fixture.write(move |tx| accounts::close(tx, id, at(20))).await);
    let secrets = fixture.read(move |tx| accounts::secrets(tx, id)).await;
    assert!(secrets.password.is_none() && secrets.totp.is_none());
    assert!(!fixture.write(move |tx| accounts::set_password(tx, id, Some(&secret("again")))).await);
    assert!(!fixture.write(move |tx| accounts::invite(tx, id, &digest(2), at(900))).await);
    assert_eq!(fixture.write(|tx| accounts::accept_invitation(tx, &digest(1), at(11))).await, None);
    for edit in ["state = 'active', closed_at = NULL", "closed_at = 5"] {
        fixture.refused_by_hand(&format!("UPDATE accounts SET {edit} WHERE id = '{id}'"));
    }
    assert_eq!(fixture.write(|tx| crate::purge::accounts(tx, at(10), 10)).await, 0, "not yet");
    assert_eq!(fixture.write(|tx| crate::purge::accounts(tx, at(11), 10)).await, 1);
    assert_eq!(fixture.write(|tx| crate::purge::accounts(tx, at(11), 10)).await, 0);
    let found = fixture.read(move |tx| accounts::get(tx, &id)).await.unwrap();
    assert_eq!((found.name.as_str(), found.email), ("", None));
    assert_eq!(found.login, format!("closed-{id}"));
    assert_eq!(found.state, AccountState::Closed);
}

async fn c3_1_7_who_made_an_account_is_recorded_for_good(fixture: Fixture) {
    let cast = fixture.cast().await;
    fixture
        .write(move |tx| {
            account_makers::record(tx, cast.clara, Deed::Created, &Actor::Host, at(1))?;
            account_makers::record(tx, cast.bruno, Deed::PasswordReset, &Actor::Account(cast.alice), at(2))
        })
        .await;
    let lately = fixture.read(|tx| account_makers::since(tx, at(2))).await;
    assert_eq!(lately.len(), 1);
    assert_eq!((lately[0].account_id, lately[0].by_account), (cast.bruno, Some(cast.alice)));
    assert_eq!(lately[0].actor, format!("account:{}", cast.alice));
    let of_clara = fixture.read(move |tx| account_makers::of_account(tx, cast.clara)).await;
    assert_eq!((of_clara[0].deed, of_clara[0].actor.as_str()), (Deed::Created, "host"));
    // Nobody is recorded as the maker of themselves, and no account hides behind another word.
    let oneself = fixture
        .store
        .write(move |tx| {
            account_makers::record(tx, cast.bruno, Deed::Created, &Actor::Account(cast.bruno), at(3))
        })
        .await;
    assert!(matches!(oneself, Err(StoreError::Refused { .. })), "{oneself:?}");
    let insert = |actor: &str, by: &str| {
        format!(
            "INSERT INTO account_makers (id, account_id, deed, actor, by_account, at) \
             VALUES ('x', '{}', 'created', '{actor}', {by}, 5)",
            cast.bruno
        )
    };
    for hidden in [
        insert(&format!("account:{}", cast.alice), "NULL"),
        insert("host", &format!("'{}'", cast.alice)),
        insert(&format!("account:{}", cast.clara), &format!("'{}'", cast.alice)),
    ] {
        fixture.refused_by_hand(&hidden);
    }
    for edit in [
        "UPDATE account_makers SET at = 1",
        "UPDATE account_makers SET actor = 'host', by_account = NULL",
        "DELETE FROM account_makers",
    ] {
        fixture.refused_by_hand(edit);
    }
    match fixture.store.engine() {
        crate::Engine::Sqlite => fixture.refused_by_hand(
            "PRAGMA foreign_keys = OFF; REPLACE INTO account_makers SELECT id, account_id, deed, 'host', NULL, at \
             FROM account_makers",
        ),
        crate::Engine::Postgresql => fixture.refused_by_hand("TRUNCATE account_makers"),
    }
}

//! Sessions and tokens, and how far lists reach.

use std::collections::BTreeSet;

use types::{AccountId, ApiTokenId, OrganisationId, SessionId};

use super::cast::{HERE, THERE, uai};
use super::fixture::{Fixture, at, digest, tablet};
use crate::accounts::{self, AccountState};
use crate::api_tokens::{self, ApiToken};
use crate::organisations;
use crate::sessions::{self, Session};
use crate::tests::on_both_engines;
use crate::{StoreError, Within, tablets};

on_both_engines! {
    t_c12_a_session_is_whose_it_is_and_ends_for_good,
    a_token_is_whose_it_is_and_ends_with_its_account,
    t_c1_lists_hold_what_is_within_reach_and_nothing_else,
    t_c22_pages_neither_lose_nor_repeat_rows,
}

fn session(account: AccountId, byte: u8) -> Session {
    Session {
        id: SessionId::new(at(0)),
        account_id: account,
        secret_sha256: digest(byte),
        created_at: at(0),
        last_used_at: at(0),
        expires_at: at(43_200),
        stepped_up_at: None,
        revoked_at: None,
    }
}

async fn t_c12_a_session_is_whose_it_is_and_ends_for_good(fixture: Fixture) {
    let cast = fixture.cast().await;
    let (one, two, other) = (session(cast.alice, 1), session(cast.alice, 2), session(cast.bruno, 3));
    let (first, second, third) = (one.id, two.id, other.id);
    let stored = [one.clone(), two.clone(), other];
    fixture.write(move |tx| stored.iter().try_for_each(|session| sessions::insert(tx, session))).await;
    assert_eq!(fixture.read(|tx| sessions::by_secret(tx, &digest(1))).await, Some(one));
    assert_eq!(fixture.read(|tx| sessions::by_secret(tx, &digest(9))).await, None);
    let mine = fixture.read(move |tx| sessions::of_account(tx, cast.alice, None, 10)).await;
    assert_eq!(mine.iter().map(|session| session.id).collect::<Vec<_>>(), [second, first]);
    let older = fixture.read(move |tx| sessions::of_account(tx, cast.alice, Some(second), 10)).await;
    assert_eq!(older.len(), 1);
    // Notes of use only go forwards.
    assert!(fixture.write(move |tx| sessions::used(tx, first, at(60))).await);
    assert!(fixture.write(move |tx| sessions::used(tx, first, at(30))).await);
    assert!(fixture.write(move |tx| sessions::step_up(tx, first, at(61))).await);
    let found = fixture.read(move |tx| sessions::get(tx, &first)).await.unwrap();
    assert_eq!((found.last_used_at, found.stepped_up_at), (at(60), Some(at(61))));
    assert!(!fixture.write(move |tx| sessions::step_up(tx, first, at(43_200))).await, "it has expired");
    assert!(fixture.write(move |tx| sessions::revoke(tx, first, at(70))).await);
    assert!(!fixture.write(move |tx| sessions::revoke(tx, first, at(71))).await);
    assert!(!fixture.write(move |tx| sessions::used(tx, first, at(72))).await);
    assert!(!fixture.write(move |tx| sessions::step_up(tx, first, at(72))).await);
    for edit in [
        format!("revoked_at = NULL WHERE id = '{first}'"),
        format!("last_used_at = 1 WHERE id = '{first}'"),
        format!("account_id = '{}' WHERE id = '{third}'", cast.alice),
        format!("expires_at = expires_at + 1 WHERE id = '{third}'"),
        format!("secret_sha256 = '{}' WHERE id = '{third}'", digest(8)),
    ] {
        fixture.refused_by_hand(&format!("UPDATE sessions SET {edit}"));
    }
    let gone =
        fixture.write(move |tx| sessions::revoke_of_account(tx, cast.bruno, Some(third), at(80))).await;
    assert_eq!(gone, 0);
    assert_eq!(fixture.write(move |tx| sessions::revoke_of_account(tx, cast.alice, None, at(80))).await, 1);
    // Only an active account signs in.
    fixture
        .write(move |tx| accounts::turn(tx, cast.bruno, AccountState::Active, AccountState::Suspended))
        .await;
    let refused = fixture.store.write(move |tx| sessions::insert(tx, &session(cast.bruno, 5))).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert_eq!(fixture.write(|tx| crate::purge::sessions(tx, at(43_200), 10)).await, 0);
    assert_eq!(fixture.write(|tx| crate::purge::sessions(tx, at(43_201), 2)).await, 2);
    assert_eq!(fixture.write(|tx| crate::purge::sessions(tx, at(43_201), 2)).await, 1);
}

fn token(account: AccountId, byte: u8) -> ApiToken {
    ApiToken {
        id: ApiTokenId::new(at(0)),
        secret_sha256: digest(byte),
        name: "import".to_owned(),
        scope: "read".to_owned(),
        created_at: at(0),
        expires_at: Some(at(86_400)),
        revoked_at: None,
        last_used_at: None,
        account_id: Some(account),
        reach: Some(BTreeSet::from([uai(HERE), uai(THERE)])),
    }
}

async fn a_token_is_whose_it_is_and_ends_with_its_account(fixture: Fixture) {
    let cast = fixture.cast().await;
    let (one, two) = (token(cast.alice, 1), token(cast.bruno, 2));
    let (first, stored) = (one.id, [one.clone(), two]);
    fixture.write(move |tx| stored.iter().try_for_each(|token| api_tokens::insert(tx, token))).await;
    assert_eq!(fixture.read(|tx| api_tokens::by_secret(tx, &digest(1))).await, Some(one.clone()));
    let mine = fixture.read(move |tx| api_tokens::list(tx, Some(cast.alice), None, 10)).await;
    assert_eq!(mine, [one]);
    let after = fixture.read(move |tx| api_tokens::list(tx, None, Some(first), 10)).await;
    assert_eq!(after.iter().map(|token| token.account_id).collect::<Vec<_>>(), [Some(cast.bruno)]);
    for edit in [
        format!("account_id = '{}' WHERE id = '{first}'", cast.bruno),
        format!("scope = 'operate' WHERE id = '{first}'"),
        format!("reach = NULL WHERE id = '{first}'"),
        format!("expires_at = NULL WHERE id = '{first}'"),
        format!("secret_sha256 = '{}' WHERE id = '{first}'", digest(7)),
    ] {
        fixture.refused_by_hand(&format!("UPDATE api_tokens SET {edit}"));
    }
    assert_eq!(fixture.write(move |tx| api_tokens::revoke_of_account(tx, cast.alice, at(5))).await, 1);
    fixture.refused_by_hand("UPDATE api_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL");
    fixture.write(move |tx| api_tokens::used(tx, first, at(6))).await;
}

async fn t_c1_lists_hold_what_is_within_reach_and_nothing_else(fixture: Fixture) {
    let cast = fixture.cast().await;
    let (mine, mut theirs, mut nobodys) = (tablet(1), tablet(2), tablet(3));
    theirs.uai = Some(uai(THERE));
    nobodys.uai = None;
    let all = [mine.clone(), theirs.clone(), nobodys];
    fixture.write(move |tx| all.iter().try_for_each(|tablet| tablets::insert(tx, tablet))).await;
    let both = BTreeSet::from([uai(HERE), uai(THERE)]);
    let reaches = [
        (Within::Everything, 3, 4, 5),
        (Within::Organisation(cast.here), 1, 1, 1),
        (Within::Organisation(cast.departement), 0, 1, 2),
        (Within::Organisation(OrganisationId::new(at(1))), 0, 0, 0),
        (Within::Colleges(both), 2, 2, 2),
        (Within::Colleges(BTreeSet::from([uai(THERE)])), 1, 1, 1),
        (Within::Colleges(BTreeSet::new()), 0, 0, 0),
    ];
    for (within, of_tablets, of_organisations, of_accounts) in reaches {
        let shown = format!("{within:?}");
        let counts = fixture
            .read(move |tx| {
                Ok((
                    tablets::list(tx, &within, None, 10)?.len(),
                    organisations::list(tx, &within, None, 10)?.len(),
                    accounts::list(tx, &within, None, None, 10)?.len(),
                ))
            })
            .await;
        assert_eq!(counts, (of_tablets, of_organisations, of_accounts), "{shown}");
    }
    let there = fixture.read(move |tx| tablets::list(tx, &Within::Organisation(cast.there), None, 10)).await;
    assert_eq!(there, [theirs]);
    let closed = fixture
        .read(|tx| accounts::list(tx, &Within::Everything, Some(AccountState::Closed), None, 10))
        .await;
    assert_eq!(closed, []);
}

async fn t_c22_pages_neither_lose_nor_repeat_rows(fixture: Fixture) {
    let cast = fixture.cast().await;
    for number in 0..7 {
        // Made at one instant, and named alike: only the key tells them apart.
        fixture.account(cast.academie, &format!("person-{number}")).await;
    }
    let all = fixture.read(|tx| accounts::list(tx, &Within::Everything, None, None, 100)).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.read(move |tx| accounts::list(tx, &Within::Everything, None, after, 5)).await;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        // Somebody's name changes while another turns the pages.
        let renamed = page[0].id;
        fixture.write(move |tx| accounts::describe(tx, renamed, "aaa", None)).await;
        seen.extend(page.into_iter().map(|account| account.id));
    }
    assert_eq!(seen, all.iter().map(|account| account.id).collect::<Vec<_>>());
    assert_eq!(seen.len(), 12);
}

//! What decisions rest on is read back from its rows, each checked again.

use std::collections::BTreeSet;

use governance::brake::CampaignPlan;
use governance::countersignature::{Asked, CountersignatureState, Purpose, Question, SecondPerson, Subject};
use governance::{Access, Deed, Permission, Reach};
use types::{AccountId, Actor, CampaignId, CountersignatureId, Day, Digest, Role};

use super::cast::{Cast, HERE, uai};
use super::fixture::{Fixture, at};
use super::second_persons::question;
use crate::accounts::AccountState;
use crate::campaigns::Campaign;
use crate::tests::on_both_engines;
use crate::{
    StoreError, account_makers, accounts, campaigns, countersignatures, purge, role_grants, standings,
};

on_both_engines! {
    c3_1_7_a_standing_is_what_the_rows_say_now,
    c3_1_7_whoever_made_an_account_stands_behind_it_for_thirty_days,
    what_was_asked_comes_back_as_it_was_asked_and_answered,
    content_that_is_not_what_its_digest_says_proves_nothing,
    m5_a_campaign_is_the_one_that_was_signed,
}

async fn c3_1_7_a_standing_is_what_the_rows_say_now(fixture: Fixture) {
    let cast = fixture.cast().await;
    let standing = || fixture.read(move |tx| standings::of_account(tx, cast.alice));
    let before = standing().await.unwrap();
    assert_eq!((before.account(), before.organisation().id()), (cast.alice, cast.departement));
    assert_eq!(before.reach(Permission::ViewTablets, at(1)), Some(Reach::Everything));
    let operator = before.grants().iter().find(|grant| grant.role() == Role::Operator).unwrap().id();
    fixture.write(move |tx| role_grants::revoke(tx, operator, Some(cast.bruno), at(5))).await;
    let after = standing().await.unwrap();
    assert!(before.has(Role::Operator, at(6)) && !after.has(Role::Operator, at(6)));
    assert!(after.has(Role::Administrator, at(6)));
    assert_eq!(after.grants().len(), before.grants().len(), "what was taken back is told, too");
    fixture
        .write(move |tx| accounts::turn(tx, cast.alice, AccountState::Active, AccountState::Suspended))
        .await;
    assert!(standing().await.unwrap().in_use().is_err());
    let nobody = AccountId::new(at(0));
    assert_eq!(fixture.read(move |tx| standings::of_account(tx, nobody)).await, None);
}

async fn c3_1_7_whoever_made_an_account_stands_behind_it_for_thirty_days(fixture: Fixture) {
    const DAY: i64 = 86_400;
    let cast = fixture.cast().await;
    fixture
        .write(move |tx| {
            let bruno = Actor::Account(cast.bruno);
            account_makers::record(tx, cast.denis, Deed::Created, &bruno, at(10))?;
            account_makers::record(tx, cast.elise, Deed::Created, &Actor::Host, at(10))
        })
        .await;
    let hands = |seconds| fixture.read(move |tx| account_makers::hands(tx, at(seconds)));
    assert!(!hands(10 + 30 * DAY).await.independent(cast.bruno, cast.denis));
    assert!(hands(11 + 30 * DAY).await.independent(cast.bruno, cast.denis));
    assert!(hands(20).await.independent(cast.denis, cast.elise));
    // A clock that was set back unties nobody.
    assert!(!hands(-DAY).await.independent(cast.bruno, cast.denis));
    let family = |seconds| async move {
        fixture.read(move |tx| account_makers::newcomers(tx, at(seconds))).await.family(cast.denis)
    };
    assert_eq!(family(20).await, BTreeSet::from([cast.bruno, cast.denis]));
}

fn plan() -> CampaignPlan {
    CampaignPlan {
        colleges: BTreeSet::from([uai(HERE)]),
        starts_on: Day::of(at(0)),
        ends_on: Day::of(at(86_400)),
        ceiling: 200,
        reason: "tablets of the oldest pupils".to_owned(),
    }
}

/// Alice asks the département about her campaign at `at(100)`.
async fn ask(fixture: &Fixture, cast: &Cast) -> Asked {
    let alice = cast.alice;
    let standing = fixture.read(move |tx| standings::of_account(tx, alice)).await.unwrap();
    let (subject, content) = plan().question();
    let question = Question {
        purpose: Purpose::OpenCampaign,
        subject,
        content,
        second: SecondPerson::Departement,
        reason: "the end of the school year".to_owned(),
    };
    let access = Access::Session { stepped_up_at: Some(at(99)) };
    let id = CountersignatureId::new(at(100));
    let asked = Asked::ask(id, question, &standing, &access, at(100)).unwrap();
    let recorded = asked.clone();
    fixture.write(move |tx| countersignatures::record(tx, &recorded)).await;
    asked
}

async fn what_was_asked_comes_back_as_it_was_asked_and_answered(fixture: Fixture) {
    let cast = fixture.cast().await;
    let asked = ask(&fixture, &cast).await;
    let id = asked.id();
    let read = || fixture.read(move |tx| countersignatures::asked(tx, id));
    assert_eq!(read().await.as_ref(), Some(&asked));
    assert_eq!(asked.question().subject, Subject::Campaign);
    fixture.answer(id, cast.bruno, true, 150).await.unwrap();
    let given = read().await.unwrap();
    assert_eq!(given.state(at(151)), CountersignatureState::Given);
    assert_eq!((given.answered_by(), given.answered_at()), (Some(cast.bruno), Some(at(150))));
    assert_eq!((given.question(), given.used()), (asked.question(), None));
    fixture.write(move |tx| countersignatures::use_once(tx, id, "campaign", at(160))).await;
    assert_eq!(read().await.unwrap().used(), Some((at(160), "campaign")));
    // Once it is emptied, nothing rests on it.
    assert_eq!(fixture.write(|tx| purge::countersignatures(tx, at(101), 10)).await, 1);
    assert_eq!(read().await, None);
}

async fn content_that_is_not_what_its_digest_says_proves_nothing(fixture: Fixture) {
    let cast = fixture.cast().await;
    let other = countersignatures::Question { content_sha256: Digest::of(b"another"), ..question(&cast) };
    let id = fixture.ask(&other).await;
    let read = fixture.store.read(move |tx| countersignatures::asked(tx, id)).await;
    assert!(matches!(read, Err(StoreError::Edited(_))), "{read:?}");
}

async fn m5_a_campaign_is_the_one_that_was_signed(fixture: Fixture) {
    let cast = fixture.cast().await;
    let mut ids = Vec::new();
    for ceiling in [200, 201] {
        let signature = ask(&fixture, &cast).await.id();
        fixture.answer(signature, cast.bruno, true, 150).await.unwrap();
        let plan = plan();
        let campaign = Campaign {
            id: CampaignId::new(at(160)),
            uais: plan.colleges,
            starts_on: plan.starts_on,
            ends_on: plan.ends_on,
            ceiling,
            opened_by: cast.alice,
            countersignature_id: signature,
            reason: plan.reason,
            created_at: at(160),
            ended_at: None,
        };
        ids.push(campaign.id);
        fixture
            .write(move |tx| {
                countersignatures::use_once(tx, signature, &campaign.id.to_string(), at(160))?;
                campaigns::insert(tx, &campaign)
            })
            .await;
    }
    let (signed, raised) = (ids[0], ids[1]);
    let campaign = fixture.read(move |tx| campaigns::proven(tx, signed)).await.unwrap();
    assert_eq!((campaign.id(), campaign.plan(), campaign.opened_by()), (signed, &plan(), cast.alice));
    let read = fixture.store.read(move |tx| campaigns::proven(tx, raised)).await;
    assert!(matches!(read, Err(StoreError::Edited(_))), "{read:?}");
}

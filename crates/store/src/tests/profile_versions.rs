//! The tables themselves publish nothing that was not approved, whoever sends the statement.

use types::{AccountId, CountersignatureId, Duration, Instant, ProfileVersionId, Role, RoleGrantId, Secret};

use super::cast::Cast;
use super::fixture::{Fixture, at};
use crate::countersignatures::{self, Answer, Question, SecondRole};
use crate::profile_approvals::{self, Approval};
use crate::profile_versions::{self as rows, ProfileVersion, VersionState};
use crate::role_grants::{GrantReach, NewGrant};
use crate::tests::on_both_engines;
use crate::{Digest, StoreError, Tx, role_grants};

on_both_engines! {
    c3_1_1_the_tables_publish_nothing_that_both_did_not_approve,
}

const TEXT: &str = "layer = \"base\"\ntitle = \"T\"\npurpose = \"P\"\n";

fn version(author: AccountId) -> ProfileVersion {
    ProfileVersion {
        id: ProfileVersionId::new(at(0)),
        layer_kind: "base".into(),
        layer_name: String::new(),
        uai: None,
        number: 1,
        state: VersionState::Draft,
        title: "T".into(),
        content_sha256: Digest::of(TEXT.as_bytes()),
        based_on: None,
        author_id: author,
        created_at: at(10),
        edited_at: at(10),
        submitted_at: None,
        takes_effect_at: None,
        scheduled_by: None,
        rollout_plan: None,
        published_at: None,
        superseded_at: None,
        ended_at: None,
        ended_by: None,
        ended_reason: None,
    }
}

/// A right to approve that counts.
fn approver(
    tx: &mut Tx<'_>,
    account: AccountId,
    (by, second): (AccountId, AccountId),
) -> Result<(), StoreError> {
    let id = RoleGrantId::new(at(0));
    let since = at(-200_000);
    let grant = NewGrant {
        id,
        account,
        role: Role::Approver,
        reach: GrantReach::Organisation,
        by: Some(by),
        at: since,
    };
    role_grants::grant(tx, &grant)?;
    role_grants::confirm(tx, id, second, since, since.plus(Duration::from_secs(86_400)))?;
    Ok(())
}

/// A signature of that account, under exactly this text.
fn signed(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    (organisation, by): (types::OrganisationId, AccountId),
    when: Instant,
) -> Result<CountersignatureId, StoreError> {
    let id = CountersignatureId::new(at(0));
    let content = format!("{{\"version\":\"{}\"}}", row.id);
    let question = Question {
        id,
        purpose: "approve".into(),
        subject: format!("version:{}", row.content_sha256),
        content_sha256: Digest::of(content.as_bytes()),
        content,
        reason: "x".into(),
        asked_by: row.author_id,
        asked_at: at(20),
        answer_organisation: Some(organisation),
        answer_role: SecondRole::Approver,
        answer_uai: None,
        expires_at: at(1_000_000),
    };
    countersignatures::ask(tx, &question)?;
    countersignatures::answer(tx, id, &Answer { given: true, by, at: when, reason: None })?;
    Ok(id)
}

async fn c3_1_1_the_tables_publish_nothing_that_both_did_not_approve(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let row = version(cast.bruno);
    let id = row.id;
    let (alice, bruno, clara, denis) = (cast.alice, cast.bruno, cast.clara, cast.denis);
    fixture.write(move |tx| approver(tx, alice, (bruno, denis))).await;
    fixture.write(move |tx| approver(tx, clara, (bruno, denis))).await;
    let draft = row.clone();
    fixture.write(move |tx| rows::insert(tx, &draft, &Secret::new(TEXT.to_owned()))).await;
    for step in ["approved", "published", "superseded", "rejected"] {
        fixture.refused_by_hand(&format!("UPDATE profile_versions SET state = '{step}'"));
    }
    assert!(fixture.write(move |tx| rows::submit(tx, id, at(20))).await);
    for edit in
        ["title = 'U'", "number = 2", "layer_kind = 'emergency'", "submitted_at = 21", "edited_at = 11"]
    {
        fixture.refused_by_hand(&format!("UPDATE profile_versions SET {edit}"));
    }
    let digest = Digest::of(b"another");
    fixture.refused_by_hand(&format!("UPDATE profile_versions SET content_sha256 = '{digest}'"));
    fixture.refused_by_hand("UPDATE profile_versions SET state = 'approved'");

    let approve = |organisation, account, signature: Option<CountersignatureId>, sha256| {
        let approval = Approval {
            version_id: id,
            organisation_id: organisation,
            account_id: account,
            content_sha256: sha256,
            approved_at: at(30),
            countersignature_id: signature,
        };
        fixture.store.write(move |tx| profile_approvals::insert(tx, &approval))
    };
    let sign = |organisation, account| {
        let row = row.clone();
        fixture.write(move |tx| signed(tx, &row, (organisation, account), at(30)))
    };
    let sha256 = row.content_sha256;
    let (departement, academie) = (cast.departement, cast.academie);
    let of_alice = sign(departement, alice).await;
    // Not without a signature, for another text, with another's, or for another organisation.
    assert!(matches!(approve(departement, alice, None, sha256).await, Err(StoreError::Refused { .. })));
    assert!(matches!(
        approve(departement, alice, Some(of_alice), digest).await,
        Err(StoreError::Refused { .. })
    ));
    assert!(matches!(
        approve(academie, clara, Some(of_alice), sha256).await,
        Err(StoreError::Refused { .. })
    ));
    assert!(matches!(
        approve(departement, bruno, Some(of_alice), sha256).await,
        Err(StoreError::Refused { .. })
    ));
    approve(departement, alice, Some(of_alice), sha256).await.unwrap();
    assert!(matches!(
        fixture.store.write(move |tx| rows::approve(tx, id)).await,
        Err(StoreError::Refused { .. })
    ));
    let lacking = fixture.store.read(move |tx| rows::approved(tx, id)).await;
    assert!(matches!(lacking, Err(StoreError::NotApproved(_))), "{lacking:?}");
    let of_clara = sign(academie, clara).await;
    approve(academie, clara, Some(of_clara), sha256).await.unwrap();
    assert!(fixture.write(move |tx| rows::approve(tx, id)).await);
    fixture.refused_by_hand("UPDATE profile_approvals SET approved_at = 31");
    fixture.refused_by_hand("DELETE FROM profile_approvals");
    assert!(fixture.write(move |tx| rows::schedule(tx, id, bruno, (at(40), None))).await);
    let early = fixture.store.write(move |tx| rows::publish(tx, id, at(39))).await;
    assert!(matches!(early, Err(StoreError::Refused { .. })), "{early:?}");
    assert!(fixture.write(move |tx| rows::publish(tx, id, at(40))).await);
    fixture.refused_by_hand("DELETE FROM profile_versions");
    fixture.refused_by_hand("UPDATE profile_versions SET state = 'draft'");
    // Whoever owns the host and puts another text in its place is found out when it is read back.
    let mut other = fixture.read(move |tx| rows::content(tx, id)).await.expose().clone();
    other.push('#');
    fixture
        .write(move |tx| {
            let sealed = tx
                .vault()
                .seal(other.as_bytes(), &crate::RowName::new("profile_versions", "content_sealed", &id))?;
            use crate::schema::profile_versions as table;
            use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
            tx.run(|connection| {
                diesel::update(table::table.find(id.to_string()))
                    .set(table::content_sealed.eq(sealed))
                    .execute(connection)
            })
        })
        .await;
    let edited = fixture.store.read(|tx| rows::in_force(tx, at(50))).await;
    assert!(
        matches!(edited, Err(StoreError::NotApproved(profiles::NotApproved::Edited { .. }))),
        "{edited:?}"
    );
}

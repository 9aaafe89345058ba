//! The tables themselves publish nothing that was not approved, whoever sends the statement.

use types::{
    AccountId, CountersignatureId, Day, Duration, Instant, OrganisationId, ProfileVersionId, Role,
    RoleGrantId, RolloutId, Secret,
};

use super::cast::{Cast, account};
use super::fixture::{Fixture, at};
use crate::countersignatures::{self, Answer, Question, SecondRole};
use crate::layer_suspensions::{self, Suspension};
use crate::profile_approvals::{self, Approval};
use crate::profile_versions::{self as rows, ProfileVersion, VersionState};
use crate::role_grants::{GrantReach, NewGrant};
use crate::tests::on_both_engines;
use crate::{Digest, StoreError, Tx, accounts, emergency_orders, role_grants};

on_both_engines! {
    c3_1_1_the_tables_publish_nothing_that_both_did_not_approve,
    c5_3_7_the_tables_take_no_order_for_days_that_there_are_not_far_ahead_or_renewed_early,
    c5_3_7_an_order_that_cannot_be_read_does_not_hide_the_others,
    c3_1_3_the_tables_suspend_nothing_that_was_decided_jointly,
    c3_1_1_the_tables_roll_out_what_is_published_and_say_what_was_before_it,
    c3_1_1_the_tables_bring_no_version_in_waves_that_was_published_to_all,
    c3_1_1_the_tables_take_nothing_joint_out_of_force_that_has_nothing_before_it,
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

/// A right to approve that counts: two colleagues gave and confirmed it.
fn approver(tx: &mut Tx<'_>, holder: AccountId, of: OrganisationId) -> Result<(), StoreError> {
    let colleagues = ["giver", "second"].map(|word| account(of, &format!("{word}.{of}")));
    for colleague in &colleagues {
        accounts::insert(tx, colleague)?;
    }
    let [by, second] = colleagues.map(|colleague| colleague.id);
    let (id, since) = (RoleGrantId::new(at(0)), at(-200_000));
    let reach = GrantReach::Organisation;
    role_grants::grant(
        tx,
        &NewGrant { id, account: holder, role: Role::Approver, reach, by: Some(by), at: since },
    )?;
    role_grants::confirm(tx, id, second, since, since.plus(Duration::from_secs(86_400)))?;
    Ok(())
}

/// A signature of that account, under exactly this text.
fn signed(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    (organisation, by): (OrganisationId, AccountId),
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
    let (alice, bruno, clara) = (cast.alice, cast.bruno, cast.clara);
    fixture.write(move |tx| approver(tx, alice, cast.departement)).await;
    fixture.write(move |tx| approver(tx, clara, cast.academie)).await;
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
    for how in ["rollout_plan = '{}'", "scheduled_by = NULL", "takes_effect_at = takes_effect_at - 1"] {
        fixture.refused_by_hand(&format!("UPDATE profile_versions SET {how}"));
    }
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
    // It is told apart from the others, which are not kept from tablets by it.
    let each = fixture.read(rows::each_in_force).await;
    let [Err(unreadable)] = &each[..] else { panic!("{each:?}") };
    assert_eq!((&unreadable.version, &unreadable.layer), (&id.to_string(), &Some(profiles::LayerKey::Base)));
    assert!(unreadable.error.is_about_a_row());
    let edited = fixture.store.read(rows::in_force).await;
    assert!(
        matches!(edited, Err(StoreError::NotApproved(profiles::NotApproved::Edited { .. }))),
        "{edited:?}"
    );
}

/// Puts a version in force by the signatures of both.
async fn in_force(fixture: &Fixture, cast: &Cast, row: &ProfileVersion) {
    in_force_as(fixture, cast, row, TEXT).await;
}

/// The same, with what it says.
async fn in_force_as(fixture: &Fixture, cast: &Cast, row: &ProfileVersion, text: &'static str) {
    let (alice, clara, departement, academie) = (cast.alice, cast.clara, cast.departement, cast.academie);
    let row = row.clone();
    fixture
        .write(move |tx| {
            if accounts::by_login(tx, &format!("giver.{departement}"))?.is_none() {
                approver(tx, alice, departement)?;
                approver(tx, clara, academie)?;
            }
            let draft = ProfileVersion { rollout_plan: None, ..row.clone() };
            rows::insert(tx, &draft, &Secret::new(text.to_owned()))?;
            rows::submit(tx, row.id, at(20))?;
            for (organisation, by) in [(departement, alice), (academie, clara)] {
                let approval = Approval {
                    version_id: row.id,
                    organisation_id: organisation,
                    account_id: by,
                    content_sha256: row.content_sha256,
                    approved_at: at(30),
                    countersignature_id: Some(signed(tx, &row, (organisation, by), at(30))?),
                };
                profile_approvals::insert(tx, &approval)?;
            }
            rows::approve(tx, row.id)?;
            rows::schedule(tx, row.id, row.author_id, (at(40), row.rollout_plan.as_deref()))?;
            if let Some(before) = rows::published(tx, &row.layer()?)? {
                rows::supersede(tx, before.id, at(40))?;
            }
            rows::publish(tx, row.id, at(40))
        })
        .await;
}

async fn c5_3_7_the_tables_take_no_order_for_days_that_there_are_not_far_ahead_or_renewed_early(
    fixture: Fixture,
) {
    let cast: Cast = fixture.cast().await;
    let base =
        ProfileVersion { layer_kind: "emergency".into(), layer_name: "T".into(), ..version(cast.bruno) };
    in_force(&fixture, &cast, &base).await;
    let (version, academie, clara, ordered) = (base.id, cast.academie, cast.clara, at(50).as_millis());
    let order = |id: u8, starts: &str, ends: &str, uais: &str, at: i64, renews: Option<u8>| {
        let name = |number: u8| format!("'01890000-0000-7000-8000-0000000000{number:02}'");
        format!(
            "INSERT INTO emergency_orders (id, version_id, uais, starts_on, ends_on, reason, organisation_id, ordered_by, \
             ordered_at, renews, ended_at, ended_by) VALUES ({}, '{version}', '{uais}', '{starts}', '{ends}', 'closed', \
             '{academie}', '{clara}', {at}, {}, NULL, NULL)",
            name(id),
            renews.map_or("NULL".to_owned(), name)
        )
    };
    let today = Day::of(at(50));
    let day = |ahead: i32| today.plus(ahead).to_string();
    // PostgreSQL refuses such a day by itself, in words of its own.
    for (starts, ends) in [("2027-99-99", "2027-99-99"), (day(0).as_str(), "2027-02-30")] {
        assert!(fixture.by_hand(&order(1, starts, ends, "[]", ordered, None)).is_err(), "{starts} {ends}");
    }
    for (starts, ends) in [(day(8), day(20)), (day(0), day(30))] {
        fixture.refused_by_hand(&order(1, &starts, &ends, "[]", ordered, None));
    }
    fixture.by_hand(&order(1, &day(0), &day(29), "[]", ordered, None)).unwrap();
    // On each day one order stands for a collège, but for one that renews another.
    for uais in ["[]", "[\"0761234A\"]"] {
        fixture.refused_by_hand(&order(2, &day(7), &day(12), uais, ordered, None));
    }
    let late = ordered + 25 * 86_400_000;
    fixture.refused_by_hand(&order(2, &day(1), &day(20), "[]", ordered, Some(1)));
    fixture.refused_by_hand(&order(2, &day(31), &day(40), "[]", late, Some(1)));
    // A renewal is for collèges of what it renews, all or some; of one for all, for any.
    let (one, other, two) = ("[\"0761234A\"]", "[\"0765678B\"]", "[\"0761234A\",\"0765678B\"]");
    fixture.by_hand(&order(2, &day(30), &day(40), two, late, Some(1))).unwrap();
    let later = late + 10 * 86_400_000;
    for uais in ["[]", "[\"0761234A\",\"0769999Z\"]"] {
        fixture.refused_by_hand(&order(3, &day(41), &day(50), uais, later, Some(2)));
    }
    fixture.by_hand(&order(3, &day(41), &day(50), one, later, Some(2))).unwrap();
    fixture.by_hand(&order(4, &day(41), &day(50), other, later, Some(2))).unwrap();
    // The base that an order rests on is not taken away under it; and once it is, whoever did it, the order is over.
    let withdrawn = |at: i64| {
        format!(
            "UPDATE profile_versions SET state = 'withdrawn', ended_at = {at}, ended_reason = 'x' WHERE id = '{version}'"
        )
    };
    fixture.refused_by_hand(&withdrawn(late));
    assert_eq!(fixture.read(move |tx| emergency_orders::not_past(tx, today)).await.len(), 4);
    fixture.by_hand(&withdrawn(ordered + 60 * 86_400_000)).unwrap();
    let left = fixture.read(|tx| emergency_orders::in_force(tx, at(50))).await;
    assert!(left.is_empty(), "{left:?}");
}

async fn c5_3_7_an_order_that_cannot_be_read_does_not_hide_the_others(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let text = include_str!("../../../../profiles/urgence.toml");
    let title = profiles::parse("layer", text).unwrap().name().title.clone();
    let emergency = |title: &str, text: &str| ProfileVersion {
        layer_kind: "emergency".into(),
        layer_name: title.to_owned(),
        title: title.to_owned(),
        content_sha256: Digest::of(text.as_bytes()),
        ..version(cast.bruno)
    };
    // One of a text that this program does not understand any more, and one of a real base.
    let (old, real) = (emergency("T", TEXT), emergency(&title, text));
    in_force(&fixture, &cast, &old).await;
    in_force_as(&fixture, &cast, &real, text).await;
    let (today, ordered) = (Day::of(at(50)), at(50).as_millis());
    for (number, version, uai) in [(1, old.id, "0761234A"), (2, real.id, "0765678B")] {
        let order = format!(
            "INSERT INTO emergency_orders (id, version_id, uais, starts_on, ends_on, reason, organisation_id, ordered_by, \
             ordered_at, renews, ended_at, ended_by) VALUES ('01890000-0000-7000-8000-00000000000{number}', '{version}', \
             '[\"{uai}\"]', '{today}', '{}', 'closed', '{}', '{}', {ordered}, NULL, NULL, NULL)",
            today.plus(5),
            cast.academie,
            cast.clara
        );
        fixture.by_hand(&order).unwrap();
    }
    let each = fixture.read(|tx| emergency_orders::each_in_force(tx, at(50))).await;
    let [Err(unreadable), Ok(order)] = &each[..] else { panic!("{each:?}") };
    assert!(unreadable.order.ends_with("1") && unreadable.error.is_about_a_row(), "{unreadable:?}");
    assert_eq!(
        unreadable.colleges.iter().flatten().map(ToString::to_string).collect::<Vec<_>>(),
        ["0761234A"]
    );
    assert_eq!(order.version(), real.id);
    assert_eq!(fixture.read(move |tx| emergency_orders::ids_not_past(tx, today)).await.len(), 2);
    assert!(fixture.store.read(|tx| emergency_orders::in_force(tx, at(50))).await.is_err());
}

async fn c3_1_3_the_tables_suspend_nothing_that_was_decided_jointly(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let base = version(cast.bruno);
    in_force(&fixture, &cast, &base).await;
    let row = Suspension {
        version_id: base.id,
        uai: "0761234A".parse().unwrap(),
        why: "x".into(),
        suspended_at: at(50),
        lifted_at: None,
    };
    let refused = fixture.store.write(move |tx| layer_suspensions::put(tx, &row)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
}

/// A statement that begins a roll-out by hand.
fn rolled_out(
    of: &ProfileVersion,
    before: Option<&ProfileVersion>,
    (plan, by): (&str, AccountId),
    when: Instant,
) -> String {
    let id = RolloutId::new(at(60));
    let before = before.map_or("NULL".to_owned(), |before| format!("'{}'", before.id));
    let (of, when) = (of.id, when.as_millis());
    format!(
        "INSERT INTO rollouts (id, version_id, previous_id, plan, state, wave, wave_since, started_by, started_at) \
         VALUES ('{id}', '{of}', {before}, '{plan}', 'running', 0, {when}, '{by}', {when})"
    )
}

/// A statement that takes a version out of force by hand.
fn taken_away(of: &ProfileVersion) -> String {
    let at = at(70).as_millis();
    let set = format!("state = 'withdrawn', ended_at = {at}, ended_reason = 'x'");
    format!("UPDATE profile_versions SET {set} WHERE id = '{}'", of.id)
}

async fn c3_1_1_the_tables_roll_out_what_is_published_and_say_what_was_before_it(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let planned = ProfileVersion { rollout_plan: Some("{}".into()), ..version(cast.bruno) };
    let (base, draft) = (planned, ProfileVersion { number: 2, ..version(cast.bruno) });
    in_force(&fixture, &cast, &base).await;
    let drafted = draft.clone();
    fixture.write(move |tx| rows::insert(tx, &drafted, &Secret::new(TEXT.to_owned()))).await;
    let as_planned = ("{}", cast.bruno);
    // Neither of a draft, nor from itself or from what was never in force.
    for (of, before) in [(&draft, None), (&draft, Some(&base)), (&base, Some(&base)), (&base, Some(&draft))] {
        fixture.refused_by_hand(&rolled_out(of, before, as_planned, at(60)));
    }
    // With nothing before it, where nothing was, when that version is published and not later; as it was decided then, and
    // that stays written.
    let id = base.id;
    let published = fixture.read(move |tx| rows::get(tx, &id)).await.unwrap().published_at.unwrap();
    fixture.refused_by_hand(&rolled_out(&base, None, as_planned, published.plus(Duration::from_millis(1))));
    for otherwise in [("{\"waves\":[]}", cast.bruno), ("{}", cast.alice)] {
        fixture.refused_by_hand(&rolled_out(&base, None, otherwise, published));
    }
    fixture.by_hand(&rolled_out(&base, None, as_planned, published)).unwrap();
    fixture.refused_by_hand(&format!("UPDATE rollouts SET previous_id = '{}'", draft.id));
}

async fn c3_1_1_the_tables_bring_no_version_in_waves_that_was_published_to_all(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let base = version(cast.bruno);
    in_force(&fixture, &cast, &base).await;
    // Neither as a first one, nor with one before it that was in force once.
    for plan in ["{}", "NULL"] {
        fixture.refused_by_hand(&rolled_out(&base, None, (plan, cast.bruno), at(40)));
    }
    let next = ProfileVersion { number: 2, ..version(cast.bruno) };
    in_force(&fixture, &cast, &next).await;
    fixture.refused_by_hand(&rolled_out(&next, Some(&base), ("{}", cast.bruno), at(40)));
}

async fn c3_1_1_the_tables_take_nothing_joint_out_of_force_that_has_nothing_before_it(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let planned = |number| {
        let plan = Some("{}".to_owned());
        ProfileVersion { number, rollout_plan: plan, ..version(cast.bruno) }
    };
    // Neither published to all, nor the first of its layer in waves.
    let first = planned(1);
    in_force(&fixture, &cast, &first).await;
    fixture.refused_by_hand(&taken_away(&first));
    fixture.by_hand(&rolled_out(&first, None, ("{}", cast.bruno), at(40))).unwrap();
    fixture.refused_by_hand(&taken_away(&first));
    // One that is rolled out goes for the one before it.
    let next = planned(2);
    in_force(&fixture, &cast, &next).await;
    fixture.refused_by_hand(&taken_away(&next));
    fixture.by_hand(&rolled_out(&next, Some(&first), ("{}", cast.bruno), at(40))).unwrap();
    fixture.by_hand(&taken_away(&next)).unwrap();
}

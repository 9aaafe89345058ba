//! The switch: what is validated, by whom, and what voids it (C3.1.6).

use types::{Role, RuleId};

use super::fixture::{DAY, DECLARED, DECLARED_WITH_MORE, account, apps, at, validated};
use crate::{
    Activity, Entry, Language, NotGiven, NotValidated, NotWithdrawn, Status, StoredColumns, Validation,
    Withdrawal, check,
};

fn apps_with_more() -> Entry {
    Entry::of(Activity::AppInventory, DECLARED_WITH_MORE)
}

#[test]
fn c3_1_6_an_activity_is_off_until_a_dpo_validates_exactly_its_entry() {
    let entry = apps();
    let never = check(&entry, &[], at(0)).unwrap_err();
    assert_eq!(never, NotValidated::Never { activity: Activity::AppInventory });
    assert_eq!(never.rule(), RuleId::C3_1_6);
    assert_eq!(Status::of(&entry, &[], at(0)), Status::Off(never));

    let validation = validated(&entry, at(1));
    let proof = check(&entry, std::slice::from_ref(&validation), at(2)).unwrap();
    assert_eq!(proof.activity(), Activity::AppInventory);
    assert_eq!((proof.validation(), proof.by(), proof.at()), (validation.id(), account(1), at(1)));
    assert_eq!(proof.digest(), entry.digest());
    assert_eq!(Status::of(&entry, &[validation], at(2)), Status::On(proof));
}

#[test]
fn c3_1_6_only_a_dpo_validates_or_withdraws() {
    let entry = apps();
    for role in Role::ALL.iter().copied().filter(|role| *role != Role::Dpo) {
        let refused = Validation::decide(&entry, &entry.digest(), account(2), role, at(1)).unwrap_err();
        assert_eq!(refused, NotGiven::NotTheDpo { role });
        assert_eq!(refused.rule(), RuleId::C3_1_6);
        let kept = validated(&entry, at(1)).withdraw(account(2), role, at(2)).unwrap_err();
        assert_eq!(kept, NotWithdrawn::NotTheDpo { role });
    }
}

#[test]
fn c3_1_6_an_entry_that_changed_while_it_was_read_is_not_validated() {
    let (read, present) = (apps().digest(), apps_with_more());
    let refused = Validation::decide(&present, &read, account(1), Role::Dpo, at(1)).unwrap_err();
    let expected = NotGiven::ReadAnother { activity: Activity::AppInventory, present: present.digest() };
    assert_eq!(refused, expected);
    assert!(refused.to_string().contains(&present.digest().to_string()), "{refused}");
}

#[test]
fn there_is_nothing_to_validate_where_nothing_is_stored() {
    let roster = Entry::of(Activity::Roster, DECLARED);
    let refused = Validation::decide(&roster, &roster.digest(), account(1), Role::Dpo, at(1)).unwrap_err();
    assert_eq!(refused, NotGiven::NothingStored { activity: Activity::Roster });
    assert_eq!(Status::of(&roster, &[], at(1)), Status::NothingStored);
    assert!(check(&roster, &[], at(1)).is_err(), "nothing may be processed either");
}

#[test]
fn c3_1_6_a_change_of_what_is_stored_voids_the_validation_and_names_the_columns() {
    let validation = validated(&apps(), at(1));
    let voided = check(&apps_with_more(), std::slice::from_ref(&validation), at(2)).unwrap_err();
    let NotValidated::Voided { validated_at, change, .. } = &voided else { panic!("{voided}") };
    assert_eq!(*validated_at, at(1));
    assert_eq!(change.added, ["observations.opened"]);
    assert!(change.removed.is_empty() && change.held_otherwise.is_empty());
    let said = voided.to_string();
    assert!(said.contains("newly stored: observations.opened") && said.contains("C3.1.6"), "{said}");
    assert!(said.contains("ardoise privacy register"), "what to do next: {said}");
    let dit = voided.in_words(Language::French);
    assert!(dit.contains("nouvellement conservé : observations.opened"), "{dit}");

    // Validated again, it is on; and whoever goes back to the version before is right about what it stores.
    let again = validated(&apps_with_more(), at(3));
    assert!(check(&apps_with_more(), &[validation.clone(), again.clone()], at(4)).is_ok());
    assert!(check(&apps(), &[validation, again], at(4)).is_ok());
}

#[test]
fn a_change_says_what_is_new_gone_or_held_otherwise() {
    let columns = |json: &str| serde_json::from_str::<StoredColumns>(json).unwrap();
    let before = columns(r#"{"a.kept":"x","a.gone":"x","a.other":"x"}"#);
    let after = columns(r#"{"a.kept":"x","a.new":"x","a.other":"y"}"#);
    assert_eq!(
        after.since(&before).to_string(),
        "newly stored: a.new; no longer stored: a.gone; stored otherwise: a.other"
    );
    assert_eq!(after.since(&after).to_string(), "the wording of the entry changed");
    assert!(after.since(&after).is_empty());
}

#[test]
fn what_was_stored_reads_back_from_its_row() {
    let stored = apps().stored();
    let json = serde_json::to_string(&stored).unwrap();
    assert_eq!(json, r#"{"observations.body":"observations; managed-apps"}"#);
    assert_eq!(serde_json::from_str::<StoredColumns>(&json).unwrap(), stored);
    assert_eq!(stored.count(), 1);
}

#[test]
fn c3_1_6_a_withdrawal_switches_off_whatever_was_validated_before_it() {
    let entry = apps();
    let (forgotten, recent) = (validated(&entry, at(1)), validated(&entry, at(2)));
    let withdrawn = recent.withdraw(account(9), Role::Dpo, at(3)).unwrap();
    assert_eq!(withdrawn.withdrawn(), Some(Withdrawal { by: account(9), at: at(3) }));
    let off = check(&entry, &[forgotten.clone(), withdrawn.clone()], at(4)).unwrap_err();
    let expected = NotValidated::Withdrawn {
        activity: Activity::AppInventory,
        withdrawal: Withdrawal { by: account(9), at: at(3) },
    };
    assert_eq!(off, expected);

    let again = validated(&entry, at(5));
    assert_eq!(check(&entry, &[again.clone(), withdrawn.clone(), forgotten], at(6)).unwrap().at(), at(5));

    let twice = withdrawn.clone().withdraw(account(9), Role::Dpo, at(7)).unwrap_err();
    let already =
        NotWithdrawn::Already { validation: withdrawn.id(), activity: Activity::AppInventory, at: at(3) };
    assert_eq!(twice, already);
}

#[test]
fn c3_1_6_a_validation_of_another_activity_validates_nothing_here() {
    let other = Entry::of(Activity::DeviceManagement, DECLARED);
    let validation = validated(&other, at(1));
    let refused = check(&apps(), &[validation], at(2)).unwrap_err();
    assert_eq!(refused, NotValidated::Never { activity: Activity::AppInventory });
}

#[test]
fn a_clock_set_back_does_not_let_a_validation_be_used_before_it_was_given() {
    let entry = apps();
    let validation = validated(&entry, at(DAY));
    let refused = check(&entry, &[validation], at(0)).unwrap_err();
    assert!(matches!(refused, NotValidated::InTheFuture { .. }), "{refused}");
    assert!(refused.to_string().contains("clock"), "{refused}");
}

#[test]
fn c3_1_6_what_runs_from_the_start_still_says_whether_a_dpo_has_looked() {
    let entry = Entry::of(Activity::DeviceManagement, DECLARED);
    let status = Status::of(&entry, &[], at(1));
    assert_eq!(status.code(), "from-the-start");
    assert!(matches!(status.not_validated(), Some(NotValidated::Never { .. })));
    let looked = Status::of(&entry, &[validated(&entry, at(1))], at(2));
    assert_eq!(looked.code(), "from-the-start");
    assert_eq!(looked.validated().unwrap().at(), at(1));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads a row that it made up")]
fn a_validation_reads_back_whole() {
    let given = validated(&apps(), at(1)).withdraw(account(3), Role::Dpo, at(2)).unwrap();
    let read = Validation::from_row(
        given.id(),
        given.activity(),
        given.digest(),
        given.stored().clone(),
        given.by(),
        given.at(),
        given.withdrawn(),
    );
    assert_eq!(read, given);
}

#[test]
fn every_refusal_is_said_in_french_too() {
    let activity = Activity::Roster;
    let withdrawal = Withdrawal { by: account(1), at: at(1) };
    for refused in [
        NotValidated::Never { activity },
        NotValidated::Withdrawn { activity, withdrawal },
        NotValidated::Voided {
            activity,
            validated_at: at(0),
            change: apps().stored().since(&apps().stored()),
        },
        NotValidated::InTheFuture { activity, validated_at: at(9), now: at(0) },
    ] {
        let (french, english) = (refused.in_words(Language::French), refused.in_words(Language::English));
        assert_eq!(english, refused.to_string());
        assert_ne!(french, english);
        for said in [french, english] {
            assert!(said.contains("roster") && said.contains("C3.1.6"), "{said}");
        }
    }
}

//! Promises about the whole table of permissions.

use types::{OrganisationKind, Role};

use crate::permission::{Cell, cell};
use crate::{Permission, needs_step_up};

fn cells() -> impl Iterator<Item = (Permission, Role, OrganisationKind, Cell)> {
    Permission::ALL.iter().flat_map(|permission| {
        Role::ALL.iter().flat_map(move |role| {
            let kinds = OrganisationKind::ALL.iter().filter(|kind| role.fits(**kind));
            kinds.map(move |kind| (*permission, *role, *kind, cell(*permission, *role, *kind)))
        })
    })
}

fn holders(permission: Permission) -> Vec<(Role, OrganisationKind)> {
    let of = cells().filter(|(one, _, _, cell)| *one == permission && *cell != Cell::No);
    of.map(|(_, role, kind, _)| (role, kind)).collect()
}

#[test]
fn everything_that_can_be_done_can_be_done_by_somebody() {
    for permission in Permission::ALL {
        assert!(!holders(*permission).is_empty(), "nobody may {permission}");
        assert_eq!(permission.as_str().parse::<Permission>().as_ref(), Ok(permission));
    }
}

#[test]
fn a_role_gives_nothing_in_an_organisation_that_it_does_not_fit() {
    for permission in Permission::ALL {
        assert_eq!(cell(*permission, Role::Head, OrganisationKind::Departement), Cell::No);
        assert_eq!(cell(*permission, Role::Operator, OrganisationKind::College), Cell::No);
        assert_eq!(cell(*permission, Role::Administrator, OrganisationKind::College), Cell::No);
    }
}

#[test]
fn c3_1_7_accounts_and_roles_are_managed_in_ones_own_organisation_or_not_at_all() {
    for (permission, role, kind, cell) in cells() {
        if matches!(permission, Permission::ManageAccounts | Permission::GrantRoles) {
            assert!(matches!(cell, Cell::Org | Cell::No), "{role} of the {kind}: {permission}");
        }
    }
    let managers = [
        (Role::Administrator, OrganisationKind::Departement),
        (Role::Administrator, OrganisationKind::Academie),
        (Role::Head, OrganisationKind::College),
    ];
    for permission in [Permission::ManageAccounts, Permission::GrantRoles] {
        assert_eq!(holders(permission), managers);
    }
}

#[test]
fn c3_3_3_nobody_but_the_head_decides_for_a_college() {
    assert_eq!(holders(Permission::ManageCollege), [(Role::Head, OrganisationKind::College)]);
}

#[test]
fn c3_1_6_nobody_but_a_data_protection_officer_validates() {
    assert!(holders(Permission::ValidateProcessing).iter().all(|(role, _kind)| *role == Role::Dpo));
}

#[test]
fn c5_3_7_the_academie_or_a_head_orders_an_emergency_base() {
    let who = [
        (Role::Administrator, OrganisationKind::Academie),
        (Role::Approver, OrganisationKind::Academie),
        (Role::Head, OrganisationKind::College),
    ];
    assert_eq!(holders(Permission::OrderEmergency), who);
}

#[test]
fn an_auditor_changes_nothing_but_what_is_their_own() {
    for (permission, role, _, cell) in cells() {
        if role == Role::Auditor && !matches!(cell, Cell::No | Cell::Own) {
            assert!(permission.only_looks(), "{permission}");
        }
    }
}

#[test]
fn t_c14_what_destroys_reveals_or_empowers_needs_a_code_and_stopping_never_does() {
    for permission in [
        Permission::Unenrol,
        Permission::OpenCampaign,
        Permission::ReleaseBrake,
        Permission::ReadoptOrphans,
        Permission::ManagePushCertificate,
        Permission::TakeOver,
        Permission::AnswerCountersignature,
        Permission::ManageAccounts,
        Permission::GrantRoles,
        Permission::ManageOwnTokens,
        Permission::ManageOwnFactors,
        Permission::ExportAudit,
        Permission::ValidateProcessing,
        Permission::PublishProfiles,
        Permission::OrderEmergency,
    ] {
        assert!(needs_step_up(permission), "{permission}");
    }
    assert!(!needs_step_up(Permission::EngageBrake));
}

#[test]
fn what_is_reached_in_different_ways_never_has_to_be_added_up() {
    for permission in Permission::ALL {
        let ways: Vec<_> = cells().filter(|(one, ..)| one == permission).map(|(.., cell)| cell).collect();
        let narrow = |cell: &&Cell| matches!(cell, Cell::Org | Cell::Own);
        assert!(
            !(ways.contains(&Cell::Col) && ways.iter().any(|cell| narrow(&cell))),
            "{permission} reaches collèges for some, and an organisation or oneself for others"
        );
    }
}

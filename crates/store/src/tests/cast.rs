//! The cast of many tests: a département, an académie and two collèges, and people in them.

use types::{AccountId, OrganisationId, OrganisationKind, Role, RoleGrantId, Uai};

use super::fixture::{Fixture, at};
use crate::accounts::{Account, AccountState};
use crate::organisations::{HomeUse, Organisation, OrganisationState};
use crate::role_grants::{GrantReach, NewGrant};
use crate::{StoreError, accounts, organisations, role_grants};

/// The first collège, whose tablets the fixture makes.
pub(crate) const HERE: &str = "0761234A";
/// The other collège.
pub(crate) const THERE: &str = "0765678B";

pub(crate) fn uai(code: &str) -> Uai {
    code.parse().unwrap()
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    pub(crate) departement: OrganisationId,
    pub(crate) academie: OrganisationId,
    pub(crate) here: OrganisationId,
    pub(crate) there: OrganisationId,
    /// Administrator and operator of the département.
    pub(crate) alice: AccountId,
    /// Administrator of the département.
    pub(crate) bruno: AccountId,
    /// Administrator of the académie.
    pub(crate) clara: AccountId,
    /// Head of the collège here.
    pub(crate) denis: AccountId,
    /// Head of the collège there.
    pub(crate) elise: AccountId,
}

pub(crate) fn organisation(kind: OrganisationKind, code: Option<&str>) -> Organisation {
    Organisation {
        id: OrganisationId::new(at(0)),
        kind,
        name: format!("{kind} {}", code.unwrap_or_default()),
        uai: code.map(uai),
        state: OrganisationState::Active,
        home_use: HomeUse::Undecided,
        charter_adopted_on: None,
        referent_account_id: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn account(organisation: OrganisationId, login: &str) -> Account {
    Account {
        id: AccountId::new(at(0)),
        organisation_id: organisation,
        login: login.to_owned(),
        name: format!("Person {login}"),
        email: None,
        state: AccountState::Active,
        totp_used_step: None,
        invitation_sha256: None,
        invitation_expires_at: None,
        failed_attempts: 0,
        locked_until: None,
        created_at: at(0),
        closed_at: None,
    }
}

pub(crate) fn new_grant(account: AccountId, role: Role, by: Option<AccountId>) -> NewGrant {
    NewGrant { id: RoleGrantId::new(at(0)), account, role, reach: GrantReach::Organisation, by, at: at(0) }
}

impl Fixture {
    /// Adds an active account.
    pub(crate) async fn account(&self, organisation: OrganisationId, login: &str) -> AccountId {
        let account = account(organisation, login);
        let id = account.id;
        self.write(move |tx| accounts::insert(tx, &account)).await;
        id
    }

    /// Gives a role at `at(0)`.
    pub(crate) async fn give(&self, account: AccountId, role: Role, by: Option<AccountId>) -> RoleGrantId {
        let new = new_grant(account, role, by);
        let id = new.id;
        self.write(move |tx| role_grants::grant(tx, &new)).await;
        id
    }

    /// Adds everybody.
    pub(crate) async fn cast(&self) -> Cast {
        let all = [
            organisation(OrganisationKind::Departement, None),
            organisation(OrganisationKind::Academie, None),
            organisation(OrganisationKind::College, Some(HERE)),
            organisation(OrganisationKind::College, Some(THERE)),
        ];
        let [departement, academie, here, there] = [0, 1, 2, 3].map(|number| all[number].id);
        self.write(move |tx| all.iter().try_for_each(|one| organisations::insert(tx, one))).await;
        let cast = Cast {
            departement,
            academie,
            here,
            there,
            alice: self.account(departement, "alice").await,
            bruno: self.account(departement, "bruno").await,
            clara: self.account(academie, "clara").await,
            denis: self.account(here, "denis").await,
            elise: self.account(there, "elise").await,
        };
        for (account, role) in [
            (cast.alice, Role::Administrator),
            (cast.alice, Role::Operator),
            (cast.bruno, Role::Administrator),
            (cast.clara, Role::Administrator),
            (cast.denis, Role::Head),
            (cast.elise, Role::Head),
        ] {
            self.give(account, role, None).await;
        }
        cast
    }

    /// Runs SQL past the program, and expects one of the tables' own refusals.
    pub(crate) fn refused_by_hand(&self, sql: &str) {
        let refused = self.by_hand(sql);
        assert!(
            matches!(
                refused,
                Err(StoreError::Refused { .. } | StoreError::Duplicate { .. } | StoreError::Dangling { .. })
            ),
            "{sql}: {refused:?}"
        );
    }
}

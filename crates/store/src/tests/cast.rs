//! The cast of many tests: a département, an académie and two collèges, and people in them.

use lending::list::{Change, Entry, Scope};
use types::{
    AccountId, Instant, ListId, OrganisationId, OrganisationKind, PersonId, Role, RoleGrantId, Uai, UserKind,
};

use super::fixture::{Fixture, at};
use crate::accounts::{Account, AccountState};
use crate::lists::{List, ListState};
use crate::organisations::{HomeUse, Organisation, OrganisationState};
use crate::persons::Person;
use crate::role_grants::{GrantReach, NewGrant};
use crate::{StoreError, Tx, accounts, lists, organisations, persons, role_grants};

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

/// What a list says of a pupil.
pub(crate) fn entry(name: &str) -> Entry {
    Entry {
        kind: UserKind::Pupil,
        name: name.parse().unwrap(),
        class: Some("6e A".parse().unwrap()),
        number: None,
        arrives_on: None,
        leaves_on: None,
        guardians: 2,
        contacts: std::collections::BTreeMap::new(),
    }
}

/// A proposal of these names, at `at(1)`.
pub(crate) fn proposed(college: &str, school_year: &str, changes: &[Change], by: AccountId) -> List {
    let (id, uai) = (ListId::new(at(1)), uai(college));
    List {
        id,
        content_sha256: lending::list::digest(id, (&uai, school_year), Scope::Whole, changes),
        uai,
        school_year: school_year.to_owned(),
        changes: i32::try_from(changes.len()).unwrap(),
        state: ListState::Proposed,
        proposed_by: by,
        proposed_at: at(1),
        settled_by: None,
        settled_at: None,
        settled_sha256: None,
        validated_by: None,
        validated_at: None,
        validated_sha256: None,
        withdrawn_at: None,
        scope: Scope::Whole,
    }
}

/// The head's signature.
pub(crate) fn settled(list: &List, by: AccountId, when: Instant) -> List {
    List {
        state: ListState::Settled,
        settled_by: Some(by),
        settled_at: Some(when),
        settled_sha256: Some(list.content_sha256),
        ..list.clone()
    }
}

/// The académie's signature.
pub(crate) fn validated(list: &List, by: AccountId, when: Instant) -> List {
    List {
        state: ListState::Validated,
        validated_by: Some(by),
        validated_at: Some(when),
        validated_sha256: Some(list.content_sha256),
        ..list.clone()
    }
}

/// An account, whoever's: somebody who signs.
pub(crate) fn signer(tx: &mut Tx<'_>) -> Result<AccountId, StoreError> {
    let organisation = match organisations::of_kind(tx, OrganisationKind::Academie)? {
        Some(found) => found.id,
        None => {
            let row = organisation(OrganisationKind::Academie, None);
            organisations::insert(tx, &row)?;
            row.id
        }
    };
    let mut signer = account(organisation, "");
    signer.login = format!("signer-{}", signer.id);
    accounts::insert(tx, &signer)?;
    Ok(signer.id)
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

    /// A collège's head, and somebody who approves for the académie since yesterday.
    pub(crate) async fn signers(&self, college: &str) -> (AccountId, AccountId) {
        let mut of = Vec::new();
        for (kind, code) in
            [(OrganisationKind::College, Some(college.to_owned())), (OrganisationKind::Academie, None)]
        {
            let row = organisation(kind, code.as_deref());
            let id = self
                .write(move |tx| {
                    let found = match &row.uai {
                        Some(uai) => organisations::by_uai(tx, uai)?,
                        None => organisations::of_kind(tx, kind)?,
                    };
                    match found {
                        Some(found) => Ok(found.id),
                        None => organisations::insert(tx, &row).map(|()| row.id),
                    }
                })
                .await;
            of.push(id);
        }
        let [college_id, academie] = [of[0], of[1]];
        let name = |who: &str| format!("{who}-{}", college.to_lowercase());
        let head = self.account(college_id, &name("head")).await;
        let approver = self.account(academie, &name("approver")).await;
        let (giver, second) =
            (self.account(academie, &name("giver")).await, self.account(academie, &name("second")).await);
        self.give(head, Role::Head, None).await;
        let before = at(-2 * 86_400);
        let grant = NewGrant { at: before, ..new_grant(approver, Role::Approver, Some(giver)) };
        self.write(move |tx| {
            role_grants::grant(tx, &grant)?;
            role_grants::confirm(tx, grant.id, second, before, at(-86_400)).map(|_confirmed| ())
        })
        .await;
        (head, approver)
    }

    /// Somebody of the département.
    pub(crate) async fn operator(&self) -> AccountId {
        let row = organisation(OrganisationKind::Departement, None);
        let id = row.id;
        self.write(move |tx| organisations::insert(tx, &row)).await;
        self.account(id, "operator").await
    }

    /// Puts people on the validated list of a collège and year: proposed, settled and validated at `at(1)`.
    pub(crate) async fn listed(&self, college: &str, school_year: &str, people: &[PersonId]) -> ListId {
        let (head, approver) = self.signers(college).await;
        let changes: Vec<Change> = people.iter().map(|person| Change::Set(*person, entry("Zoé"))).collect();
        let list = proposed(college, school_year, &changes, head);
        let (id, rows) = (list.id, changes.clone());
        self.write(move |tx| {
            for person in &rows {
                persons::insert(tx, &Person::listed(person.person(), &list.uai, &entry("Zoé"), None, at(1)))?;
            }
            lists::propose(tx, &list, &rows, at(1))?;
            let settled = settled(&list, head, at(1));
            lists::update(tx, &settled)?;
            lists::update(tx, &validated(&settled, approver, at(1))).map(|_changed| ())
        })
        .await;
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

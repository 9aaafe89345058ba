//! Lists and loans as the use cases would have left them, for tests of what comes after.

use std::collections::{BTreeMap, BTreeSet};

use fleet::school_years::Dates;
use lending::PersonName;
use lending::list::{Change, Entry, Scope, digest};
use serde_json::json;
use store::accounts::AccountState;
use store::lists::{self, List, ListState};
use store::loans::{self, Loan, Standing};
use store::persons::{self, Person};
use store::school_years::{self, SchoolYear};
use store::{Store, StoreError, Tx, organisations, role_grants, tablets};
use types::{AccountId, Clock as _, Day, Instant, ListId, LoanId, PersonId, Role, Uai, UserKind};

use crate::people::{CodeShown, Employer};
use crate::published::known;
use crate::{TestServer, TestkitError};

/// The head of the collège, made if it has none, and somebody who approves for the académie.
pub(crate) async fn signers(
    store: &Store,
    college: &Uai,
    now: Instant,
) -> Result<(AccountId, AccountId), StoreError> {
    let uai = college.clone();
    let heads = store.read(move |tx| match organisations::by_uai(tx, &uai)? {
        Some(organisation) => role_grants::managers(tx, organisation.id, now),
        None => Ok(Vec::new()),
    });
    let head = heads.await?.into_iter().find(|(_id, state)| *state == AccountState::Active);
    let head = match head {
        Some((id, _state)) => id,
        None => {
            let login = format!("list-head-{college}").to_lowercase();
            known(store, Employer::College(college.clone()), &login, Role::Head, now).await?
        }
    };
    Ok((head, known(store, Employer::Academie, "list-approver", Role::Approver, now).await?))
}

/// What a list says of a pupil.
pub(crate) fn pupil(name: PersonName) -> Entry {
    Entry {
        kind: UserKind::Pupil,
        name,
        class: "3e B".parse().ok(),
        number: None,
        arrives_on: None,
        leaves_on: None,
        guardians: 1,
        contacts: BTreeMap::new(),
    }
}

/// Puts people on the validated list of a collège and year, settled and validated now.
pub(crate) fn put_on_list(
    tx: &mut Tx<'_>,
    (head, academie): (AccountId, AccountId),
    college: &Uai,
    school_year: &str,
    people: &[(PersonId, Entry)],
    now: Instant,
) -> Result<(), StoreError> {
    let id = ListId::new(now);
    let rows: Vec<Change> =
        people.iter().map(|(person, entry)| Change::Set(*person, entry.clone())).collect();
    let content_sha256 = digest(id, (college, school_year), Scope::Whole, &rows);
    let proposed = List {
        id,
        uai: college.clone(),
        school_year: school_year.to_owned(),
        changes: i32::try_from(rows.len()).unwrap_or(i32::MAX),
        content_sha256,
        state: ListState::Proposed,
        proposed_by: head,
        proposed_at: now,
        settled_by: None,
        settled_at: None,
        settled_sha256: None,
        validated_by: None,
        validated_at: None,
        validated_sha256: None,
        withdrawn_at: None,
        scope: Scope::Whole,
    };
    lists::propose(tx, &proposed, &rows, now)?;
    let settled = List {
        state: ListState::Settled,
        settled_by: Some(head),
        settled_at: Some(now),
        settled_sha256: Some(content_sha256),
        ..proposed
    };
    lists::update(tx, &settled)?;
    let validated = List {
        state: ListState::Validated,
        validated_by: Some(academie),
        validated_at: Some(now),
        validated_sha256: Some(content_sha256),
        ..settled
    };
    lists::update(tx, &validated)?;
    for (person, entry) in people {
        persons::insert(tx, &Person::listed(*person, college, entry, None, now))?;
    }
    Ok(())
}

impl TestServer {
    /// Dates a school year that began three months ago, and whose summer break is five months away; gives its label.
    ///
    /// # Errors
    /// [`TestkitError`], if a year has one of its days.
    pub async fn school_year(&self) -> Result<String, TestkitError> {
        let today = Day::of(self.clock().now());
        let (starts_on, ends_on) = (today.plus(-90), today.plus(200));
        let (summer_starts_on, summer_ends_on) = (today.plus(150), ends_on);
        let label = Dates { starts_on, ends_on, summer_starts_on, summer_ends_on }.label();
        let year = SchoolYear { label: label.clone(), starts_on, ends_on, summer_starts_on, summer_ends_on };
        self.fleet()?.store().write(move |tx| school_years::insert(tx, &year)).await?;
        Ok(label)
    }

    /// Has a DPO validate an activity of the register as it stands, by its code.
    ///
    /// # Errors
    /// [`TestkitError::Answer`].
    pub async fn validate_activity(&self, code: &str) -> Result<(), TestkitError> {
        let dpo = known(
            self.fleet()?.store(),
            Employer::Departement,
            "dpo-who-validates",
            Role::Dpo,
            self.clock().now(),
        )
        .await?;
        let dpo = self.in_session(dpo, CodeShown::JustNow).await?;
        let register = dpo.get("/api/v1/privacy/register").await?.ok()?;
        let all =
            register.get("activities").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let entry = all.into_iter().find(|one| one.get("code").and_then(|code| code.as_str()) == Some(code));
        let stands = entry.as_ref().and_then(|entry| entry.pointer("/status/code")?.as_str());
        if stands == Some("on") {
            return Ok(());
        }
        let read = entry.and_then(|entry| entry.get("digest").cloned()).unwrap_or_default();
        dpo.put(&format!("/api/v1/privacy/register/{code}/validation"), &json!({ "entry": read }))
            .await?
            .ok()?;
        Ok(())
    }

    /// Puts pupils on the validated list of a collège and year, and gives their numbers.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn listed(
        &self,
        college: &Uai,
        school_year: &str,
        names: &[&str],
    ) -> Result<Vec<PersonId>, TestkitError> {
        let (store, now) = (self.fleet()?.store(), self.clock().now());
        let signers = signers(store, college, now).await?;
        let mut people = Vec::new();
        for name in names {
            let name =
                name.parse().map_err(|error: lending::InvalidText| TestkitError::other(error.to_string()))?;
            people.push((PersonId::new(now), pupil(name)));
        }
        let ids = people.iter().map(|(id, _)| *id).collect();
        let (college, year) = (college.clone(), school_year.to_owned());
        store.write(move |tx| put_on_list(tx, signers, &college, &year, &people, now)).await?;
        Ok(ids)
    }

    /// Lends a tablet to a person on the validated list, as of now.
    ///
    /// # Errors
    /// [`TestkitError`], with what the database refused.
    pub async fn lent(
        &self,
        serial: &str,
        person: PersonId,
        school_year: &str,
    ) -> Result<LoanId, TestkitError> {
        let serial =
            serial.parse().map_err(|error: types::InvalidName| TestkitError::other(error.to_string()))?;
        let (by, now, year) = (self.operator()?, self.clock().now(), school_year.to_owned());
        let id = LoanId::new(now);
        let write = move |tx: &mut store::Tx<'_>| {
            let missing = || StoreError::Corrupt { table: "tablets", row: String::new(), column: "serial" };
            let tablet = tablets::by_serial(tx, &serial)?.ok_or_else(missing)?;
            let person = persons::get(tx, &person)?.ok_or_else(missing)?;
            let condition = "neuve".parse().map_err(|_never| missing())?;
            let loan = Loan {
                id,
                tablet_id: tablet.id,
                person_id: person.id,
                holder_kind: person.kind,
                uai: person.uai,
                school_year: year.clone(),
                state: Standing::Lent,
                suspension: None,
                began_at: now,
                changed_at: now,
                ended_because: None,
                ended_on: None,
                ended_reference: None,
                handed_over_by: by,
                accessories: BTreeSet::new(),
                condition,
                reserve: BTreeSet::new(),
                reserve_signed_by: None,
                deposited_since: None,
            };
            loans::insert(tx, &loan)
        };
        self.fleet()?.store().write(write).await?;
        Ok(id)
    }
}

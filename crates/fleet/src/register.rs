//! The register of processing activities, and the DPO's switch (C3.1.6, C8.1).
//!
//! Whoever has an account reads the register. A DPO validates an entry, bound to exactly the words and columns that
//! they have read, or takes that back. A feature that processes personal data asks [`may_process`] each time, in the
//! transaction or the conversation of the act itself.

use std::collections::BTreeMap;

use governance::{Permission, Reach};
use privacy::{Activity, Entry, Masthead, NotValidated, NotWithdrawn, Register, Validated, Validation};
use serde_json::json;
use store::{StoreError, Tx, accounts, privacy_validations};
use types::{AccountId, Digest, Instant, Role};

use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// How many validations of one activity are looked at, the newest first: a DPO gives a few in a year.
const VALIDATIONS: u32 = 10_000;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// The register as it stands now. Whoever has an account may read it, in whatever role: it says what is kept, and
/// nothing of any person but the name of the DPO who validated an entry.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn show(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Register, Refusal> {
    let principal = principal.clone();
    let controller = fleet.settings().organisation.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewRegister, now)?;
            let mut validations = Vec::new();
            for activity in Activity::ALL {
                validations.extend(of(tx, *activity)?);
            }
            let names = names(tx, &validations)?;
            let masthead = Masthead { controller: Some(controller), dpo: None, names };
            Ok(Register::new(masthead, &store::declarations(), &validations, now))
        })
        .await
}

/// The names of those who validated or withdrew.
fn names(tx: &mut Tx<'_>, validations: &[Validation]) -> Result<BTreeMap<AccountId, String>, StoreError> {
    let mut names = BTreeMap::new();
    for validation in validations {
        let withdrawn = validation.withdrawn().map(|withdrawal| withdrawal.by);
        for id in [Some(validation.by()), withdrawn].into_iter().flatten() {
            if !names.contains_key(&id)
                && let Some(account) = accounts::get(tx, &id)?
            {
                names.insert(id, account.name);
            }
        }
    }
    Ok(names)
}

/// A DPO validates the entry whose digest they have read: what it covers is on from now on.
///
/// # Errors
/// [`Refusal::NotValidatedSo`] if the entry is another by now, or stores nothing; [`Refusal::Conflict`] if that very entry
/// is validated; [`Refusal::NotAllowed`] for anybody but a DPO who showed a code.
pub async fn validate(
    fleet: &Fleet,
    principal: &Principal,
    activity: Activity,
    read: Digest,
    now: Instant,
) -> Result<Validation, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let by = dpo(tx, &principal, now)?;
            let entry = entry(activity);
            let validation = Validation::decide(&entry, &read, by, Role::Dpo, now)?;
            if may_process(tx, activity, now)?.is_ok() {
                return Err(Refusal::Conflict(format!(
                    "the entry `{activity}` is validated as it stands; there is nothing to do"
                )));
            }
            privacy_validations::insert(tx, &validation)?;
            let detail = json!({ "activity": activity.code(), "entry": read.to_string() });
            audit::record(tx, &principal, Change::new("register.validate").detail(detail), now)?;
            Ok(validation)
        })
        .await
}

/// A DPO takes back what was validated of an activity: no DPO stands by it any more, and what needs a validation is off from
/// now on. What was stored stays for its term, but for lists of apps, which the next round of the calendar forgets.
///
/// # Errors
/// [`Refusal::Conflict`] if nothing is validated; [`Refusal::NotAllowed`] as [`validate`].
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    activity: Activity,
    reason: Option<String>,
    now: Instant,
) -> Result<(), Refusal> {
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(Refusal::invalid("reason", format!("must have at most {LONGEST_REASON} characters")));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let by = dpo(tx, &principal, now)?;
            let standing: Vec<Validation> =
                of(tx, activity)?.into_iter().filter(|validation| validation.withdrawn().is_none()).collect();
            if standing.is_empty() {
                return Err(Refusal::Conflict(format!(
                    "nothing of `{activity}` is validated; there is nothing to take back"
                )));
            }
            for validation in standing {
                let id = validation.id();
                validation.withdraw(by, Role::Dpo, now)?;
                privacy_validations::withdraw(tx, id, by, now)?;
            }
            let change = Change::new("register.withdraw")
                .reason(reason.clone())
                .detail(json!({ "activity": activity.code() }));
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// Passes a DPO whose right is for the whole programme.
fn dpo(tx: &mut Tx<'_>, principal: &Principal, now: Instant) -> Result<AccountId, Refusal> {
    let person = principal.person(tx, now)?;
    let permission = Permission::ValidateProcessing;
    match person.standing.may(permission, &person.access, now)? {
        Reach::Everything => Ok(person.standing.account()),
        Reach::Organisation(_) | Reach::Colleges(_) | Reach::Own(_) => {
            Err(governance::NotAllowed::OutOfReach { permission }.into())
        }
    }
}

/// The entry of an activity, as this program stores.
fn entry(activity: Activity) -> Entry {
    Entry::of(activity, &store::declarations())
}

fn of(tx: &mut Tx<'_>, activity: Activity) -> Result<Vec<Validation>, StoreError> {
    privacy_validations::list(tx, Some(activity), None, VALIDATIONS)
}

/// Whether an activity may process personal data now: the switch (C3.1.6). It is read anew each time, so that a
/// withdrawal counts from the next act on, on every node.
///
/// # Errors
/// [`StoreError`]; the inner one says why it is off.
pub(crate) fn may_process(
    tx: &mut Tx<'_>,
    activity: Activity,
    now: Instant,
) -> Result<Result<Validated, NotValidated>, StoreError> {
    Ok(privacy::check(&entry(activity), &of(tx, activity)?, now))
}

impl From<NotWithdrawn> for Refusal {
    fn from(refused: NotWithdrawn) -> Self {
        Self::Conflict(refused.to_string())
    }
}

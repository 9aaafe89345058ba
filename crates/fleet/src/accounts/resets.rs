//! What the holder of an account lost, given anew: one factor by one person, both by two (C3.1.7).

use governance::account::{
    Factor, NotManaged, may_recover, may_reset, recovery_question, who_confirms_recovery,
};
use governance::countersignature::{Purpose, Question};
use governance::sign_in::OneTimeUse;
use governance::{AccountState, Maker, Making, Permission, Standing};
use serde_json::json;
use store::accounts::{self, Account};
use store::{Tx, account_makers};
use types::{AccountId, CountersignatureId, Instant, OrganisationKind};

use super::ends::end_everything;
use super::{Named, checked_reason, found, other_managers, reached};
use crate::audit::{self, Change};
use crate::coming_in::Person;
use crate::coming_in::invitation::{self, Invitation};
use crate::countersignatures::{self, Use};
use crate::{Fleet, Principal, Refusal};

/// Resets one factor of an account. A password is chosen anew by the link that is returned; another second factor is
/// set up just after signing in. Sessions and tokens of before end.
///
/// # Errors
/// [`Refusal::NotManaged`] if the other factor was reset in the last 30 days, for one's own account, and the like;
/// [`Refusal::NotFound`].
pub async fn reset(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    factor: Factor,
    reason: Option<String>,
    now: Instant,
) -> Result<Option<Invitation>, Refusal> {
    let (reason, principal) = (checked_reason(reason)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached(tx, &person, Permission::ManageAccounts, &named, now)?;
            let makings = makings(tx, row.id)?;
            let (of, by) = (standing.whose(), &person.standing);
            let deed = may_reset(factor, of, &makings, by, &person.access, now)?;
            let ended = end_everything(tx, row.id, now)?;
            let (action, link) = match factor {
                Factor::Password => ("account.reset-password", Some(new_password(tx, &row, now)?)),
                Factor::SecondFactor => {
                    accounts::set_totp(tx, row.id, None)?;
                    ("account.reset-second-factor", None)
                }
            };
            account_makers::record(tx, row.id, deed, &principal.actor(), now)?;
            audit::record(tx, &principal, Change::new(action).reason(reason.clone()).detail(ended), now)?;
            Ok(link)
        })
        .await
}

/// Asks a second person that both factors of an account be reset: one of its organisation, or, where nobody is left
/// there who could, one of the département.
///
/// # Errors
/// [`Refusal::NotManaged`], [`Refusal::NotAsked`]; [`Refusal::NotFound`].
pub async fn ask_recovery(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reason: String,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached_for_recovery(tx, &person, &named, now)?;
            let beside = [row.id, person.standing.account()];
            let others = other_managers(tx, row.organisation_id, beside, now)?;
            let second = who_confirms_recovery(standing.whose(), others, &person.standing)?;
            recoverable(&row)?;
            let (subject, content) = recovery_question(row.id);
            let purpose = Purpose::RecoverAccount;
            let question = Question { purpose, subject, content, second, reason: reason.clone() };
            countersignatures::ask(tx, &person, question, now)
        })
        .await
}

/// Resets both factors of an account under the signature of a second person. Its holder chooses a password by the link
/// that is returned, and sets up a second factor just after.
///
/// # Errors
/// [`Refusal::NotCountersigned`]; as [`ask_recovery`].
pub async fn recover(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    countersignature: CountersignatureId,
    now: Instant,
) -> Result<Invitation, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached_for_recovery(tx, &person, &named, now)?;
            let beside = [row.id, person.standing.account()];
            let others = other_managers(tx, row.organisation_id, beside, now)?;
            let (subject, content) = recovery_question(row.id);
            let (purpose, used_for) = (Purpose::RecoverAccount, format!("account:{}", row.id));
            let used = Use { purpose, subject: &subject, content: &content, used_for: &used_for };
            let proof = countersignatures::proof(tx, countersignature, &used, now)?;
            let (of, by) = (standing.whose(), &person.standing);
            let deed = may_recover(of, others, proof, by, &person.access, now)?;
            let mut ended = end_everything(tx, row.id, now)?;
            accounts::set_totp(tx, row.id, None)?;
            let link = new_password(tx, &row, now)?;
            account_makers::record(tx, row.id, deed, &principal.actor(), now)?;
            if let Some(ended) = ended.as_object_mut() {
                ended.insert("countersignature".into(), json!(countersignature));
            }
            audit::record(tx, &principal, Change::new("account.recover").detail(ended), now)?;
            Ok(link)
        })
        .await
}

/// The account, for whoever manages accounts there; or for the département, which helps where nobody else is left.
fn reached_for_recovery(
    tx: &mut Tx<'_>,
    person: &Person,
    named: &Named,
    now: Instant,
) -> Result<(Account, Standing), Refusal> {
    let not_found = || Refusal::not_found("account", named);
    match reached(tx, person, Permission::ManageAccounts, named, now) {
        Err(Refusal::NotFound { .. })
            if person.standing.organisation().kind() == OrganisationKind::Departement => {}
        reached => return reached,
    }
    let (row, standing) = found(tx, named)?.ok_or_else(not_found)?;
    let beside = [row.id, person.standing.account()];
    let others = other_managers(tx, row.organisation_id, beside, now)?;
    match who_confirms_recovery(standing.whose(), others, &person.standing) {
        Ok(_somebody) => Ok((row, standing)),
        Err(_theirs) => Err(not_found()),
    }
}

/// The link by which the holder chooses a password. The former one opens nothing any more.
fn new_password(tx: &mut Tx<'_>, row: &Account, now: Instant) -> Result<Invitation, Refusal> {
    let (link, kept) = invitation::new(row.id, OneTimeUse::Reset, now);
    accounts::set_password(tx, row.id, None)?;
    accounts::invite(tx, row.id, &kept.sha256, kept.expires_at)?;
    Ok(link)
}

fn recoverable(row: &Account) -> Result<(), Refusal> {
    if row.state == AccountState::Closed {
        return Err(NotManaged::State { from: row.state, to: AccountState::Active }.into());
    }
    Ok(())
}

/// The deeds of the past on an account, as the rules read them.
fn makings(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Making>, Refusal> {
    let making = |row: account_makers::Making| Making {
        account: row.account_id,
        deed: row.deed,
        by: row.by_account.map_or(Maker::Host, Maker::Account),
        at: row.at,
    };
    Ok(account_makers::of_account(tx, account)?.into_iter().map(making).collect())
}

//! What a person, or the guardians of a minor, ask about their own data: a copy of it, that it be put right, and that it be
//! forgotten where the law allows (C3.1.6; GDPR, art. 15 to 17 and 20).
//!
//! They ask the head or the data protection officer, who act here. Whoever draws up a copy, corrects or forgets is recorded;
//! what was said is not.

use std::collections::BTreeMap;

use ::lending::agreement::Signatory;
use ::lending::list::{Change as ListChange, Entry, Scope};
use ::lending::{ClassName, InvalidText, PersonName, SchoolNumber};
use governance::{Permission, Place};
use privacy::{Activity, SubjectData};
use serde_json::json;
use store::persons::{self, Known, Person};
use store::{Tx, purge, subject_data};
use types::{Day, Instant, ListId, MailAddress, PersonId, RuleId, UserKind};

use super::{lists, validated};
use crate::apps::sweep::blocking;
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// The person, for whoever may do this to people of their collège; to others they do not exist (T-C1).
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: PersonId,
    now: Instant,
) -> Result<Person, Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let person =
        persons::get(tx, &id)?.filter(|person| reach.covers(&Place::College(Some(person.uai.clone()))));
    person.ok_or_else(|| Refusal::not_found("person", id))
}

/// Draws up the copy of everything that is held about a person.
///
/// It does not ask whether the DPO validated anything: a copy is owed as long as something is held.
///
/// # Errors
/// [`Refusal::NotFound`] for a person out of reach.
pub async fn copy(
    fleet: &Fleet,
    principal: &Principal,
    id: PersonId,
    now: Instant,
) -> Result<SubjectData, Refusal> {
    let reads = principal.clone();
    let copy = fleet
        .store()
        .read(move |tx| {
            reached(tx, &reads, Permission::ExportPerson, id, now)?;
            subject_data::of(tx, id, now)?.ok_or_else(|| Refusal::not_found("person", id))
        })
        .await?;
    let rows: usize = copy.parts.iter().map(|part| part.rows.len()).sum();
    let detail = json!({ "person": id, "tables": copy.parts.len(), "rows": rows });
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let change = Change::new("person.copy").detail(detail.clone());
            audit::record(tx, &principal, change, now)
        })
        .await?;
    // What is not recorded is not shown.
    Ok(copy)
}

/// What is to be put right; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct Correction {
    /// What they are called.
    pub name: Option<String>,
    /// Their class.
    pub class: Option<String>,
    /// Their number in the school's register.
    pub number: Option<String>,
    /// Their first day.
    pub arrives_on: Option<Day>,
    /// Their last day of attendance.
    pub leaves_on: Option<Day>,
    /// Where whom is written to; `None` for an address that there is not any more.
    pub contacts: BTreeMap<Signatory, Option<MailAddress>>,
}

/// What became of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corrected {
    /// It counts.
    Now,
    /// They are on a validated list: it is a change of that list, which the head settles and the académie validates (C4.2).
    Proposed(ListId),
}

impl Correction {
    /// What is held, put right; and the names of what changes.
    fn of(&self, before: &Entry) -> Result<(Entry, Vec<&'static str>), Refusal> {
        let invalid = |field| move |error: InvalidText| Refusal::invalid(field, error);
        let mut entry = before.clone();
        if let Some(name) = &self.name {
            entry.name = name.parse::<PersonName>().map_err(invalid("name"))?;
        }
        if let Some(class) = &self.class {
            entry.class = Some(class.parse::<ClassName>().map_err(invalid("class"))?);
        }
        if let Some(number) = &self.number {
            entry.number = Some(number.parse::<SchoolNumber>().map_err(invalid("number"))?);
        }
        entry.arrives_on = self.arrives_on.or(entry.arrives_on);
        entry.leaves_on = self.leaves_on.or(entry.leaves_on);
        if let (Some(first), Some(last)) = (entry.arrives_on, entry.leaves_on)
            && last < first
        {
            let field = if self.leaves_on.is_some() { "leaves_on" } else { "arrives_on" };
            let problem =
                format!("the last day, {last}, is before the first, {first}: correct the other one, too");
            return Err(Refusal::invalid(field, problem));
        }
        for (who, address) in &self.contacts {
            is_written_to(&entry, *who)?;
            match address {
                Some(address) => entry.contacts.insert(*who, address.clone()),
                None => entry.contacts.remove(who),
            };
        }
        let changed = [
            ("name", entry.name != before.name),
            ("class", entry.class != before.class),
            ("number", entry.number != before.number),
            ("arrives_on", entry.arrives_on != before.arrives_on),
            ("leaves_on", entry.leaves_on != before.leaves_on),
            ("contacts", entry.contacts != before.contacts),
        ];
        Ok((entry, changed.into_iter().filter(|(_, changed)| *changed).map(|(field, _)| field).collect()))
    }
}

/// Passes somebody who is written to about this person: the guardians of a pupil, an adult themselves (C7.1).
fn is_written_to(entry: &Entry, who: Signatory) -> Result<(), Refusal> {
    let problem = match (entry.kind, who) {
        (UserKind::Pupil, Signatory::User) => {
            "a pupil is not written to: give the addresses of their guardians".to_owned()
        }
        (UserKind::Pupil, Signatory::Guardian(number)) if (1..=entry.guardians).contains(&number) => {
            return Ok(());
        }
        (UserKind::Pupil, Signatory::Guardian(number)) => {
            format!("there is no guardian {number}: {} are recorded of this pupil", entry.guardians)
        }
        (_, Signatory::User) => return Ok(()),
        (_, Signatory::Guardian(_)) => {
            "an adult is written to themselves: give the address of `user`".to_owned()
        }
    };
    Err(Refusal::invalid("contacts", problem))
}

/// Puts right what is held about a person. What a validated list says is changed as every list is (C4.2); of somebody who is
/// on none, at once.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`]; [`Refusal::Conflict`] if nothing would change, another change of the list
/// waits, or the person was forgotten.
pub async fn correct(
    fleet: &Fleet,
    principal: &Principal,
    id: PersonId,
    correction: Correction,
    now: Instant,
) -> Result<Corrected, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = reached(tx, &principal, Permission::CorrectPerson, id, now)?;
            validated(tx, Activity::Roster, now)?;
            // Addresses are kept for notices alone (C3.1.6).
            if correction.contacts.values().any(Option::is_some) {
                validated(tx, Activity::Notices, now)?;
            }
            let before = person.entry().ok_or_else(|| {
                Refusal::Conflict("this person was forgotten; only their number is left".into())
            })?;
            let (entry, changed) = correction.of(&before)?;
            if changed.is_empty() {
                return Err(Refusal::Conflict("it is held so already; nothing was changed".into()));
            }
            let by = principal.person(tx, now)?.standing.account();
            // The list of next year may name them before that of this year does, and counts as much.
            if let Some(year) = subject_data::listed_in(tx, id, &person.uai, now)? {
                let changes = [ListChange::Set(id, entry)];
                let list = lists::put_forward(
                    tx,
                    &principal,
                    (&person.uai, &year),
                    (Scope::Part, &changes, by),
                    now,
                )?;
                return Ok(Corrected::Proposed(list.id));
            }
            let row = Person {
                name: Known::By(entry.name),
                class: entry.class,
                number: entry.number,
                arrives_on: entry.arrives_on,
                leaves_on: entry.leaves_on,
                contacts: entry.contacts,
                updated_at: now,
                ..person
            };
            persons::update(tx, &row)?;
            let detail = json!({ "person": id, "changed": changed });
            audit::record(tx, &principal, Change::new("person.correct").detail(detail), now)?;
            Ok(Corrected::Now)
        })
        .await
}

/// Forgets who a person was, because they or their guardians ask for it, if nothing ties them to the programme any more. The
/// ledger in the shared folder says it first, so that no restored database brings them back.
///
/// # Errors
/// [`Refusal::Forbidden`] with what stands in the way, and its clause; [`Refusal::NotFound`]; [`Refusal::Internal`] if the
/// folder cannot be used.
pub async fn forget(
    fleet: &Fleet,
    principal: &Principal,
    id: PersonId,
    reason: &str,
    now: Instant,
) -> Result<(), Refusal> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "reason",
            format!("must have 1 to {LONGEST_REASON} characters on one line"),
        ));
    }
    let asks = principal.clone();
    fleet.store().read(move |tx| free(tx, &asks, id, now)).await?;
    let ledger = fleet.shared_folder()?.forgotten();
    let line = ledger.clone();
    let created = blocking(move || line.record(id, now)).await?;
    let principal = principal.clone();
    let done = fleet
        .store()
        .write(move |tx| {
            free(tx, &principal, id, now)?;
            purge::person(tx, id, now)?;
            let change =
                Change::new("person.forget").reason(Some(reason.clone())).detail(json!({ "person": id }));
            audit::record(tx, &principal, change, now)
        })
        .await;
    let refused = matches!(
        done,
        Err(Refusal::Worded(_) | Refusal::Forbidden { .. } | Refusal::Conflict(_) | Refusal::NotFound { .. })
    );
    // Something ties them by now: the ledger does not say that they were forgotten. A line of another call, which may have
    // forgotten them meanwhile, is not taken back by this one.
    if refused && created && named(fleet, id).await? {
        let line = ledger.clone();
        blocking(move || line.take_back(id)).await?;
        if named(fleet, id).await? {
            return done;
        }
    } else if done.is_err() {
        return done;
    }
    // They are forgotten, by this call or by another: the line stands, whatever was taken back between.
    blocking(move || ledger.record(id, now)).await?;
    done
}

/// Whether the database still says who they are.
async fn named(fleet: &Fleet, id: PersonId) -> Result<bool, Refusal> {
    fleet
        .store()
        .read(move |tx| {
            Ok::<_, Refusal>(persons::get(tx, &id)?.is_some_and(|person| person.name != Known::Forgotten))
        })
        .await
}

/// Passes a person whom nothing ties to the programme.
fn free(tx: &mut Tx<'_>, principal: &Principal, id: PersonId, now: Instant) -> Result<(), Refusal> {
    reached(tx, principal, Permission::ForgetPerson, id, now)?;
    let ties = subject_data::ties(tx, id, now)?.ok_or_else(|| Refusal::not_found("person", id))?;
    let waiting = subject_data::waiting_list(tx, id)?;
    privacy::may_forget(&ties).map_err(|tied| match (tied, waiting) {
        (privacy::NotForgotten::Listed, Some(list)) => Refusal::Forbidden {
            rule: RuleId::C4_2,
            what: format!(
                "a change of the list that waits ({list}) names this person: sign it, or take it back, first"
            ),
        },
        (privacy::NotForgotten::Already, _) => Refusal::Conflict(tied.to_string()),
        _ => Refusal::Forbidden { rule: tied.rule(), what: tied.to_string() },
    })
}

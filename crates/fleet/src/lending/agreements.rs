//! The agreement of loan: its texts, by school year, and what users and guardians said to them (C5.2.1, C7.1, C9.1).

use ::lending::agreement::{self, Evidence, GuardiansNeeded, NotAgreed, Signatory, Signature, Stance};
use governance::{Permission, Place};
use privacy::Activity;
use serde_json::json;
use store::agreement_texts::{self as texts, AgreementText};
use store::persons::{self, Person};
use store::{Tx, loans, signatures, tablet_modes};
use types::{AgreementTextId, Day, Digest, Instant, PersonId, SignatureId, UserKind};

use super::{modes, school_year, validated};
use crate::audit::{self, Change};
use crate::first_accounts::checked_name;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// The longest text, in bytes.
const LONGEST_TEXT: usize = 100_000;

/// A text to publish.
#[derive(Debug, Clone)]
pub struct NewText {
    /// Its year; the one that today belongs to, unless told.
    pub school_year: Option<String>,
    /// What it is called.
    pub title: String,
    /// What is signed.
    pub body: String,
    /// How many of a pupil's guardians must sign it.
    pub guardians_needed: GuardiansNeeded,
}

/// What somebody said to a text.
#[derive(Debug, Clone)]
pub struct Said {
    /// The text; the one in force of today's year, unless told.
    pub text: Option<AgreementTextId>,
    /// Who.
    pub signatory: Signatory,
    /// What.
    pub stance: Stance,
    /// On which day.
    pub on: Day,
    /// Where the paper is.
    pub evidence: Evidence,
}

/// How a person's agreement stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Whose it is, with what tells them from others of that name.
    pub person: Person,
    /// The text in force.
    pub text: Option<AgreementTextId>,
    /// What was said, to whatever text.
    pub said: Vec<Signature>,
    /// Whether it lets a tablet out of the collège, and why not.
    pub agreed: Result<(), NotAgreed>,
}

/// Texts, in the order they were published.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<AgreementTextId>,
    now: Instant,
) -> Result<Listed<AgreementText>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewAgreements, now)?;
            let found = texts::list(tx, page.after, page.with_one_more())?;
            Ok(page.cut(found, |text| text.id.to_string()))
        })
        .await
}

/// Publishes a text. The year's former one counts no more, nor what was signed of it: loans are in-school only until this
/// one is signed (C5.2.1).
///
/// # Errors
/// [`Refusal::Invalid`]; [`Refusal::NotFound`] for the year; [`Refusal::Conflict`] for the very text that is in force.
pub async fn publish(
    fleet: &Fleet,
    principal: &Principal,
    new: NewText,
    now: Instant,
) -> Result<AgreementText, Refusal> {
    let title = checked_name("title", &new.title)?;
    let body = new.body.trim().to_owned();
    if body.is_empty() || body.len() > LONGEST_TEXT {
        return Err(Refusal::invalid("body", format!("must have 1 to {LONGEST_TEXT} bytes")));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::PublishAgreement, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let year = school_year(tx, new.school_year.as_deref(), now)?.label;
            let before = texts::in_force(tx, &year)?;
            let body_sha256 = Digest::of(body.as_bytes());
            if let Some(before) = &before
                && before.body_sha256 == body_sha256
                && before.guardians_needed == new.guardians_needed
            {
                return Err(Refusal::Conflict(format!("this very text is in force ({})", before.id)));
            }
            let row = AgreementText {
                id: AgreementTextId::new(now),
                school_year: year,
                number: before.map_or(1, |before| before.number.saturating_add(1)),
                title: title.clone(),
                body: body.clone(),
                body_sha256,
                guardians_needed: new.guardians_needed,
                published_by: by,
                published_at: now,
            };
            texts::insert(tx, &row)?;
            // Every loan's mode may follow from it: the calendar makes them anew.
            tablet_modes::look_again(tx, None)?;
            let detail = json!({
                "text": row.id, "school_year": row.school_year, "number": row.number, "body_sha256": row.body_sha256,
                "guardians_needed": row.guardians_needed,
            });
            audit::record(tx, &principal, Change::new("agreement.publish").detail(detail), now)?;
            Ok(row)
        })
        .await
}

/// Records what a user or a guardian said to a text. The latest word of each counts; the same paper recorded twice is recorded
/// once.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`] for a day to come, or a guardian whom nobody knows of;
/// [`Refusal::NotValidated`].
pub async fn sign(
    fleet: &Fleet,
    principal: &Principal,
    person: PersonId,
    said: Said,
    now: Instant,
) -> Result<Agreement, Refusal> {
    if said.on > Day::of(now) {
        return Err(Refusal::invalid("on", "must not be a day to come"));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (person, by) = reached(tx, &principal, Permission::RecordSignature, person, now)?;
            let speaks = match said.signatory {
                Signatory::User => true,
                Signatory::Guardian(number) => person.kind == UserKind::Pupil && number <= person.guardians,
            };
            if !speaks {
                let has = person.guardians;
                return Err(Refusal::invalid(
                    "signatory",
                    format!("this person has {has} guardian(s) on the list; a change of the list adds one"),
                ));
            }
            let text = match said.text {
                Some(id) => texts::get(tx, &id)?.ok_or_else(|| Refusal::not_found("text of the agreement", id))?,
                None => in_force(tx, now)?.ok_or_else(|| {
                    Refusal::Conflict(
                        "there is no text of the agreement for this school year yet: the département publishes it first"
                            .into(),
                    )
                })?,
            };
            let recorded = Signature {
                text: text.id,
                signatory: said.signatory,
                stance: said.stance,
                on: said.on,
                evidence: said.evidence.clone(),
            };
            // The same paper recorded again says nothing new.
            let said = signatures::of_person(tx, person.id)?;
            if said.iter().filter_map(signatures::Signature::said).any(|before| before == recorded) {
                return of(tx, &person, now);
            }
            let row = signatures::Signature::of(SignatureId::new(now), person.id, &recorded, (by, now));
            signatures::insert(tx, &row)?;
            for loan in loans::live_of_person(tx, person.id)? {
                modes::refresh(tx, loan.tablet_id, now)?;
            }
            let detail = json!({
                "person": person.id, "text": text.id, "signatory": row.signatory, "stance": row.stance, "on": row.signed_on,
            });
            audit::record(tx, &principal, Change::new("agreement.sign").detail(detail), now)?;
            of(tx, &person, now)
        })
        .await
}

/// How a person's agreement stands.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::NotValidated`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    person: PersonId,
    now: Instant,
) -> Result<Agreement, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let (person, _by) = reached(tx, &principal, Permission::ViewLoans, person, now)?;
            of(tx, &person, now)
        })
        .await
}

/// The text in force of the year that today belongs to.
pub(super) fn in_force(tx: &mut Tx<'_>, now: Instant) -> Result<Option<AgreementText>, Refusal> {
    let year = store::school_years::on(tx, Day::of(now))?;
    Ok(year.map(|year| texts::in_force(tx, &year.label)).transpose()?.flatten())
}

/// How the agreement of a person stands now.
pub(super) fn of(tx: &mut Tx<'_>, person: &Person, now: Instant) -> Result<Agreement, Refusal> {
    let text = in_force(tx, now)?;
    let said: Vec<Signature> =
        signatures::of_person(tx, person.id)?.iter().filter_map(signatures::Signature::said).collect();
    let needed = text.as_ref().map_or(GuardiansNeeded::All, |text| text.guardians_needed);
    let text = text.map(|text| text.id);
    let agreed = agreement::agreed(person.kind, person.guardians, needed, text, &said, Day::of(now));
    Ok(Agreement { person: person.clone(), text, said, agreed })
}

fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: PersonId,
    now: Instant,
) -> Result<(Person, types::AccountId), Refusal> {
    let asker = principal.person(tx, now)?;
    let reach = asker.standing.may(permission, &asker.access, now)?;
    validated(tx, Activity::Lending, now)?;
    let found = persons::get(tx, &id)?.ok_or_else(|| Refusal::not_found("person", id))?;
    if reach.covers(&Place::College(Some(found.uai.clone()))) {
        Ok((found, asker.standing.account()))
    } else {
        Err(Refusal::not_found("person", id))
    }
}

//! The list for the wall of a class: who has which tablet, and what is missing (C4.2, C5.2.1, C5.3.4).

use governance::Permission;
use privacy::Activity;
use store::loans;
use types::{Instant, LoanMode, PersonId};

use super::loans::{Shown, shown};
use super::{agreements, at_college, people, school_year, validated};
use crate::organisations::Named;
use crate::{Fleet, Principal, Refusal};

/// One person of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Their number.
    pub person: PersonId,
    /// What the list says of them.
    pub entry: ::lending::list::Entry,
    /// What they hold.
    pub loan: Option<Shown>,
    /// What is missing, in words.
    pub missing: Vec<String>,
}

/// The people on the validated list of this year, of one class or of no class; in the order of class and name.
///
/// # Errors
/// [`Refusal::NotFound`] for a collège out of reach; [`Refusal::NotValidated`].
pub async fn wall(
    fleet: &Fleet,
    principal: &Principal,
    college: Named,
    class: Option<String>,
    now: Instant,
) -> Result<Vec<Line>, Refusal> {
    let reads = principal.clone();
    let (college, lines) = fleet
        .store()
        .read(move |tx| {
            let (_who, college) = at_college(tx, &reads, Permission::ViewLoans, &college, now)?;
            validated(tx, Activity::Roster, now)?;
            validated(tx, Activity::Lending, now)?;
            let year = school_year(tx, None, now)?.label;
            let listed = store::lists::validated(tx, &college, &year)?;
            let known = people::known(tx, &college)?;
            let mut lines = Vec::new();
            for person in listed.keys() {
                let Some(entry) = known.get(person) else { continue };
                let of = entry.class.as_ref().map(|class| class.as_str());
                if class.as_deref().is_some_and(|class| of != Some(class)) {
                    continue;
                }
                let held = loans::live_of_person(tx, *person)?.pop();
                let loan = held.map(|loan| shown(tx, loan, now)).transpose()?;
                let missing = missing(tx, *person, loan.as_ref(), now)?;
                lines.push(Line { person: *person, entry: entry.clone(), loan, missing });
            }
            lines.sort_by(|one, other| {
                let key = |line: &Line| (line.entry.class.clone(), line.entry.name.clone());
                key(one).cmp(&key(other))
            });
            Ok::<_, Refusal>((college, lines))
        })
        .await?;
    people::were_read(fleet, principal, (Some(college), "wall"), lines.len(), now).await?;
    Ok(lines)
}

fn missing(
    tx: &mut store::Tx<'_>,
    person: PersonId,
    loan: Option<&Shown>,
    now: Instant,
) -> Result<Vec<String>, Refusal> {
    let mut missing = Vec::new();
    let Some(person) = store::persons::get(tx, &person)? else { return Ok(missing) };
    let Some(loan) = loan else {
        missing.push("no tablet".to_owned());
        return Ok(missing);
    };
    if let Err(why) = agreements::of(tx, &person, now)?.agreed
        && loan.mode.as_ref().is_some_and(|mode| mode.mode != LoanMode::TakeHome)
    {
        missing.push(format!("agreement: {why}"));
    }
    if !loan.loan.reserve.is_empty() {
        missing
            .push(format!("under reserve: {} thing(s) are not on the tablet yet", loan.loan.reserve.len()));
    }
    Ok(missing)
}

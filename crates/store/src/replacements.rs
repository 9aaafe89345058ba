//! What the head decided after an incident: whether there is a replacement, and with which counterpart (C5.4.4). Frozen,
//! except that a sum is paid.

use ::incidents::{Counterpart, Effect};
use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Day, IncidentId, Instant, PersonId, TabletId};

use crate::column::stored_enum;
use crate::loans::{Loan, befell_its_holder};
use crate::noun::{by_key, noun};
use crate::schema::{incidents, loans, replacements};
use crate::{StoreError, Tx};

stored_enum! {
    /// The kinds of counterparts.
    CounterpartName {
        /// No donation at the end of 3e.
        NoDonation = "no-donation",
        /// A sum that the board has fixed.
        Sum = "sum",
        /// The replacement stays at school.
        StaysAtSchool = "stays-at-school",
    }
}

noun! {
    /// A decision on a replacement.
    pub struct Replacement in replacements keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// Whether there is one.
        granted: bool,
        /// What is attached to it.
        counterpart: Option<CounterpartName>,
        /// The sum, in cents.
        sum_cents: Option<i64>,
        /// When the board fixed it.
        fixed_on: Option<Day>,
        /// When it was paid.
        paid_on: Option<Day>,
        /// When it was decided.
        decided_at: Instant,
        /// Who decided it.
        decided_by: AccountId,
    }
}

by_key!(replacements, Replacement, incident_id: IncidentId; insert, get);

impl Replacement {
    /// The row of a decision.
    #[must_use]
    pub fn decided(
        incident: IncidentId,
        granted: bool,
        counterpart: Option<Counterpart>,
        by: AccountId,
        now: Instant,
    ) -> Self {
        let bare = Self {
            incident_id: incident,
            granted,
            counterpart: None,
            sum_cents: None,
            fixed_on: None,
            paid_on: None,
            decided_at: now,
            decided_by: by,
        };
        match counterpart {
            None => bare,
            Some(Counterpart::NoDonation) => Self { counterpart: Some(CounterpartName::NoDonation), ..bare },
            Some(Counterpart::StaysAtSchool) => {
                Self { counterpart: Some(CounterpartName::StaysAtSchool), ..bare }
            }
            Some(Counterpart::Sum { cents, fixed_on, paid_on }) => Self {
                counterpart: Some(CounterpartName::Sum),
                sum_cents: Some(i64::from(cents)),
                fixed_on: Some(fixed_on),
                paid_on,
                ..bare
            },
        }
    }

    /// What is attached to it, as the rules want it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn attached(&self) -> Result<Option<Counterpart>, StoreError> {
        let corrupt =
            |column| StoreError::Corrupt { table: "replacements", row: self.incident_id.to_string(), column };
        Ok(match self.counterpart {
            None => None,
            Some(CounterpartName::NoDonation) => Some(Counterpart::NoDonation),
            Some(CounterpartName::StaysAtSchool) => Some(Counterpart::StaysAtSchool),
            Some(CounterpartName::Sum) => Some(Counterpart::Sum {
                cents: self
                    .sum_cents
                    .and_then(|cents| u32::try_from(cents).ok())
                    .ok_or_else(|| corrupt("sum_cents"))?,
                fixed_on: self.fixed_on.ok_or_else(|| corrupt("fixed_on"))?,
                paid_on: self.paid_on,
            }),
        })
    }
}

/// Records that the sum was paid; `false` if nothing is to be paid, or it was.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn pay(tx: &mut Tx<'_>, incident: IncidentId, on: Day) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(
            replacements::table
                .filter(replacements::incident_id.eq(incident.to_string()))
                .filter(replacements::counterpart.eq(CounterpartName::Sum.as_str()))
                .filter(replacements::paid_on.is_null()),
        )
        .set(replacements::paid_on.eq(on.to_string()))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

/// What the head attached to replacements for a person: those that were granted after an incident that befell a tablet while
/// it was with them, each with the instant of the incident, the first one first (C5.4.4).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn attached_to(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<(Replacement, Instant)>, StoreError> {
    let rows: Vec<(Stored, i64)> = tx.run(|connection| {
        replacements::table
            .inner_join(incidents::table.on(incidents::id.eq(replacements::incident_id)))
            .inner_join(loans::table.on(loans::tablet_id.eq(incidents::tablet_id)))
            .filter(replacements::granted.eq(true))
            .filter(replacements::counterpart.is_not_null())
            .filter(loans::person_id.eq(person.to_string()))
            .filter(sql::<Bool>(befell_its_holder!()))
            .order((incidents::opened_at.asc(), replacements::incident_id.asc()))
            .select((Stored::as_select(), incidents::opened_at))
            .load(connection)
    })?;
    rows.into_iter().map(|(row, at)| Ok((row.read()?, Instant::from_millis(at)))).collect()
}

/// Whether the tablet of this loan takes the place of another on the condition that it stays at school: a replacement was
/// granted so, after an incident that befell a tablet its holder had until then (C5.4.4).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn keeps_at_school(tx: &mut Tx<'_>, loan: &Loan) -> Result<bool, StoreError> {
    for (row, at) in attached_to(tx, loan.person_id)? {
        let effect = row.attached()?.and_then(|counterpart| counterpart.effect());
        let befell_another =
            incidents_tablet(tx, row.incident_id)?.is_some_and(|tablet| tablet != loan.tablet_id);
        if effect == Some(Effect::InSchoolOnly) && befell_another && at <= loan.began_at {
            return Ok(true);
        }
    }
    Ok(false)
}

fn incidents_tablet(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Option<TabletId>, StoreError> {
    Ok(crate::incidents::get(tx, &incident)?.map(|incident| incident.tablet_id))
}

crate::declared::declares! {
    replacements kept as Orders {
        personal(Incidents: IncidentFacts) { granted, counterpart, sum_cents, fixed_on, paid_on, decided_at }
        personal(AccountsAndAudit: Acts) { decided_by }
        not_personal("a number of ours") { incident_id }
    }
}

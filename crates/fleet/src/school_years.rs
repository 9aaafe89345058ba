//! School years, as the département dates them, each with its summer break (C5.2.2, C9.1).

use governance::Permission;
use serde_json::json;
use store::Tx;
use store::school_years::{self as rows, SchoolYear};
use types::{Day, Instant};

use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// More years than anybody dates.
const ALL: u32 = 1_000;

/// The dates of a school year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// Its first day.
    pub starts_on: Day,
    /// Its last day, at the latest the last of its summer break.
    pub ends_on: Day,
    /// The first day of its summer break.
    pub summer_starts_on: Day,
    /// The last day of its summer break.
    pub summer_ends_on: Day,
}

impl Dates {
    /// What a school year with these dates is called: the years it begins and ends in, such as `2026-2027`.
    #[must_use]
    pub fn label(&self) -> String {
        let year = |day: Day| day.to_string().chars().take(4).collect::<String>();
        format!("{}-{}", year(self.starts_on), year(self.ends_on))
    }

    /// Passes dates that follow one another.
    fn check(&self) -> Result<(), Refusal> {
        let Self { starts_on, ends_on, summer_starts_on, summer_ends_on } = *self;
        for (field, runs, must) in [
            ("ends_on", starts_on < ends_on, "the year ends after it starts"),
            ("summer_starts_on", starts_on < summer_starts_on, "the break begins after the year starts"),
            ("summer_ends_on", summer_starts_on <= summer_ends_on, "the break ends after it begins"),
            ("summer_ends_on", ends_on <= summer_ends_on, "the break lasts at least until the year ends"),
        ] {
            if !runs {
                return Err(Refusal::invalid(field, must));
            }
        }
        Ok(())
    }
}

/// The school years, the latest first.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<String>,
    now: Instant,
) -> Result<Listed<SchoolYear>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewOrganisations, now)?;
            let found = rows::list(tx, page.after.as_deref(), page.with_one_more())?;
            Ok(page.cut(found, |year| year.label.clone()))
        })
        .await
}

/// Dates a school year, or dates it anew. `false` if nothing changed.
///
/// # Errors
/// [`Refusal::Invalid`] for dates that do not follow one another, or another label than theirs; [`Refusal::Conflict`]
/// for a day that another year or its summer break has.
pub async fn set(
    fleet: &Fleet,
    principal: &Principal,
    label: &str,
    dates: Dates,
    now: Instant,
) -> Result<bool, Refusal> {
    dates.check()?;
    if label != dates.label() {
        return Err(Refusal::invalid("label", format!("a year with these dates is `{}`", dates.label())));
    }
    let Dates { starts_on, ends_on, summer_starts_on, summer_ends_on } = dates;
    let year = SchoolYear { label: label.to_owned(), starts_on, ends_on, summer_starts_on, summer_ends_on };
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManageSchoolYears, now)?;
            let before = rows::get(tx, &year.label)?;
            if before.as_ref() == Some(&year) {
                return Ok(false);
            }
            free(tx, &year)?;
            match before {
                None => rows::insert(tx, &year)?,
                Some(_) => {
                    rows::update(tx, &year)?;
                }
            }
            let detail = json!({
                "label": year.label, "starts_on": starts_on, "ends_on": ends_on,
                "summer_starts_on": summer_starts_on, "summer_ends_on": summer_ends_on,
            });
            audit::record(tx, &principal, Change::new("school-year.set").detail(detail), now)?;
            Ok(true)
        })
        .await
}

/// Passes a year whose days, those of its break included, no other year has.
fn free(tx: &mut Tx<'_>, year: &SchoolYear) -> Result<(), Refusal> {
    let others = rows::list(tx, None, ALL)?;
    let meets = |other: &&SchoolYear| {
        other.label != year.label
            && other.starts_on <= year.summer_ends_on
            && year.starts_on <= other.summer_ends_on
    };
    match others.iter().find(meets) {
        None => Ok(()),
        Some(other) => Err(Refusal::Conflict(format!(
            "{} runs from {} to {}, its summer break included; two years share no day",
            other.label, other.starts_on, other.summer_ends_on
        ))),
    }
}

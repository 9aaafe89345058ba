//! The report of a school year, collège by collège: counts, never names (C6.1).

use governance::{Permission, Reach};
use store::organisations::{self, Organisation};
use store::{Within, figures};
use types::{Day, Instant, OrganisationKind};

use super::school_year;
use crate::{Fleet, Principal, Refusal};

/// The figures of one collège.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The collège.
    pub college: Organisation,
    /// The year.
    pub school_year: String,
    /// What was counted.
    pub counted: figures::Figures,
}

/// The figures of a year, of every collège within reach.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::NotFound`] for the year.
pub async fn report(
    fleet: &Fleet,
    principal: &Principal,
    label: Option<String>,
    now: Instant,
) -> Result<Vec<Figures>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let reach = principal.may(tx, Permission::ViewYear, now)?;
            let within = match &reach {
                Reach::Everything => Within::Everything,
                Reach::Organisation(id) => Within::Organisation(*id),
                Reach::Colleges(colleges) => Within::Colleges(colleges.clone()),
                Reach::Own(_) => Within::Colleges(std::collections::BTreeSet::new()),
            };
            let year = school_year(tx, label.as_deref(), now)?;
            let span = (year.starts_on.starts_at(), year.ends_on.max(year.summer_ends_on).ends_at());
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let some = organisations::list(tx, &within, after, 200)?;
                let Some(last) = some.last() else { break };
                after = Some(last.id);
                for college in some.into_iter().filter(|one| one.kind == OrganisationKind::College) {
                    let Some(uai) = college.uai.clone() else { continue };
                    let counted = figures::of(tx, &uai, &year.label, span, Day::of(now).starts_at())?;
                    all.push(Figures { college, school_year: year.label.clone(), counted });
                }
            }
            Ok(all)
        })
        .await
}

//! How far a list reaches: the rows of some collèges, of one organisation, or all. The database filters, so that
//! a page is full and nothing beyond the reach is ever loaded (T-C1, T-C22).

use std::collections::BTreeSet;

use types::{OrganisationId, Uai};

/// The rows that whoever asks may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// All of them.
    Everything,
    /// Those of one organisation; of a collège, also its tablets and what concerns them.
    Organisation(OrganisationId),
    /// Those of these collèges; none if there are none.
    Colleges(BTreeSet<Uai>),
}

impl Within {
    /// The codes of the collèges, as they stand in columns.
    pub(crate) fn codes(colleges: &BTreeSet<Uai>) -> Vec<String> {
        colleges.iter().map(Uai::to_string).collect()
    }
}

/// Limits a boxed query to the rows whose collège, in column `$uai`, is within reach.
macro_rules! of_colleges_within {
    ($query:expr, $within:expr, $uai:expr) => {
        match $within {
            crate::Within::Everything => $query,
            crate::Within::Organisation(organisation) => $query.filter(
                $uai.eq_any(
                    crate::schema::organisations::table
                        .find(organisation.to_string())
                        .select(crate::schema::organisations::uai),
                ),
            ),
            crate::Within::Colleges(colleges) => $query.filter($uai.eq_any(crate::Within::codes(colleges))),
        }
    };
}
pub(crate) use of_colleges_within;

/// Limits a boxed query to the rows whose tablet, in column `$tablet`, is of a collège within reach.
macro_rules! of_tablets_within {
    ($query:expr, $within:expr, $tablet:expr) => {
        match $within {
            crate::Within::Everything => $query,
            crate::Within::Organisation(organisation) => {
                let uai = crate::schema::organisations::table
                    .find(organisation.to_string())
                    .select(crate::schema::organisations::uai);
                $query.filter(
                    $tablet.eq_any(
                        crate::schema::tablets::table
                            .filter(crate::schema::tablets::uai.eq_any(uai))
                            .select(diesel::NullableExpressionMethods::nullable(crate::schema::tablets::id)),
                    ),
                )
            }
            crate::Within::Colleges(colleges) => $query.filter(
                $tablet.eq_any(
                    crate::schema::tablets::table
                        .filter(crate::schema::tablets::uai.eq_any(crate::Within::codes(colleges)))
                        .select(diesel::NullableExpressionMethods::nullable(crate::schema::tablets::id)),
                ),
            ),
        }
    };
}
pub(crate) use of_tablets_within;

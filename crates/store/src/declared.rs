//! What the tables hold, declared beside each of them: the register of processing activities is made of it
//! (C8.1), and a table or a column that nobody declared fails the tests (C3.1.6).

use privacy::TableDeclaration;

/// At the foot of a noun's file, what its table keeps about people, and for how long:
///
/// ```text
/// crate::declared::declares! {
///     tablets kept as Equipment {
///         personal(DeviceManagement: DeviceIdentifiers) { serial, asset_tag }
///         not_personal("numbers and dates of ours") { id, created_at, updated_at }
///     }
/// }
/// ```
///
/// The names are those of [`privacy::RetentionClass`], [`privacy::Activity`] and [`privacy::Category`]. A
/// column that several activities write to names them all: `personal(A: B, C: D)`. Several tables may stand
/// in one block.
macro_rules! declares {
    ($(
        $table:ident kept as $class:ident {
            $($holds:ident ( $($what:tt)* ) { $($column:tt),* $(,)? })*
        }
    )*) => {
        /// What the tables of this file hold.
        pub(crate) const DECLARED: &[privacy::TableDeclaration] = &[$(
            privacy::TableDeclaration {
                table: stringify!($table),
                class: privacy::RetentionClass::$class,
                columns: crate::declared::columns!([] $($holds ( $($what)* ) { $($column)* })*),
            },
        )*];
    };
}
pub(crate) use declares;

/// One column after the other, each with what its group holds.
macro_rules! columns {
    ([$($done:expr,)*]) => {
        &[$($done,)*]
    };
    ([$($done:expr,)*] $holds:ident ( $($what:tt)* ) { } $($rest:tt)*) => {
        crate::declared::columns!([$($done,)*] $($rest)*)
    };
    ([$($done:expr,)*] $holds:ident ( $($what:tt)* ) { $column:tt $($more:tt)* } $($rest:tt)*) => {
        crate::declared::columns!(
            [$($done,)* privacy::ColumnDeclaration {
                name: stringify!($column),
                holds: crate::declared::holds!($holds $($what)*),
            },]
            $holds ( $($what)* ) { $($more)* } $($rest)*
        )
    };
}
pub(crate) use columns;

macro_rules! holds {
    (personal $($activity:ident: $category:ident),+ $(,)?) => {
        privacy::Holds::Personal(&[$(
            privacy::Datum {
                activity: privacy::Activity::$activity,
                category: privacy::Category::$category,
            },
        )+])
    };
    (not_personal $why:literal) => {
        privacy::Holds::NotPersonal($why)
    };
}
pub(crate) use holds;

/// One line for each file that has tables, in the order of the files.
const DECLARATIONS: &[&[TableDeclaration]] = &[
    crate::account_makers::DECLARED,
    crate::accounts::DECLARED,
    crate::agreement_texts::DECLARED,
    crate::alarms::DECLARED,
    crate::api_tokens::DECLARED,
    crate::app_files::DECLARED,
    crate::apps::DECLARED,
    crate::audit::DECLARED,
    crate::audit::seals::DECLARED,
    crate::authorities::DECLARED,
    crate::brake::DECLARED,
    crate::campaigns::DECLARED,
    crate::certificates::DECLARED,
    crate::challenges::DECLARED,
    crate::commands::DECLARED,
    crate::countersignatures::DECLARED,
    crate::deliveries::DECLARED,
    crate::departures::DECLARED,
    crate::destructions::DECLARED,
    crate::emergency_orders::DECLARED,
    crate::enrolment_ends::DECLARED,
    crate::enrolments::DECLARED,
    crate::erase_orders::DECLARED,
    crate::incident_confirmations::DECLARED,
    crate::incident_declarations::DECLARED,
    crate::incident_papers::DECLARED,
    crate::incidents::DECLARED,
    crate::jobs::DECLARED,
    crate::last_decisions::DECLARED,
    crate::layer_suspensions::DECLARED,
    crate::links::DECLARED,
    crate::lists::DECLARED,
    crate::loan_years::DECLARED,
    crate::loans::DECLARED,
    crate::notices::DECLARED,
    crate::lost_modes::DECLARED,
    crate::mails::DECLARED,
    crate::notice_delays::DECLARED,
    crate::noticed_corrections::DECLARED,
    crate::notices_due::DECLARED,
    crate::observations::DECLARED,
    crate::organisations::DECLARED,
    crate::orphans::DECLARED,
    crate::paper_corrections::DECLARED,
    crate::persons::DECLARED,
    crate::position_looks::DECLARED,
    crate::position_requests::DECLARED,
    crate::presence::DECLARED,
    crate::privacy_validations::DECLARED,
    crate::profile_approvals::DECLARED,
    crate::profile_versions::DECLARED,
    crate::purges::DECLARED,
    crate::push_certificates::DECLARED,
    crate::push_states::DECLARED,
    crate::repairs::DECLARED,
    crate::replacements::DECLARED,
    crate::restitutions::DECLARED,
    crate::restrictions::DECLARED,
    crate::return_profiles::DECLARED,
    crate::role_grants::DECLARED,
    crate::rollouts::DECLARED,
    crate::school_years::DECLARED,
    crate::segments::DECLARED,
    crate::sessions::DECLARED,
    crate::settings::DECLARED,
    crate::signatures::DECLARED,
    crate::supervision_exceptions::DECLARED,
    crate::tablet_modes::DECLARED,
    crate::supplier_repairs::DECLARED,
    crate::tablets::DECLARED,
    crate::takeovers::DECLARED,
    crate::transfers::DECLARED,
    crate::warrant_grants::DECLARED,
    crate::warrant_notices::DECLARED,
    crate::warrants::DECLARED,
    crate::warranty_verdicts::DECLARED,
];

/// What every table holds: what the register of processing activities is made of (C8.1).
#[must_use]
pub fn declarations() -> Vec<TableDeclaration> {
    DECLARATIONS.concat()
}

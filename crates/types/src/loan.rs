//! What lending and the tablets' configuration must agree on: who a user is, and where a lent tablet stands.

use crate::text_enum;

text_enum! {
    /// What a user is to the programme (C4.1).
    UserKind: "kind of user" {
        /// A pupil.
        Pupil = "pupil",
        /// A teacher.
        Teacher = "teacher",
        /// The head of a collège (chef d'établissement).
        Head = "head",
        /// Their deputy (adjoint).
        Deputy = "deputy",
        /// The director of a SEGPA.
        SegpaDirector = "segpa-director",
        /// An education adviser (CPE).
        Cpe = "cpe",
    }

    /// Where a lent tablet stands; each has its own layer of configuration.
    LoanMode: "loan mode" {
        /// It may go home (C5.2.1).
        TakeHome = "take-home",
        /// It stays in the collège (C5.2.1).
        InSchool = "in-school",
        /// It is kept at the collège over the summer; the loan goes on (C5.2.2).
        Deposit = "deposit",
        /// Its use is restricted until a date, after a breach (C5.2.5).
        Restricted = "restricted",
        /// It is lost or stolen, and its incident is open (C5.4.2).
        Lost = "lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_user_and_every_mode_reads_back_from_its_text() {
        for kind in UserKind::ALL {
            assert_eq!(kind.as_str().parse::<UserKind>().as_ref(), Ok(kind));
        }
        for mode in LoanMode::ALL {
            assert_eq!(mode.as_str().parse::<LoanMode>().as_ref(), Ok(mode));
        }
    }
}

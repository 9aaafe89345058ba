//! Organisations, the roles people have in them, and what the brake counts.

use crate::text_enum;

text_enum! {
    /// What an organisation is.
    OrganisationKind: "kind of organisation" {
        /// The département: it owns the tablets and operates this server.
        Departement = "departement",
        /// The académie: the education authority, which decides with the département.
        Academie = "academie",
        /// A collège, known by its UAI code.
        College = "college",
    }

    /// What a person is, to this server. A person may have several roles.
    Role: "role" {
        /// Runs the fleet for the département, day by day.
        Operator = "operator",
        /// Manages the accounts of their own organisation (C3.1.7); the département's also set up the server.
        Administrator = "administrator",
        /// Approves, for the département or for the académie, what both must decide (C3.1.1).
        Approver = "approver",
        /// The head of a collège (chef d'établissement).
        Head = "head",
        /// The référent numérique of a collège, a teacher (C3.3.1).
        Referent = "referent",
        /// The technician of one collège or several (assistant technique informatique), employed by the
        /// département.
        Ati = "ati",
        /// The data protection officer (délégué à la protection des données).
        Dpo = "dpo",
        /// Reads, to audit; changes nothing.
        Auditor = "auditor",
    }

    /// What the brake counts: the three ways in which a stolen account could destroy (M5).
    DestructionKind: "kind of destruction" {
        /// A tablet is erased.
        Erase = "erase",
        /// A tablet is put in lost mode.
        LostMode = "lost-mode",
        /// A tablet leaves management.
        Unenrol = "unenrol",
    }
}

impl Role {
    /// Whether a person of such an organisation can have this role.
    #[must_use]
    pub const fn fits(self, kind: OrganisationKind) -> bool {
        match self {
            Self::Operator | Self::Ati => matches!(kind, OrganisationKind::Departement),
            Self::Head | Self::Referent => matches!(kind, OrganisationKind::College),
            Self::Administrator | Self::Approver | Self::Dpo | Self::Auditor => {
                matches!(kind, OrganisationKind::Departement | OrganisationKind::Academie)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technician_is_the_departements_and_a_head_the_colleges() {
        assert!(Role::Ati.fits(OrganisationKind::Departement));
        assert!(!Role::Ati.fits(OrganisationKind::College));
        assert!(Role::Head.fits(OrganisationKind::College));
        assert!(!Role::Head.fits(OrganisationKind::Departement));
    }

    #[test]
    fn both_who_decide_jointly_can_approve_and_no_college_can() {
        let kinds: Vec<_> = OrganisationKind::ALL.iter().filter(|kind| Role::Approver.fits(**kind)).collect();
        assert_eq!(kinds, [&OrganisationKind::Departement, &OrganisationKind::Academie]);
    }

    #[test]
    fn every_role_fits_somewhere_and_reads_back_from_its_text() {
        for role in Role::ALL {
            assert!(OrganisationKind::ALL.iter().any(|kind| role.fits(*kind)), "{role}");
            assert_eq!(role.as_str().parse::<Role>().as_ref(), Ok(role));
        }
    }
}

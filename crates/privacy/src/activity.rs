//! What is done with personal data: one activity for each thing that people could be told apart.

use crate::words::words;

words! {
    /// A processing activity: one entry of the register (C8.1).
    Activity: "activity of the register" {
        /// Who may sign in, what each may do, and who did what.
        AccountsAndAudit = "accounts-and-audit",
            "Comptes, droits et journal d'audit", "Accounts, rights and audit log";
        /// The tablets themselves: inventory, enrolment, commands, state.
        DeviceManagement = "device-management",
            "Gestion à distance des tablettes", "Remote management of tablets";
        /// Which managed apps each tablet has.
        AppInventory = "app-inventory",
            "Inventaire des applications gérées", "Inventory of managed apps";
        /// The list of users by name (C4.2).
        Roster = "roster",
            "Liste nominative des utilisateurs", "List of users by name";
        /// Who holds which tablet, from handover to restitution (art. 5).
        Lending = "lending",
            "Prêt des tablettes", "Lending of tablets";
        /// Losses, thefts and damage (C5.4.2).
        Incidents = "incidents",
            "Sinistres", "Incidents";
        /// What holders and guardians are told, and that they were (C5.2.6, C7.1).
        Notices = "notices",
            "Information des personnes", "Notices to people";
        /// Where a lost or stolen tablet is (C5.4.3).
        Geolocation = "geolocation",
            "Géolocalisation d'une tablette perdue ou volée", "Geolocation of a lost or stolen tablet";
    }
}

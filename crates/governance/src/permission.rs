//! What can be done, and the roles that let a person do it: one table, read row by row.

use types::{OrganisationKind, Role, text_enum};

text_enum! {
    /// Something that can be done. Every use case names one, and asks for it first.
    Permission: "permission" {
        /// See tablets, their inventory, their commands and what they reported.
        ViewTablets = "view-tablets",
        /// Bring tablets into the inventory, or change them there (C3.3.4).
        ImportInventory = "import-inventory",
        /// Make and revoke enrolment links.
        CreateLinks = "create-links",
        /// Queue ordinary commands (C3.1.4).
        SendCommands = "send-commands",
        /// Take back commands that wait.
        CancelCommands = "cancel-commands",
        /// Install the push certificate: a wrong one loses the fleet.
        ManagePushCertificate = "manage-push-certificate",
        /// Bring in tablets of another server.
        TakeOver = "take-over",
        /// Decide which of Apple's device authorities are believed.
        TrustAppleAuthority = "trust-apple-authority",
        /// See alarms.
        ViewAlarms = "view-alarms",
        /// Declare an alarm settled.
        SettleAlarms = "settle-alarms",
        /// See organisations, and who leads the way there.
        ViewOrganisations = "view-organisations",
        /// Create collèges and the académie, close them, invite the first who manages accounts there.
        ManageOrganisations = "manage-organisations",
        /// Decide for a collège: tablets at home, charter, référent (C3.3.1, C3.3.3, C3.3.5).
        ManageCollege = "manage-college",
        /// Name the wireless network that a collège's tablets join after an erasure.
        ManageNetwork = "manage-network",
        /// Set school years and their summer breaks.
        ManageSchoolYears = "manage-school-years",
        /// See accounts, and the roles they have.
        ViewAccounts = "view-accounts",
        /// Invite, suspend, reset and close accounts (C3.1.7).
        ManageAccounts = "manage-accounts",
        /// Give roles and take them back (C3.1.7).
        GrantRoles = "grant-roles",
        /// Make and revoke one's own tokens of the API.
        ManageOwnTokens = "manage-own-tokens",
        /// See and end one's own sessions.
        ManageOwnSessions = "manage-own-sessions",
        /// Change one's own password or second factor; the first one is set up without
        /// ([`first_second_factor`](crate::sign_in::first_second_factor)).
        ManageOwnFactors = "manage-own-factors",
        /// Ask a second person to sign.
        AskCountersignature = "ask-countersignature",
        /// Sign as the second person, or refuse.
        AnswerCountersignature = "answer-countersignature",
        /// Read the audit log.
        ReadAudit = "read-audit",
        /// Take the audit log away.
        ExportAudit = "export-audit",
        /// See budgets, what they hold back, and the switch (M5).
        ViewBrake = "view-brake",
        /// See what the brake would stop (M5).
        DrillBrake = "drill-brake",
        /// Throw the switch that stops everything destructive (M5).
        EngageBrake = "engage-brake",
        /// Ask that the switch be released (M5).
        ReleaseBrake = "release-brake",
        /// Open a campaign of restitutions (M5), or end one.
        OpenCampaign = "open-campaign",
        /// Decide that a tablet leaves management (M4).
        Unenrol = "unenrol",
        /// Take back tablets that a restored database does not know.
        ReadoptOrphans = "readopt-orphans",
        /// Read the register of processing activities (C8.1).
        ViewRegister = "view-register",
        /// Validate an activity of the register, or withdraw that (C3.1.6).
        ValidateProcessing = "validate-processing",
        /// Have the account of purges drawn up.
        ProvePurges = "prove-purges",
        /// See what layers say, and who decided it.
        ViewProfiles = "view-profiles",
        /// Write layers and submit them; a collège, what it adds (C3.1.1, C3.1.3).
        DraftProfiles = "draft-profiles",
        /// Publish what was approved, roll it out, take it back (C3.1.1).
        PublishProfiles = "publish-profiles",
        /// Order an emergency base (C5.3.7), or end such an order.
        OrderEmergency = "order-emergency",
        /// See the catalogue of apps.
        ViewApps = "view-apps",
        /// Add apps to the catalogue, upload their files, set them up, withdraw them (C3.1.4). What is on tablets is
        /// decided by layers, not here (C3.1.2).
        ManageApps = "manage-apps",
        /// See incidents of tablets, their papers and their clocks (C5.4.2).
        ViewIncidents = "view-incidents",
        /// Declare an incident of a tablet (C5.4.2).
        DeclareIncident = "declare-incident",
        /// Record papers of an incident, and take its steps (C5.4.2).
        HandleIncident = "handle-incident",
        /// Put a tablet in lost mode because of an open incident (M1).
        LostMode = "lost-mode",
        /// See the people of a collège and the changes of its list, by name (C4.2).
        ViewLists = "view-lists",
        /// Propose a change of the list of users, or take one back (C4.2).
        ProposeList = "propose-list",
        /// Settle a change of the list: the head (C4.2).
        SettleList = "settle-list",
        /// Validate a change of the list for the académie (C4.2).
        ValidateList = "validate-list",
        /// See the texts of the agreement of loan.
        ViewAgreements = "view-agreements",
        /// Publish a text of the agreement of loan (C5.2.1, C9.1).
        PublishAgreement = "publish-agreement",
        /// Record what users and guardians said to a text (C5.2.1).
        RecordSignature = "record-signature",
        /// See who holds which tablet, and what stands in the way of a handover (C5.3.1, C5.3.4).
        ViewLoans = "view-loans",
        /// Hand a tablet over, take it into deposit, hand it out again (C5.2.2, C5.3.4).
        HandOver = "hand-over",
        /// Sign a handover under reserve, and what only a head decides of a loan: confiscation, restriction, the letter that
        /// ends it (C5.2.4, C5.2.5, C5.3.4, C5.3.6).
        DecideLoan = "decide-loan",
        /// End a loan for the département (C5.2.4).
        EndLoan = "end-loan",
        /// Let a tablet be lent that is not supervised.
        ExceptSupervision = "except-supervision",
        /// See the figures of a school year: counts, never names (C6.1).
        ViewYear = "view-year",
        /// See tablets that were given back, and how far their erasure has come (C5.3.5).
        ViewRestitutions = "view-restitutions",
        /// Receive a tablet, take a slip back, record that data is saved, or that a letter was handed over (C5.3.5).
        ReceiveTablets = "receive-tablets",
        /// Order the erasure of a tablet that was given back (M3).
        OrderErasure = "order-erasure",
        /// Attest that a tablet is empty (M3).
        AttestErasure = "attest-erasure",
        /// Ask a second person for a location warrant, or for its extension (M1).
        AskWarrant = "ask-warrant",
        /// Ask a tablet where it is, under a warrant (M1).
        Locate = "locate",
        /// Look at where a tablet was (M1).
        LookAtPositions = "look-at-positions",
        /// Say that an incident still stands after a restore (M5).
        ConfirmIncident = "confirm-incident",
        /// Decide on a replacement and its counterpart (C5.4.4).
        DecideReplacement = "decide-replacement",
        /// Send a tablet to its supplier, and take back what comes (C5.4.5).
        RepairTablets = "repair-tablets",
        /// Propose that a tablet goes to another collège, take that back, or refuse it.
        ProposeTransfer = "propose-transfer",
        /// Consent to a transfer for one's collège.
        ConsentTransfer = "consent-transfer",
        /// Propose that a tablet is given to the pupil who holds it, and say how its years went (C5.1.2).
        ProposeDonation = "propose-donation",
        /// Decide on a donation, decide that a tablet is retired, and have it leave (C5.1.2).
        DecideDeparture = "decide-departure",
        /// Propose, as the head, that a stolen tablet is erased wherever it is (M3).
        ProposeErasure = "propose-erasure",
        /// Have a stolen tablet erased again, by the decision of head and département that stands (M3).
        RepeatErasure = "repeat-erasure",
        /// Take back that a stolen tablet is erased (M3).
        CallOffErasure = "call-off-erasure",
        /// Draw up the copy of everything that is held about one person (GDPR, art. 15 and 20).
        ExportPerson = "export-person",
        /// Correct what is held about one person (GDPR, art. 16).
        CorrectPerson = "correct-person",
        /// Have one person forgotten who asks for it (GDPR, art. 17).
        ForgetPerson = "forget-person",
    }
}

/// How far a role lets its bearer do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Not at all.
    No,
    /// Whole: it is not the matter of one collège, and a role over some collèges does not give it.
    All,
    /// Whole, whatever the role reaches.
    Any,
    /// In the collèges that the role reaches; everywhere, if it reaches everything.
    Col,
    /// In one's own organisation.
    Org,
    /// With what is one's own.
    Own,
}

/// What a role in such an organisation lets its bearer do; nothing, where the role does not fit.
pub(crate) fn cell(permission: Permission, role: Role, kind: OrganisationKind) -> Cell {
    if !role.fits(kind) {
        return Cell::No;
    }
    let academie = matches!(kind, OrganisationKind::Academie);
    let [operator, administrator, approver, ati, theirs, their_approver, head, referent, dpo, auditor] =
        row(permission);
    match role {
        Role::Operator => operator,
        Role::Administrator if academie => theirs,
        Role::Administrator => administrator,
        Role::Approver if academie => their_approver,
        Role::Approver => approver,
        Role::Ati => ati,
        Role::Head => head,
        Role::Referent => referent,
        Role::Dpo => dpo,
        Role::Auditor => auditor,
    }
}

/// The table. A permission without a row does not compile.
#[rustfmt::skip]
const fn row(permission: Permission) -> [Cell; 10] {
    use Cell::{All, Any, Col, No, Org, Own};
    use Permission as P;
    match permission {
        //                                département           académie   collège     both
        //                                Op.  Adm. App. ATI    Adm. App.  Head Réf.   DPO  Aud.
        P::ViewTablets               => [ Col, Col, Col, Col,   Col, Col,  Col, Col,   No,  Col ],
        P::ImportInventory           => [ All, No,  No,  No,    No,  No,   No,  No,    No,  No  ],
        P::CreateLinks               => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::SendCommands              => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::CancelCommands            => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::ManagePushCertificate     => [ No,  All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::TakeOver                  => [ No,  All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::TrustAppleAuthority       => [ No,  All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ViewAlarms                => [ Col, Col, No,  Col,   No,  No,   Col, Col,   No,  Col ],
        P::SettleAlarms              => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::ViewOrganisations         => [ Col, All, All, Col,   All, All,  Col, Col,   All, All ],
        P::ManageOrganisations       => [ No,  All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ManageCollege             => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::ManageNetwork             => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::ManageSchoolYears         => [ All, All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ViewAccounts              => [ No,  Org, No,  No,    Org, No,   Org, No,    No,  All ],
        P::ManageAccounts            => [ No,  Org, No,  No,    Org, No,   Org, No,    No,  No  ],
        P::GrantRoles                => [ No,  Org, No,  No,    Org, No,   Org, No,    No,  No  ],
        P::ManageOwnTokens           => [ Own, Own, Own, Own,   Own, Own,  Own, Own,   Own, Own ],
        P::ManageOwnSessions         => [ Own, Own, Own, Own,   Own, Own,  Own, Own,   Own, Own ],
        P::ManageOwnFactors          => [ Own, Own, Own, Own,   Own, Own,  Own, Own,   Own, Own ],
        P::AskCountersignature       => [ Own, Own, Own, Own,   Own, Own,  Own, No,    No,  No  ],
        P::AnswerCountersignature    => [ Own, Own, Own, No,    Own, Own,  Own, No,    No,  No  ],
        P::ReadAudit                 => [ No,  All, No,  No,    No,  No,   No,  No,    All, All ],
        P::ExportAudit               => [ No,  All, No,  No,    No,  No,   No,  No,    No,  All ],
        P::ViewBrake                 => [ Any, All, All, Own,   All, All,  Own, No,    All, All ],
        P::DrillBrake                => [ All, All, No,  No,    No,  No,   No,  No,    No,  All ],
        P::EngageBrake               => [ Any, All, All, Any,   All, All,  No,  No,    No,  No  ],
        P::ReleaseBrake              => [ All, All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::OpenCampaign              => [ All, All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::Unenrol                   => [ Col, No,  No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ReadoptOrphans            => [ All, All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ViewRegister              => [ Any, Any, Any, Any,   Any, Any,  Any, Any,   Any, Any ],
        P::ValidateProcessing        => [ No,  No,  No,  No,    No,  No,   No,  No,    All, No  ],
        P::ProvePurges               => [ No,  All, No,  No,    No,  No,   No,  No,    All, All ],
        P::ViewProfiles              => [ Col, Col, Col, Col,   Col, Col,  Col, Col,   All, Col ],
        P::DraftProfiles             => [ All, All, All, No,    All, All,  Col, Col,   No,  No  ],
        P::PublishProfiles           => [ All, All, All, No,    All, All,  Col, Col,   No,  No  ],
        P::OrderEmergency            => [ No,  No,  No,  No,    All, All,  Col, No,    No,  No  ],
        P::ViewApps                  => [ Any, Any, Any, Any,   Any, Any,  Any, Any,   No,  Any ],
        P::ManageApps                => [ All, All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ViewIncidents             => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  Col ],
        P::DeclareIncident           => [ No,  No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::HandleIncident            => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::LostMode                  => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::ViewLists                 => [ No,  No,  No,  Col,   No,  All,  Col, No,    No,  No  ],
        P::ProposeList               => [ No,  No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::SettleList                => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::ValidateList              => [ No,  No,  No,  No,    No,  All,  No,  No,    No,  No  ],
        P::ViewAgreements            => [ Any, Any, Any, Any,   Any, Any,  Any, Any,   Any, Any ],
        P::PublishAgreement          => [ All, All, No,  No,    No,  No,   No,  No,    No,  No  ],
        P::RecordSignature           => [ No,  No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::ViewLoans                 => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::HandOver                  => [ No,  No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::DecideLoan                => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::EndLoan                   => [ Col, No,  No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ExceptSupervision         => [ All, No,  No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ViewYear                  => [ Col, All, No,  No,    All, All,  Col, No,    No,  Col ],
        P::ViewRestitutions          => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  Col ],
        P::ReceiveTablets            => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::OrderErasure              => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::AttestErasure             => [ No,  No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::AskWarrant                => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::Locate                    => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::LookAtPositions           => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::ConfirmIncident           => [ Col, No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::DecideReplacement         => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::RepairTablets             => [ Col, No,  No,  Col,   No,  No,   No,  No,    No,  No  ],
        P::ProposeTransfer           => [ Col, No,  No,  Col,   No,  No,   Col, No,    No,  No  ],
        P::ConsentTransfer           => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::ProposeDonation           => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::DecideDeparture           => [ Col, No,  No,  No,    No,  No,   No,  No,    No,  No  ],
        P::ProposeErasure            => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::RepeatErasure             => [ Col, No,  No,  No,    No,  No,   No,  No,    No,  No  ],
        P::CallOffErasure            => [ Col, No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::ExportPerson              => [ No,  No,  No,  No,    No,  No,   Col, No,    All, No  ],
        P::CorrectPerson             => [ No,  No,  No,  No,    No,  No,   Col, No,    No,  No  ],
        P::ForgetPerson              => [ No,  No,  No,  No,    No,  No,   No,  No,    All, No  ],
    }
}

impl Permission {
    /// Whether nothing changes when someone does it: all that a token that may only look can do.
    #[must_use]
    pub const fn only_looks(self) -> bool {
        matches!(
            self,
            Self::ViewTablets
                | Self::ViewAlarms
                | Self::ViewOrganisations
                | Self::ViewAccounts
                | Self::ReadAudit
                | Self::ExportAudit
                | Self::ViewBrake
                | Self::DrillBrake
                | Self::ViewRegister
                | Self::ProvePurges
                | Self::ViewProfiles
                | Self::ViewApps
                | Self::ViewIncidents
                | Self::ViewLists
                | Self::ViewAgreements
                | Self::ViewLoans
                | Self::ViewYear
                | Self::ViewRestitutions
                | Self::ExportPerson
        )
    }

    /// Whether no token does it, whatever its bearer may do: a stolen token must make neither another, nor a
    /// session, nor what opens one.
    #[must_use]
    pub const fn takes_a_session(self) -> bool {
        matches!(self, Self::ManageOwnTokens | Self::ManageOwnSessions | Self::ManageOwnFactors)
    }
}

/// Whether the person must have shown a code of their second factor a moment ago: for what destroys, what
/// reveals, and what makes others able to.
#[must_use]
pub const fn needs_step_up(permission: Permission) -> bool {
    use Permission as P;
    match permission {
        P::ManagePushCertificate
        | P::TakeOver
        | P::TrustAppleAuthority
        | P::ManageOrganisations
        | P::ManageAccounts
        | P::GrantRoles
        | P::ManageOwnTokens
        | P::ManageOwnFactors
        | P::AnswerCountersignature
        | P::ExportAudit
        | P::ReleaseBrake
        | P::OpenCampaign
        | P::Unenrol
        | P::LostMode
        | P::OrderErasure
        // Whoever is lent the tablet next would find what an attestation says is gone.
        | P::AttestErasure
        | P::Locate
        | P::LookAtPositions
        | P::ReadoptOrphans
        | P::ValidateProcessing
        | P::PublishProfiles
        | P::OrderEmergency
        | P::ValidateList
        | P::PublishAgreement
        | P::ExceptSupervision
        // It gives away what cannot be taken back.
        | P::DecideDeparture
        // What is uploaded runs on every tablet.
        | P::ManageApps
        | P::ProposeErasure
        | P::RepeatErasure
        | P::ExportPerson
        | P::ForgetPerson => true,
        P::ViewTablets
        | P::ImportInventory
        | P::CreateLinks
        | P::SendCommands
        | P::CancelCommands
        | P::ViewAlarms
        | P::SettleAlarms
        | P::ViewOrganisations
        | P::ManageCollege
        | P::ManageNetwork
        | P::ManageSchoolYears
        | P::ViewAccounts
        | P::ManageOwnSessions
        | P::AskCountersignature
        | P::ReadAudit
        | P::ViewBrake
        | P::DrillBrake
        // Stopping is always easy.
        | P::EngageBrake
        | P::ViewRegister
        | P::ProvePurges
        | P::ViewProfiles
        | P::DraftProfiles
        | P::ViewApps
        | P::ViewIncidents
        | P::DeclareIncident
        | P::HandleIncident
        | P::ViewLists
        | P::ProposeList
        | P::SettleList
        | P::ViewAgreements
        | P::RecordSignature
        | P::ViewLoans
        | P::HandOver
        | P::DecideLoan
        | P::EndLoan
        | P::ViewYear
        | P::ViewRestitutions
        // A tablet that lies on the counter is received at once; nothing is erased by that.
        | P::ReceiveTablets
        // Asking reveals nothing: the second person shows a code.
        | P::AskWarrant
        | P::ConfirmIncident
        | P::DecideReplacement
        | P::RepairTablets
        | P::ProposeTransfer
        | P::ConsentTransfer
        | P::ProposeDonation
        // What destroys is called off without ado.
        | P::CallOffErasure
        // What is on the list takes both signatures again; the rest is put right at once.
        | P::CorrectPerson => false,
    }
}

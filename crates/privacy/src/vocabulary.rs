//! The words that entries are made of: a closed list each, so that two entries say the same thing alike.

use crate::words::words;

words! {
    /// Why a processing is lawful (GDPR, art. 6(1)).
    LegalBasis: "legal basis" {
        /// Art. 6(1)(e).
        PublicTask = "public-task",
            "mission d'intérêt public (RGPD, art. 6, § 1, e)", "task in the public interest (GDPR, art. 6(1)(e))";
        /// Art. 6(1)(c).
        LegalObligation = "legal-obligation",
            "obligation légale (RGPD, art. 6, § 1, c)", "legal obligation (GDPR, art. 6(1)(c))";
    }

    /// Who answers for a processing.
    Party: "party" {
        /// Owns the tablets and runs the server.
        Departement = "departement", "le département", "the département";
        /// Decides jointly with it (C3.1.1), and validates the lists (C4.2).
        Academie = "academie", "l'académie", "the académie";
        /// Lends the tablets to its users.
        College = "college", "le collège", "the collège";
    }

    /// Whom data are about.
    People: "kind of people" {
        /// Whoever has an account.
        Staff = "staff", "agents ayant un compte", "staff with an account";
        /// Whoever holds a tablet; nothing in this entry names them.
        Holders = "holders",
            "détenteurs d'une tablette, sans que rien ici les nomme", "holders of a tablet, whom nothing here names";
        /// Pupils (C4.1).
        Pupils = "pupils", "élèves", "pupils";
        /// Their guardians.
        Guardians = "guardians", "représentants légaux", "guardians";
        /// Teachers and the other adults of C4.1.
        Teachers = "teachers", "enseignants et personnels du collège", "teachers and staff of the collège";
    }

    /// What kind of data.
    Category: "category of data" {
        /// Of an account.
        AccountIdentity = "account-identity",
            "identité du compte : nom, identifiant, courriel, organisation, rôles",
            "identity of the account: name, login, e-mail, organisation, roles";
        /// How an account proves itself.
        Credentials = "credentials",
            "moyens d'authentification, chiffrés ou sous forme d'empreinte",
            "means of authentication, encrypted or hashed";
        /// When an account or its token was used.
        Connections = "connections", "connexions : dates d'ouverture et d'usage", "sign-ins: when opened and used";
        /// Who did what.
        Acts = "acts", "actes : qui, quoi, quand, sur quelle tablette", "acts: who, what, when, on which tablet";
        /// Why, in a person's own words.
        Reasons = "reasons", "motifs et précisions saisis", "reasons and particulars as typed";
        /// What tells one tablet from all others.
        DeviceIdentifiers = "device-identifiers",
            "identifiants de la tablette : numéro de série, UDID, étiquette, certificat",
            "identifiers of the tablet: serial number, UDID, label, certificate";
        /// What opens or wakes one tablet.
        DeviceSecrets = "device-secrets",
            "secrets de la tablette, chiffrés : jetons de notification et de déverrouillage",
            "secrets of the tablet, encrypted: tokens that wake and unlock it";
        /// What it says of itself.
        DeviceState = "device-state",
            "état de la tablette : système, batterie, sécurité, profils gérés",
            "state of the tablet: system, battery, security, managed profiles";
        /// When it spoke.
        ContactTimes = "contact-times", "dates de contact de la tablette", "times at which the tablet spoke";
        /// What it was told to do, and its answers.
        CommandHistory = "command-history",
            "commandes envoyées à la tablette et leurs réponses", "commands sent to the tablet, and their answers";
        /// Which managed apps it has.
        ManagedApps = "managed-apps",
            "applications gérées présentes sur la tablette", "managed apps that are on the tablet";
        /// Of a person on a list.
        PersonIdentity = "person-identity", "identité de la personne", "identity of the person";
        /// Class and school year.
        Schooling = "schooling", "classe et année scolaire", "class and school year";
        /// How guardians are reached.
        GuardianContact = "guardian-contact", "coordonnées des représentants légaux", "how guardians are reached";
        /// Handovers, restitutions and what follows.
        Loans = "loans", "prêts, restitutions et effacements", "loans, restitutions and erasures";
        /// What happened to a tablet.
        IncidentFacts = "incident-facts",
            "faits du sinistre : tablette, nature, dates", "facts of the incident: tablet, kind, dates";
        /// What was sent to whom.
        NoticeDelivery = "notice-delivery", "messages adressés et leur remise", "messages sent, and their delivery";
        /// That a position may be asked for, and until when.
        LocationMeasures = "location-measures",
            "mandats de localisation : tablette, dates, état", "location warrants: tablet, dates, state";
        /// Where a tablet was.
        Positions = "positions", "positions de la tablette", "positions of the tablet";
    }

    /// Who is given the data.
    Recipient: "recipient" {
        /// Of the same organisation.
        Administrators = "administrators",
            "administrateurs des comptes de l'organisation concernée", "administrators of the organisation's accounts";
        /// Those who run the fleet.
        Operators = "operators", "exploitants du département", "the département's operators";
        /// Technicians, each for their collèges.
        Technicians = "technicians",
            "assistants techniques informatiques, chacun pour ses collèges", "technicians, each for their collèges";
        /// Of the collège concerned.
        Heads = "heads", "chef d'établissement du collège concerné", "head of the collège concerned";
        /// Of the académie.
        AcademieStaff = "academie-staff", "agents habilités de l'académie", "authorised staff of the académie";
        /// Whoever controls.
        Controllers = "controllers", "délégué à la protection des données et auditeurs", "DPO and auditors";
        /// Apple, as far as waking a tablet needs it.
        ApplePush = "apple-push",
            "service de notification d'Apple : un jeton et une valeur opaque",
            "Apple's push service: a token and an opaque value";
        /// The person concerned.
        Oneself = "oneself", "la personne concernée et ses représentants légaux", "the person concerned and their guardians";
        /// Police, gendarmerie, justice.
        Authorities = "authorities", "autorités compétentes, sur demande", "competent authorities, on request";
    }

    /// What protects the data. Each is true of the program today.
    Measure: "security measure" {
        /// In transit.
        EncryptedTransport = "encrypted-transport", "échanges chiffrés (TLS)", "exchanges encrypted (TLS)";
        /// At rest.
        SealedSecrets = "sealed-secrets",
            "secrets chiffrés en base, clé conservée hors de la base",
            "secrets encrypted in the database, their key kept outside it";
        /// What only needs to be recognised.
        HashedTokens = "hashed-tokens",
            "jetons et défis conservés sous forme d'empreinte seulement", "tokens and challenges kept as hashes only";
        /// Who is on the other end.
        DeviceCertificates = "device-certificates",
            "chaque tablette prouve son identité par un certificat", "each tablet proves its identity by a certificate";
        /// The audit log.
        AppendOnlyAudit = "append-only-audit",
            "journal d'audit en ajout seul, protégé par la base elle-même",
            "append-only audit log, protected by the database itself";
        /// Each sees what their role reaches, read anew at each act.
        RolesAndReach = "roles-and-reach",
            "comptes nominatifs ; droits par rôle et par collège, relus à chaque acte",
            "named accounts; rights by role and collège, read anew at each act";
        /// A second factor, shown again for what destroys or reveals.
        StepUp = "step-up",
            "second facteur, redemandé pour ce qui détruit ou révèle",
            "second factor, asked again for what destroys or reveals";
        /// Nobody decides alone what cannot be undone.
        SecondPerson = "second-person",
            "seconde personne pour ce qui est grave, jamais soi-même",
            "a second person for what is grave, never oneself";
        /// An edit of the log is found.
        ChainedAudit = "chained-audit",
            "journal scellé en chaîne : toute modification se voit",
            "log sealed into a chain: any edit shows";
        /// What is not asked cannot leak.
        NotCollected = "not-collected",
            "noms, numéros, adresses et contenus ne sont pas demandés aux tablettes",
            "names, numbers, addresses and contents are not asked of tablets";
        /// No position and no erasure by a mere click.
        ProofRequired = "proof-required",
            "localiser ou effacer exige une preuve que le programme et la base vérifient",
            "locating or erasing takes a proof that the program and the database check";
    }
}

//! What a département may want of a tablet.

use super::reasons::{self, Reason};
use crate::words::{Words, words};

types::text_enum! {
    /// Something that a département may want of a tablet.
    Intent: "intent" {
        /// That whoever holds it cannot take it out of management (C5.3.2).
        Management = "management",
        /// Restrictions (C3.1.1).
        Restrictions = "restrictions",
        /// Apps that are installed (C3.1.2).
        Apps = "apps",
        /// Apps that are suspended.
        SuspendedApps = "suspended-apps",
        /// That nothing else can be opened.
        PermittedApps = "permitted-apps",
        /// That one app alone is open.
        SingleApp = "single-app",
        /// The list of what is installed.
        AppList = "app-list",
        /// A rule for access codes (C5.3.3).
        CodeRule = "code-rule",
        /// A first code, or none (C5.3.3).
        Code = "code",
        /// That the user changes the first code (C5.3.3).
        CodeChange = "code-change",
        /// Networks.
        Networks = "networks",
        /// A filter of the web (C3.1.5).
        WebFilter = "web-filter",
        /// When the system is updated.
        SystemUpdates = "system-updates",
        /// A restart.
        Restart = "restart",
        /// A message on its screen.
        Message = "message",
        /// Lost mode (M1).
        LostMode = "lost-mode",
        /// A sound that helps to find it.
        Sound = "sound",
        /// Where it is, under a warrant (C5.4.3).
        Location = "location",
        /// Its erasure, by an order (M3).
        Erasure = "erasure",
        /// Its own proof that it was erased (M3).
        ErasureProof = "erasure-proof",
        /// That it comes back into management by itself after that.
        ReturnToService = "return-to-service",
    }
}

impl Intent {
    /// What it is called.
    #[must_use]
    pub const fn label(self) -> Words {
        match self {
            Self::Management => words("management that stays", "gestion non retirable"),
            Self::Restrictions => words("restrictions", "restrictions"),
            Self::Apps => words("apps that are installed", "apps installées"),
            Self::SuspendedApps => words("apps that are suspended", "apps suspendues"),
            Self::PermittedApps => words("only permitted apps open", "seules les apps permises s’ouvrent"),
            Self::SingleApp => words("a single app", "une seule app"),
            Self::AppList => words("list of installed apps", "liste des apps installées"),
            Self::CodeRule => words("rule for access codes", "règle du code d’accès"),
            Self::Code => words("access code set or cleared", "code d’accès posé ou effacé"),
            Self::CodeChange => words("change of the first code", "changement du premier code"),
            Self::Networks => words("networks", "réseaux"),
            Self::WebFilter => words("filter of the web", "filtrage du web"),
            Self::SystemUpdates => words("system updates", "mises à jour du système"),
            Self::Restart => words("restart", "redémarrage"),
            Self::Message => words("message on the screen", "message à l’écran"),
            Self::LostMode => words("lost mode", "mode perdu"),
            Self::Sound => words("sound", "sonnerie"),
            Self::Location => words("location under a warrant", "localisation sous mandat"),
            Self::Erasure => words("erasure by an order", "effacement sur ordre"),
            Self::ErasureProof => words("its own proof of erasure", "preuve d’effacement par la tablette"),
            Self::ReturnToService => words("return to service by itself", "remise en service automatique"),
        }
    }

    /// What is done where this is not.
    #[must_use]
    pub const fn instead(self) -> &'static [Self] {
        match self {
            Self::LostMode => &[Self::SuspendedApps, Self::Restrictions, Self::Message],
            Self::Sound => &[Self::Message],
            Self::PermittedApps | Self::SingleApp => &[Self::SuspendedApps],
            _ => &[],
        }
    }

    /// Why no tablet of the open agent does it.
    pub(super) const fn never(self) -> Option<Reason> {
        match self {
            Self::PermittedApps => Some(reasons::OPENS_EVERYTHING),
            Self::SingleApp => Some(reasons::PAID_KIOSK),
            Self::CodeChange => Some(reasons::NO_FORCED_CHANGE),
            Self::Networks => Some(reasons::NO_NETWORKS),
            Self::WebFilter => Some(reasons::NO_FILTER),
            Self::LostMode => Some(reasons::NO_LOST_MODE),
            Self::Sound => Some(reasons::NO_SOUND),
            Self::ErasureProof => Some(reasons::NO_PROOF),
            Self::ReturnToService => Some(reasons::NO_RETURN),
            _ => None,
        }
    }

    /// What it does not do of it, where it does it.
    pub(super) const fn limit(self) -> Option<Reason> {
        match self {
            Self::Management => Some(reasons::RECOVERY),
            Self::Restrictions => Some(reasons::LIFTED),
            Self::Apps => Some(reasons::ONE_TRY),
            Self::SuspendedApps => Some(reasons::NAMED_ONLY),
            Self::AppList => Some(reasons::OWN_APPS),
            Self::Code => Some(reasons::TOKEN),
            Self::SystemUpdates => Some(reasons::THIRTY_DAYS),
            Self::Message => Some(reasons::OWN_SCREEN),
            Self::Location => Some(reasons::LAST_KNOWN),
            Self::Erasure => Some(reasons::CARD_STAYS),
            _ => None,
        }
    }

    /// Whether the agent reports it. What it does not report is never shown as applied on its word.
    pub(super) const fn is_reported(self) -> bool {
        matches!(self, Self::Management | Self::Apps | Self::AppList | Self::Code | Self::Location)
    }

    /// What a report that it is not so means, and what to do next.
    pub(super) const fn refused(self) -> Words {
        match self {
            Self::Code => words(
                "the tablet could not set the code: its user must unlock it once first, or set the tablet up again",
                "la tablette n’a pas pu poser le code : son utilisateur doit d’abord la déverrouiller une fois, sinon réinstallez-la",
            ),
            Self::Apps => words(
                "the app is not installed, or not in this version: look at the tablet's space and network",
                "l’app n’est pas installée, ou pas dans cette version : vérifiez l’espace et le réseau de la tablette",
            ),
            Self::Management => words(
                "the agent no longer owns the tablet: have it in hand and set it up again with its code",
                "l’agent n’est plus propriétaire de la tablette : prenez-la en main et réinstallez-la avec son code",
            ),
            _ => words(
                "the tablet reports that it is not so: look at it on the tablet",
                "la tablette indique que ce n’est pas le cas : vérifiez sur la tablette",
            ),
        }
    }
}

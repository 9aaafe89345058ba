//! The access code, what only declarations say, and the tablet's own options.

use types::RuleId;

use super::entry::{
    Agent, Entry, Kind, Section, Shape, Stricter, Writing, declared, in_profile, in_settings,
};
use super::facts::{
    INTELLIGENCE, KEYBOARD, MDM_OPTIONS, PASSCODE, PASSWORD_POLICY, SIRI, TIME_ZONE, UPDATE_SETTINGS,
};
use super::texts::words;

const fn passcode(key: &'static str, kind: Kind, stricter: Stricter, path: &'static str) -> Entry {
    in_profile(Section::Passcode, &PASSWORD_POLICY, key, kind, stricter)
        .also(&PASSCODE, path)
        .agent(Agent::PasswordMode)
}

const NO_CLOCK: Agent = Agent::Nothing(words(
    "the open agent rules what a code is, not when it is asked for or changed",
    "l’agent libre dit ce qu’est un code, non quand il est demandé ou changé",
));
const ERASES: &str = "the tablet would erase itself after that many wrong codes, without an erase order";

/// The access code (C5.3.3).
pub(super) static PASSCODES: &[Entry] = &[
    passcode("forcePIN", Kind::Boolean, Stricter::True, "RequirePasscode"),
    in_profile(Section::Passcode, &PASSWORD_POLICY, "allowSimple", Kind::Boolean, Stricter::False)
        .also_written(&PASSCODE, "RequireComplexPasscode", Writing::Negated)
        .agent(Agent::Nothing(words(
            "the open agent cannot refuse a code such as 1234",
            "l’agent libre ne peut pas refuser un code tel que 1234",
        ))),
    passcode("minLength", Kind::Number { smallest: 0, largest: 16 }, Stricter::Higher, "MinimumLength"),
    passcode(
        "minComplexChars",
        Kind::Number { smallest: 0, largest: 4 },
        Stricter::Higher,
        "MinimumComplexCharacters",
    ),
    passcode("requireAlphanumeric", Kind::Boolean, Stricter::True, "RequireAlphanumericPasscode"),
    // 0 is read as "never" by some versions and as "at once" by others: leave the key out, or say a minute.
    passcode(
        "maxInactivity",
        Kind::Number { smallest: 1, largest: 15 },
        Stricter::Lower,
        "MaximumInactivityInMinutes",
    )
    .agent(NO_CLOCK),
    passcode(
        "maxGracePeriod",
        Kind::Number { smallest: 0, largest: 240 },
        Stricter::Lower,
        "MaximumGracePeriodInMinutes",
    )
    .agent(NO_CLOCK),
    passcode(
        "maxPINAgeInDays",
        Kind::Number { smallest: 1, largest: 730 },
        Stricter::Lower,
        "MaximumPasscodeAgeInDays",
    )
    .agent(NO_CLOCK),
    passcode("pinHistory", Kind::Number { smallest: 1, largest: 50 }, Stricter::Higher, "PasscodeReuseLimit")
        .agent(NO_CLOCK),
    passcode(
        "maxFailedAttempts",
        Kind::Number { smallest: 2, largest: 11 },
        Stricter::Lower,
        "MaximumFailedAttempts",
    )
    .agent(Agent::Nothing(words(
        "the open agent does not count wrong codes",
        "l’agent libre ne compte pas les codes faux",
    )))
    .never_by(RuleId::M3, ERASES),
];

const UPDATE_ACTION: Kind = Kind::Choice(&["Allowed", "AlwaysOn", "AlwaysOff"]);

const fn update(key: &'static str, path: &'static str, kind: Kind, stricter: Stricter) -> Entry {
    declared(Section::SoftwareUpdate, key, &UPDATE_SETTINGS, path, kind, stricter).agent(Agent::Nothing(
        words(
            "iPadOS updates; Android's are `android.systemUpdateType`",
            "mises à jour d’iPadOS ; celles d’Android sont `android.systemUpdateType`",
        ),
    ))
}

/// What no restriction says, and a declaration does.
pub(super) static DECLARED: &[Entry] = &[
    declared(
        Section::Siri,
        "ForceReduceSensitiveContent",
        &SIRI,
        "ForceReduceSensitiveContent",
        Kind::Boolean,
        Stricter::True,
    ),
    declared(
        Section::Keyboard,
        "AllowMathKeyboardSuggestions",
        &KEYBOARD,
        "AllowMathKeyboardSuggestions",
        Kind::Boolean,
        Stricter::False,
    ),
    declared(
        Section::Intelligence,
        "AllowNaturalLanguageEditing",
        &INTELLIGENCE,
        "Apps.Calendar.AllowNaturalLanguageEditing",
        Kind::Boolean,
        Stricter::False,
    ),
    update("Notifications", "Notifications", Kind::Boolean, Stricter::False),
    update(
        "RecommendedCadence",
        "RecommendedCadence",
        Kind::Choice(&["All", "Oldest", "Newest"]),
        Stricter::Unordered,
    ),
    update("Download", "AutomaticActions.Download", UPDATE_ACTION, Stricter::Unordered),
    update("InstallOSUpdates", "AutomaticActions.InstallOSUpdates", UPDATE_ACTION, Stricter::Unordered),
    update(
        "InstallSecurityUpdate",
        "AutomaticActions.InstallSecurityUpdate",
        UPDATE_ACTION,
        Stricter::Unordered,
    ),
    update("ProgramEnrollment", "Beta.ProgramEnrollment", UPDATE_ACTION, Stricter::Unordered),
];

/// Options of the management and of the tablet.
pub(super) static DEVICE: &[Entry] = &[
    in_settings(
        "ActivationLockAllowedWhileSupervised",
        &MDM_OPTIONS,
        "MDMOptions.ActivationLockAllowedWhileSupervised",
        Kind::Boolean,
        Stricter::False,
    )
    .agent(Agent::Nothing(words(
        "the open agent cannot rule the lock that follows a reset",
        "l’agent libre ne règle pas le verrou qui suit une réinitialisation",
    ))),
    in_settings(
        "IdleRebootAllowed",
        &MDM_OPTIONS,
        "MDMOptions.IdleRebootAllowed",
        Kind::Boolean,
        Stricter::Unordered,
    ),
    in_settings("TimeZone", &TIME_ZONE, "TimeZone", Kind::Text(Shape::TimeZone), Stricter::Unordered)
        .agent(Agent::Field("timeZone")),
];

//! Labels and help: the access code, updates, the tablet's own options.

use super::Row;

pub(super) const PASSCODE: &[Row] = &[
    (
        "forcePIN",
        [
            "Code d’accès",
            "Exigé, la tablette ne s’ouvre qu’avec un code, que son utilisateur choisit.",
            "Access code",
            "When demanded, the tablet opens only with a code, which its user chooses.",
        ],
    ),
    (
        "allowSimple",
        [
            "Codes trop simples",
            "Interdit, des codes tels que 1111 ou 1234 sont refusés.",
            "Codes that are too simple",
            "When forbidden, codes such as 1111 or 1234 are refused.",
        ],
    ),
    (
        "minLength",
        [
            "Longueur minimale du code",
            "Le code a au moins ce nombre de caractères.",
            "Shortest access code",
            "The code has at least this number of characters.",
        ],
    ),
    (
        "requireAlphanumeric",
        [
            "Code avec des lettres",
            "Exigé, des chiffres seuls ne suffisent pas.",
            "Access code with letters",
            "When demanded, digits alone will not do.",
        ],
    ),
    (
        "maxInactivity",
        [
            "Verrouillage automatique au plus tard (minutes)",
            "Laissée seule, la tablette se verrouille après ce délai au plus tard.",
            "Longest wait before locking (minutes)",
            "Left alone, the tablet locks itself after this time at the latest.",
        ],
    ),
    (
        "maxGracePeriod",
        [
            "Délai sans redemander le code (minutes)",
            "Pendant ce délai après le verrouillage, la tablette se rouvre sans code.",
            "Time without asking for the code again (minutes)",
            "For this time after locking, the tablet opens again without its code.",
        ],
    ),
    (
        "maxPINAgeInDays",
        [
            "Âge maximal du code (jours)",
            "Passé ce délai, l’utilisateur doit choisir un nouveau code.",
            "Oldest access code (days)",
            "After that, the user must choose a new code.",
        ],
    ),
    (
        "pinHistory",
        [
            "Anciens codes refusés",
            "Un nouveau code diffère de ce nombre de codes précédents.",
            "Earlier codes refused",
            "A new code differs from this number of earlier ones.",
        ],
    ),
];

pub(super) const SOFTWARE_UPDATE: &[Row] = &[
    (
        "InstallOSUpdates",
        [
            "Installation automatique des mises à jour",
            "Laissée au choix de l’utilisateur, toujours active, ou jamais.",
            "Automatic installation of updates",
            "Left to the user, always on, or never.",
        ],
    ),
    (
        "InstallSecurityUpdate",
        [
            "Installation automatique des correctifs de sécurité",
            "Laissée au choix de l’utilisateur, toujours active, ou jamais.",
            "Automatic installation of security fixes",
            "Left to the user, always on, or never.",
        ],
    ),
    (
        "ProgramEnrollment",
        [
            "Versions d’essai d’iPadOS",
            "AlwaysOff : la tablette ne reçoit que des versions définitives.",
            "Beta versions of iPadOS",
            "AlwaysOff: the tablet receives finished versions only.",
        ],
    ),
];

pub(super) const DEVICE: &[Row] = &[
    (
        "ActivationLockAllowedWhileSupervised",
        [
            "Verrouillage d’activation par l’utilisateur",
            "Interdit, une tablette rendue ne reste pas bloquée par le compte de son ancien utilisateur.",
            "Activation Lock by the user",
            "When forbidden, a tablet that is given back is not locked to its former user’s account.",
        ],
    ),
    (
        "TimeZone",
        [
            "Fuseau horaire",
            "L’heure que la tablette affiche.",
            "Time zone",
            "The time that the tablet shows.",
        ],
    ),
];

//! Why not, or not all of it: a word for programs, and a sentence that a technician can act on.

use crate::words::{Words, words};

/// Why not, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    /// A word for programs.
    pub code: &'static str,
    /// For people: what is so, and what to do.
    pub words: Words,
}

const fn reason(code: &'static str, english: &'static str, french: &'static str) -> Reason {
    Reason { code, words: words(english, french) }
}

pub(super) const NOT_OWNER: Reason = reason(
    "not-device-owner",
    "the agent does not own this tablet: erase it and set it up with its code, from its first screen",
    "l’agent n’est pas propriétaire de cette tablette : effacez-la et réinstallez-la avec son code, depuis son premier écran",
);
pub(super) const NOT_ADMINISTRATOR: Reason = reason(
    "not-administrator",
    "the agent is not device administrator of this tablet and cannot erase it: erase it in hand, from its recovery menu",
    "l’agent n’est pas administrateur de cette tablette et ne peut pas l’effacer : effacez-la en main, depuis son menu de récupération",
);
pub(super) const BACKGROUND: Reason = reason(
    "works-in-the-background",
    "the maker's launcher is kept on this tablet, so that the agent shows nothing: leave it as launcher to show messages",
    "le lanceur du fabricant est conservé sur cette tablette, l’agent n’affiche donc rien : faites de l’agent le lanceur pour afficher des messages",
);
pub(super) const OPENS_EVERYTHING: Reason = reason(
    "opens-everything",
    "the open agent opens whatever is installed: block packages by name instead",
    "l’agent libre ouvre tout ce qui est installé : bloquez plutôt des paquets par leur nom",
);
pub(super) const PAID_KIOSK: Reason = reason(
    "paid-agent-only",
    "only the paid agent locks a tablet into one app: block the other packages by name, or use another tablet",
    "seul l’agent payant enferme la tablette dans une app : bloquez les autres paquets par leur nom, ou prenez une autre tablette",
);
pub(super) const NO_FORCED_CHANGE: Reason = reason(
    "no-forced-change",
    "the open agent cannot make a user change a code: hand the tablet over without one, and the rule asks for one",
    "l’agent libre ne peut pas imposer de changer le code : remettez la tablette sans code, la règle en exigera un",
);
pub(super) const NO_NETWORKS: Reason = reason(
    "no-networks",
    "the open agent sets up no network after the code did: join it on the tablet, or print a new code",
    "l’agent libre ne configure aucun réseau après le code : connectez la tablette à la main, ou imprimez un nouveau code",
);
pub(super) const NO_FILTER: Reason = reason(
    "no-filter",
    "the open agent does not filter the web: the network of the school must",
    "l’agent libre ne filtre pas le web : le réseau de l’établissement doit le faire",
);
pub(super) const NO_LOST_MODE: Reason = reason(
    "no-lost-mode",
    "Android has no lost mode for the open agent: apps are suspended, restrictions tightened and a message shown instead, and whoever resets it from its recovery menu undoes them",
    "Android n’offre pas de mode perdu à l’agent libre : à la place, des apps sont suspendues, les restrictions resserrées et un message affiché ; une réinitialisation par le menu de récupération les annule",
);
pub(super) const NO_SOUND: Reason = reason(
    "no-sound",
    "the open agent makes no sound: write a message on its screen instead",
    "l’agent libre ne fait sonner aucune tablette : affichez plutôt un message",
);
pub(super) const NO_PROOF: Reason = reason(
    "no-proof",
    "an agent that enrols again proves nothing: look at the tablet on its first screen and attest its erasure",
    "un agent qui se réinscrit ne prouve rien : constatez la tablette à son premier écran et attestez son effacement",
);
pub(super) const NO_RETURN: Reason = reason(
    "no-return",
    "an erased tablet waits on its first screen: set it up with its code",
    "une tablette effacée attend à son premier écran : réinstallez-la avec son code",
);
pub(super) const RECOVERY: Reason = reason(
    "recovery-menu",
    "whoever knows the recovery menu can erase the tablet and leave management: it then falls silent, and an alarm says so",
    "qui connaît le menu de récupération peut effacer la tablette et sortir de la gestion : elle devient muette, et une alerte le signale",
);
pub(super) const LIFTED: Reason = reason(
    "lifted-during-updates",
    "the agent lifts restrictions during each of its updates and sets them again afterwards; it does not report them",
    "l’agent lève les restrictions pendant chacune de ses mises à jour et les remet ensuite ; il n’en rend pas compte",
);
pub(super) const ONE_TRY: Reason = reason(
    "one-try",
    "an app whose installation failed is not tried again by itself: ask for another try, or install it by hand",
    "une app dont l’installation a échoué n’est pas retentée d’elle-même : demandez un nouvel essai, ou installez-la à la main",
);
pub(super) const NAMED_ONLY: Reason = reason(
    "named-only",
    "only packages that are named are suspended; the agent does not report them",
    "seuls les paquets nommés sont suspendus ; l’agent n’en rend pas compte",
);
pub(super) const OWN_APPS: Reason = reason(
    "own-apps-only",
    "the agent reports the apps of its configuration only: what a user installed is seen on the tablet",
    "l’agent ne rend compte que des apps de sa configuration : ce qu’un utilisateur a installé se voit sur la tablette",
);
pub(super) const TOKEN: Reason = reason(
    "after-one-unlock",
    "a code can be set or cleared once the tablet was unlocked after the agent started: before that it fails, and says so in its log",
    "un code peut être posé ou effacé une fois la tablette déverrouillée après le démarrage de l’agent : avant, cela échoue et son journal le dit",
);
pub(super) const THIRTY_DAYS: Reason = reason(
    "thirty-days",
    "updates are made at once, in a window, or put off for 30 days at most; the agent does not report them",
    "les mises à jour sont faites aussitôt, dans un créneau, ou repoussées de 30 jours au plus ; l’agent n’en rend pas compte",
);
pub(super) const OWN_SCREEN: Reason = reason(
    "own-screen-only",
    "the message covers the agent's own screen only: its user can still be in another app. Permit the agent to draw over others",
    "le message ne couvre que l’écran de l’agent : l’utilisateur peut rester dans une autre app. Autorisez l’agent à s’afficher par-dessus",
);
pub(super) const LAST_KNOWN: Reason = reason(
    "last-known",
    "the agent tells where the tablet last knew it was, every quarter of an hour and only while it has a network",
    "l’agent indique la dernière position connue, tous les quarts d’heure et seulement quand il a du réseau",
);
pub(super) const CARD_STAYS: Reason = reason(
    "card-stays",
    "a memory card is not erased: take it out, and attest the erasure with the tablet in hand",
    "une carte mémoire n’est pas effacée : retirez-la, et attestez l’effacement tablette en main",
);

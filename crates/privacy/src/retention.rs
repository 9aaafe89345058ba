//! How long each class of rows is kept, in numbers, and from when on it is due to go.

use types::{Duration, Instant};

use crate::Text;
use crate::words::words;

words! {
    /// A class of rows that are kept alike. Every table belongs to one.
    RetentionClass: "class of retention" {
        /// Tablets, their enrolments, and the certificates by which they are known.
        Equipment = "equipment", "Matériel, enrôlements et certificats", "Equipment, enrolments and certificates";
        /// What the server is made of: settings and keys.
        Configuration = "configuration", "Configuration du serveur", "Configuration of the server";
        /// The organisations that are served, and their school years.
        Organisations = "organisations", "Organisations et années scolaires", "Organisations and school years";
        /// What is still to be done.
        Work = "work", "Travaux en attente", "Work that is due";
        /// Who had which right, what the brake counted, that the log is whole and that purges were done.
        Evidence = "evidence", "Droits donnés, décomptes et preuves", "Rights given, counts and evidence";
        /// What tablets reported of themselves.
        Observations = "observations", "États rapportés par les tablettes", "States that tablets reported";
        /// Commands that are over.
        Commands = "commands", "Commandes terminées", "Commands that are over";
        /// Single-use challenges.
        Challenges = "challenges", "Défis d'enrôlement", "Enrolment challenges";
        /// Enrolment links.
        Links = "links", "Liens d'enrôlement", "Enrolment links";
        /// Permissions to take a tablet over from another server.
        Takeovers = "takeovers", "Reprises de tablettes", "Takeovers of tablets";
        /// Tablets that no row knows.
        Orphans = "orphans", "Tablettes orphelines", "Orphaned tablets";
        /// Alarms that somebody settled.
        Alarms = "alarms", "Alertes traitées", "Alarms that were settled";
        /// Tokens of the API.
        ApiTokens = "api-tokens", "Jetons de l'API", "Tokens of the API";
        /// Sessions of people.
        Sessions = "sessions", "Sessions", "Sessions";
        /// Accounts of people.
        Accounts = "accounts", "Comptes fermés", "Accounts that were closed";
        /// Second persons' signatures.
        Countersignatures = "countersignatures", "Contreseings", "Countersignatures";
        /// What dangerous commands rest on.
        Orders = "orders", "Sinistres, mandats et ordres d'effacement", "Incidents, warrants and erase orders";
        /// People to whom tablets may be lent.
        Holders = "holders", "Personnes parties", "People who have left";
        /// Loans, restitutions and notices.
        Loans = "loans", "Prêts, restitutions et avis", "Loans, restitutions and notices";
        /// The audit log.
        Audit = "audit", "Journal d'audit", "Audit log";
    }
}

/// A length of time as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// So many days.
    Days(u16),
    /// So many years of 365 days: never longer than the calendar's.
    Years(u16),
}

impl Term {
    /// As elapsed time.
    #[must_use]
    pub fn duration(self) -> Duration {
        let days = match self {
            Self::Days(days) => u64::from(days),
            Self::Years(years) => u64::from(years) * 365,
        };
        Duration::from_secs(days * 86_400)
    }
}

/// What becomes of a row whose term is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// It is deleted.
    Row,
    /// What it says is emptied; that it was there remains.
    Body,
}

/// How long a class is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// For a time, after which a purge forgets it.
    For {
        /// How long.
        term: Term,
        /// From when the term runs.
        from: Text,
        /// What becomes of it.
        forget: Forget,
    },
    /// As long as a reason lasts; it goes with that reason, and no purge is counted.
    While(Text),
}

/// The rule of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How long.
    pub keeps: Keeps,
    /// Why so long and no longer.
    pub because: Text,
}

impl RetentionClass {
    /// The rule of this class: the table of all terms.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::Equipment => Rule {
                keeps: Keeps::While(Text::new(
                    "tant que la tablette est à l'inventaire ; ses secrets sont effacés dès la fin de l'enrôlement",
                    "as long as the tablet is in the inventory; its secrets are forgotten when the enrolment ends",
                )),
                because: Text::new(
                    "Seule une tablette connue peut être enrôlée ; et oublié plus tôt, un ancien certificat passerait \
                     pour celui d'une tablette que la base a perdue.",
                    "Only a known tablet can enrol; and forgotten earlier, a former certificate would be taken for that \
                     of a tablet which the database has lost.",
                ),
            },
            Self::Configuration => Rule {
                keeps: Keeps::While(Text::new("tant que le serveur sert", "as long as the server serves")),
                because: Text::new("Ne décrit personne.", "It describes nobody."),
            },
            Self::Organisations => Rule {
                keeps: Keeps::While(Text::new(
                    "tant que l'organisation est servie ; un référent est remplacé quand il change",
                    "as long as the organisation is served; a référent is replaced when they change",
                )),
                because: Text::new(
                    "Décrit des établissements ; un référent n'y est que le numéro de son compte.",
                    "It describes schools; a référent is but the number of their account.",
                ),
            },
            Self::Work => Rule {
                keeps: Keeps::While(Text::new("jusqu'à ce que ce soit fait", "until it is done")),
                because: Text::new("Supprimé une fois fait.", "Deleted once done."),
            },
            Self::Evidence => Rule {
                keeps: Keeps::While(Text::new(
                    "aussi longtemps que le journal ; une fois un compte oublié, son numéro ne désigne plus personne",
                    "as long as the log; once an account is forgotten, its number names nobody any more",
                )),
                because: Text::new(
                    "À présenter en cas de contrôle (RGPD, art. 5, § 2) ; les comptes n'y sont que des numéros.",
                    "To be shown when asked (GDPR, art. 5(2)); accounts are but numbers in it.",
                ),
            },
            Self::Observations => after(
                Term::Days(180),
                Forget::Row,
                Text::new("du dernier rapport de même nature", "the last report of the same kind"),
                Text::new(
                    "Un rapport remplace le précédent ; une tablette muette depuis un été et une réparation n'apprend \
                     plus rien par son ancien état.",
                    "A report replaces the one before; a tablet silent for a summer and a repair has nothing more to \
                     tell by its former state.",
                ),
            ),
            Self::Commands => after(
                Term::Years(1),
                Forget::Row,
                Text::new("de la mise en file", "when it was queued"),
                Text::new(
                    "Expliquer ce qu'une tablette a reçu pendant l'année scolaire. Une commande qui reposait sur un ordre \
                     reste, vidée de la réponse de la tablette.",
                    "To explain what a tablet was given during the school year. A command that rested on an order stays, \
                     emptied of what the tablet answered.",
                ),
            ),
            Self::Challenges => after(
                Term::Days(30),
                Forget::Row,
                Text::new("de leur expiration", "when they expired"),
                Text::new(
                    "Dire à qui s'en étonne pourquoi un enrôlement a échoué.",
                    "To tell whoever asks why an enrolment failed.",
                ),
            ),
            Self::Links => after(
                Term::Years(1),
                Forget::Row,
                Text::new("de leur expiration", "when they expired"),
                Text::new(
                    "Savoir qui a ouvert l'enrôlement d'une tablette pendant l'année scolaire.",
                    "To know who opened the enrolment of a tablet during the school year.",
                ),
            ),
            Self::Takeovers => after(
                Term::Days(90),
                Forget::Row,
                Text::new("de la fin de leur fenêtre", "when their window closed"),
                Text::new(
                    "Elles portent des secrets d'un autre serveur ; passé la fenêtre, elles ne servent plus à rien.",
                    "They hold secrets of another server; once the window is closed they serve nothing.",
                ),
            ),
            Self::Orphans => after(
                Term::Years(1),
                Forget::Row,
                Text::new("de leur dernière visite", "when they last came"),
                Text::new(
                    "Laisser à deux personnes le temps de les réadmettre, été compris.",
                    "To give two persons the time to re-adopt them, summer included.",
                ),
            ),
            Self::Alarms => after(
                Term::Years(1),
                Forget::Row,
                Text::new("de leur traitement", "when they were settled"),
                Text::new(
                    "Reconnaître une alerte qui revient d'une rentrée à l'autre.",
                    "To recognise an alarm that comes back from one school year to the next.",
                ),
            ),
            Self::ApiTokens => after(
                Term::Years(1),
                Forget::Row,
                Text::new("de leur expiration ou révocation", "when they expired or were revoked"),
                ACCESS_LOGS,
            ),
            Self::Sessions => {
                after(Term::Days(180), Forget::Row, Text::new("de leur fin", "when they ended"), ACCESS_LOGS)
            }
            Self::Accounts => after(
                Term::Years(3),
                Forget::Body,
                Text::new("de la fermeture du compte", "when the account was closed"),
                Text::new(
                    "Aussi longtemps que le corps du journal qui les nomme ; il ne reste ensuite qu'un numéro.",
                    "As long as the body of the log that names them; then only a number is left.",
                ),
            ),
            Self::Countersignatures => after(
                Term::Years(5),
                Forget::Body,
                Text::new("de la demande", "when they were asked for"),
                LIMITATION,
            ),
            Self::Orders => Rule {
                keeps: Keeps::While(Text::new(
                    "aussi longtemps que le journal : ce sur quoi une commande dangereuse a reposé reste lisible",
                    "as long as the log: what a dangerous command rested on stays to be read",
                )),
                because: Text::new(
                    "Supprimé, un ordre pourrait être refait tel qu'il n'a jamais été ; nul n'y est nommé, et aucune \
                     position n'y figure.",
                    "Deleted, an order could be made again as it never was; nobody is named in it, and no position \
                     stands there.",
                ),
            },
            Self::Holders => after(
                Term::Years(1),
                Forget::Body,
                Text::new("du départ, rien n'étant plus prêté", "when they left and held nothing any more"),
                Text::new(
                    "Régler ce qui reste d'un prêt pendant l'année qui suit ; il ne reste ensuite qu'un numéro.",
                    "To settle what is left of a loan in the year that follows; then only a number is left.",
                ),
            ),
            Self::Loans => Rule {
                keeps: Keeps::While(Text::new(
                    "tant que la tablette est à l'inventaire ; une fois la personne oubliée, son numéro ne désigne plus \
                     personne",
                    "as long as the tablet is in the inventory; once the person is forgotten, their number names nobody any \
                     more",
                )),
                because: Text::new(
                    "Montrer qu'aucune tablette n'a été effacée ou prêtée à tort (RGPD, art. 5, § 2).",
                    "To show that no tablet was erased or lent wrongly (GDPR, art. 5(2)).",
                ),
            },
            Self::Audit => after(
                Term::Years(3),
                Forget::Body,
                Text::new("de l'acte", "the act"),
                Text::new(
                    "Contrôle interne d'actes qui localisent ou effacent : le maximum que la CNIL recommande pour de \
                     tels journaux (2021). Les motifs sont alors vidés ; la chaîne reste vérifiable.",
                    "Internal control of acts that locate or erase: the most that the CNIL recommends for such logs \
                     (2021). The reasons are then emptied; the chain can still be verified.",
                ),
            ),
        }
    }
}

const ACCESS_LOGS: Text = Text::new(
    "Six mois à un an pour les traces d'accès, selon la recommandation de la CNIL sur la journalisation (2021).",
    "Six months to a year for traces of access, as the CNIL's recommendation on logging says (2021).",
);

const LIMITATION: Text = Text::new(
    "Délai de prescription de droit commun (code civil, art. 2224) : répondre d'une décision contestée.",
    "The ordinary limitation period (code civil, art. 2224): to answer for a decision that is contested.",
);

const fn after(term: Term, forget: Forget, from: Text, because: Text) -> Rule {
    Rule { keeps: Keeps::For { term, from, forget }, because }
}

impl Rule {
    /// What a validation covers of a rule: the length and the manner, not the explanation.
    pub(crate) fn canonical(self) -> String {
        match self.keeps {
            Keeps::For { term, forget, from } => {
                format!("{} s, {forget:?}, {} / {}", term.duration().as_secs(), from.fr, from.en)
            }
            Keeps::While(reason) => format!("while {} / {}", reason.fr, reason.en),
        }
    }
}

/// The instant before which a row of this class is due to be forgotten; `None` for a class that is kept as
/// long as its reason lasts. What the instant is compared with is the rule's `from`.
#[must_use]
pub fn cut_off(class: RetentionClass, now: Instant) -> Option<Instant> {
    match class.rule().keeps {
        Keeps::For { term, .. } => Some(now.minus(term.duration())),
        Keeps::While(_) => None,
    }
}

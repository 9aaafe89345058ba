//! The refusals of incidents, and of what rests on them, in French, and the next step of each in both languages.

use types::IncidentKind;

use super::{IncidentState, Instead, Refusal, Since, papers};
use crate::{NotInForce, NotOpen, OutOfBounds};

/// What to do next, in both languages: the command that helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextStep {
    /// In English.
    pub english: &'static str,
    /// In French.
    pub french: &'static str,
}

const fn next(english: &'static str, french: &'static str) -> NextStep {
    NextStep { english, french }
}

impl Refusal {
    /// What to do next.
    #[must_use]
    pub const fn next_step(&self) -> NextStep {
        match self {
            Self::NoticedLater { .. } | Self::NoReference => next(
                "declare it again with what is right: `ardoise incident declare --help`",
                "déclarez-le de nouveau avec ce qui est juste : `ardoise incident declare --help`",
            ),
            Self::NoticedAfterDeclared { .. } => next(
                "`ardoise incident show` has the dates of the incident, `ardoise loan list` those of the loan",
                "`ardoise incident show` donne les dates du sinistre, `ardoise loan list` celles du prêt",
            ),
            Self::ConcernsAnother { .. } => next(
                "leave this one as it is, and declare the other with `ardoise incident declare`, late as it is; if this one is \
                 missing, `ardoise incident find` or `give-up`, then `close`, come first",
                "laissez celui-ci tel quel, et déclarez l’autre, même tard, par `ardoise incident declare` ; si celui-ci est une \
                 disparition, `ardoise incident find` ou `give-up`, puis `close`, d’abord",
            ),
            Self::HeldByAnother { .. } | Self::OfAnotherCollege | Self::NoticedBeforeTheLoan { .. } => next(
                "end this one (`ardoise incident find` or `give-up`, then `close`); if the tablet is missing now, declare that: \
                 `ardoise incident declare`",
                "terminez celui-ci (`ardoise incident find` ou `give-up`, puis `close`) ; si la tablette a disparu maintenant, \
                 déclarez-le : `ardoise incident declare`",
            ),
            Self::WentOn { .. } => next(
                "`ardoise incident declare`, with when it was noticed",
                "`ardoise incident declare`, avec la date du constat",
            ),
            Self::NotNow { .. } => next(
                "`ardoise incident show` says where it stands; `find` or `give-up` comes before `close`",
                "`ardoise incident show` dit où il en est ; `find` ou `give-up` vient avant `close`",
            ),
            Self::NoReason => next("say why with `--reason`", "dites pourquoi avec `--reason`"),
            Self::WrongKind { .. } => next(
                "if the tablet is missing, declare that: `ardoise incident declare TABLET loss` or `theft`",
                "si la tablette a disparu, déclarez-le : `ardoise incident declare TABLETTE loss` ou `theft`",
            ),
            Self::Closed | Self::NotSought { .. } | Self::NotAway { .. } => next(
                "if it is missing after all, close the incident and go on: `ardoise incident reopen`",
                "si elle a disparu malgré tout, clôturez le sinistre et reprenez-le : `ardoise incident reopen`",
            ),
            Self::NotValidated => next(
                "ask the DPO to read the entry (`ardoise privacy register`) and to validate it (`ardoise privacy validate \
                 geolocation`)",
                "demandez au délégué à la protection des données de lire l’entrée (`ardoise privacy register`) et de la valider \
                 (`ardoise privacy validate geolocation`)",
            ),
            Self::GrantsToThemselves | Self::GrantsAsDeclarant | Self::HeadOfAnother => next(
                "`ardoise countersignature show` says who may answer; give them its number",
                "`ardoise countersignature show` dit qui peut répondre ; donnez-lui son numéro",
            ),
            Self::OutOfBounds(_) => next(
                "ask for less: `--hours`, `--fixes` and `--interval` of `ardoise warrant ask`",
                "demandez moins : `--hours`, `--fixes` et `--interval` de `ardoise warrant ask`",
            ),
            Self::PaperNotAsked { .. } => next(
                "`ardoise incident show` lists the papers that this incident takes",
                "`ardoise incident show` donne les pièces que demande ce sinistre",
            ),
            Self::PaperBefore { .. } => next(
                "put right when it was noticed (`ardoise incident correct-noticed`), or the date of the paper",
                "rectifiez la date du constat (`ardoise incident correct-noticed`), ou celle de la pièce",
            ),
            Self::PaperMissing { .. } => next(
                "record it: `ardoise incident complaint` or `ardoise incident letter`; then ask again",
                "enregistrez-la : `ardoise incident complaint` ou `ardoise incident letter` ; puis demandez de nouveau",
            ),
            Self::HadOne | Self::UsedUp { .. } => next(
                "`ardoise warrant list` has its number; ask for its extension: `ardoise warrant extend`",
                "`ardoise warrant list` donne son numéro ; demandez sa prolongation : `ardoise warrant extend`",
            ),
            Self::NothingToExtend => {
                next("ask for one: `ardoise warrant ask`", "demandez-en une : `ardoise warrant ask`")
            }
            Self::TooSoon { .. } => next(
                "wait until then; `ardoise position list` has what was asked for before",
                "attendez jusque-là ; `ardoise position list` donne ce qui a été demandé avant",
            ),
            Self::NoLostMode { .. } => next(
                "`ardoise tablet show` says what this tablet can do",
                "`ardoise tablet show` dit ce que peut cette tablette",
            ),
            Self::LostModeStays { .. } => next(
                "`ardoise incident find` or `give-up`, then `ardoise incident close`",
                "`ardoise incident find` ou `give-up`, puis `ardoise incident close`",
            ),
            Self::BadMessage { .. } => next(
                "give `--message` or `--phone`, or neither: the tablet then shows the département’s own words",
                "donnez `--message` ou `--phone`, ou aucun des deux : la tablette montre alors le texte du département",
            ),
            Self::NotStolen { .. } => next(
                "if it was stolen, close this incident and declare the theft: `ardoise incident declare TABLET theft`",
                "si elle a été volée, clôturez ce sinistre et déclarez le vol : `ardoise incident declare TABLETTE theft`",
            ),
            Self::NoDelay { .. } => next(
                "`ardoise warrant delay --help` says what a delay takes",
                "`ardoise warrant delay --help` dit ce qu’il faut pour différer un avis",
            ),
        }
    }

    /// What happened, in French.
    #[must_use]
    pub fn in_french(&self) -> String {
        match self {
            Self::NoticedLater { noticed_at, now } => {
                format!("constaté le {noticed_at}, ce qui est après maintenant ({now}) : corrigez la date")
            }
            Self::NoticedAfterDeclared { noticed_at, declared_at } => format!(
                "constaté le {noticed_at}, ce qui est après la déclaration ({declared_at}) : corrigez la date"
            ),
            Self::ConcernsAnother { noticed_at } => format!(
                "le {noticed_at}, la tablette était chez une autre personne que celle que concerne ce sinistre, ou chez personne : \
                 ce qui lui est arrivé alors est un autre sinistre"
            ),
            Self::HeldByAnother { began_at } => format!(
                "la tablette est prêtée, depuis le {began_at}, à une personne que ce sinistre ne concerne pas : il ne permet ni de \
                 la géolocaliser, ni de la mettre en mode perdu, ni de l’effacer"
            ),
            Self::OfAnotherCollege => "la tablette est d’un autre établissement que ce sinistre : il ne permet ni de la \
                                       géolocaliser, ni de la mettre en mode perdu, ni de l’effacer"
                .to_owned(),
            Self::NoticedBeforeTheLoan { noticed_at, began_at, since } => format!(
                "constaté le {noticed_at}, avant le début du prêt en cours ({began_at}) : aucune pièce ne rend ferme son \
                 autorisation, et une autorisation provisoire était possible jusqu’au {since}"
            ),
            Self::WentOn { since } => format!(
                "{} : ce sinistre est terminé et ne continue pas ; ce qui a disparu maintenant se déclare de nouveau",
                went_on(*since)
            ),
            Self::NoReference => {
                "la demande d’une autorité a besoin de sa référence : demandez-la à l’autorité".to_owned()
            }
            Self::NotNow { step, state, kind } => format!(
                "on ne peut pas {} un sinistre ({}) qui est {}",
                step_name(step),
                kind_name(*kind),
                state_name(*state)
            ),
            Self::NoReason => "il faut un motif : dites en quelques mots pourquoi".to_owned(),
            Self::WrongKind { kind } => format!(
                "personne n’est géolocalisé, et aucune tablette n’est mise en mode perdu, pour un sinistre de cette nature ({}) : \
                 seulement pour une perte, un vol ou la demande d’une autorité",
                kind_name(*kind)
            ),
            Self::Closed => "le sinistre est clos : rouvrez-le d’abord, avec le motif".to_owned(),
            Self::NotSought { state } => format!(
                "le sinistre est {} : la tablette n’est plus recherchée, et personne ne la géolocalise",
                state_name(*state)
            ),
            Self::NotValidated => {
                "la géolocalisation est arrêtée : le délégué à la protection des données ne l’a pas validée \
                 (`ardoise privacy register`)"
                    .to_owned()
            }
            Self::GrantsToThemselves => {
                "la personne qui demande une autorisation ne l’accorde pas : demandez au chef d’établissement, ou à un opérateur \
                 du département"
                    .to_owned()
            }
            Self::GrantsAsDeclarant => {
                "la personne qui a déclaré le sinistre n’en accorde pas l’autorisation : demandez à un autre chef d’établissement \
                 ou opérateur"
                    .to_owned()
            }
            Self::HeadOfAnother => {
                "le chef d’un autre établissement ne l’accorde pas : demandez à celui de la tablette, ou à un opérateur du \
                 département"
                    .to_owned()
            }
            Self::OutOfBounds(beyond) => out_of_bounds(*beyond),
            Self::PaperNotAsked { paper, kind } => format!(
                "un sinistre de cette nature ({}) ne demande pas {} : {}",
                kind_name(*kind),
                paper.in_french(),
                asked_for(*kind)
            ),
            Self::PaperBefore { paper, dated, noticed_on } => format!(
                "{} est datée du {dated}, et le sinistre a été constaté le {noticed_on} : elle ne peut pas le concerner ; \
                 regardez la date sur la pièce",
                paper.in_french()
            ),
            Self::PaperMissing { paper, since } => format!(
                "{} manque depuis le {since} : une autorisation en a besoin maintenant ; enregistrez-la d’abord, ou rectifiez-la \
                 si elle a été mal enregistrée",
                paper.in_french()
            ),
            Self::HadOne => {
                "ce sinistre a déjà eu une autorisation : demandez sa prolongation, avec le motif".to_owned()
            }
            Self::NothingToExtend => {
                "ce sinistre n’a aucune autorisation à prolonger : demandez-en une d’abord".to_owned()
            }
            Self::UsedUp { fixes } => format!(
                "les {fixes} positions de cette autorisation ont toutes été demandées ; une prolongation demande un motif et une \
                 seconde personne"
            ),
            Self::TooSoon { next_at } => {
                format!("la position suivante peut être demandée à partir du {next_at}")
            }
            Self::NoLostMode { instead } => format!(
                "cette tablette ne peut pas être mise en mode perdu, car ce n’est pas un iPad supervisé ; ce qui est possible : {}",
                instead.iter().map(|way| instead_name(*way)).collect::<Vec<_>>().join(", ")
            ),
            Self::LostModeStays { incident } => format!(
                "le mode perdu repose sur le sinistre {incident}, qui est ouvert, et reviendrait : une fois la tablette revenue, ou \
                 la recherche terminée, clôturez le sinistre, ce qui l’arrête (`ardoise incident close {incident}`)"
            ),
            Self::BadMessage { most } => format!(
                "le mode perdu montre un message ou un numéro de téléphone, de {most} caractères au plus chacun"
            ),
            Self::NotStolen { kind } => format!(
                "on ne répond jamais à un sinistre de cette nature ({}) en effaçant la tablette : seulement à un vol",
                kind_name(*kind)
            ),
            Self::NotAway { state } => format!(
                "le sinistre est {} : la tablette volée n’est plus effacée à cause de lui",
                state_name(*state)
            ),
            Self::NoDelay { most } => format!(
                "un avis n’est différé que pour la demande d’une autorité, jusqu’à un jour à venir, dans {} jours au plus",
                most.as_secs() / 86_400
            ),
        }
    }
}

impl NotOpen {
    /// What happened, in French.
    #[must_use]
    pub fn in_french(&self) -> String {
        match self {
            Self::OfAnother { incident, recorded, asked } => {
                format!("le sinistre {incident} concerne la tablette {recorded}, et non {asked}")
            }
            Self::WrongKind { incident, kind } => {
                format!("le sinistre {incident} ({}) ne permet pas le mode perdu", kind_name(*kind))
            }
            Self::Closed { incident } => format!("le sinistre {incident} est clos"),
            Self::HeldByAnother { incident, began_at } => format!(
                "le sinistre {incident} ne concerne pas la personne à qui la tablette est prêtée depuis le {began_at} : il ne permet \
                 ni mode perdu, ni géolocalisation"
            ),
            Self::OfAnotherCollege { incident } => format!(
                "la tablette du sinistre {incident} est maintenant d’un autre établissement : plus rien ne repose sur lui"
            ),
            Self::InTheFuture { incident, opened_at, now } => format!(
                "le sinistre {incident} est daté du {opened_at}, après maintenant ({now}) ; vérifiez l’horloge"
            ),
        }
    }
}

impl NotInForce {
    /// What happened, in French.
    #[must_use]
    pub fn in_french(&self) -> String {
        match self {
            Self::NotOpen(why) => why.in_french(),
            Self::OfAnother { warrant } => {
                format!("l’autorisation {warrant} concerne une autre tablette ou un autre sinistre")
            }
            Self::NotFirm { warrant, began_at } => format!(
                "l’autorisation {warrant} repose sur ce qui a été constaté avant le prêt commencé le {began_at} : elle n’est plus \
                 ferme"
            ),
            Self::NotSought { warrant } => {
                format!("la tablette de l’autorisation {warrant} n’est plus recherchée")
            }
            Self::NotValidated { warrant } => format!(
                "la géolocalisation est arrêtée : le délégué à la protection des données l’a retirée ; l’autorisation {warrant} ne \
                 permet de géolocaliser personne"
            ),
            Self::InTheFuture { warrant, opens_at, now } => format!(
                "l’autorisation {warrant} commence le {opens_at}, après maintenant ({now}) ; vérifiez l’horloge"
            ),
            Self::Over { warrant, at } => format!("l’autorisation {warrant} a pris fin le {at}"),
            Self::NotYet(why) => why.in_french(),
        }
    }
}

const fn went_on(since: Since) -> &'static str {
    match since {
        Since::Nothing => "rien n’est arrivé à la tablette depuis",
        Since::Received => "la tablette a été restituée depuis, ou donnée",
        Since::Lent => "la tablette a été prêtée de nouveau depuis",
        Since::Moved => "la tablette est depuis d’un autre établissement",
    }
}

fn asked_for(kind: IncidentKind) -> String {
    match papers::needed(kind) {
        [] => "il ne demande aucune pièce".to_owned(),
        needed => {
            let names: Vec<&str> = needed.iter().map(|paper| paper.in_french()).collect();
            format!(
                "il demande {} ; si c’était autre chose, clôturez-le et déclarez cela",
                names.join(" et ")
            )
        }
    }
}

fn out_of_bounds(beyond: OutOfBounds) -> String {
    match beyond {
        OutOfBounds::Lasts { asked, most } => {
            format!("une autorisation dure de 1 à {most} heures, et non {asked}")
        }
        OutOfBounds::Fixes { asked, most } => {
            format!("une autorisation permet de demander de 1 à {most} positions, et non {asked}")
        }
        OutOfBounds::Interval { asked, least } => {
            format!("deux demandes de position sont à {least} minutes d’intervalle au moins, et non {asked}")
        }
    }
}

const fn kind_name(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::Loss => "perte",
        IncidentKind::Theft => "vol",
        IncidentKind::Breakage => "casse",
        IncidentKind::Damage => "dégradation",
        IncidentKind::Fault => "panne",
        IncidentKind::CompromisedCode => "code compromis",
        IncidentKind::AuthorityRequest => "demande d’une autorité",
    }
}

const fn state_name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Declared => "déclaré",
        IncidentState::InProgress => "en cours",
        IncidentState::Found => "résolu, tablette retrouvée",
        IncidentState::NotFound => "resté sans résultat, tablette introuvable",
        IncidentState::Closed => "clos",
    }
}

fn step_name(step: &str) -> &str {
    match step {
        "take up" => "prendre en charge",
        "find" => "dire retrouvée la tablette pour",
        "give up" => "abandonner la recherche pour",
        "close" => "clore",
        "reopen" => "rouvrir",
        other => other,
    }
}

const fn instead_name(way: Instead) -> &'static str {
    match way {
        Instead::Lock => "verrouiller l’écran avec un message",
        Instead::RestrictedProfile => "lui donner le profil d’une tablette perdue",
    }
}

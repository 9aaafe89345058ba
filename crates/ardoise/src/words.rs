//! The words of the command line in the reader's language: the titles of tables and sheets, and the names of states in them.
//! What the API says by itself comes in the language that is asked for here.
//!
//! The language is the terminal's: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says something. What has no word here is
//! shown as it is: programs read JSON, which has no language.

use std::sync::LazyLock;

use serde_json::Value;

use crate::table::{Column, sheet_and_lists_in, sheet_in, table_in};

/// A language that the command line speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
}

impl Language {
    /// The terminal's.
    pub(crate) fn here() -> Self {
        static HERE: LazyLock<Language> = LazyLock::new(|| {
            let set = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).unwrap_or_default());
            Language::of(set.iter().map(String::as_str))
        });
        *HERE
    }

    /// The first that says something has the last word, as POSIX has it.
    fn of<'a>(settings: impl IntoIterator<Item = &'a str>) -> Self {
        match settings.into_iter().find(|setting| !setting.is_empty()) {
            Some(setting) if setting == "fr" || setting.starts_with("fr_") || setting.starts_with("fr.") => {
                Self::French
            }
            _ => Self::English,
        }
    }

    /// Its tag (RFC 5646).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The text in this language.
    pub(crate) fn choose<T>(self, english: T, french: T) -> T {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// A title in this language.
    pub(crate) fn title(self, english: &'static str) -> &'static str {
        let french = || TITLES.iter().find(|(title, _)| *title == english).map(|(_, french)| *french);
        self.choose(Some(english), french()).unwrap_or(english)
    }

    /// The name of a state, under the last word of its pointer, in this language; `None` for what is shown as it is.
    pub(crate) fn value(self, pointer: &str, name: &str) -> Option<&'static str> {
        if self == Self::English {
            return None;
        }
        let field = pointer.rsplit('/').next().unwrap_or_default();
        let ours = STATES.iter().find(|(of, state, _)| *of == field && *state == name);
        ours.map(|(_, _, french)| *french).or_else(|| Some(privacy::glossary::value(field, name)?.fr))
    }
}

/// A table in the reader's language.
pub(crate) fn table(items: &[Value], columns: &[Column]) -> String {
    table_in(Language::here(), items, columns)
}

/// A sheet in the reader's language, and then each sentence of `lists` on a line of its own.
pub(crate) fn sheet_and_lists(item: &Value, fields: &[Column], lists: &[Column]) -> String {
    sheet_and_lists_in(Language::here(), item, fields, lists)
}

/// A sheet in the reader's language.
pub(crate) fn sheet(item: &Value, fields: &[Column]) -> String {
    sheet_in(Language::here(), item, fields)
}

#[rustfmt::skip]
const TITLES: &[(&str, &str)] = &[
    ("and said", "et a dit"),
    ("answer of", "réponse de"),
    ("answered", "répondu le"),
    ("answered by", "répond"),
    ("apart", "intervalle (min)"),
    ("asked", "demandé"),
    ("asked by", "demandé par"),
    ("authority", "autorité"),
    ("became", "suite"),
    ("because", "parce que"),
    ("by", "par"),
    ("by hand", "à la main"),
    ("came back", "revenue"),
    ("circumstances", "circonstances"),
    ("collège", "collège"),
    ("command", "commande"),
    ("counterpart", "contrepartie"),
    ("counts since", "compte depuis"),
    ("dated", "datée du"),
    ("declared", "déclaré le"),
    ("declared by", "déclaré par"),
    ("due", "échéance"),
    ("due since", "prévu depuis"),
    ("ended", "terminée le"),
    ("erasure", "effacement"),
    ("exactly", "exactement"),
    ("footing", "fondement"),
    ("for", "pour"),
    ("from", "du"),
    ("goes on from", "fait suite à"),
    ("goes on in", "continue dans"),
    ("granted by", "accordée par"),
    ("hash of that", "empreinte"),
    ("how", "comment"),
    ("id", "numéro"),
    ("is", "est"),
    ("kept", "conservées"),
    ("latitude", "latitude"),
    ("loan", "prêt"),
    ("login", "identifiant"),
    ("longitude", "longitude"),
    ("lost mode", "mode perdu"),
    ("mail", "courriel"),
    ("measured", "mesurée le"),
    ("notice", "avis"),
    ("noticed", "constaté le"),
    ("noticed, as was said", "constaté le, avant rectification"),
    ("notices that wait", "avis en attente"),
    ("occasion", "occasion"),
    ("of", "de"),
    ("open since", "ouvert depuis"),
    ("paid", "payée le"),
    ("paper", "pièce"),
    ("put right", "rectifiée"),
    ("readable", "lisible"),
    ("reference", "référence"),
    ("replacement", "remplacement"),
    ("rests on", "repose sur"),
    ("says", "dit"),
    ("since", "depuis"),
    ("stands", "état"),
    ("state", "état"),
    ("supplier", "fournisseur"),
    ("tablet", "tablette"),
    ("tell the authority", "à dire à l’autorité"),
    ("the département answers", "le département répond"),
    ("to", "à"),
    ("to confirm", "à confirmer"),
    ("told", "informé le"),
    ("until", "jusqu’au"),
    ("used", "utilisée le"),
    ("waits for", "attend"),
    ("warrant", "autorisation"),
    ("warranty", "garantie"),
    ("what", "quoi"),
    ("why", "motif"),
    ("within", "à (m) près"),
    ("written", "rédigé le"),
    ("you may answer", "vous pouvez répondre"),
    ("you may not, because", "vous ne pouvez pas, car"),
    ("you may sign", "vous pouvez signer"),
];

/// The states that are told of papers, lost mode, erasures and notices by hand, by their field.
#[rustfmt::skip]
const STATES: &[(&str, &str, &str)] = &[
    ("standing", "in-time", "à temps"),
    ("standing", "came-late", "arrivée en retard"),
    ("standing", "awaited", "attendue"),
    ("standing", "missing", "manquante"),
    ("state", "asked", "demandé"),
    ("state", "ending", "en cours d’arrêt"),
    ("state", "proposed", "proposé"),
    ("state", "decided", "décidé"),
    ("state", "called-off", "abandonné"),
    ("state", "withdrawn", "retiré"),
    ("state", "given", "accordée"),
    ("warranty", "covered", "couverte"),
    ("warranty", "not-covered", "non couverte"),
    ("warranty", "does-not-arise", "sans objet"),
    ("why", "on-its-way", "part par courriel"),
    ("why", "no-mail-server", "aucun serveur de courriel"),
    ("why", "no-address", "aucune adresse"),
    ("why", "unreached", "aucun courriel n’est arrivé"),
    ("why", "not-validated", "avis non validés par le DPO"),
    ("you_may_not", "asked-for-it", "vous avez demandé l’autorisation"),
    ("you_may_not", "only-looks", "vous la consultez seulement"),
    ("purpose", "grant-warrant", "autoriser une géolocalisation"),
    ("purpose", "extend-warrant", "prolonger une géolocalisation"),
    ("purpose", "erase-stolen", "effacer une tablette volée"),
    ("purpose", "exceed-budget", "dépasser un quota"),
    ("purpose", "approve", "approuver"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_terminals_and_the_first_setting_that_says_something_decides() {
        for (settings, language) in [
            (["", "", ""], Language::English),
            (["", "", "fr_FR.UTF-8"], Language::French),
            (["", "fr", "en_GB.UTF-8"], Language::French),
            (["C", "", "fr_FR.UTF-8"], Language::English),
            (["", "", "frr_DE.UTF-8"], Language::English),
        ] {
            assert_eq!(Language::of(settings), language, "{settings:?}");
        }
    }

    /// The sources of the commands that speak both languages.
    const SPOKEN: [&str; 5] = [
        include_str!("remote/incident.rs"),
        include_str!("remote/warrant.rs"),
        include_str!("remote/position.rs"),
        include_str!("remote/notice.rs"),
        include_str!("remote/countersignature.rs"),
    ];

    #[test]
    fn each_column_of_incidents_warrants_positions_and_notices_has_a_french_title() {
        let columns = SPOKEN.iter().flat_map(|source| source.split("(\"").skip(1)).filter_map(|after| {
            let (title, rest) = after.split_once("\", \"")?;
            (rest.starts_with('/') && !title.contains('"')).then_some(title)
        });
        let columns: Vec<&str> = columns.collect();
        assert!(columns.len() > 60, "the columns are found: {columns:?}");
        let known = |title: &&str| TITLES.iter().any(|(ours, _)| ours == title);
        let missing: Vec<&str> = columns.into_iter().filter(|title| !known(title)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "give them a word in `TITLES`");
    }

    #[test]
    fn a_title_has_one_word_and_a_state_is_told_under_its_own_field_only() {
        assert!(TITLES.is_sorted_by_key(|(title, _)| *title), "a title is looked for in its place");
        let french = Language::French;
        assert_eq!((french.title("waits for"), french.title("no such title")), ("attend", "no such title"));
        assert_eq!(Language::English.title("waits for"), "waits for");
        assert_eq!(french.value("/papers/0/standing", "came-late"), Some("arrivée en retard"));
        assert_eq!(french.value("/kind", "theft"), Some("vol"));
        assert_eq!(french.value("/reason", "theft"), None, "what people wrote stays");
        assert_eq!(Language::English.value("/kind", "theft"), None);
    }
}

//! What differs between two layers, in words: for those who approve one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value as Json, json};

use super::Source;
use super::words::{Fields, SECRET, choose, name, value};
use crate::catalogue::{Entry, Language};
use crate::layer::{Contents, Layer};
use crate::parse::parse;
use crate::parts::{Filter, Tightening};
use crate::problem::Problem;
use crate::reading::At;

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Less is allowed, or more is protected.
    Stricter,
    /// More is allowed, or less is protected.
    Looser,
    /// Neither.
    Other,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key or part, as a layer speaks of it.
    pub path: String,
    /// Which way it goes.
    pub direction: Direction,
    english: String,
    french: String,
}

impl Change {
    /// The difference in a sentence.
    #[must_use]
    pub fn sentence(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::French => &self.french,
        }
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let direction = match self.direction {
            Direction::Stricter => "stricter",
            Direction::Looser => "looser",
            Direction::Other => "other",
        };
        json!({ "path": self.path, "direction": direction, "english": self.english, "french": self.french })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

/// What differs from the text `before` to the text `after`.
///
/// # Errors
/// Either is wrong: everything that is.
pub fn diff(before: Source<'_>, after: Source<'_>) -> Result<Vec<Change>, Vec<Problem>> {
    match (parse(before.file, before.text), parse(after.file, after.text)) {
        (Ok(before), Ok(after)) => Ok(diff_layers(&before, &after)),
        (before, after) => {
            let problems = [before.err(), after.err()].into_iter().flatten().flatten();
            Err(problems.collect())
        }
    }
}

/// What a text says, as what differs from a layer of that name which says nothing: where none is in force yet.
///
/// # Errors
/// Everything that is wrong.
pub fn everything(text: Source<'_>) -> Result<Vec<Change>, Vec<Problem>> {
    let after = parse(text.file, text.text)?;
    let before =
        Layer { name: after.name.clone(), purpose: after.purpose.clone(), contents: Contents::default() };
    Ok(diff_layers(&before, &after))
}

/// What differs from one layer to another: settings first, in the order of the catalogue, then the other parts.
#[must_use]
pub fn diff_layers(before: &Layer, after: &Layer) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    for (path, one, other) in [
        ("layer", before.kind().to_string(), after.kind().to_string()),
        ("title", before.name().title.clone(), after.name().title.clone()),
        ("purpose", before.purpose().to_owned(), after.purpose().to_owned()),
    ] {
        if one != other {
            let told = format!("{path}: {other} (was {one})");
            changes.push(path, Direction::Other, told, format!("{path} : {other} (était {one})"));
        }
    }
    let (one, other) = (&before.contents, &after.contents);
    changes.settings(one, other);
    changes.apps(one, other);
    changes.filter(one, other);
    changes.places(one, other);
    changes.0
}

struct Changes(Vec<Change>);

impl Changes {
    fn push(&mut self, path: impl Into<String>, direction: Direction, english: String, french: String) {
        let (english, french) = match direction {
            Direction::Stricter => (format!("{english} — stricter"), format!("{french} — plus strict")),
            Direction::Looser => (format!("{english} — looser"), format!("{french} — moins strict")),
            Direction::Other => (english, french),
        };
        self.0.push(Change { path: path.into(), direction, english, french });
    }

    fn settings(&mut self, before: &Contents, after: &Contents) {
        let entries: BTreeSet<&'static Entry> =
            before.settings.keys().chain(after.settings.keys()).copied().collect();
        for entry in entries {
            let one = before.settings.get(entry).map(|at| &at.value);
            let other = after.settings.get(entry).map(|at| &at.value);
            if one == other {
                continue;
            }
            let direction = match (one, other) {
                (Some(one), Some(other)) if other.is_as_strict_as(entry, one) => Direction::Stricter,
                (Some(one), Some(other)) if one.is_as_strict_as(entry, other) => Direction::Looser,
                (None, Some(other)) if entry.is_ordered() && !other.is_loosest(entry) => Direction::Stricter,
                (Some(one), None) if entry.is_ordered() && !one.is_loosest(entry) => Direction::Looser,
                _ => Direction::Other,
            };
            let told = |language| {
                let was = choose(language, "was", "était");
                let colon = choose(language, ": ", " : ");
                let (one, other) = (value(entry, one, language), value(entry, other, language));
                format!("{}{colon}{other} ({was} {one})", name(entry, language))
            };
            self.push(entry.to_string(), direction, told(Language::English), told(Language::French));
        }
    }

    fn apps(&mut self, before: &Contents, after: &Contents) {
        let permitted = |contents: &Contents| contents.permitted.as_ref().map(|at| at.value);
        let (one, other) = (permitted(before), permitted(after));
        if one != other {
            let direction = if other > one { Direction::Stricter } else { Direction::Looser };
            let word = |permitted: Option<crate::parts::Permitted>| {
                permitted.map_or_else(|| "–".to_owned(), |permitted| permitted.to_string())
            };
            let (one, other) = (word(one), word(other));
            self.push(
                "apps.permitted",
                direction,
                format!("apps that may be opened: {other} (was {one})"),
                format!("apps qui peuvent s’ouvrir : {other} (était {one})"),
            );
        }
        self.set(
            "apps.only",
            ("only these apps", "seulement ces apps"),
            before.only_apps.as_ref().map(|at| &at.value),
            after.only_apps.as_ref().map(|at| &at.value),
            Direction::Looser,
        );
        self.keyed("app", ("app", "app"), &before.apps, &after.apps);
        let blocked = |contents: &Contents| contents.blocked.keys().cloned().collect::<BTreeSet<_>>();
        let packages = |contents: &Contents| contents.blocked_packages.keys().cloned().collect();
        self.set(
            "blocked-apps.bundles",
            ("blocked apps", "apps bloquées"),
            Some(&blocked(before)),
            Some(&blocked(after)),
            Direction::Stricter,
        );
        self.set::<crate::BundleId>(
            "blocked-apps.packages",
            ("blocked Android apps", "apps Android bloquées"),
            Some(&packages(before)),
            Some(&packages(after)),
            Direction::Stricter,
        );
    }

    fn filter(&mut self, before: &Contents, after: &Contents) {
        let automatic = |contents: &Contents| contents.filter.as_ref().map(|at| at.value.automatic);
        let (one, other) = (automatic(before), automatic(after));
        if one != other {
            let direction = if other == Some(true) { Direction::Stricter } else { Direction::Looser };
            let word =
                |automatic: Option<bool>| automatic.map_or_else(|| "–".to_owned(), |it| it.to_string());
            let (one, other) = (word(one), word(other));
            self.push(
                "filter.automatic",
                direction,
                format!("automatic filter: {other} (was {one})"),
                format!("filtrage automatique : {other} (était {one})"),
            );
        }
        let permitted = |contents: &Contents| {
            contents.filter.as_ref().map(|at| at.value.permitted.clone()).unwrap_or_default()
        };
        self.set(
            "filter.permitted",
            ("sites open whatever the filter thinks", "sites ouverts malgré le filtrage"),
            Some(&permitted(before)),
            Some(&permitted(after)),
            Direction::Looser,
        );
        let (one, other) = (tightening(before), tightening(after));
        self.set(
            "filter.denied",
            ("refused sites", "sites refusés"),
            Some(&one.denied),
            Some(&other.denied),
            Direction::Stricter,
        );
        let only = |tightening: &Tightening| {
            tightening.only.as_ref().map(|pages| pages.keys().cloned().collect::<BTreeSet<_>>())
        };
        self.set(
            "filter.only",
            ("the only sites that open", "les seuls sites ouverts"),
            only(&one).as_ref(),
            only(&other).as_ref(),
            Direction::Looser,
        );
        let plugin = |contents: &Contents| {
            let filter: Option<&Filter> = contents.filter.as_ref().map(|at| &at.value);
            filter.and_then(|filter| filter.plugin.clone())
        };
        if plugin(before) != plugin(after) {
            let name = |contents: &Contents| plugin(contents).map_or_else(|| "–".to_owned(), |it| it.name);
            let (one, other) = (name(before), name(after));
            self.push(
                "filter.plugin",
                Direction::Other,
                format!("filter of another maker: {other}, changed (was {one})"),
                format!("filtre d’un autre éditeur : {other}, modifié (était {one})"),
            );
        }
    }

    fn places(&mut self, before: &Contents, after: &Contents) {
        self.keyed("web-clip", ("web clip", "raccourci web"), &before.web_clips, &after.web_clips);
        self.keyed("wifi", ("Wi-Fi network", "réseau Wi-Fi"), &before.wifi, &after.wifi);
        let printers = |contents: &Contents| -> BTreeMap<String, At<crate::parts::Printer>> {
            let printers = contents.printers.iter();
            printers.map(|(place, at)| (format!("{} {}", place.host, place.queue), *at)).collect()
        };
        self.keyed("printer", ("printer", "imprimante"), &printers(before), &printers(after));
        self.keyed("certificate", ("authority", "autorité"), &before.certificates, &after.certificates);
        self.keyed(
            "notification",
            ("notifications of", "notifications de"),
            &before.notifications,
            &after.notifications,
        );
        self.keyed(
            "safari-extension",
            ("Safari extension", "extension de Safari"),
            &before.extensions,
            &after.extensions,
        );
        let bookmarks = |contents: &Contents| contents.bookmarks.keys().cloned().collect::<BTreeSet<_>>();
        self.set(
            "bookmark",
            ("bookmarks", "signets"),
            Some(&bookmarks(before)),
            Some(&bookmarks(after)),
            Direction::Other,
        );
        self.one("proxy", ("proxy", "proxy"), before.proxy.as_ref(), after.proxy.as_ref());
        self.one("dns", ("resolver", "résolveur DNS"), before.dns.as_ref(), after.dns.as_ref());
        self.one(
            "home-screen",
            ("home screen", "écran d’accueil"),
            before.home_screen.as_ref(),
            after.home_screen.as_ref(),
        );
        self.one(
            "single-app",
            ("single app", "app unique"),
            before.single_app.as_ref(),
            after.single_app.as_ref(),
        );
        self.one(
            "os-update",
            ("update of iPadOS", "mise à jour d’iPadOS"),
            before.os_update.as_ref(),
            after.os_update.as_ref(),
        );
        let page = |contents: &Contents| contents.home_page.as_ref().map(|at| at.value.to_string());
        if page(before) != page(after) {
            let word = |page: Option<String>| page.unwrap_or_else(|| "–".to_owned());
            let (one, other) = (word(page(before)), word(page(after)));
            self.push(
                "safari.home-page",
                Direction::Other,
                format!("home page: {other} (was {one})"),
                format!("page d’accueil : {other} (était {one})"),
            );
        }
    }

    /// A part of which there is one.
    fn one<V: Fields + PartialEq>(
        &mut self,
        path: &str,
        called: (&str, &str),
        before: Option<&At<V>>,
        after: Option<&At<V>>,
    ) {
        let single = |at: Option<&At<V>>| at.map(|at| at.value.fields());
        self.part(path.to_owned(), called, single(before), single(after));
    }

    /// Parts that are known by a key.
    fn keyed<K: Ord + ToString, V: Fields + PartialEq>(
        &mut self,
        path: &str,
        called: (&str, &str),
        before: &BTreeMap<K, At<V>>,
        after: &BTreeMap<K, At<V>>,
    ) {
        let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let of = |map: &BTreeMap<K, At<V>>| map.get(key).map(|at| at.value.fields());
            let named = key.to_string();
            let called = (format!("{} {named}", called.0), format!("{} {named}", called.1));
            self.part(format!("{path} {named}"), (&called.0, &called.1), of(before), of(after));
        }
    }

    fn part(
        &mut self,
        path: String,
        called: (&str, &str),
        before: Option<BTreeMap<String, String>>,
        after: Option<BTreeMap<String, String>>,
    ) {
        match (before, after) {
            (None, None) => {}
            (None, Some(_)) => self.push(
                path,
                Direction::Other,
                format!("{}: added", called.0),
                format!("{} : ajout", called.1),
            ),
            (Some(_), None) => self.push(
                path,
                Direction::Other,
                format!("{}: removed", called.0),
                format!("{} : retrait", called.1),
            ),
            (Some(before), Some(after)) => {
                let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
                for key in changed {
                    let told = |language: Language| {
                        let was = choose(language, "was", "était");
                        let (one, other) = (before.get(key), after.get(key));
                        if one.or(other).is_some_and(|value| value.starts_with(SECRET)) {
                            return choose(language, "changed", "modifié");
                        }
                        let nothing = "–".to_owned();
                        let (one, other) = (one.unwrap_or(&nothing), other.unwrap_or(&nothing));
                        format!("{other} ({was} {one})")
                    };
                    self.push(
                        path.clone(),
                        Direction::Other,
                        format!("{}, {key}: {}", called.0, told(Language::English)),
                        format!("{}, {key} : {}", called.1, told(Language::French)),
                    );
                }
            }
        }
    }

    /// A list: what came, what went. `more` is the way in which a longer list goes.
    fn set<T: Ord + fmt::Display>(
        &mut self,
        path: &str,
        called: (&str, &str),
        before: Option<&BTreeSet<T>>,
        after: Option<&BTreeSet<T>>,
        more: Direction,
    ) {
        let less = match more {
            Direction::Stricter => Direction::Looser,
            Direction::Looser => Direction::Stricter,
            Direction::Other => Direction::Other,
        };
        let joined = |items: Vec<&T>| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (before, after) {
            (Some(before), Some(after)) => {
                let came = joined(after.difference(before).collect());
                let went = joined(before.difference(after).collect());
                if !came.is_empty() {
                    let (english, french) =
                        (format!("{}: + {came}", called.0), format!("{} : + {came}", called.1));
                    self.push(path, more, english, french);
                }
                if !went.is_empty() {
                    let (english, french) =
                        (format!("{}: − {went}", called.0), format!("{} : − {went}", called.1));
                    self.push(path, less, english, french);
                }
            }
            // A list that says "only these" begins or ends to do so.
            (None, Some(after)) => {
                let list = joined(after.iter().collect());
                self.push(path, less, format!("{}: {list}", called.0), format!("{} : {list}", called.1));
            }
            (Some(_), None) => {
                let (english, french) = (format!("{}: all", called.0), format!("{} : tous", called.1));
                self.push(path, more, english, french);
            }
            (None, None) => {}
        }
    }
}

/// What a layer forbids on the web, wherever it says so.
fn tightening(contents: &Contents) -> Tightening {
    let own = contents.tightening.as_ref().map(|at| at.value.clone());
    let bases = contents.filter.as_ref().map(|at| at.value.tightening.clone());
    own.or(bases).unwrap_or_default()
}

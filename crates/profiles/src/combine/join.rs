//! Joining what several layers say of the same.

use std::collections::{BTreeMap, BTreeSet};

use super::Stack;
use crate::catalogue::{Entry, Stricter, find};
use crate::intent::{Intent, Kept, Withheld};
use crate::layer::{Contents, LayerName};
use crate::names::{BundleId, WebAddress};
use crate::parts::{App, Bookmark, Filter, Install, Permitted};
use crate::reading::At;
use crate::refusal::{Conflict, Refusal};
use crate::value::Value;

impl<'l> Stack<'l> {
    /// Everything joined; `None` if there is no filter, which only a base has, and every base does.
    pub(super) fn join(&self, refusals: &mut Vec<Refusal>) -> Option<Intent> {
        let blocked = self.add_up(|contents| &contents.blocked, |bundle| format!("app {bundle}"), refusals);
        let (apps, withheld) = self.apps(&blocked, refusals);
        Some(Intent {
            layers: self.layers.iter().map(|layer| layer.name.clone()).collect(),
            settings: self.settings(refusals),
            permitted: self.permitted(),
            only_apps: self.only_apps(),
            apps,
            blocked,
            blocked_packages: self.add_up(
                |contents| &contents.blocked_packages,
                |package| format!("package {package}"),
                refusals,
            ),
            withheld,
            web_clips: self.add_up(|contents| &contents.web_clips, |url| format!("web clip {url}"), refusals),
            wifi: self.add_up(|contents| &contents.wifi, |ssid| format!("wifi \"{ssid}\""), refusals),
            printers: self.add_up(
                |contents| &contents.printers,
                |place| format!("printer {} {}", place.host, place.queue),
                refusals,
            ),
            certificates: self.add_up(
                |contents| &contents.certificates,
                |name| format!("certificate {name}"),
                refusals,
            ),
            filter: self.filter(refusals)?,
            proxy: self.only_one("the proxy", |contents| contents.proxy.as_ref(), refusals),
            dns: self.only_one("the resolver", |contents| contents.dns.as_ref(), refusals),
            home_screen: self.only_one("the home screen", |contents| contents.home_screen.as_ref(), refusals),
            home_page: self.only_one("Safari's home page", |contents| contents.home_page.as_ref(), refusals),
            bookmarks: self.add_up(|contents| &contents.bookmarks, |url| format!("bookmark {url}"), refusals),
            extensions: self.add_up(
                |contents| &contents.extensions,
                |id| format!("extension {id}"),
                refusals,
            ),
            notifications: self.add_up(
                |contents| &contents.notifications,
                |bundle| format!("notifications of {bundle}"),
                refusals,
            ),
            single_app: self.only_one("the single app", |contents| contents.single_app.as_ref(), refusals),
            os_update: self.only_one(
                "the update of iPadOS",
                |contents| contents.os_update.as_ref(),
                refusals,
            ),
        })
    }

    /// What adds up, each known by a key: the same from two layers is one, different things contradict each other.
    fn add_up<K, V>(
        &self,
        get: impl Fn(&'l Contents) -> &'l BTreeMap<K, At<V>>,
        what: impl Fn(&K) -> String,
        refusals: &mut Vec<Refusal>,
    ) -> BTreeMap<K, Kept<V>>
    where
        K: Ord + Clone + 'l,
        V: Clone + PartialEq + 'l,
    {
        let keys: BTreeSet<&K> = self.layers.iter().flat_map(|layer| get(&layer.contents).keys()).collect();
        let joined = keys.into_iter().filter_map(|key| {
            let said = self.each(|contents| get(contents).get(key));
            Some((key.clone(), agreed(&what(key), said, refusals)?))
        });
        joined.collect()
    }

    /// What there is one of: the same from two layers is one, different things contradict each other.
    fn only_one<V: Clone + PartialEq + 'l>(
        &self,
        what: &str,
        get: impl Fn(&'l Contents) -> Option<&'l At<V>>,
        refusals: &mut Vec<Refusal>,
    ) -> Option<Kept<V>> {
        agreed(what, self.each(get), refusals)
    }

    /// The entries of the catalogue, the stricter way.
    fn settings(&self, refusals: &mut Vec<Refusal>) -> BTreeMap<&'static Entry, Kept<Value>> {
        let entries: BTreeSet<&'static Entry> =
            self.layers.iter().flat_map(|layer| layer.contents.settings.keys().copied()).collect();
        entries.into_iter().filter_map(|entry| Some((entry, self.setting(entry, refusals)?))).collect()
    }

    fn setting(&self, entry: &'static Entry, refusals: &mut Vec<Refusal>) -> Option<Kept<Value>> {
        let said: Vec<(&LayerName, &At<Value>)> =
            self.each(|contents| contents.settings.get(entry)).collect();
        let mut said_first = said.iter();
        let (first, first_at) = said_first.next()?;
        let mut value = first_at.value.clone();
        for (layer, at) in said_first {
            match Value::stricter(entry, &value, &at.value) {
                // Tablets that read an empty list of what is allowed as no list would allow everything.
                Some(Value::Names(names)) if entry.stricter == Stricter::AllowList && names.is_empty() => {
                    refusals.push(Refusal::from(Conflict {
                        what: entry.to_string(),
                        how: "their lists have nothing in common".to_owned(),
                        one: (*first).clone(),
                        one_line: first_at.line,
                        other: (*layer).clone(),
                        other_line: at.line,
                    }));
                }
                Some(stricter) => value = stricter,
                None => refusals.push(Refusal::from(Conflict {
                    what: entry.to_string(),
                    how: format!("{} and {}, of which neither is stricter", first_at.value, at.value),
                    one: (*first).clone(),
                    one_line: first_at.line,
                    other: (*layer).clone(),
                    other_line: at.line,
                })),
            }
        }
        if let Stricter::ExceptionsTo(guard) = entry.stricter
            && self.guards_without_exception(entry, guard)
        {
            value = Value::Names(BTreeSet::new());
        }
        let exactly = |(layer, at): &(&LayerName, &At<Value>)| (at.value == value).then(|| (*layer).clone());
        let mut from: Vec<LayerName> = said.iter().filter_map(exactly).collect();
        if from.is_empty() {
            from = said.iter().map(|(layer, _)| (*layer).clone()).collect();
        }
        Some(Kept { value, from })
    }

    /// Whether a layer forbids by `guard` and names no exception: then there is none.
    fn guards_without_exception(&self, entry: &'static Entry, guard: &str) -> bool {
        let Some(guard) = find(entry.section, guard) else { return false };
        self.layers.iter().any(|layer| {
            let settings = &layer.contents.settings;
            let forbids = settings.get(guard).is_some_and(|at| !at.value.is_loosest(guard));
            forbids && !settings.contains_key(entry)
        })
    }

    /// Only listed apps, if any layer says so.
    fn permitted(&self) -> Option<Kept<Permitted>> {
        let said: Vec<_> = self.each(|contents| contents.permitted.as_ref()).collect();
        let value = said.iter().map(|(_, at)| at.value).max()?;
        let from = said.iter().filter(|(_, at)| at.value == value).map(|(layer, _)| (*layer).clone());
        Some(Kept { value, from: from.collect() })
    }

    /// The apps that every layer admits which narrows them.
    fn only_apps(&self) -> Option<Kept<BTreeSet<BundleId>>> {
        let said: Vec<_> = self.each(|contents| contents.only_apps.as_ref()).collect();
        let value = said
            .iter()
            .map(|(_, at)| at.value.clone())
            .reduce(|one, other| one.intersection(&other).cloned().collect())?;
        Some(Kept { value, from: said.iter().map(|(layer, _)| (*layer).clone()).collect() })
    }

    /// The base's apps and the collège's, without those that are blocked (C3.1.3).
    fn apps(
        &self,
        blocked: &BTreeMap<BundleId, Kept<()>>,
        refusals: &mut Vec<Refusal>,
    ) -> (BTreeMap<BundleId, Kept<App>>, BTreeMap<BundleId, Withheld>) {
        let bundles: BTreeSet<&BundleId> =
            self.layers.iter().flat_map(|layer| layer.contents.apps.keys()).collect();
        let (mut apps, mut withheld) = (BTreeMap::new(), BTreeMap::new());
        for bundle in bundles {
            let said: Vec<(&LayerName, &At<App>)> = self.each(|contents| contents.apps.get(bundle)).collect();
            if let Some(blocked) = blocked.get(bundle) {
                let given_by = said.iter().map(|(layer, _)| (*layer).clone()).collect();
                withheld.insert(bundle.clone(), Withheld { given_by, blocked_by: blocked.from.clone() });
                continue;
            }
            // Who requires an app is not contradicted by who only offers it.
            let required = said.iter().any(|(_, at)| at.value.install == Install::Required);
            let lifted: Vec<(&LayerName, At<App>)> = said
                .iter()
                .map(|(layer, at)| {
                    let mut app = at.value.clone();
                    if required && app.install == Install::Optional {
                        app.install = Install::Required;
                    }
                    (*layer, At { value: app, line: at.line })
                })
                .collect();
            let lifted = lifted.iter().map(|(layer, at)| (*layer, at));
            if let Some(app) = agreed(&format!("app {bundle}"), lifted, refusals) {
                apps.insert(bundle.clone(), app);
            }
        }
        (apps, withheld)
    }

    /// The base's filter, and what other layers forbid beyond it (C3.1.5).
    fn filter(&self, refusals: &mut Vec<Refusal>) -> Option<Kept<Filter>> {
        let (base, at) = self.each(|contents| contents.filter.as_ref()).next()?;
        let mut filter = at.value.clone();
        let mut from = vec![base.clone()];
        let mut narrowed = filter.tightening.only.is_some().then_some((base, at.line));
        for (layer, tightening) in self.each(|contents| contents.tightening.as_ref()) {
            from.push(layer.clone());
            filter.tightening.denied.extend(tightening.value.denied.iter().cloned());
            let Some(only) = &tightening.value.only else { continue };
            let before = filter.tightening.only.take();
            let joined = before.map_or_else(|| only.clone(), |before| common(&before, only));
            if let (true, Some((one, one_line))) = (joined.is_empty(), narrowed) {
                refusals.push(Refusal::from(Conflict {
                    what: "the only pages that open".to_owned(),
                    how: "they have none in common".to_owned(),
                    one: one.clone(),
                    one_line,
                    other: layer.clone(),
                    other_line: tightening.line,
                }));
            }
            filter.tightening.only = Some(joined);
            narrowed = narrowed.or(Some((layer, tightening.line)));
        }
        let denied = &filter.tightening.denied;
        filter.permitted.retain(|address| !denied.contains(address));
        Some(Kept { value: filter, from })
    }
}

/// The pages that both admit; of two titles, the one that sorts first, whoever comes first.
fn common(
    one: &BTreeMap<WebAddress, Bookmark>,
    other: &BTreeMap<WebAddress, Bookmark>,
) -> BTreeMap<WebAddress, Bookmark> {
    let both = one.iter().filter_map(|(url, title)| {
        let other = other.get(url)?;
        Some((url.clone(), title.min(other).clone()))
    });
    both.collect()
}

/// What all agree on that say something; each that differs from the first contradicts it.
fn agreed<'s, V: Clone + PartialEq + 's>(
    what: &str,
    said: impl Iterator<Item = (&'s LayerName, &'s At<V>)>,
    refusals: &mut Vec<Refusal>,
) -> Option<Kept<V>> {
    let mut kept: Option<(Kept<V>, usize)> = None;
    for (layer, at) in said {
        match &mut kept {
            None => kept = Some((Kept { value: at.value.clone(), from: vec![layer.clone()] }, at.line)),
            Some((first, _)) if first.value == at.value => first.from.push(layer.clone()),
            Some((first, line)) => {
                if let Some(one) = first.from.first() {
                    refusals.push(Refusal::from(Conflict {
                        what: what.to_owned(),
                        how: "make them equal, or leave one out".to_owned(),
                        one: one.clone(),
                        one_line: *line,
                        other: layer.clone(),
                        other_line: at.line,
                    }));
                }
            }
        }
    }
    kept.map(|(kept, _)| kept)
}

//! Layers of all kinds, made up. They draw from small pools, so that they meet.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use types::{LoanMode, UserKind};

use crate::base::DEMANDS;
use crate::catalogue::{Entry, Kind, Section, Shape, Stricter, entries, find};
use crate::layer::{Contents, Layer, LayerKind, LayerName};
use crate::names::{BundleId, Ssid, WebAddress};
use crate::parts::{
    App, AppOrigin, Bookmark, Filter, Install, Permitted, Tightening, Updates, WebClip, Wifi, WifiSecurity,
};
use crate::reading::At;
use crate::value::Value;

fn at<T>(value: T) -> At<T> {
    At { value, line: 1 }
}

pub(super) fn bundle(number: usize) -> BundleId {
    format!("fr.example.app{number}").parse().unwrap()
}

fn address(number: usize) -> WebAddress {
    format!("https://site{number}.example/").parse().unwrap()
}

/// Every entry that can be set; those that contradict instead of ordering are one in ten of what is drawn.
fn entry() -> impl Strategy<Value = &'static Entry> {
    let settable = |ordered: bool| -> Vec<&'static Entry> {
        entries().filter(|entry| entry.never.is_none() && entry.is_ordered() == ordered).collect()
    };
    prop_oneof![
        9 => prop::sample::select(settable(true)),
        // What meets often: every way of being stricter.
        9 => prop::sample::select(pool()),
        1 => prop::sample::select(settable(false)),
    ]
}

/// One or two entries of each way of being stricter.
fn pool() -> Vec<&'static Entry> {
    [
        (Section::Restrictions, "allowCamera"),
        (Section::Restrictions, "allowedCameraRestrictionBundleIDs"),
        (Section::Restrictions, "forceWiFiPowerOn"),
        (Section::Restrictions, "safariAcceptCookies"),
        (Section::Restrictions, "ratingApps"),
        (Section::Restrictions, "ratingAppsExemptedBundleIDs"),
        (Section::Restrictions, "autonomousSingleAppModePermittedAppIDs"),
        (Section::Restrictions, "deniedICCIDsForRCS"),
        (Section::Passcode, "minLength"),
        (Section::Passcode, "maxInactivity"),
        (Section::Android, "downloadUpdates"),
    ]
    .map(|(section, key)| find(section, key).unwrap())
    .to_vec()
}

pub(super) fn value(entry: &'static Entry) -> BoxedStrategy<Value> {
    match entry.kind {
        Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Kind::Number { smallest, largest } => (smallest..=largest).prop_map(Value::Number).boxed(),
        Kind::Choice(words) => prop::sample::select(words).prop_map(Value::Choice).boxed(),
        Kind::Text(shape) => {
            prop::sample::select(texts(shape)).prop_map(|text| Value::Text(text.to_owned())).boxed()
        }
        Kind::Names { of, most } => {
            let some = prop::sample::select(texts(of)).prop_map(ToOwned::to_owned);
            let least = usize::from(entry.stricter == Stricter::AllowList);
            btree_set(some, least..=most.min(3)).prop_map(Value::Names).boxed()
        }
    }
}

fn texts(shape: Shape) -> Vec<&'static str> {
    let texts = match shape {
        Shape::BundleId => ["fr.example.app1", "fr.example.app2", "fr.example.app3"],
        Shape::SimNumber => ["893310000000000001", "893310000000000002", "893310000000000003"],
        Shape::TimeZone => ["Europe/Paris", "Indian/Reunion", "America/Cayenne"],
        Shape::Hour => ["01:00", "02:30", "23:59"],
        Shape::Colour => ["#000000", "#FFFFFF", "#1F4E79"],
        Shape::Word => ["one", "two", "three"],
    };
    assert!(texts.iter().all(|text| shape.fits(text)));
    texts.to_vec()
}

fn settings() -> impl Strategy<Value = BTreeMap<&'static Entry, At<Value>>> {
    let one = entry().prop_flat_map(|entry| (Just(entry), value(entry).prop_map(at)));
    vec(one, 0..10).prop_map(|settings| settings.into_iter().collect())
}

fn app() -> impl Strategy<Value = At<App>> {
    (prop::sample::select(&[Install::Optional, Install::Required][..]), any::<bool>()).prop_map(
        |(install, odd)| {
            at(App {
                name: "An app".to_owned(),
                origin: Some(AppOrigin::Store("361309726".parse().unwrap())),
                settings: None,
                install,
                // Seldom enough that most stacks go together.
                updates: if odd && install == Install::Optional { Updates::Held } else { Updates::Automatic },
                backup: true,
            })
        },
    )
}

fn apps() -> impl Strategy<Value = BTreeMap<BundleId, At<App>>> {
    btree_map((0_usize..6).prop_map(bundle), app(), 0..4)
}

fn bundles(most: usize) -> impl Strategy<Value = BTreeSet<BundleId>> {
    btree_set((0_usize..6).prop_map(bundle), 0..=most)
}

fn addresses() -> impl Strategy<Value = BTreeSet<WebAddress>> {
    btree_set((0_usize..6).prop_map(address), 0..3)
}

fn tightening() -> impl Strategy<Value = Tightening> {
    let only = btree_map(
        (0_usize..6).prop_map(address),
        prop::sample::select(&["A", "B"][..]).prop_map(|title| Bookmark { title: title.to_owned() }),
        2..6,
    );
    (addresses(), option::weighted(0.2, only)).prop_map(|(denied, only)| Tightening { denied, only })
}

/// What any layer may have: web clips and networks.
fn places() -> impl Strategy<Value = Contents> {
    let clip = any::<bool>()
        .prop_map(|removable| at(WebClip { label: "ENT".to_owned(), full_screen: false, removable }));
    let clips = btree_map((0_usize..8).prop_map(address), clip, 0..2);
    let wifi =
        prop::sample::select(&["one password", "one password", "another one"][..]).prop_map(|password| {
            at(Wifi {
                security: WifiSecurity::Wpa2,
                password: Some(password.to_owned().into()),
                eap: None,
                hidden: false,
                auto_join: true,
                fixed_address: false,
                proxy: None,
            })
        });
    let networks =
        btree_map((0_usize..5).prop_map(|n| format!("College {n}").parse::<Ssid>().unwrap()), wifi, 0..2);
    (clips, networks).prop_map(|(web_clips, wifi)| Contents { web_clips, wifi, ..Contents::default() })
}

/// A base, as the law demands.
pub(super) fn base(kind: LayerKind) -> impl Strategy<Value = Layer> {
    let permitted = prop::sample::select(&[Permitted::All, Permitted::Listed, Permitted::Listed][..]);
    (settings(), apps(), bundles(1), permitted, tightening(), addresses(), places()).prop_map(
        move |(mut settings, apps, blocked, permitted, tightening, exceptions, places)| {
            for demand in DEMANDS {
                let entry = find(demand.section, demand.key).unwrap();
                settings.insert(entry, at(Value::Boolean(demand.value)));
            }
            let filter = Filter { automatic: true, permitted: exceptions, tightening, plugin: None };
            let contents = Contents {
                settings,
                apps,
                blocked: blocked.into_iter().map(|bundle| (bundle, at(()))).collect(),
                permitted: Some(at(permitted)),
                filter: Some(at(filter)),
                ..places
            };
            layer(kind.clone(), "Base", contents)
        },
    )
}

/// A layer that the département and the académie decide beside the base.
pub(super) fn beside(kind: LayerKind, title: &'static str) -> impl Strategy<Value = Layer> {
    let only = option::weighted(0.2, bundles(5).prop_filter("not empty", |bundles| !bundles.is_empty()));
    (settings(), bundles(1), only, option::of(tightening()), places()).prop_map(
        move |(settings, blocked, only, tightening, places)| {
            let contents = Contents {
                settings,
                blocked: blocked.into_iter().map(|bundle| (bundle, at(()))).collect(),
                only_apps: only.map(at),
                tightening: tightening.map(at),
                ..places
            };
            layer(kind.clone(), title, contents)
        },
    )
}

/// A collège's layer.
pub(super) fn college() -> impl Strategy<Value = Layer> {
    (apps(), places()).prop_map(|(apps, places)| {
        layer(LayerKind::College("0761234A".parse().unwrap()), "Jean-Moulin", Contents { apps, ..places })
    })
}

/// All layers of a tablet but the collège's.
pub(super) fn stack() -> impl Strategy<Value = Vec<Layer>> {
    let mode =
        prop::sample::select(LoanMode::ALL).prop_flat_map(|mode| beside(LayerKind::Mode(mode), "Mode"));
    (
        base(LayerKind::Base),
        option::of(beside(LayerKind::User([UserKind::Pupil].into()), "Pupils")),
        option::of(mode),
        option::of(beside(LayerKind::Tablet, "Examination")),
        option::of(beside(LayerKind::Tablet, "Repair")),
    )
        .prop_map(|(base, user, mode, one, other)| {
            [Some(base), user, mode, one, other].into_iter().flatten().collect()
        })
}

fn layer(kind: LayerKind, title: &str, contents: Contents) -> Layer {
    Layer { name: LayerName { kind, title: title.to_owned() }, purpose: "A test.".to_owned(), contents }
}

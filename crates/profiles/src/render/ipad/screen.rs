//! The home screen, notifications, the single app.

use super::writer::Writer;
use crate::catalogue::{APP_LOCK, HOME_SCREEN, NOTIFICATIONS};
use crate::intent::Intent;
use crate::parts::{Icon, Notification};
use crate::render::node::{Map, Node};

pub(super) fn write(intent: &Intent, writer: &mut Writer) {
    home_screen(intent, writer);
    notifications(intent, writer);
    single_app(intent, writer);
}

fn home_screen(intent: &Intent, writer: &mut Writer) {
    let Some(screen) = intent.home_screen.as_ref().map(|kept| &kept.value) else { return };
    let what = "home-screen";
    if writer.choose(what, &[&HOME_SCREEN]).is_none() {
        return;
    }
    let pages = screen.pages.iter().map(|page| Node::List(page.iter().map(icon).collect())).collect();
    let sheet = writer.sheet(&HOME_SCREEN, None, "Écran d’accueil");
    sheet.put("Dock", Node::List(screen.dock.iter().map(icon).collect()));
    sheet.put("Pages", Node::List(pages));
    writer.wrote(what, &HOME_SCREEN, "");
}

fn icon(icon: &Icon) -> Node {
    let values: Vec<(&str, Node)> = match icon {
        Icon::App(bundle) => vec![("Type", Node::text("Application")), ("BundleID", Node::text(bundle))],
        Icon::WebClip(url) => vec![("Type", Node::text("WebClip")), ("URL", Node::text(url))],
        Icon::Folder { name, icons } => vec![
            ("Type", Node::text("Folder")),
            ("DisplayName", Node::text(name)),
            ("Pages", Node::List(vec![Node::List(icons.iter().map(self::icon).collect())])),
        ],
    };
    map(values)
}

fn notifications(intent: &Intent, writer: &mut Writer) {
    if intent.notifications.is_empty() {
        return;
    }
    let what = "the notifications";
    if writer.choose(what, &[&NOTIFICATIONS]).is_none() {
        return;
    }
    let each = intent.notifications.iter().map(|(bundle, kept)| {
        let mut values = vec![("BundleIdentifier", Node::text(bundle))];
        values.extend(notification(&kept.value));
        map(values)
    });
    let sheet = writer.sheet(&NOTIFICATIONS, None, "Notifications");
    sheet.put("NotificationSettings", Node::List(each.collect()));
    writer.wrote(what, &NOTIFICATIONS, "");
}

fn notification(notification: &Notification) -> impl Iterator<Item = (&'static str, Node)> {
    let booleans = [
        ("NotificationsEnabled", notification.enabled),
        ("ShowInNotificationCenter", notification.notification_center),
        ("ShowInLockScreen", notification.lock_screen),
        ("BadgesEnabled", notification.badges),
        ("SoundsEnabled", notification.sounds),
        ("CriticalAlertEnabled", notification.critical),
    ];
    let numbers = [
        ("AlertType", notification.alert),
        ("GroupingType", notification.grouping),
        ("PreviewType", notification.preview),
    ];
    let booleans = booleans.into_iter().filter_map(|(key, value)| Some((key, Node::Boolean(value?))));
    booleans.chain(numbers.into_iter().filter_map(|(key, value)| Some((key, Node::Integer(value?)))))
}

fn single_app(intent: &Intent, writer: &mut Writer) {
    let Some(single) = intent.single_app.as_ref().map(|kept| &kept.value) else { return };
    let what = "single-app";
    if writer.choose(what, &[&APP_LOCK]).is_none() {
        return;
    }
    let switches = |switches: &std::collections::BTreeMap<&'static str, bool>| {
        map(switches.iter().map(|(key, value)| (*key, Node::Boolean(*value))).collect())
    };
    let sheet = writer.sheet(&APP_LOCK, None, "Une seule app");
    sheet.put("App.Identifier", Node::text(&single.bundle));
    if !single.options.is_empty() {
        sheet.put("App.Options", switches(&single.options));
    }
    if !single.user_options.is_empty() {
        sheet.put("App.UserEnabledOptions", switches(&single.user_options));
    }
    writer.wrote(what, &APP_LOCK, "");
}

fn map(values: Vec<(&str, Node)>) -> Node {
    Node::Map(values.into_iter().map(|(key, node)| (key.to_owned(), node)).collect::<Map>())
}

//! How an app may draw attention.

use crate::names::BundleId;
use crate::reading::{At, Notes, Table};

/// Where and how an app's notifications show. What is `None` is left to its user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notification {
    /// Whether it has any.
    pub enabled: Option<bool>,
    /// In the notification centre.
    pub notification_center: Option<bool>,
    /// On the lock screen.
    pub lock_screen: Option<bool>,
    /// 0 none, 1 a banner that goes by itself, 2 one that stays.
    pub alert: Option<i64>,
    /// A number on the icon.
    pub badges: Option<bool>,
    /// A sound.
    pub sounds: Option<bool>,
    /// Through silence and Do Not Disturb.
    pub critical: Option<bool>,
    /// 0 grouped by itself, 1 by app, 2 not at all.
    pub grouping: Option<i64>,
    /// 0 shows the text always, 1 when unlocked, 2 never.
    pub preview: Option<i64>,
}

/// Reads one `[[notification]]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<(BundleId, At<Notification>)> {
    let line = table.line();
    let bundle = table.parsed::<BundleId>("bundle", notes);
    let mut boolean = |key| table.boolean(key, notes).map(|value| value.value);
    let (enabled, notification_center) = (boolean("enabled"), boolean("notification-center"));
    let (lock_screen, badges) = (boolean("lock-screen"), boolean("badges"));
    let (sounds, critical) = (boolean("sounds"), boolean("critical"));
    let mut number = |key| table.number(key, 0, 2, notes).map(|value| value.value);
    let (alert, grouping, preview) = (number("alert"), number("grouping"), number("preview"));
    if bundle.is_none() {
        table.missing("bundle", "expected the identifier of the app", notes);
    }
    table.finish(notes);
    let notification = Notification {
        enabled,
        notification_center,
        lock_screen,
        alert,
        badges,
        sounds,
        critical,
        grouping,
        preview,
    };
    Some((bundle?.value, At { value: notification, line }))
}

//! The parts of a layer that are more than one value: apps, networks, the filter, the screen.
//!
//! One file each: what it holds, and how it is read. None of them has an order in which one would be stricter, so two
//! layers add up or contradict each other; `combine` says which.

mod apps;
mod certificate;
mod dns;
mod filter;
mod home_screen;
mod notification;
mod os_update;
mod printer;
mod proxy;
mod safari;
mod single_app;
mod web_clip;
mod wifi;

pub use apps::{App, AppOrigin, Install, Permitted, Updates};
pub use certificate::Certificate;
pub use dns::{Dns, DnsServer};
pub use filter::{Bookmark, Filter, FilterPlugin, Tightening};
pub use home_screen::{HomeScreen, Icon};
pub use notification::Notification;
pub use os_update::OsUpdate;
pub use printer::{Printer, PrinterPlace};
pub use proxy::{GlobalProxy, ProxyRoute};
pub use safari::{ExtensionState, SafariExtension};
pub use single_app::SingleApp;
pub use web_clip::WebClip;
pub use wifi::{Eap, EapMethod, Wifi, WifiProxy, WifiSecurity};

pub(crate) use apps::read as read_app;
pub(crate) use certificate::read as read_certificate;
pub(crate) use dns::read as read_dns;
pub(crate) use filter::{read as read_filter, read_tightening};
pub(crate) use home_screen::read as read_home_screen;
pub(crate) use notification::read as read_notification;
pub(crate) use os_update::read as read_os_update;
pub(crate) use printer::read as read_printer;
pub(crate) use proxy::read as read_proxy;
pub(crate) use safari::read as read_extension;
pub(crate) use single_app::read as read_single_app;
pub(crate) use web_clip::read as read_web_clip;
pub(crate) use wifi::read as read_wifi;

/// An enum of words, as a layer writes them.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every word, loosest first where there is an order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As a layer writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::NotAName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::names::NotAName::new(text, concat!("one of", $(" ", $text),*))),
                }
            }
        }
    )*};
}
pub(crate) use words;

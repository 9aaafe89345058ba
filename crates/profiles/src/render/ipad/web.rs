//! The filter, Safari, web clips.

use super::frame::{Frame, short};
use super::writer::Writer;
use crate::catalogue::{
    FILTER_PLUGIN, SAFARI, SAFARI_BOOKMARKS, SAFARI_EXTENSIONS, WEB_CLIP, WEB_CONTENT_FILTER,
};
use crate::intent::Intent;
use crate::parts::{ExtensionState, Filter, FilterPlugin};
use crate::render::node::{Map, Node};

pub(super) fn write(intent: &Intent, frame: &Frame, writer: &mut Writer) {
    filter(&intent.filter().value, writer);
    web_clips(intent, writer);
    safari(intent, frame, writer);
}

fn filter(filter: &Filter, writer: &mut Writer) {
    let tightening = &filter.tightening;
    if filter.automatic || !tightening.denied.is_empty() || tightening.only.is_some() {
        built_in(filter, writer);
    }
    if let Some(plugin) = &filter.plugin {
        let what = "filter.plugin";
        match writer.choose(what, &[&FILTER_PLUGIN, &WEB_CONTENT_FILTER]) {
            Some(holder) if holder == &FILTER_PLUGIN => declared_plugin(plugin, writer),
            Some(_) => profile_plugin(plugin, writer),
            None => {}
        }
    }
}

fn built_in(filter: &Filter, writer: &mut Writer) {
    let what = "filter";
    if writer.choose(what, &[&WEB_CONTENT_FILTER]).is_none() {
        return;
    }
    let denied = &filter.tightening.denied;
    let hides = !denied.is_empty() && writer.has_path(&WEB_CONTENT_FILTER, "HideDenyListURLs").is_ok();
    let sheet = writer.sheet(&WEB_CONTENT_FILTER, None, "Filtrage du web");
    sheet.put("FilterType", Node::text("BuiltIn"));
    sheet.put("AutoFilterEnabled", Node::Boolean(filter.automatic));
    if !filter.permitted.is_empty() {
        sheet.put("PermittedURLs", Node::texts(&filter.permitted));
    }
    if !denied.is_empty() {
        sheet.put("DenyListURLs", Node::texts(denied));
    }
    if hides {
        // The list would be an index of what is forbidden.
        sheet.put("HideDenyListURLs", Node::Boolean(true));
    }
    if let Some(only) = &filter.tightening.only {
        let page = |(url, bookmark): (&crate::WebAddress, &crate::parts::Bookmark)| {
            Node::Map(Map::from([
                ("URL".to_owned(), Node::text(url)),
                ("Title".to_owned(), Node::text(&bookmark.title)),
            ]))
        };
        sheet.put("AllowListBookmarks", Node::List(only.iter().map(page).collect()));
    }
    writer.wrote(what, &WEB_CONTENT_FILTER, "");
}

fn declared_plugin(plugin: &FilterPlugin, writer: &mut Writer) {
    let sheet = writer.sheet(&FILTER_PLUGIN, None, &plugin.name);
    sheet.put("VisibleName", Node::text(&plugin.name));
    sheet.put("PluginBundleID", Node::text(&plugin.bundle));
    sheet.put("Filter.Browsers.Enabled", Node::Boolean(plugin.browsers));
    sheet.put("Filter.Sockets.Enabled", Node::Boolean(plugin.sockets.is_some()));
    if let Some(sockets) = &plugin.sockets {
        sheet.put("Filter.Sockets.ProviderComposedIdentifier", Node::text(sockets));
    }
    if let Some(server) = &plugin.server {
        sheet.put("ServerAddress", Node::text(server));
    }
    if let Some(organisation) = &plugin.organisation {
        sheet.put("Organization", Node::text(organisation));
    }
    if !plugin.configuration.is_empty() {
        sheet.put("VendorConfig", vendor(plugin));
    }
    writer.wrote("filter.plugin", &FILTER_PLUGIN, "");
}

fn profile_plugin(plugin: &FilterPlugin, writer: &mut Writer) {
    let sheet = writer.sheet(&WEB_CONTENT_FILTER, Some("plugin"), &plugin.name);
    sheet.put("FilterType", Node::text("Plugin"));
    sheet.put("UserDefinedName", Node::text(&plugin.name));
    sheet.put("PluginBundleID", Node::text(&plugin.bundle));
    sheet.put("FilterBrowsers", Node::Boolean(plugin.browsers));
    sheet.put("FilterSockets", Node::Boolean(plugin.sockets.is_some()));
    if let Some(sockets) = &plugin.sockets {
        sheet.put("FilterDataProviderBundleIdentifier", Node::text(sockets));
    }
    if let Some(server) = &plugin.server {
        sheet.put("ServerAddress", Node::text(server));
    }
    if let Some(organisation) = &plugin.organisation {
        sheet.put("Organization", Node::text(organisation));
    }
    if !plugin.configuration.is_empty() {
        sheet.put("VendorConfig", vendor(plugin));
    }
    writer.wrote("filter.plugin", &WEB_CONTENT_FILTER, "");
}

fn vendor(plugin: &FilterPlugin) -> Node {
    let settings = plugin.configuration.iter().map(|(key, value)| (key.clone(), Node::text(value)));
    Node::Map(settings.collect())
}

fn web_clips(intent: &Intent, writer: &mut Writer) {
    for (url, kept) in intent.web_clips() {
        let what = format!("web clip {url}");
        if writer.choose(&what, &[&WEB_CLIP]).is_none() {
            continue;
        }
        let clip = &kept.value;
        let sheet = writer.sheet(&WEB_CLIP, Some(&short(url.as_str())), &clip.label);
        sheet.put("URL", Node::text(url));
        sheet.put("Label", Node::text(&clip.label));
        sheet.put("FullScreen", Node::Boolean(clip.full_screen));
        sheet.put("IsRemovable", Node::Boolean(clip.removable));
        writer.wrote(what, &WEB_CLIP, "");
    }
}

fn safari(intent: &Intent, frame: &Frame, writer: &mut Writer) {
    if let Some(page) = &intent.home_page {
        let what = "safari.home-page";
        if writer.choose(what, &[&SAFARI]).is_some() {
            let sheet = writer.sheet(&SAFARI, None, "Safari");
            sheet.put("NewTabStartPage.PageType", Node::text("Home"));
            sheet.put("NewTabStartPage.HomepageURL", Node::text(&page.value));
            writer.wrote(what, &SAFARI, "NewTabStartPage");
        }
    }
    if !intent.bookmarks.is_empty() {
        let what = "the bookmarks";
        if writer.choose(what, &[&SAFARI_BOOKMARKS]).is_some() {
            let bookmark = |(url, kept): (&crate::WebAddress, &crate::Kept<crate::parts::Bookmark>)| {
                Node::Map(Map::from([
                    ("Title".to_owned(), Node::text(&kept.value.title)),
                    ("URL".to_owned(), Node::text(url)),
                ]))
            };
            let group = Map::from([
                ("GroupIdentifier".to_owned(), Node::text(frame.identifier("bookmarks"))),
                ("Title".to_owned(), Node::text(frame.organisation())),
                ("Bookmarks".to_owned(), Node::List(intent.bookmarks.iter().map(bookmark).collect())),
            ]);
            let sheet = writer.sheet(&SAFARI_BOOKMARKS, None, "Signets");
            sheet.put("ManagedBookmarks", Node::List(vec![Node::Map(group)]));
            writer.wrote(what, &SAFARI_BOOKMARKS, "");
        }
    }
    if !intent.extensions.is_empty() {
        let what = "the extensions of Safari";
        if writer.choose(what, &[&SAFARI_EXTENSIONS]).is_some() {
            let extensions = intent.extensions.iter().map(|(id, kept)| {
                let values = Map::from([
                    ("State".to_owned(), Node::text(state(kept.value.state))),
                    ("PrivateBrowsing".to_owned(), Node::text(state(kept.value.private_browsing))),
                ]);
                (id.to_string(), Node::Map(values))
            });
            let sheet = writer.sheet(&SAFARI_EXTENSIONS, None, "Extensions de Safari");
            sheet.put("ManagedExtensions", Node::Map(extensions.collect()));
            writer.wrote(what, &SAFARI_EXTENSIONS, "");
        }
    }
}

const fn state(state: ExtensionState) -> &'static str {
    match state {
        ExtensionState::Allowed => "Allowed",
        ExtensionState::AlwaysOn => "AlwaysOn",
        ExtensionState::AlwaysOff => "AlwaysOff",
    }
}

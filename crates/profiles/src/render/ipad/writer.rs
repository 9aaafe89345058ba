//! Collects payloads, declarations and settings, and asks of each key whether this tablet has it.

use std::collections::BTreeMap;

use apple::command::Setting;
use apple::profile::Payload;

use super::frame::Frame;
use super::{DECLARATIONS_SINCE, IpadRendering, IpadTarget};
use crate::catalogue::{Fact, Form, Holder, words};
use crate::render::node::{Map, Node, dictionary, object, put};
use crate::render::why::{LeftOut, Why, Written};

/// One payload or declaration being written.
pub(super) struct Sheet {
    title: String,
    kind: &'static str,
    values: Map,
}

/// Where a sheet goes, and its name there.
type Place = (Form, String);

/// Everything being written for one iPad.
pub(super) struct Writer {
    target: IpadTarget,
    sheets: BTreeMap<Place, Sheet>,
    settings: Vec<Setting>,
    written: Vec<Written>,
    left_out: Vec<LeftOut>,
}

impl Writer {
    pub(super) const fn new(target: IpadTarget) -> Self {
        Self {
            target,
            sheets: BTreeMap::new(),
            settings: Vec::new(),
            written: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Whether this tablet has the holder.
    pub(super) fn has(&self, holder: &Holder) -> Result<(), Why> {
        if self.target.version < holder.since {
            return Err(Why::NotYet { since: holder.since });
        }
        if holder.form == Form::Declaration && self.target.version < DECLARATIONS_SINCE {
            return Err(Why::NotYet { since: DECLARATIONS_SINCE });
        }
        if holder.supervised && !self.target.supervised { Err(Why::NeedsSupervision) } else { Ok(()) }
    }

    /// Whether this tablet has the key.
    pub(super) fn has_key(&self, holder: &Holder, fact: &Fact) -> Result<(), Why> {
        self.has(holder)?;
        if self.target.version < fact.since {
            return Err(Why::NotYet { since: fact.since });
        }
        if let Some(since) = fact.removed.filter(|since| self.target.version >= *since) {
            return Err(Why::Gone { since });
        }
        if fact.supervised && !self.target.supervised { Err(Why::NeedsSupervision) } else { Ok(()) }
    }

    /// Whether this tablet has the key of that path; one that is not published is an oversight that a test shows.
    pub(super) fn has_path(&self, holder: &Holder, path: &str) -> Result<(), Why> {
        match holder.keys.iter().find(|fact| fact.key == path) {
            Some(fact) => self.has_key(holder, fact),
            None => Err(Why::NothingAlike {
                reason: words("no such key is published", "cette clé n’est pas publiée"),
            }),
        }
    }

    /// The sheet of that name, begun if need be.
    pub(super) fn sheet(&mut self, holder: &'static Holder, name: Option<&str>, title: &str) -> &mut Sheet {
        self.sheets.entry((holder.form, suffix(holder, name))).or_insert_with(|| Sheet {
            title: title.to_owned(),
            kind: holder.name,
            values: Map::new(),
        })
    }

    /// The UUID of the payload of that name as it stands, by which others refer to it.
    pub(super) fn uuid(&self, holder: &Holder, name: &str, frame: &Frame) -> Option<String> {
        let suffix = suffix(holder, Some(name));
        let sheet = self.sheets.get(&(holder.form, suffix.clone()))?;
        Some(sheet.payload(&suffix, frame).header.uuid)
    }

    /// Notes that a part was written.
    pub(super) fn note(&mut self, written: Written) {
        self.written.push(written);
    }

    /// Adds an item for the Settings command.
    pub(super) fn setting(&mut self, setting: Setting) {
        self.settings.push(setting);
    }

    /// Notes that a part was written.
    pub(super) fn wrote(&mut self, what: impl Into<String>, holder: &Holder, key: &str) {
        let place = if key.is_empty() { holder.name.to_owned() } else { format!("{} {key}", holder.name) };
        self.written.push(Written { what: what.into(), place });
    }

    /// Notes that a part was left out.
    pub(super) fn leave_out(&mut self, what: impl Into<String>, why: Why) {
        self.left_out.push(LeftOut { what: what.into(), why });
    }

    /// The first of these holders that the tablet has, preferred ones first. If it has none, the part is left out: the
    /// last holder says why, which is the oldest and so the closest to being there.
    pub(super) fn choose(&mut self, what: &str, holders: &[&'static Holder]) -> Option<&'static Holder> {
        let mut why = None;
        for holder in holders {
            match self.has(holder) {
                Ok(()) => return Some(holder),
                Err(reason) => why = Some(reason),
            }
        }
        if let Some(why) = why {
            self.leave_out(what, why);
        }
        None
    }

    /// The whole.
    pub(super) fn finish(mut self, frame: &Frame) -> IpadRendering {
        if !self.target.supervised {
            self.leave_out("a profile that its user cannot remove (C5.3.2)", Why::NeedsSupervision);
        }
        let (mut payloads, mut declarations) = (Vec::new(), Vec::new());
        for ((form, suffix), sheet) in self.sheets {
            if form == Form::Declaration {
                declarations.push(frame.configuration(&suffix, sheet.kind, object(&sheet.values)));
            } else {
                payloads.push(sheet.payload(&suffix, frame));
            }
        }
        if !declarations.is_empty() {
            declarations.push(frame.activation(&declarations));
        }
        self.written.sort();
        self.left_out.sort();
        IpadRendering {
            profile: frame.profile(payloads, !self.target.supervised),
            declarations,
            settings: self.settings,
            written: self.written,
            left_out: self.left_out,
        }
    }
}

/// The end of an identifier: what it is of, and which of them.
fn suffix(holder: &Holder, name: Option<&str>) -> String {
    let own = holder
        .name
        .strip_prefix("com.apple.configuration.")
        .or_else(|| holder.name.strip_prefix("com.apple."))
        .unwrap_or(holder.name);
    name.map_or_else(|| own.to_owned(), |name| format!("{own}.{name}"))
}

impl Sheet {
    fn payload(&self, suffix: &str, frame: &Frame) -> Payload {
        frame.payload(suffix, self.kind, &self.title, dictionary(&self.values))
    }

    /// Puts a value at a path.
    pub(super) fn put(&mut self, path: &str, node: Node) {
        put(&mut self.values, path, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{APPLICATION_ACCESS, SAFARI, SIRI};

    fn writer(version: &str, supervised: bool) -> Writer {
        Writer::new(IpadTarget { version: version.parse().unwrap(), supervised })
    }

    #[test]
    fn a_key_is_there_from_its_version_to_the_one_that_removed_it() {
        let has = |version, path| writer(version, true).has_path(&APPLICATION_ACCESS, path);
        let version = |text: &str| text.parse().unwrap();
        assert_eq!(has("18.3", "allowMailSmartReplies"), Err(Why::NotYet { since: version("18.4") }));
        assert_eq!(has("18.4", "allowMailSmartReplies"), Ok(()));
        assert_eq!(has("26.6", "forceDelayedSoftwareUpdates"), Ok(()));
        let gone = Err(Why::Gone { since: version("27.0") });
        assert_eq!(has("27.0", "forceDelayedSoftwareUpdates"), gone);
        assert_eq!(has("27.1", "forceDelayedSoftwareUpdates"), gone);
    }

    #[test]
    fn supervision_is_asked_of_the_holder_and_of_the_key() {
        let free = writer("27.0", false);
        assert_eq!(free.has(&SIRI), Err(Why::NeedsSupervision));
        assert_eq!(free.has(&SAFARI), Ok(()));
        assert_eq!(free.has_path(&SAFARI, "AllowPopups"), Err(Why::NeedsSupervision));
        assert_eq!(free.has_path(&APPLICATION_ACCESS, "allowCamera"), Ok(()));
        assert!(free.has_path(&SAFARI, "NoSuchKey").is_err());
    }

    #[test]
    fn declarations_are_used_from_17_on_whatever_knew_them_before() {
        let passcode = &crate::catalogue::PASSCODE;
        let since = "17.0".parse().unwrap();
        assert_eq!(writer("16.7", true).has(passcode), Err(Why::NotYet { since }));
        assert_eq!(writer("17.0", true).has(passcode), Ok(()));
    }
}

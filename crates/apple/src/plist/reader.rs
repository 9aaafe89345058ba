//! Reads XML into a dictionary with an explicit stack: depth costs memory we count, never stack.

use ::plist::{Data, Date, Dictionary, Integer, Value};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Limits, PlistError};

/// Where the cursor stands in the document as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before `<plist>`.
    Prologue,
    /// Inside `<plist>`.
    Body,
    /// After `</plist>`.
    Epilogue,
}

/// An array or a dictionary that is not closed yet.
enum Open {
    Array(Vec<Value>),
    Dictionary { entries: Dictionary, key: Option<String> },
}

/// An element that holds text, not other elements.
struct Leaf {
    name: &'static str,
    text: String,
}

/// The element names of a property list whose content is text.
const LEAVES: [&str; 8] = ["key", "string", "data", "date", "integer", "real", "true", "false"];

pub(super) fn parse(bytes: &[u8], limits: Limits) -> Result<Dictionary, PlistError> {
    if bytes.len() > limits.max_bytes {
        return Err(PlistError::TooLong { length: bytes.len(), limit: limits.max_bytes });
    }
    if bytes.starts_with(b"bplist") {
        return Err(PlistError::Binary);
    }
    let text = std::str::from_utf8(bytes).map_err(|_invalid| PlistError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\0') {
        return Err(PlistError::Forbidden { what: "a NUL character", at: 0 });
    }

    let mut xml = Reader::from_str(text);
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = true;
    config.check_comments = true;

    let mut document = Document {
        limits,
        at: 0,
        elements: 0,
        stage: Stage::Prologue,
        doctype: false,
        stack: Vec::new(),
        leaf: None,
        root: None,
    };
    loop {
        document.at = xml.buffer_position();
        let event = xml.read_event().map_err(|error| PlistError::Malformed {
            message: error.to_string(),
            at: xml.error_position(),
        })?;
        if !document.take(event)? {
            return document.finish();
        }
    }
}

struct Document {
    limits: Limits,
    at: u64,
    elements: usize,
    stage: Stage,
    doctype: bool,
    stack: Vec<Open>,
    leaf: Option<Leaf>,
    root: Option<Dictionary>,
}

impl Document {
    /// Takes one event; `false` at the end of the document.
    fn take(&mut self, event: Event<'_>) -> Result<bool, PlistError> {
        match event {
            Event::Decl(declaration) => {
                if self.at != 0 {
                    return Err(self.forbidden("a misplaced XML declaration"));
                }
                if let Some(encoding) = declaration.encoding() {
                    let utf8 = encoding.is_ok_and(|name| {
                        name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii")
                    });
                    if !utf8 {
                        return Err(PlistError::NotUtf8);
                    }
                }
            }
            Event::DocType(doctype) => {
                let content = doctype.into_inner();
                if self.stage != Stage::Prologue || self.doctype {
                    return Err(self.forbidden("a misplaced document type"));
                }
                if content.contains('[') {
                    return Err(self.forbidden("an internal DTD subset"));
                }
                if content.split_whitespace().next() != Some("plist") {
                    return Err(self.forbidden("a document type other than plist"));
                }
                self.doctype = true;
            }
            Event::Start(element) => self.open(&element)?,
            Event::Empty(_) => return Err(self.forbidden("an unexpected empty element")),
            Event::End(element) => self.close(element.name().as_ref())?,
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = self.resolve(&reference)?;
                self.text(&character)?;
            }
            Event::Comment(_) => {
                if self.leaf.is_some() {
                    return Err(self.forbidden("a comment inside a value"));
                }
            }
            Event::CData(_) => return Err(self.forbidden("a CDATA section")),
            Event::PI(_) => return Err(self.forbidden("a processing instruction")),
            Event::Eof => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self) -> Result<Dictionary, PlistError> {
        let at = self.at;
        match self.root {
            Some(root) if self.stage == Stage::Epilogue => Ok(root),
            _ => Err(PlistError::Forbidden { what: "the end of a document without a root dictionary", at }),
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), PlistError> {
        let name = element.name();
        let name: &str = name.as_ref();
        self.elements += 1;
        if self.elements > self.limits.max_elements {
            return Err(PlistError::TooManyElements { limit: self.limits.max_elements, at: self.at });
        }
        if self.leaf.is_some() {
            return Err(self.forbidden("an element inside a value"));
        }
        if name == "plist" {
            if self.stage != Stage::Prologue {
                return Err(self.forbidden("a second plist element"));
            }
            self.stage = Stage::Body;
            return Ok(());
        }
        if !element.attributes_raw().trim().is_empty() {
            return Err(self.forbidden("an attribute"));
        }
        if self.stage != Stage::Body {
            return Err(self.forbidden("an element outside plist"));
        }
        self.check_place(name)?;
        match name {
            "dict" | "array" => {
                if self.stack.len() >= self.limits.max_depth {
                    return Err(PlistError::TooDeep { limit: self.limits.max_depth, at: self.at });
                }
                self.stack.push(if name == "dict" {
                    Open::Dictionary { entries: Dictionary::new(), key: None }
                } else {
                    Open::Array(Vec::new())
                });
            }
            _ => match LEAVES.iter().find(|leaf| **leaf == name) {
                Some(name) => self.leaf = Some(Leaf { name, text: String::new() }),
                None => return Err(self.forbidden("an unknown element")),
            },
        }
        Ok(())
    }

    /// A dictionary is key, value, key, value; nothing else holds keys; the root is one dictionary.
    fn check_place(&self, name: &str) -> Result<(), PlistError> {
        let is_key = name == "key";
        match self.stack.last() {
            None if name != "dict" => Err(self.forbidden("a root that is not a dictionary")),
            None if self.root.is_some() => Err(self.forbidden("a second root")),
            Some(Open::Array(_)) if is_key => Err(self.forbidden("a key in an array")),
            Some(Open::Dictionary { key: None, .. }) if !is_key => {
                Err(self.forbidden("a value without its key"))
            }
            Some(Open::Dictionary { key: Some(_), .. }) if is_key => {
                Err(self.forbidden("a key without its value"))
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self, name: &str) -> Result<(), PlistError> {
        if let Some(leaf) = self.leaf.take() {
            return self.close_leaf(leaf);
        }
        if name == "plist" {
            self.stage = Stage::Epilogue;
            return Ok(());
        }
        match self.stack.pop() {
            Some(Open::Array(items)) => self.put(Value::Array(items)),
            Some(Open::Dictionary { key: Some(_), .. }) => Err(self.forbidden("a key without its value")),
            Some(Open::Dictionary { entries, key: None }) if self.stack.is_empty() => {
                self.root = Some(entries);
                Ok(())
            }
            Some(Open::Dictionary { entries, key: None }) => self.put(Value::Dictionary(entries)),
            None => Err(self.forbidden("an end without a beginning")),
        }
    }

    fn close_leaf(&mut self, leaf: Leaf) -> Result<(), PlistError> {
        let Leaf { name, text } = leaf;
        let invalid = PlistError::InvalidValue { kind: name, at: self.at };
        let value = match name {
            "key" => return self.take_key(text),
            "string" => Value::String(text),
            "true" | "false" if !text.is_empty() => return Err(invalid),
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "integer" => Value::Integer(integer(&text).ok_or(invalid)?),
            "real" => Value::Real(text.trim().parse().map_err(|_not_a_number| invalid)?),
            "date" => Value::Date(date(&text).ok_or(invalid)?),
            _ => {
                let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                let data = Data::from_xml_format(&packed).map_err(|_not_base64| invalid)?;
                Value::Data(data.into())
            }
        };
        self.put(value)
    }

    fn take_key(&mut self, text: String) -> Result<(), PlistError> {
        match self.stack.last_mut() {
            Some(Open::Dictionary { entries, key }) => {
                if entries.contains_key(&text) {
                    let key = text.chars().take(64).collect();
                    return Err(PlistError::DuplicateKey { key, at: self.at });
                }
                *key = Some(text);
                Ok(())
            }
            _ => Err(self.forbidden("a key outside a dictionary")),
        }
    }

    fn put(&mut self, value: Value) -> Result<(), PlistError> {
        match self.stack.last_mut() {
            Some(Open::Array(items)) => {
                items.push(value);
                Ok(())
            }
            Some(Open::Dictionary { entries, key }) => match key.take() {
                Some(key) => {
                    entries.insert(key, value);
                    Ok(())
                }
                None => Err(self.forbidden("a value without its key")),
            },
            None => Err(self.forbidden("a root that is not a dictionary")),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), PlistError> {
        match &mut self.leaf {
            Some(leaf) => {
                leaf.text.push_str(text);
                Ok(())
            }
            None if text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) => Ok(()),
            None => Err(self.forbidden("text between elements")),
        }
    }

    /// A character reference, or one of the five entities that XML itself defines.
    fn resolve(&self, reference: &BytesRef<'_>) -> Result<String, PlistError> {
        if self.leaf.is_none() {
            return Err(self.forbidden("a reference between elements"));
        }
        match reference.resolve_char_ref() {
            Ok(Some('\0')) | Err(_) => Err(self.forbidden("an invalid character reference")),
            Ok(Some(character)) => Ok(character.to_string()),
            Ok(None) => resolve_xml_entity(reference.as_ref())
                .map(str::to_owned)
                .ok_or_else(|| self.forbidden("an unknown entity")),
        }
    }

    fn forbidden(&self, what: &'static str) -> PlistError {
        PlistError::Forbidden { what, at: self.at }
    }
}

/// Decimal, or hexadecimal after `0x`, from the least i64 to the greatest u64.
fn integer(text: &str) -> Option<Integer> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return if plain { u64::from_str_radix(digits, 16).ok().map(Integer::from) } else { None };
    }
    match text.parse::<i64>() {
        Ok(signed) => Some(Integer::from(signed)),
        Err(_too_big) => text.parse::<u64>().ok().map(Integer::from),
    }
}

/// Exactly the form Apple's DTD gives, `2026-11-23T22:00:00Z`: with other offsets the `plist` crate
/// panics at the ends of the calendar.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let shape = "dddd-dd-ddTdd:dd:ddZ";
    let fits = text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, expected)| match expected {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
    if fits { Date::from_xml_format(text).ok() } else { None }
}

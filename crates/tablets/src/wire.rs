//! Property lists, as tablets write and read them: plain `plist` values, no types of the server's.

use std::io::Cursor;

use plist::{Dictionary, Value};

use crate::Error;

/// Writes a dictionary as an XML property list.
pub(crate) fn write(dictionary: &Dictionary) -> Result<Vec<u8>, Error> {
    let mut written = Vec::new();
    Value::Dictionary(dictionary.clone())
        .to_writer_xml(&mut written)
        .map_err(|error| Error::malformed("a property list", error))?;
    Ok(written)
}

/// Reads a property list, which must be a dictionary.
pub(crate) fn read(bytes: &[u8], what: &'static str) -> Result<Dictionary, Error> {
    Value::from_reader(Cursor::new(bytes))
        .map_err(|error| Error::malformed(what, format!("it is no property list: {error}")))?
        .into_dictionary()
        .ok_or_else(|| Error::malformed(what, "it is a property list, but no dictionary"))
}

/// A dictionary from its entries.
pub(crate) fn dictionary<const N: usize>(entries: [(&str, Value); N]) -> Dictionary {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Short ways to read entries; an entry of another type reads as absent.
pub(crate) trait Entries {
    fn text(&self, key: &str) -> Option<&str>;
    fn flag(&self, key: &str) -> Option<bool>;
    fn number(&self, key: &str) -> Option<i64>;
    fn bytes(&self, key: &str) -> Option<&[u8]>;
    fn inner(&self, key: &str) -> Option<&Dictionary>;
    fn list(&self, key: &str) -> &[Value];
    fn texts(&self, key: &str) -> Vec<&str>;
    /// The entry, or an error that names what misses it.
    fn required(&self, key: &'static str, what: &'static str) -> Result<&str, Error>;
}

impl Entries for Dictionary {
    fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_string)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(Value::as_boolean)
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.get(key).and_then(Value::as_signed_integer)
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.get(key).and_then(Value::as_data)
    }

    fn inner(&self, key: &str) -> Option<&Dictionary> {
        self.get(key).and_then(Value::as_dictionary)
    }

    fn list(&self, key: &str) -> &[Value] {
        self.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        self.list(key).iter().filter_map(Value::as_string).collect()
    }

    fn required(&self, key: &'static str, what: &'static str) -> Result<&str, Error> {
        self.text(key)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Error::malformed(what, format!("its {key} is missing")))
    }
}

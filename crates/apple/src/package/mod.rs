//! Packages of apps, looked into before they are given out: an IPA of Apple's, or the zip of an APK.
//!
//! A package comes from a person, and anything may be in it (T-C8). Nothing is unpacked: the list of what it holds is
//! walked once, without keeping it, and of its content one file is read, within bounds. What would hurt whoever unpacks
//! it later is refused: names that lead out of the folder, entries that are links, a list without end, content that is
//! said to grow beyond measure or that shares its bytes.

mod binary;
mod info;

use std::io::{Read, Seek};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder};

use crate::plist::PlistError;

pub use info::AppInfo;

/// What a package may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most entries.
    pub entries: u64,
    /// The deepest folder.
    pub depth: usize,
    /// The longest name of an entry, in bytes.
    pub name_bytes: usize,
    /// How many times longer its content may be than the package itself. Apps are around 2; a bomb is above 1,000.
    pub growth: u64,
    /// The longest `Info.plist`, unpacked, in bytes.
    pub info_bytes: u64,
}

impl Default for Bounds {
    /// 100,000 entries, 32 folders deep, names of 1,024 bytes, 100 times the package, 1 MiB of `Info.plist`.
    fn default() -> Self {
        Self { entries: 100_000, depth: 32, name_bytes: 1_024, growth: 100, info_bytes: 1 << 20 }
    }
}

/// Why a package is not one, or not one that is given out.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// No zip, a broken one, or one cut off.
    #[error("this is not a whole zip archive: {0}")]
    NotAZip(rawzip::Error),
    /// Too many entries.
    #[error("the archive lists more than {limit} entries")]
    TooManyEntries {
        /// The most that is looked at.
        limit: u64,
    },
    /// A name that leads elsewhere, or is no name.
    #[error("the archive holds the name {name:?}, {why}")]
    BadName {
        /// The name, cut to 80 characters.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It grows beyond measure when it is unpacked, or its entries share their bytes.
    #[error(
        "the archive would unpack to more than {growth} times its length, or its entries overlap: a bomb"
    )]
    Bomb {
        /// How many times longer its content may be.
        growth: u64,
    },
    /// It is encrypted, or packed in a way that tablets do not know.
    #[error("the archive packs its content in a way that tablets do not know")]
    UnknownPacking,
    /// What must be there is not, or twice.
    #[error("the archive holds {found} of {what}; it must hold one")]
    NotOne {
        /// What is looked for.
        what: &'static str,
        /// How many there are, 2 if more.
        found: u8,
    },
    /// `Info.plist` cannot be read.
    #[error("its Info.plist cannot be read: {0}")]
    Info(#[from] PlistError),
    /// A binary `Info.plist` that contradicts itself.
    #[error("its Info.plist cannot be read: {0}")]
    Binary(&'static str),
    /// `Info.plist` does not say what it must.
    #[error("its Info.plist does not say {0}")]
    Silent(&'static str),
    /// The file could not be read.
    #[error("the file could not be read: {0}")]
    Unreadable(std::io::Error),
}

/// Looks into an IPA of `length` bytes: one app at `Payload/*.app`, and what its `Info.plist` says.
///
/// # Errors
/// [`PackageError`] says what is wrong with it.
pub fn read_ipa(file: impl Read + Seek, length: u64, bounds: Bounds) -> Result<AppInfo, PackageError> {
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_seekable(file, &mut buffer).map_err(not_a_zip)?;
    let found = walk(&archive, length, bounds, &mut buffer, is_info)?;
    let Found::One(info) = found else {
        return Err(PackageError::NotOne { what: "`Payload/NAME.app/Info.plist`", found: found.count() });
    };
    let content = unpack(&archive, info, bounds.info_bytes)?;
    AppInfo::read(&content)
}

/// Looks into an APK of `length` bytes: a sound zip with its manifest. What the manifest says, in a binary form of
/// Android's own, is not read.
///
/// # Errors
/// [`PackageError`] says what is wrong with it.
pub fn check_apk(file: impl Read + Seek, length: u64, bounds: Bounds) -> Result<(), PackageError> {
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_seekable(file, &mut buffer).map_err(not_a_zip)?;
    match walk(&archive, length, bounds, &mut buffer, |name| name == "AndroidManifest.xml")? {
        Found::One(_manifest) => Ok(()),
        found => Err(PackageError::NotOne { what: "`AndroidManifest.xml`", found: found.count() }),
    }
}

/// `Payload/NAME.app/Info.plist`, and no other: an app holds the lists of its parts, too.
fn is_info(name: &str) -> bool {
    name.strip_prefix("Payload/")
        .and_then(|rest| rest.strip_suffix("/Info.plist"))
        .is_some_and(|app| app.ends_with(".app") && app != ".app" && !app.contains('/'))
}

/// Where an entry's content is, and how it is packed.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: ZipArchiveEntryWayfinder,
    packing: CompressionMethod,
}

/// How many entries were the wanted one.
#[derive(Debug)]
enum Found {
    None,
    One(Place),
    Many,
}

impl Found {
    const fn count(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many => 2,
        }
    }
}

/// Walks the whole list of an archive, checking every entry, and finds the wanted one. Keeps nothing else.
fn walk<R: rawzip::ReaderAt>(
    archive: &ZipArchive<R>,
    length: u64,
    bounds: Bounds,
    buffer: &mut [u8],
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Found, PackageError> {
    let (mut entries, mut packed, mut unpacked) = (0_u64, 0_u64, 0_u64);
    let mut found = Found::None;
    let mut list = archive.entries(buffer);
    while let Some(entry) = list.next_entry().map_err(not_a_zip)? {
        entries += 1;
        if entries > bounds.entries {
            return Err(PackageError::TooManyEntries { limit: bounds.entries });
        }
        packed = packed.saturating_add(entry.compressed_size_hint());
        unpacked = unpacked.saturating_add(entry.uncompressed_size_hint());
        // What is packed more than once cannot be in it: entries that share their bytes are how a small archive
        // grows without bound.
        if packed > length || unpacked / bounds.growth.max(1) > length {
            return Err(PackageError::Bomb { growth: bounds.growth });
        }
        let path = entry.file_path();
        let raw: &[u8] = path.as_ref();
        let name = checked_name(raw, bounds)?;
        if entry.mode().is_symlink() {
            return Err(bad_name(raw, "which is a link"));
        }
        if is_wanted(name) {
            found = match found {
                Found::None => {
                    Found::One(Place { at: entry.wayfinder(), packing: entry.compression_method() })
                }
                Found::One(_) | Found::Many => Found::Many,
            };
        }
    }
    Ok(found)
}

/// The name of an entry, if it stays below the folder in which it is unpacked, on any system.
fn checked_name(raw: &[u8], bounds: Bounds) -> Result<&str, PackageError> {
    let bad = |why| Err(bad_name(raw, why));
    if raw.len() > bounds.name_bytes {
        return bad("which is too long");
    }
    let Ok(name) = std::str::from_utf8(raw) else { return bad("which is not UTF-8") };
    if name.chars().any(char::is_control) {
        return bad("which holds control characters");
    }
    if name.contains('\\') || name.contains(':') {
        return bad("which holds a backslash or a colon");
    }
    let segments = name.strip_suffix('/').unwrap_or(name).split('/');
    let mut depth = 0;
    for segment in segments {
        depth += 1;
        if matches!(segment, "" | "." | "..") {
            return bad("which leads out of its folder");
        }
    }
    if depth > bounds.depth { bad("which lies too deep") } else { Ok(name) }
}

fn bad_name(raw: &[u8], why: &'static str) -> PackageError {
    let name: String = String::from_utf8_lossy(raw).chars().take(80).collect();
    PackageError::BadName { name, why }
}

/// The content of one entry, whole, if it is no longer than `limit`, whatever the list says of its length.
fn unpack<R: rawzip::ReaderAt>(
    archive: &ZipArchive<R>,
    place: Place,
    limit: u64,
) -> Result<Vec<u8>, PackageError> {
    let entry = archive.get_entry(place.at).map_err(not_a_zip)?;
    let mut content = Vec::new();
    let read = match place.packing {
        CompressionMethod::STORE => {
            entry.verifying_reader(entry.reader().take(limit + 1)).read_to_end(&mut content)
        }
        CompressionMethod::DEFLATE => {
            let inflated = DeflateDecoder::new(entry.reader()).take(limit + 1);
            entry.verifying_reader(inflated).read_to_end(&mut content)
        }
        _ => return Err(PackageError::UnknownPacking),
    };
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        return Err(PlistError::TooLong { length: content.len(), limit }.into());
    }
    read.map_err(PackageError::Unreadable)?;
    Ok(content)
}

fn not_a_zip(error: rawzip::Error) -> PackageError {
    PackageError::NotAZip(error)
}

#[cfg(test)]
mod tests;

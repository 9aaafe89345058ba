//! The macro that describes a dictionary of the wire.

/// Describes a dictionary: its keys, their types, whether they must be there.
///
/// Four sections, in this order, each may be left out:
/// - `required`: the schema requires it and so do we; the field is a `T`.
/// - `expected`: the schema requires it, tablets in the field leave it out; the field is an `Option<T>`.
/// - `optional`: an `Option<T>`.
/// - `unstated`: the schema does not say; an `Option<T>`.
///
/// A struct without `required` is `Default`; the others have `new`, which takes the required fields.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            required { $($required:tt)* }
            $(expected { $($expected:tt)* })?
            $(optional { $($optional:tt)* })?
            $(unstated { $($unstated:tt)* })?
        }
    ) => {
        $crate::wire::message!(@struct [$(#[$meta])*] $name
            { $($required)* } { $($($expected)*)? } { $($($optional)*)? } { $($($unstated)*)? });
        $crate::wire::message!(@new $name
            { $($required)* } { $($($expected)*)? $($($optional)*)? $($($unstated)*)? });
    };
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(expected { $($expected:tt)* })?
            $(optional { $($optional:tt)* })?
            $(unstated { $($unstated:tt)* })?
        }
    ) => {
        $crate::wire::message!(@struct [$(#[$meta])* #[derive(Default)]] $name
            {} { $($($expected)*)? } { $($($optional)*)? } { $($($unstated)*)? });
    };
    (@new $name:ident
        { $($(#[$rdoc:meta])* $rfield:ident: $rtype:ty = $rkey:literal,)* }
        { $($(#[$odoc:meta])* $ofield:ident: $otype:ty = $okey:literal,)* }
    ) => {
        impl $name {
            /// With what is required, and nothing else.
            #[must_use]
            pub fn new($($rfield: $rtype),*) -> Self {
                Self { $($rfield,)* $($ofield: None,)* extra: $crate::wire::Raw::default() }
            }
        }
    };
    (@struct [$($meta:tt)*] $name:ident
        { $($(#[$rdoc:meta])* $rfield:ident: $rtype:ty = $rkey:literal,)* }
        { $($(#[$edoc:meta])* $efield:ident: $etype:ty = $ekey:literal,)* }
        { $($(#[$odoc:meta])* $ofield:ident: $otype:ty = $okey:literal,)* }
        { $($(#[$udoc:meta])* $ufield:ident: $utype:ty = $ukey:literal,)* }
    ) => {
        $($meta)*
        #[derive(Debug, Clone)]
        pub struct $name {
            $($(#[$rdoc])* #[doc = concat!("\n\n`", $rkey, "` on the wire.")] pub $rfield: $rtype,)*
            $($(#[$edoc])* #[doc = concat!("\n\n`", $ekey, "` on the wire.")] pub $efield: Option<$etype>,)*
            $($(#[$odoc])* #[doc = concat!("\n\n`", $okey, "` on the wire.")] pub $ofield: Option<$otype>,)*
            $($(#[$udoc])* #[doc = concat!("\n\n`", $ukey, "` on the wire.")] pub $ufield: Option<$utype>,)*
            /// The keys that this version does not know.
            pub extra: $crate::wire::Raw,
        }

        impl $name {
            /// Its keys, as Apple's schema describes them.
            pub const KEYS: &'static [$crate::wire::KeyFact] = &[
                $($crate::wire::message!(@fact $rkey, $rtype, Required),)*
                $($crate::wire::message!(@fact $ekey, $etype, Required),)*
                $($crate::wire::message!(@fact $okey, $otype, Optional),)*
                $($crate::wire::message!(@fact $ukey, $utype, Unstated),)*
            ];

            /// Reads it from a dictionary.
            ///
            /// # Errors
            /// Names the path of a key that is missing or has the wrong type.
            pub fn from_dictionary(
                dictionary: &$crate::plist::Dictionary,
            ) -> Result<Self, $crate::wire::WireError> {
                Ok(Self {
                    $($rfield: $crate::wire::message::required(dictionary, $rkey)?,)*
                    $($efield: $crate::wire::message::optional(dictionary, $ekey)?,)*
                    $($ofield: $crate::wire::message::optional(dictionary, $okey)?,)*
                    $($ufield: $crate::wire::message::optional(dictionary, $ukey)?,)*
                    extra: $crate::wire::Raw::beside(dictionary, Self::KEYS),
                })
            }

            /// Writes it as a dictionary, unknown keys last.
            #[must_use]
            pub fn to_dictionary(&self) -> $crate::plist::Dictionary {
                let known: [(&str, Option<$crate::plist::Value>); Self::KEYS.len()] = [
                    $(($rkey, Some($crate::wire::Wire::write(&self.$rfield))),)*
                    $(($ekey, self.$efield.as_ref().map($crate::wire::Wire::write)),)*
                    $(($okey, self.$ofield.as_ref().map($crate::wire::Wire::write)),)*
                    $(($ukey, self.$ufield.as_ref().map($crate::wire::Wire::write)),)*
                ];
                $crate::wire::message::join(known, &self.extra)
            }
        }

        impl $crate::wire::Wire for $name {
            const KIND: $crate::wire::Kind = $crate::wire::Kind::Dictionary(Self::KEYS);

            fn read(value: &$crate::plist::Value) -> Result<Self, $crate::wire::WireError> {
                match value {
                    $crate::plist::Value::Dictionary(dictionary) => Self::from_dictionary(dictionary),
                    other => Err($crate::wire::WireError::wrong_type("a dictionary", other)),
                }
            }

            fn write(&self) -> $crate::plist::Value {
                $crate::plist::Value::Dictionary(self.to_dictionary())
            }
        }
    };
    (@fact $key:literal, $type:ty, $presence:ident) => {
        $crate::wire::KeyFact {
            key: $key,
            kind: <$type as $crate::wire::Wire>::KIND,
            presence: $crate::wire::Presence::$presence,
        }
    };
}

pub(crate) use message;

use crate::plist::{Dictionary, Value};
use crate::wire::{Raw, Wire, WireError};

/// Reads a key that must be there.
pub(crate) fn required<T: Wire>(dictionary: &Dictionary, key: &str) -> Result<T, WireError> {
    match dictionary.get(key) {
        Some(value) => T::read(value).map_err(|error| error.within(key)),
        None => Err(WireError::missing(key)),
    }
}

/// Reads a key that may be there.
pub(crate) fn optional<T: Wire>(dictionary: &Dictionary, key: &str) -> Result<Option<T>, WireError> {
    dictionary.get(key).map(|value| T::read(value).map_err(|error| error.within(key))).transpose()
}

/// Joins known keys, in their order, with unknown ones; a known key wins.
pub(crate) fn join<const N: usize>(known: [(&str, Option<Value>); N], extra: &Raw) -> Dictionary {
    let mut dictionary = Dictionary::new();
    for (key, value) in known {
        if let Some(value) = value {
            dictionary.insert(key.to_owned(), value);
        }
    }
    for (key, value) in extra.iter() {
        if !dictionary.contains_key(key) {
            dictionary.insert(key.clone(), value.clone());
        }
    }
    dictionary
}

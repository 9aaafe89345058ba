//! The types that a key's value may have.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use types::{Instant, Secret, SerialNumber, Udid};
use zeroize::Zeroize;

use crate::plist::{Date, Dictionary, Value};
use crate::wire::{Kind, Wire, WireError};

impl Wire for String {
    const KIND: Kind = Kind::String;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(WireError::wrong_type("a string", other)),
        }
    }

    fn write(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Wire for i64 {
    const KIND: Kind = Kind::Integer;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Integer(number) => {
                number.as_signed().ok_or_else(|| WireError::invalid("an integer of 64 bits with a sign"))
            }
            other => Err(WireError::wrong_type("an integer", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Integer((*self).into())
    }
}

impl Wire for f64 {
    const KIND: Kind = Kind::Real;

    /// An integer is a real too: tablets write a whole number of gigabytes either way.
    fn read(value: &Value) -> Result<Self, WireError> {
        let number = match value {
            Value::Real(number) => *number,
            Value::Integer(number) => {
                number.to_string().parse().map_err(|_not_a_number| WireError::invalid("a real"))?
            }
            other => return Err(WireError::wrong_type("a real", other)),
        };
        if number.is_finite() { Ok(number) } else { Err(WireError::invalid("a finite real")) }
    }

    fn write(&self) -> Value {
        Value::Real(*self)
    }
}

impl Wire for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Boolean(truth) => Ok(*truth),
            other => Err(WireError::wrong_type("a boolean", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Wire for Vec<u8> {
    const KIND: Kind = Kind::Data;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Data(bytes) => Ok(bytes.clone()),
            other => Err(WireError::wrong_type("data", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Data(self.clone())
    }
}

impl Wire for Instant {
    const KIND: Kind = Kind::Date;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Date(date) => Ok(instant(*date)),
            other => Err(WireError::wrong_type("a date", other)),
        }
    }

    fn write(&self) -> Value {
        let span = Duration::from_millis(self.as_millis().unsigned_abs());
        let time = if self.as_millis() < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(span)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(span)
        };
        Value::Date(Date::from(time.unwrap_or(SystemTime::UNIX_EPOCH)))
    }
}

fn instant(date: Date) -> Instant {
    match SystemTime::from(date).duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => Instant::from_millis(0).plus(after),
        Err(before) => Instant::from_millis(0).minus(before.duration()),
    }
}

impl<T: Wire + Zeroize> Wire for Secret<T> {
    const KIND: Kind = T::KIND;

    fn read(value: &Value) -> Result<Self, WireError> {
        T::read(value).map(Self::new)
    }

    fn write(&self) -> Value {
        self.expose().write()
    }
}

impl<T: Wire> Wire for Box<T> {
    const KIND: Kind = T::KIND;

    fn read(value: &Value) -> Result<Self, WireError> {
        T::read(value).map(Self::new)
    }

    fn write(&self) -> Value {
        self.as_ref().write()
    }
}

impl<T: Wire> Wire for Vec<T> {
    const KIND: Kind = Kind::Array(&T::KIND);

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(position, item)| T::read(item).map_err(|error| error.within(&position.to_string())))
                .collect(),
            other => Err(WireError::wrong_type("an array", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Array(self.iter().map(Wire::write).collect())
    }
}

impl<T: Wire> Wire for BTreeMap<String, T> {
    const KIND: Kind = Kind::Map(&T::KIND);

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Dictionary(entries) => entries
                .iter()
                .map(|(key, value)| match T::read(value) {
                    Ok(value) => Ok((key.clone(), value)),
                    Err(error) => Err(error.within(key)),
                })
                .collect(),
            other => Err(WireError::wrong_type("a dictionary", other)),
        }
    }

    fn write(&self) -> Value {
        let entries: Dictionary = self.iter().map(|(key, value)| (key.clone(), value.write())).collect();
        Value::Dictionary(entries)
    }
}

macro_rules! names {
    ($($name:ident: $expected:literal;)*) => {$(
        impl Wire for $name {
            const KIND: Kind = Kind::String;

            fn read(value: &Value) -> Result<Self, WireError> {
                String::read(value)?.parse().map_err(|_invalid| WireError::invalid($expected))
            }

            fn write(&self) -> Value {
                Value::String(self.as_str().to_owned())
            }
        }
    )*};
}

names! {
    Udid: "a UDID";
    SerialNumber: "a serial number";
}

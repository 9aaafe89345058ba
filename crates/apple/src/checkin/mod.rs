//! The check-in messages, one file each.

mod authenticate;
mod check_out;
mod declarative_management;
mod get_bootstrap_token;
mod get_token;
mod return_to_service;
mod set_bootstrap_token;
mod token_update;
mod user_authenticate;

pub use authenticate::Authenticate;
pub use check_out::CheckOut;
pub use declarative_management::DeclarativeManagement;
pub use get_bootstrap_token::{GetBootstrapToken, GetBootstrapTokenResponse};
pub use get_token::{GetToken, GetTokenResponse, TokenParameters};
pub use return_to_service::{ReturnToService, ReturnToServiceResponse};
pub use set_bootstrap_token::SetBootstrapToken;
pub use token_update::TokenUpdate;
pub use user_authenticate::UserAuthenticate;

use types::Udid;

use crate::plist::{self, Dictionary, Limits, Value};
use crate::wire::{WireError, bounded, message};

/// The key that tells check-in messages apart.
const MESSAGE_TYPE: &str = "MessageType";

macro_rules! check_ins {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A check-in message.
        #[derive(Debug, Clone)]
        pub enum CheckIn {
            $($(#[$doc])* $name($name),)*
        }

        impl CheckIn {
            /// Every `MessageType` that is understood.
            pub const MESSAGE_TYPES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Reads a message from a dictionary.
            ///
            /// # Errors
            /// An unknown `MessageType`, or a key that is missing or has the wrong type.
            pub fn from_dictionary(dictionary: &Dictionary) -> Result<Self, WireError> {
                let name: String = message::required(dictionary, MESSAGE_TYPE)?;
                match name.as_str() {
                    $(stringify!($name) => {
                        let mut message = $name::from_dictionary(dictionary)?;
                        message.extra.forget(MESSAGE_TYPE);
                        Ok(Self::$name(message))
                    })*
                    other => Err(WireError::UnknownMessageType { name: bounded(other) }),
                }
            }

            /// Writes it as a tablet does.
            #[must_use]
            pub fn to_dictionary(&self) -> Dictionary {
                let message = match self { $(Self::$name(message) => message.to_dictionary(),)* };
                let mut dictionary = Dictionary::new();
                dictionary.insert(MESSAGE_TYPE.to_owned(), Value::from(self.message_type()));
                dictionary.extend(message);
                dictionary
            }

            /// Its `MessageType`.
            #[must_use]
            pub fn message_type(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }
        }
    };
}

check_ins! {
    /// A tablet asks to enrol.
    Authenticate,
    /// A tablet says where to push, and completes its enrolment.
    TokenUpdate,
    /// The management profile was removed.
    CheckOut,
    /// A request of the declarative protocol.
    DeclarativeManagement,
    /// A tablet asks for its bootstrap token.
    GetBootstrapToken,
    /// A tablet leaves a bootstrap token.
    SetBootstrapToken,
    /// A tablet asks for a token that vouches for it elsewhere.
    GetToken,
    /// A tablet is about to erase itself.
    ReturnToService,
    /// A Mac's user signs in; declined.
    UserAuthenticate,
}

impl CheckIn {
    /// Reads the body of a request to the check-in URL.
    ///
    /// # Errors
    /// The body is not an acceptable property list, its `MessageType` is unknown, or a key is missing or
    /// has the wrong type.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        Self::from_dictionary(&plist::parse(bytes, Limits::CHECK_IN)?)
    }

    /// The tablet, unless this is a user enrolment. What the message claims, not what is proven (T-A1).
    #[must_use]
    pub fn udid(&self) -> Option<&Udid> {
        match self {
            Self::Authenticate(message) => message.udid.as_ref(),
            Self::TokenUpdate(message) => message.udid.as_ref(),
            Self::CheckOut(message) => message.udid.as_ref(),
            Self::DeclarativeManagement(message) => message.udid.as_ref(),
            Self::GetBootstrapToken(message) => message.udid.as_ref(),
            Self::SetBootstrapToken(message) => message.udid.as_ref(),
            Self::GetToken(message) => message.udid.as_ref(),
            Self::ReturnToService(message) => Some(&message.udid),
            Self::UserAuthenticate(message) => Some(&message.udid),
        }
    }

    /// The enrolment, if this is a user enrolment.
    #[must_use]
    pub fn enrollment_id(&self) -> Option<&str> {
        match self {
            Self::Authenticate(message) => message.enrollment_id.as_deref(),
            Self::TokenUpdate(message) => message.enrollment_id.as_deref(),
            Self::CheckOut(message) => message.enrollment_id.as_deref(),
            Self::DeclarativeManagement(message) => message.enrollment_id.as_deref(),
            Self::GetBootstrapToken(message) => message.enrollment_id.as_deref(),
            Self::SetBootstrapToken(message) => message.enrollment_id.as_deref(),
            Self::GetToken(message) => message.enrollment_id.as_deref(),
            Self::ReturnToService(_) | Self::UserAuthenticate(_) => None,
        }
    }

    /// The user, on the user channel of a Shared iPad or of a Mac: then this is not the tablet's own message.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::TokenUpdate(message) => message.user_id.as_deref(),
            Self::DeclarativeManagement(message) => message.user_id.as_deref(),
            Self::GetToken(message) => message.user_id.as_deref(),
            Self::UserAuthenticate(message) => Some(&message.user_id),
            Self::Authenticate(_)
            | Self::CheckOut(_)
            | Self::GetBootstrapToken(_)
            | Self::SetBootstrapToken(_)
            | Self::ReturnToService(_) => None,
        }
    }
}

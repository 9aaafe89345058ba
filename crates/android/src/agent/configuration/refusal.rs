//! Why something is not sent to the agent.

use super::fields::Of;

/// Why a configuration is not sent. Values are not quoted: some are secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSendable {
    /// The agent does not know it.
    #[error("the agent knows no field `{name}`")]
    Unknown {
        /// Its name, cut.
        name: String,
    },
    /// It is not for layers to say.
    #[error("no layer says `{field}`: {}", of.why())]
    NotALayers {
        /// The field.
        field: &'static str,
        /// Whose it is.
        of: Of,
    },
    /// The agent would refuse the whole configuration, or misread this.
    #[error("`{field}` is not {expected}: the agent would refuse the whole configuration, or misread it")]
    Choke {
        /// The field.
        field: &'static str,
        /// What the agent expects.
        expected: &'static str,
    },
    /// The agent fails where this is missing.
    #[error("`{field}` is missing, and the agent fails without it")]
    Missing {
        /// The field.
        field: &'static str,
    },
}

impl NotSendable {
    pub(super) fn unknown(name: &str) -> Self {
        Self::Unknown { name: crate::error::shortened(name) }
    }
}

//! ApplyRedemptionCode: pay for an app with a code.

use types::Secret;

use crate::wire::message;

message! {
    /// Pay for an app with a code.
    ///
    /// For an app whose state is `NeedsRedemption`.
    pub struct ApplyRedemptionCode {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
            /// The code that pays for it.
            redemption_code: Secret<String> = "RedemptionCode",
        }
    }
}

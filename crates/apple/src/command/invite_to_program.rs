//! InviteToProgram: invite the user to a purchase programme.

use types::Secret;

use crate::wire::message;

message! {
    /// Invite the user to a purchase programme.
    ///
    /// Shared iPads only, on the user channel.
    pub struct InviteToProgram {
        required {
            /// The programme.
            program_id: String = "ProgramID",
            /// The invitation, which is a credential.
            invitation_url: Secret<String> = "InvitationURL",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct InviteToProgramAnswer {
        required {
            /// `Acknowledged`, `InvalidProgramID` or `InvalidInvitationURL`.
            invitation_result: String = "InvitationResult",
        }
    }
}

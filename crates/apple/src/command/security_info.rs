//! SecurityInfo: ask how the tablet is secured.

use crate::wire::message;

message! {
    /// Ask how the tablet is secured.
    ///
    /// Whether there is a passcode, and whether it obeys.
    pub struct SecurityInfo {}
}

message! {
    /// What the tablet answers.
    pub struct SecurityInfoAnswer {
        required {
            /// What the tablet says.
            security_info: SecurityState = "SecurityInfo",
        }
    }
}

message! {
    /// How the tablet is secured.
    pub struct SecurityState {
        unstated {
            /// 1 encrypts blocks, 2 files, 3 both.
            hardware_encryption_caps: i64 = "HardwareEncryptionCaps",
            /// There is a passcode.
            passcode_present: bool = "PasscodePresent",
            /// It obeys every rule, Exchange's included.
            passcode_compliant: bool = "PasscodeCompliant",
            /// It obeys the profiles' rules.
            passcode_compliant_with_profiles: bool = "PasscodeCompliantWithProfiles",
            /// The user's choice, in seconds.
            passcode_lock_grace_period: i64 = "PasscodeLockGracePeriod",
            /// What is applied, in seconds.
            passcode_lock_grace_period_enforced: i64 = "PasscodeLockGracePeriodEnforced",
            /// In seconds.
            auto_lock_time: i64 = "AutoLockTime",
            /// How it is managed.
            management_status: ManagementStatus = "ManagementStatus",
        }
    }
}

message! {
    /// How the tablet is managed.
    pub struct ManagementStatus {
        unstated {
            /// Whether it is a user enrolment.
            is_user_enrollment: bool = "IsUserEnrollment",
        }
    }
}

//! Floor 1: Apple's wire: bounded plist, check-in, commands, profiles.

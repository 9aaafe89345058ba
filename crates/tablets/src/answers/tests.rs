//! What each command makes a tablet say.

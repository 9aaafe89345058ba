//! Commands that need nothing but files: no server, no token, no home folder.

pub(crate) mod profile;

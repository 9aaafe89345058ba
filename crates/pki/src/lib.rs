//! Floor 1: certificates: authority, CMS, SCEP.

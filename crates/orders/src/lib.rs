//! Floor 3: what may be queued for a tablet.

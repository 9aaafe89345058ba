//! Floor 4: clients of the outside, through one egress allow-list.

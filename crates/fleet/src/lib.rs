//! Floor 5: use cases: each loads, decides, saves, records in one transaction.

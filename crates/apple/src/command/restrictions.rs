//! Restrictions: list the restrictions in force.

use std::collections::BTreeMap;

use crate::wire::message;

message! {
    /// List the restrictions in force.
    ///
    /// All together, and per profile if asked.
    pub struct Restrictions {
        optional {
            /// Also list what each profile restricts.
            profile_restrictions: bool = "ProfileRestrictions",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct RestrictionsAnswer {
        required {
            /// All together.
            global_restrictions: RestrictionSet = "GlobalRestrictions",
        }
        expected {
            /// By profile identifier, if asked.
            profile_restrictions: BTreeMap<String, RestrictionSet> = "ProfileRestrictions",
        }
    }
}

message! {
    /// Restrictions, by name.
    pub struct RestrictionSet {
        optional {
            /// What is allowed or forced.
            restricted_bool: BTreeMap<String, RestrictedBool> = "restrictedBool",
            /// The strictest number.
            restricted_value: BTreeMap<String, RestrictedValue> = "restrictedValue",
            /// What every profile allows.
            intersection: BTreeMap<String, RestrictedValues> = "intersection",
            /// What any profile names.
            union: BTreeMap<String, RestrictedValues> = "union",
        }
    }
}

message! {
    /// A restriction that is on or off.
    pub struct RestrictedBool {
        required {
            /// Its value.
            value: bool = "value",
        }
    }
}

message! {
    /// A restriction that is a number.
    pub struct RestrictedValue {
        required {
            /// Its value.
            value: i64 = "value",
        }
    }
}

message! {
    /// A restriction that is a list.
    pub struct RestrictedValues {
        required {
            /// Its values.
            values: Vec<String> = "values",
        }
    }
}

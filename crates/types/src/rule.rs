//! The ids of the rules of the lending programme, as refusals and tests cite them.
//!
//! `C5.2.1` is a clause of the agreement; `M3` is the third of the rules for the machine. `docs/rules.md`
//! says where each is enforced.

use std::fmt;

macro_rules! rules {
    ($($variant:ident = $text:literal,)*) => {
        /// One rule of the lending programme.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the ids are the agreement's own: C5_2_1 is C5.2.1")]
        pub enum RuleId { $($variant,)* }

        impl RuleId {
            /// Every rule, in the agreement's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The id as the agreement writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

rules! {
    C3_1_1 = "C3.1.1",
    C3_1_2 = "C3.1.2",
    C3_1_3 = "C3.1.3",
    C3_1_4 = "C3.1.4",
    C3_1_5 = "C3.1.5",
    C3_1_6 = "C3.1.6",
    C3_1_7 = "C3.1.7",
    C3_3_1 = "C3.3.1",
    C3_3_2 = "C3.3.2",
    C3_3_3 = "C3.3.3",
    C3_3_4 = "C3.3.4",
    C3_3_5 = "C3.3.5",
    C4_1 = "C4.1",
    C4_2 = "C4.2",
    C5_1_1 = "C5.1.1",
    C5_1_2 = "C5.1.2",
    C5_2_1 = "C5.2.1",
    C5_2_2 = "C5.2.2",
    C5_2_3 = "C5.2.3",
    C5_2_4 = "C5.2.4",
    C5_2_5 = "C5.2.5",
    C5_2_6 = "C5.2.6",
    C5_3_1 = "C5.3.1",
    C5_3_2 = "C5.3.2",
    C5_3_3 = "C5.3.3",
    C5_3_4 = "C5.3.4",
    C5_3_5 = "C5.3.5",
    C5_3_6 = "C5.3.6",
    C5_3_7 = "C5.3.7",
    C5_4_1 = "C5.4.1",
    C5_4_2 = "C5.4.2",
    C5_4_3 = "C5.4.3",
    C5_4_4 = "C5.4.4",
    C5_4_5 = "C5.4.5",
    C6_1 = "C6.1",
    C7_1 = "C7.1",
    C8_1 = "C8.1",
    C9_1 = "C9.1",
    M1 = "M1",
    M2 = "M2",
    M3 = "M3",
    M4 = "M4",
    M5 = "M5",
    M6 = "M6",
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

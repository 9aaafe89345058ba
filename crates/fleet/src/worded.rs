//! A refusal that is told in both languages, with the command that helps: those of incidents, of warrants and of their notices.

use std::fmt;

use types::RuleId;

use crate::Refusal;
use crate::countersignatures::Sentence;

/// What is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worded {
    rule: Option<RuleId>,
    what: Sentence,
    next: Option<Sentence>,
}

impl Worded {
    /// A rule forbids it.
    pub(crate) fn forbids(rule: RuleId, english: impl Into<String>, french: impl Into<String>) -> Self {
        let what = Sentence { english: english.into(), french: french.into() };
        Self { rule: Some(rule), what, next: None }
    }

    /// It contradicts what is there.
    pub(crate) fn contradicts(english: impl Into<String>, french: impl Into<String>) -> Self {
        let what = Sentence { english: english.into(), french: french.into() };
        Self { rule: None, what, next: None }
    }

    /// With what to do next.
    pub(crate) fn then(self, english: impl Into<String>, french: impl Into<String>) -> Self {
        Self { next: Some(Sentence { english: english.into(), french: french.into() }), ..self }
    }

    /// The rule behind it, if one decided.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        self.rule
    }

    /// What happened, with the rule.
    #[must_use]
    pub fn in_words(&self) -> Sentence {
        let Sentence { english, french } = &self.what;
        match self.rule {
            Some(rule) => {
                Sentence { english: format!("{english} ({rule})"), french: format!("{french} ({rule})") }
            }
            None => self.what.clone(),
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn next_step(&self) -> Option<&Sentence> {
        self.next.as_ref()
    }
}

impl fmt::Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words().english)
    }
}

impl From<Worded> for Refusal {
    fn from(worded: Worded) -> Self {
        Self::Worded(Box::new(worded))
    }
}

impl From<incidents::Refusal> for Refusal {
    fn from(refused: incidents::Refusal) -> Self {
        let next = refused.next_step();
        Worded::forbids(refused.rule(), refused.to_string(), refused.in_french())
            .then(next.english, next.french)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_both_languages_names_its_rule_and_what_helps() {
        let refusal = Refusal::from(incidents::Refusal::HadOne);
        assert_eq!((refusal.code(), refusal.rule()), ("forbidden-by-rule", Some(RuleId::M1)));
        assert_eq!(refusal.to_string(), format!("{} (M1)", incidents::Refusal::HadOne));
        let Refusal::Worded(said) = refusal else { panic!("{refusal:?}") };
        assert!(
            said.in_words().french.contains("déjà eu une autorisation")
                && said.in_words().french.ends_with("(M1)")
        );
        assert!(said.next_step().unwrap().english.contains("ardoise warrant extend"));
        let conflict = Refusal::from(Worded::contradicts("it is there", "c’est là"));
        assert_eq!(
            (conflict.code(), conflict.rule(), conflict.to_string().as_str()),
            ("conflict", None, "it is there")
        );
    }
}

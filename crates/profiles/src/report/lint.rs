//! What is wrong with layers, each by itself and any two of them on one tablet.

use serde_json::{Value as Json, json};
use types::Day;

use super::Source;
use crate::combine::{added_in_vain, combine};
use crate::emergency::EmergencyOrder;
use crate::layer::{Layer, LayerKind};
use crate::parse::inspect;
use crate::problem::{Problem, Severity};
use crate::refusal::Refusal;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct LintReport {
    /// Each text, in the order given.
    pub files: Vec<FileReport>,
    /// Layers that are right each, and do not go together.
    pub together: Vec<Together>,
    /// Apps that a collège adds and the base blocks: they go together, and no tablet has the app. A server refuses such a
    /// layer of a collège.
    pub in_vain: Vec<Together>,
    /// How many ways of putting layers together were tried.
    pub tried: usize,
}

/// One text.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// Its name.
    pub file: String,
    /// What it says it is, if it can be used.
    pub layer: Option<String>,
    /// What was found.
    pub problems: Vec<Problem>,
}

/// Layers that do not go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Together {
    /// The texts.
    pub files: Vec<String>,
    /// Why not.
    pub refusals: Vec<Refusal>,
}

impl LintReport {
    /// Whether anything keeps the layers from being used.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let wrong = |report: &FileReport| report.problems.iter().any(|it| it.severity == Severity::Error);
        self.files.iter().any(wrong) || !self.together.is_empty()
    }

    /// How many problems of each severity there are in the texts.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let problems = self.files.iter().flat_map(|report| &report.problems);
        problems.filter(|problem| problem.severity == severity).count()
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let files = self.files.iter().map(|report| {
            json!({
                "file": report.file,
                "layer": report.layer,
                "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
            })
        });
        let one = |together: &Together| {
            json!({
                "files": together.files,
                "refusals": together.refusals.iter().map(refusal).collect::<Vec<_>>(),
            })
        };
        let together = |all: &[Together]| all.iter().map(one).collect::<Vec<Json>>();
        json!({
            "ok": !self.is_refused(),
            "errors": self.count(Severity::Error),
            "advice": self.count(Severity::Advice),
            "tried": self.tried,
            "files": files.collect::<Vec<_>>(),
            "together": together(&self.together),
            "in_vain": together(&self.in_vain),
        })
    }
}

/// A problem, for programs.
pub(super) fn problem(problem: &Problem) -> Json {
    json!({
        "file": problem.file,
        "line": problem.line,
        "severity": match problem.severity { Severity::Error => "error", Severity::Advice => "advice" },
        "path": problem.path,
        "what": problem.what,
        "right": problem.right,
        "rule": problem.rule.map(types::RuleId::as_str),
    })
}

/// A refusal, for programs.
pub(super) fn refusal(refusal: &Refusal) -> Json {
    json!({ "what": refusal.to_string(), "rule": refusal.rule().map(types::RuleId::as_str) })
}

/// Looks at layers: each text, each base with each other layer, and with any two of them. What contradicts does so in
/// pairs, so that more need not be tried.
#[must_use]
pub fn lint(sources: &[Source<'_>], today: Day) -> LintReport {
    let (mut files, mut layers) = (Vec::new(), Vec::new());
    for source in sources {
        let parsed = inspect(source.file, source.text);
        let name = parsed.layer.as_ref().map(|layer| layer.name().to_string());
        files.push(FileReport { file: source.file.to_owned(), layer: name, problems: parsed.problems });
        layers.extend(parsed.layer.map(|layer| (source.file, layer)));
    }
    let mut tries = Tries { together: Vec::new(), tried: 0, today };
    let (bases, others): (Vec<_>, Vec<_>) = layers.iter().partition(|(_, layer)| layer.is_base());
    let mut in_vain = Vec::new();
    for (base_file, base) in &bases {
        for (file, layer) in &others {
            let refusals = added_in_vain(layer, base);
            if !refusals.is_empty() {
                let files = vec![(*base_file).to_owned(), (*file).to_owned()];
                in_vain.push(Together { files, refusals });
            }
        }
    }
    let ordinary = bases.iter().find(|(_, layer)| *layer.kind() == LayerKind::Base);
    for base in &bases {
        tries.put_together(base, ordinary, &[]);
        for (position, one) in others.iter().enumerate() {
            tries.put_together(base, ordinary, &[one]);
            for other in others.iter().skip(position + 1).filter(|other| may_meet(&one.1, &other.1)) {
                tries.put_together(base, ordinary, &[one, other]);
            }
        }
    }
    LintReport { files, together: tries.together, in_vain, tried: tries.tried }
}

/// Whether a tablet can have both.
fn may_meet(one: &Layer, other: &Layer) -> bool {
    match (one.kind(), other.kind()) {
        (LayerKind::User(_), LayerKind::User(_))
        | (LayerKind::College(_), LayerKind::College(_))
        | (LayerKind::Mode(_), LayerKind::Mode(_)) => false,
        _ => one.name() != other.name(),
    }
}

type Named<'f> = (&'f str, Layer);

struct Tries {
    together: Vec<Together>,
    tried: usize,
    today: Day,
}

impl Tries {
    fn put_together(&mut self, base: &Named<'_>, ordinary: Option<&&Named<'_>>, others: &[&Named<'_>]) {
        self.tried += 1;
        let order = (*base.1.kind() == LayerKind::Emergency)
            .then(|| EmergencyOrder::new(base.1.clone(), "essai", self.today, self.today).ok())
            .flatten();
        // An order replaces an ordinary base; an emergency base looked at alone stands for itself.
        let stood_in_for = match (&order, ordinary) {
            (Some(_), Some((_, layer))) => layer.clone(),
            (Some(_), None) => as_ordinary(&base.1),
            (None, _) => base.1.clone(),
        };
        let layers = std::iter::once(&stood_in_for).chain(others.iter().map(|(_, layer)| layer));
        let Err(refusals) = combine(layers, order.as_ref(), self.today) else { return };
        let known: Vec<&Refusal> = self.together.iter().flat_map(|together| &together.refusals).collect();
        let new: Vec<Refusal> = refusals.into_iter().filter(|refusal| !known.contains(&refusal)).collect();
        if !new.is_empty() {
            let files = std::iter::once(base.0).chain(others.iter().map(|(file, _)| *file));
            self.together.push(Together { files: files.map(str::to_owned).collect(), refusals: new });
        }
    }
}

/// An emergency base in the ordinary one's place.
pub(super) fn as_ordinary(emergency: &Layer) -> Layer {
    let mut layer = emergency.clone();
    layer.name.kind = LayerKind::Base;
    layer
}

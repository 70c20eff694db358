//! Problems of a spec, each with its place, the line, a caret and a hint.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::job::problem::{Problem, Severity, SourceText};

pub(super) fn render(sources: &[SourceText], problems: &[Problem], styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let file = sources.first().map_or("", |source| source.name.as_str());
    problems.iter().map(|problem| renderer.render(&report(file, sources, problem)) + "\n").collect()
}

fn report<'a>(file: &'a str, sources: &'a [SourceText], problem: &'a Problem) -> Vec<Group<'a>> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(problem.message.as_str());
    let mut group = match problem.place.as_ref().and_then(|place| Some((place, sources.get(place.source)?))) {
        Some((place, source)) => title.element(snippet(source, place.bytes.clone(), &problem.label)),
        None => title.element(annotate_snippets::Origin::path(file)),
    };
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
    }
    vec![group]
}

fn snippet<'a>(
    source: &'a SourceText,
    bytes: std::ops::Range<usize>,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotation = AnnotationKind::Primary.span(bytes).label((!label.is_empty()).then_some(label));
    Snippet::source(source.text.as_str()).path(source.name.as_str()).fold(true).annotation(annotation)
}

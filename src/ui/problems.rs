//! Problems of a spec, each with its place, the line, a caret and a hint.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::Text;
use crate::job::problem::{Problem, Severity, SourceText};
use crate::model::{printable, printable_offset};

pub(super) fn render(sources: &[SourceText], problems: &[Problem]) -> Text {
    let renderer = Renderer::styled();
    let file = printable(sources.first().map_or("", |source| source.name.as_str()));
    // Each report is made of printable text alone.
    Text::rendered(problems.iter().map(|problem| renderer.render(&report(&file, sources, problem)) + "\n").collect())
}

fn report<'a>(file: &'a str, sources: &'a [SourceText], problem: &'a Problem) -> Vec<Group<'a>> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&problem.message));
    let mut group = match problem.place.as_ref().and_then(|place| Some((place, sources.get(place.source)?))) {
        Some((place, source)) => title.element(snippet(source, &place.bytes, &problem.label)),
        None => title.element(Origin::path(file)),
    };
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.with_name("hint").message(printable(hint)));
    }
    vec![group]
}

fn snippet<'a>(
    source: &'a SourceText,
    bytes: &Range<usize>,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    // What is replaced is longer or shorter than what was there.
    let [start, end] = [bytes.start, bytes.end].map(|at| printable_offset(&source.text, at));
    let annotation = AnnotationKind::Primary.span(start..end).label((!label.is_empty()).then(|| printable(label)));
    Snippet::source(printable(&source.text)).path(printable(&source.name)).fold(true).annotation(annotation)
}

//! Renders the problems of a spec, each with its location, source lines, a caret and a hint.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::Text;
use crate::job::diagnostics::problem::{Location, Problem, Severity, SourceText, char_boundary, line_and_column};
use crate::model::{one_line, printable, printable_offset};

/// Maximum size of the source lines shown with a problem, in bytes. The renderer takes time per byte, and a line of a
/// megabyte may have a hundred problems.
const MAX_SHOWN_BYTES: usize = 16 * 1024;

/// Renders problems, one report after the other.
pub(super) fn render(sources: &[SourceText], problems: &[Problem]) -> Text {
    let renderer = Renderer::styled();
    let file = one_line(sources.first().map_or("", |source| source.name.as_str()));
    // Each report consists of printable text.
    Text::rendered(problems.iter().map(|problem| renderer.render(&report(&file, sources, problem)) + "\n").collect())
}

/// Builds the report of a problem.
fn report<'a>(file: &'a str, sources: &'a [SourceText], problem: &'a Problem) -> Vec<Group<'a>> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&problem.message));
    let mut group = match problem.place.as_ref().and_then(|place| Some((place, sources.get(place.source)?))) {
        Some((place, source)) => match snippet(source, &place.bytes, &problem.label) {
            Some(snippet) => title.element(snippet),
            None => title.element(origin(source, place)).element(excerpt(source, &place.bytes)),
        },
        None => title.element(Origin::path(file)),
    };
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.with_name("hint").message(printable(hint)));
    }
    vec![group]
}

/// Returns the source lines of a location with a caret; `None` if they are too long.
fn snippet<'a>(
    source: &'a SourceText,
    bytes: &Range<usize>,
    label: &'a str,
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let lines = lines(&source.text, bytes);
    let shown = source.text.get(lines.clone()).filter(|shown| shown.len() <= MAX_SHOWN_BYTES)?;
    // Replacing unprintable characters changes offsets.
    let [start, end] = [bytes.start, bytes.end].map(|at| printable_offset(shown, at.saturating_sub(lines.start)));
    let annotation = AnnotationKind::Primary.span(start..end).label((!label.is_empty()).then(|| printable(label)));
    let (first, _) = line_and_column(&source.text, lines.start);
    let snippet = Snippet::source(printable(shown)).line_start(first).path(one_line(&source.name));
    Some(snippet.fold(true).annotation(annotation))
}

/// Number of characters that are shown of a line that is too long: before the place, which names the key, and from its
/// start on.
const CHARS_BEFORE: usize = 80;
const CHARS_AFTER: usize = 20;

/// Returns the text around a place whose lines are too long to be shown.
fn excerpt<'a>(source: &SourceText, bytes: &Range<usize>) -> annotate_snippets::Message<'a> {
    let at = char_boundary(&source.text, bytes.start);
    let (before, after) = source.text.split_at(at);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.lines().next().unwrap_or_default();
    let cut_before = before.char_indices().rev().nth(CHARS_BEFORE - 1).map_or(0, |(start, _)| start);
    let cut_after = after.char_indices().nth(CHARS_AFTER).map_or(after.len(), |(end, _)| end);
    let shown = before.get(cut_before..).unwrap_or_default().to_owned() + after.get(..cut_after).unwrap_or_default();
    let start = if cut_before > 0 { "..." } else { "" };
    let end = if cut_after < after.len() { "..." } else { "" };
    Level::NOTE.with_name("at").message(format!("{start}{}{end}", one_line(shown)))
}

/// Returns the byte range of the lines that a range touches, line ends included. At the start of a line it includes the
/// line before, so that the end of the text shows at the end of its last line.
fn lines(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let before = text.get(..char_boundary(text, bytes.start.saturating_sub(1))).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = char_boundary(text, bytes.end);
    let after = text.get(end..).unwrap_or_default();
    start..after.find('\n').map_or(text.len(), |newline| end + newline + 1)
}

/// Returns a location as file, line and column.
fn origin<'a>(source: &'a SourceText, place: &Location) -> Origin<'a> {
    let (line, column) = line_and_column(&source.text, place.bytes.start);
    Origin::path(one_line(&source.name)).line(line).char_column(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, bytes: Range<usize>) -> String {
        let source = SourceText { name: "job.toml".to_owned(), text: text.to_owned() };
        let problem = Problem::error("it is wrong").at(&Location { source: 0, bytes });
        render(&[source], &[problem]).shown(false).into_owned()
    }

    #[test]
    fn the_lines_of_the_place_are_shown_by_their_numbers() {
        let text = "a = 1\r\nbc = \u{1b}\u{fc}\nd";
        assert_eq!(shown(text, 7..9), "error: it is wrong\n --> job.toml:2:1\n  |\n2 | bc = \u{fffd}\u{fc}\n  | ^^\n");
        let end = text.len();
        assert_eq!(shown(text, end - 1..end), "error: it is wrong\n --> job.toml:3:1\n  |\n3 | d\n  | ^\n");
        assert_eq!(shown("a =\n", 4..4), "error: it is wrong\n --> job.toml:1:5\n  |\n1 | a =\n  |    ^\n");
    }

    #[test]
    fn a_line_that_is_too_long_is_shown_from_its_key_to_the_value_s_start() {
        let text = format!("a = 1\nb = \"{}\"\n", "\u{fc}".repeat(MAX_SHOWN_BYTES));
        let cut = "\u{fc}".repeat(CHARS_AFTER);
        let place = text.find('\u{fc}').expect("a value");
        let expected = format!("error: it is wrong\n--> job.toml:2:6\n = at: b = \"{cut}...\n");
        assert_eq!(shown(&text, place..place + 2), expected);
        let text = "x = 1\n".repeat(200_000);
        let at = text.len() - 6;
        assert!(shown(&text, at..at + 1).contains("\n200000 | x = 1\n"));
    }
}

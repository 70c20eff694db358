//! Output of `validate`: one JSON object for each file.

use std::path::Path;

use serde::Serialize;

use super::VERSION;
use crate::job::diagnostics::problem::{Problem, SourceText, line_and_column};

/// A job spec that was checked.
#[derive(Debug, Serialize)]
pub(crate) struct ValidationJson<'a> {
    version: u32,
    /// The file as it was named on the command line.
    file: String,
    /// False if a problem is an error.
    valid: bool,
    problems: Vec<ProblemJson<'a>>,
}

/// A problem of a spec, or of settings that stand below it.
#[derive(Debug, Serialize)]
struct ProblemJson<'a> {
    /// `error` or `warning`.
    severity: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
    /// File, variable or flag that has the value; `null` for a problem of the whole spec.
    source: Option<&'a str>,
    /// Line in the source, from 1.
    line: Option<usize>,
    /// Column in characters, from 1.
    column: Option<usize>,
}

impl<'a> ValidationJson<'a> {
    pub(crate) fn of(file: &Path, sources: &'a [SourceText], problems: &'a [Problem]) -> Self {
        Self {
            version: VERSION,
            file: file.display().to_string(),
            valid: !problems.iter().any(Problem::is_error),
            problems: problems.iter().map(|problem| self::problem(sources, problem)).collect(),
        }
    }
}

fn problem<'a>(sources: &'a [SourceText], problem: &'a Problem) -> ProblemJson<'a> {
    let place = problem.place.as_ref().and_then(|place| Some((place, sources.get(place.source)?)));
    let position = place.map(|(place, source)| line_and_column(&source.text, place.bytes.start));
    ProblemJson {
        severity: if problem.is_error() { "error" } else { "warning" },
        message: &problem.message,
        hint: problem.hint.as_deref(),
        source: place.map(|(_, source)| source.name.as_str()),
        line: position.map(|(line, _)| line),
        column: position.map(|(_, column)| column),
    }
}

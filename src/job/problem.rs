//! What is wrong with a spec, and where: data for whoever prints it.

use std::ops::Range;
use std::path::PathBuf;

/// One text that a value can come from: the spec's file, or a flag of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceText {
    /// What stands before `:LINE:COLUMN`: the file as the user named it, or `--set`.
    pub(crate) name: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// A place: bytes of the `source`-th text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) bytes: Range<usize>,
}

/// One problem. Lines and columns are counted by the one who prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    /// The fact, lower case, no full stop: ``unknown key `epoch` ``.
    pub(crate) message: String,
    /// What stands beside the caret; may be empty.
    pub(crate) label: String,
    /// What to do: `did you mean ...?`
    pub(crate) hint: Option<String>,
    /// `None` when the problem is of the whole file (missing, too large, not text).
    pub(crate) place: Option<Place>,
}

/// A spec that can't be used, with every problem that was found.
#[derive(Clone, Debug)]
pub(crate) struct InvalidSpec {
    pub(crate) path: PathBuf,
    /// The spec's file first, then the flags in their order.
    pub(crate) sources: Vec<SourceText>,
    pub(crate) problems: Vec<Problem>,
}

//! What a command said: its output and its exit code, whole, or fit for a snapshot.

use std::fmt;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use super::TestResult;

/// One command's end.
#[derive(Clone, Debug)]
pub(crate) struct CommandOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit code; 128 and the signal's number for a command that a signal ended, as a shell has it.
    pub(crate) code: i32,
    /// The bytes of stdout, then of stderr, where they may be no text.
    pub(crate) raw: Vec<u8>,
}

impl CommandOutput {
    /// The command itself, when it exited with `code`; else an error that shows all it said.
    pub(crate) fn expect(self, code: i32) -> TestResult<Self> {
        if self.code == code { Ok(self) } else { Err(format!("expected exit code {code}:\n{self}").into()) }
    }

    /// [`Self::expect`] 0.
    pub(crate) fn ok(self) -> TestResult<Self> {
        self.expect(0)
    }

    /// stdout without the line end: a job's name, a path.
    pub(crate) fn line(&self) -> &str {
        self.stdout.trim_end_matches('\n')
    }

    /// stdout's lines.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// stdout as one JSON value.
    pub(crate) fn json(&self) -> TestResult<Value> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("{error} in:\n{self}").into())
    }

    /// stdout as one JSON value a line.
    pub(crate) fn json_lines(&self) -> TestResult<Vec<Value>> {
        let parse = |line| serde_json::from_str(line).map_err(|error| format!("{error} in:\n{self}").into());
        self.stdout.lines().map(parse).collect()
    }

    /// Everything, for a snapshot: with [`normalised`] names, times and digests, and `root` as `[SANDBOX]`.
    pub(crate) fn snapshot(&self, root: &Path) -> TestResult<String> {
        normalised(&self.to_string().replace(&root.display().to_string(), "[SANDBOX]"))
    }
}

impl fmt::Display for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stdout, stderr, code, raw: _ } = self;
        write!(f, "exit code: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// What differs from run to run, by its kind: `[STAMP]` in job names, `[TIME]`, `[SHA256]`, `[SIZE]`.
pub(crate) fn normalised(text: &str) -> TestResult<String> {
    let mut text = text.to_owned();
    for (pattern, name) in [
        (r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3}", "[STAMP]"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "[TIME]"),
        (r"\b[0-9a-f]{64}\b", "[SHA256]"),
        // Compressed sizes change with the library that compresses.
        (r"[0-9.]+ [KM]?i?B packed", "[SIZE] packed"),
    ] {
        text = Regex::new(pattern)?.replace_all(&text, name).into_owned();
    }
    Ok(text)
}

//! What a command said: its output and its exit code, whole, or fit for a snapshot.

use std::fmt;
use std::path::Path;

use regex::{Captures, Regex};
use serde_json::Value;

use super::TestResult;

/// Accounts that are the same in every run: that of local jobs, that of the tests, those of AWS's images. An account of the
/// emulator depends on the order of the tests.
const FIXED_ACCOUNTS: [&str; 4] = ["000000000000", "111122223333", "763104351884", "141502667606"];

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

    /// stderr from its first error on, for a snapshot: where the phases before it depend on the moment.
    pub(crate) fn error_snapshot(&self, root: &Path) -> TestResult<String> {
        let stderr = self.stderr_snapshot(root)?;
        let lines = stderr.split_inclusive('\n').skip_while(|line| !line.starts_with("error: "));
        Ok(lines.collect())
    }

    /// stderr alone, for a snapshot: where stdout is checked as JSON or is long.
    pub(crate) fn stderr_snapshot(&self, root: &Path) -> TestResult<String> {
        normalised(&self.stderr.replace(&root.display().to_string(), "[SANDBOX]"))
    }
}

impl fmt::Display for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stdout, stderr, code, raw: _ } = self;
        write!(f, "exit code: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// The output of several commands, each under a title: one snapshot for all rounds of a loop. Titles of rounds in a row
/// that have the same output stand together.
#[derive(Debug, Default)]
pub(crate) struct Transcript(Vec<(String, String)>);

impl Transcript {
    /// Adds what a command said: its exit code, and the streams that are not empty.
    pub(crate) fn add(&mut self, title: impl fmt::Display, said: &CommandOutput) {
        let mut output = format!("exit code: {}\n", said.code);
        for (name, text) in [("stdout", &said.stdout), ("stderr", &said.stderr)] {
            if !text.is_empty() {
                output.extend([format!("--- {name}\n{}\n", text.strip_suffix('\n').unwrap_or(text))]);
            }
        }
        self.0.push((title.to_string(), output));
    }

    /// Adds what a command said on stderr, where stdout is long or checked as JSON.
    pub(crate) fn add_stderr(&mut self, title: impl fmt::Display, said: &CommandOutput) {
        self.add(title, &CommandOutput { stdout: String::new(), ..said.clone() });
    }

    /// Everything, for a snapshot, with `root` as `[SANDBOX]`.
    pub(crate) fn snapshot(&self, root: &Path) -> TestResult<String> {
        Ok(self.text()?.replace(&root.display().to_string(), "[SANDBOX]"))
    }

    /// Everything, [`normalised`]: for rounds in sandboxes of their own.
    pub(crate) fn text(&self) -> TestResult<String> {
        let mut text = String::new();
        let mut last = String::new();
        let mut last_title = String::new();
        for (title, output) in &self.0 {
            let title = normalised(title)?;
            let output = normalised(output)?;
            if output == last && title == last_title {
                continue;
            }
            if output != last {
                text += &std::mem::replace(&mut last, output);
            }
            text.extend([format!("## {title}\n")]);
            last_title = title;
        }
        Ok(text + &last)
    }
}

/// Replaces what differs from run to run by its kind: `[SANDBOX]`, `[STAMP]` in job names, `[TIME]`, `[SHA256]`, `[SIZE]`,
/// `[S]`, `[PYTHON]`, `[VERSION]`, `[ETAG]`, `[TEMPORARY]`, `[EPOCH]`, `[UPLOAD]`, `[REQUEST]`, `[PORT]`, `[ACCOUNT]`. A
/// control character that would act on the terminal of the reader is named: `[ESC]`, `[CR]`.
pub(crate) fn normalised(text: &str) -> TestResult<String> {
    let mut text = text.to_owned();
    for (pattern, name) in [
        (r"(/[\w.-]+)*/smtrain-it-\w+", "[SANDBOX]"),
        (r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3}", "[STAMP]"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "[TIME]"),
        (r"\b[0-9a-f]{64}\b", "[SHA256]"),
        // Compressed sizes change with the library that compresses.
        (r"[0-9.]+ [KM]?i?B packed", "[SIZE] packed"),
        // In the columns of tables: how long something took.
        (r"(  +)\d+s\b", "$1[S]"),
        // A line that says how long the phases took, which there is only where one took a second.
        (r"(?m)^(?:(?:Starting|Downloading|Training|Uploading) [\dhms ]+(?:, )?)+\n", ""),
        (r"\bbilled \d+s\b", "billed [S]"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "[REQUEST]"),
        (r#"Command "[^" ]*/python[\d.]*"#, r#"Command "[PYTHON]"#),
        (r"(smtrain:version\s+)\d+\.\d+\.\d+", "$1[VERSION]"),
        (r#""etag":"[^"]*""#, r#""etag":"[ETAG]""#),
        (r"/\.(tmp|new-)\w{6}\b", "/.$1[TEMPORARY]"),
        (r"\b(algo-\d+)-\d{10}\b", "$1-[EPOCH]"),
        (r"\bthe upload \w{20,}", "the upload [UPLOAD]"),
        (r"\b127\.0\.0\.1:\d{4,5}\b", "127.0.0.1:[PORT]"),
        ("\u{1b}", "[ESC]"),
        ("\r", "[CR]"),
    ] {
        text = Regex::new(pattern)?.replace_all(&text, name).into_owned();
    }
    let account =
        |digits: &Captures<'_>| if FIXED_ACCOUNTS.contains(&&digits[0]) { &digits[0] } else { "[ACCOUNT]" }.to_owned();
    Ok(Regex::new(r"\b\d{12}\b")?.replace_all(&text, account).into_owned())
}

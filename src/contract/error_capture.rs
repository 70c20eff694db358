//! Extracts the ErrorMessage of a failed script from its output, as the toolkit does.
//!
//! Source: sagemaker-training 5.1.4, `process.watch` and `process.check_error`, as the framework images call them
//! (`capture_error=True`). The toolkit strips each read of up to 64 KiB; here each line is stripped.

use std::collections::HashSet;

use memchr::memmem;

/// Limit of the lines kept of one stream, in bytes. A FailureReason has 1024 characters; the rest is for
/// `output/failure`.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// Substrings of which every mark contains one: nearly all lines are dismissed without being searched for each mark.
const STEMS: [&str; 5] = ["Error", "Exception", "Invalid requirement", "mpirun.real", "ORTE"];

/// The message starts with the first line that contains one of these.
const MARKS: [&str; 60] = [
    "BaseException",
    "Exception",
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "EOFError",
    "EnvironmentError",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "IOError",
    "ImportError",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "SyntaxError",
    "SystemError",
    "TabError",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "ValueError",
    "ZeroDivisionError",
    "Invalid requirement",
    "ResourceExhaustedError",
    "OutOfRangeError",
    "InvalidArgumentError",
    "mpirun.real",
    "ORTE",
    "ExecuteUserScriptError",
    "InstallRequirementsError",
    "InstallModuleError",
    "XlaRuntimeError",
];

/// The part of the message from one stream, in bounded memory.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCapture {
    /// Prepared searches, since every line is searched for them.
    stems: [memmem::Finder<'static>; STEMS.len()],
    lines: Vec<String>,
    seen: HashSet<String>,
    /// Size of `lines`, in bytes.
    kept: usize,
}

impl Default for ErrorCapture {
    fn default() -> Self {
        Self { stems: STEMS.map(memmem::Finder::new), lines: Vec::new(), seen: HashSet::new(), kept: 0 }
    }
}

impl ErrorCapture {
    /// Adds the next line of the stream, with or without its line feed.
    pub(crate) fn line(&mut self, line: &[u8]) {
        if self.kept >= MAX_KEPT_BYTES || (self.lines.is_empty() && !self.is_marked(line)) {
            return;
        }
        let room = line.len().min(MAX_KEPT_BYTES - self.kept);
        let text = String::from_utf8_lossy(line.get(..room).unwrap_or(line));
        self.keep(text.trim_matches([' ', ':', '\n', '\r']));
    }

    fn is_marked(&self, line: &[u8]) -> bool {
        let has = |mark: &&str| memmem::find(line, mark.as_bytes()).is_some();
        self.stems.iter().any(|stem| stem.find(line).is_some()) && MARKS.iter().any(has)
    }

    fn keep(&mut self, text: &str) {
        // The toolkit compares the first line in another form, so that it may be repeated once.
        if !self.lines.is_empty() && !self.seen.insert(text.to_owned()) {
            return;
        }
        self.kept += text.len() + 1;
        self.lines.push(text.to_owned());
    }

    /// Returns the message if both streams were captured as one.
    pub(crate) fn message(&self) -> String {
        Self::joined(&Self::default(), self)
    }

    /// Returns the message of a script: the lines of its standard output, then of its standard error, without
    /// repetitions.
    pub(crate) fn joined(stdout: &Self, stderr: &Self) -> String {
        let all = stdout.lines.iter().chain(&stderr.lines).enumerate();
        let spaced = all.map(|(index, line)| match index {
            0 if !stdout.lines.is_empty() => line.clone(),
            _ => format!(" {line}"),
        });
        let mut seen = HashSet::new();
        let lines: Vec<_> = spaced.filter(|line| seen.insert(line.clone())).collect();
        lines.join("\n").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> ErrorCapture {
        let mut capture = ErrorCapture::default();
        lines.into_iter().for_each(|line| capture.line(line));
        capture
    }

    #[test]
    fn starts_at_the_first_line_that_names_an_error() {
        let lines = [
            "Epoch 1: my Error rate",
            "Traceback (most recent call last):",
            "  File \"train.py\", line 3, in <module>",
            "    raise ValueError(\"no data\")",
            "ValueError: no data",
            "ValueError: no data",
            "done:",
        ];
        let capture = captured(lines.map(str::as_bytes));
        assert_eq!(capture.message(), "raise ValueError(\"no data\")\n ValueError: no data\n done");
        assert_eq!(captured([&b"all is well"[..]]).message(), "");
    }

    #[test]
    fn both_streams_without_repeats() {
        let stdout = captured([&b"KeyError: 'a'"[..], b"more"]);
        let stderr = captured([&b"KeyError: 'a'"[..], b"more", b"KeyError: 'a'"]);
        assert_eq!(ErrorCapture::joined(&stdout, &stderr), "KeyError: 'a'\n more\n KeyError: 'a'");
    }

    #[test]
    fn keeps_little_of_much() {
        let mut capture = captured([&b"RuntimeError: \xff\xfe"[..]]);
        for number in 0..100_000 {
            capture.line(format!("line {number}").as_bytes());
        }
        capture.line(&vec![b'x'; 1 << 20]);
        let message = capture.message();
        assert!(message.starts_with("RuntimeError: \u{fffd}\u{fffd}\n line 0\n line 1\n"));
        assert!(message.len() < 2 * MAX_KEPT_BYTES, "{}", message.len());
        assert!(
            captured([&[b"OSError".as_slice(), &vec![b'y'; 1 << 20]].concat()[..]]).message().len() <= MAX_KEPT_BYTES
        );
    }

    #[test]
    fn every_mark_has_a_stem() {
        for mark in MARKS {
            assert!(STEMS.iter().any(|stem| mark.contains(stem)), "{mark}");
        }
    }
}

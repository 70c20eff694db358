//! Log events as lines: for a terminal, for a pipe, and as JSON.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;
use crate::ui::{Style, Text, log_text};

/// How the lines of a log are shown.
#[derive(Clone, Debug)]
pub(crate) struct LogFormat {
    pub(crate) kind: Kind,
    pub(crate) stamp: Option<Stamp>,
    /// Each line starts with its node, in so many columns.
    pub(crate) prefix: Option<usize>,
    /// The nodes' names are coloured.
    pub(crate) colored: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a progress bar overwrites is overwritten.
    Terminal,
    /// What a progress bar overwrites is left out.
    Pipe,
    /// One object a line, overwritten lines too.
    Json,
}

/// The time that a line starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Local,
    Utc,
    /// Since the job was created.
    Since(Timestamp),
}

/// A line on its way to be shown.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) stream: LogStream,
    pub(crate) event: LogEvent,
    /// Newer ones have been shown before.
    pub(crate) late: bool,
    /// How many nodes printed it, where several lines are shown as one.
    pub(crate) times: usize,
}

/// One log event.
#[derive(Debug, Serialize)]
struct EventJson<'a> {
    version: u32,
    /// RFC 3339, UTC, to the millisecond.
    timestamp: String,
    /// `algo-1`.
    node: &'a str,
    /// Bytes that are no UTF-8 are replaced.
    message: Cow<'a, str>,
    /// The next message of the node stands in this one's place: a progress bar.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overwritten: bool,
    /// No line of the job's: others may be missing here, and the message says why.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gap: bool,
    /// Newer lines have been shown before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    late: bool,
    /// How many nodes printed it, with --fold.
    #[serde(skip_serializing_if = "is_one")]
    times: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(times: &usize) -> bool {
    *times == 1
}

impl LogFormat {
    /// Appends the line to `out`, line end included; nothing where it is not to be seen.
    pub(crate) fn write(&self, line: &LogLine, out: &mut Vec<u8>) -> Result<()> {
        let (message, overwritten) = parts(&line.event.message);
        match self.kind {
            Kind::Json => out.extend(json(line, message, overwritten)?.as_bytes()),
            Kind::Pipe if overwritten => return Ok(()),
            Kind::Pipe => self.lines(line, message, out, |text, out| out.extend_from_slice(text)),
            Kind::Terminal => self.lines(line, message, out, log_text),
        }
        // A terminal goes back to the line's start; what comes next starts with clearing it.
        out.extend_from_slice(if overwritten && self.kind == Kind::Terminal { b"\x1b[K\r" } else { b"\n" });
        Ok(())
    }

    /// Appends each line of an event with the node and time: a line feed in it must not make a line of another node's.
    fn lines(&self, line: &LogLine, message: &[u8], out: &mut Vec<u8>, write: fn(&[u8], &mut Vec<u8>)) {
        let mut rest = message;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (text, after) = rest.split_at(end);
            self.head(line, out);
            write(text, out);
            out.push(b'\n');
            rest = after.get(1..).unwrap_or_default();
        }
        self.head(line, out);
        write(rest, out);
    }

    fn head(&self, line: &LogLine, out: &mut Vec<u8>) {
        if let Some(stamp) = self.stamp {
            out.extend(stamp.text(line.event.timestamp).into_bytes());
            out.push(b' ');
        }
        let Some(width) = self.prefix else { return };
        let node = if line.times > 1 { format!("[x{}]", line.times) } else { line.stream.node().to_owned() };
        let style = if self.colored { Style::of_node(line.stream.number()) } else { Style::Plain };
        let head = Text::styled(style, format_args!("{node:<width$} |"));
        out.extend_from_slice(head.shown(self.colored).as_bytes());
        out.push(b' ');
    }
}

impl Stamp {
    fn text(self, at: Timestamp) -> String {
        match self {
            Self::Local => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            Self::Utc => format!("{at:.3}"),
            Self::Since(start) => {
                let seconds = at.duration_since(start).as_millis();
                let (sign, seconds) = (if seconds < 0 { "-" } else { "+" }, seconds.unsigned_abs());
                let (hours, minutes) = (seconds / 3_600_000, seconds / 60_000 % 60);
                format!("{sign}{hours:02}:{minutes:02}:{:02}.{:03}", seconds / 1000 % 60, seconds % 1000)
            }
        }
    }
}

/// The message as it is seen, and whether the next one overwrites it. Of carriage returns inside a message, which other
/// places keep, only what follows the last is seen.
pub(crate) fn parts(message: &[u8]) -> (&[u8], bool) {
    let (message, overwritten) = match message.strip_suffix(b"\r") {
        Some(message) => (message, true),
        None => (message, false),
    };
    let seen = memchr::memrchr(b'\r', message).map_or(message, |at| message.get(at + 1..).unwrap_or_default());
    (seen, overwritten)
}

fn json(line: &LogLine, message: &[u8], overwritten: bool) -> Result<String> {
    super::json_line(&EventJson {
        version: super::VERSION,
        timestamp: format!("{:.3}", line.event.timestamp),
        node: line.stream.node(),
        message: String::from_utf8_lossy(message),
        overwritten,
        gap: line.event.is_gap,
        late: line.late,
        times: line.times,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &[u8]) -> LogLine {
        let stream = LogStream { name: "job/algo-1-1".into() };
        let event =
            LogEvent { timestamp: Timestamp::UNIX_EPOCH, ingested: None, message: message.to_vec(), is_gap: false };
        LogLine { stream, event, late: false, times: 1 }
    }

    #[test]
    fn every_line_of_an_event_is_its_node_s() -> Result<()> {
        let mut out = Vec::new();
        let format = LogFormat { kind: Kind::Pipe, stamp: None, prefix: Some(6), colored: false };
        format.write(&line(b"a\nalgo-2 | b\n"), &mut out)?;
        assert_eq!(String::from_utf8_lossy(&out), "algo-1 | a\nalgo-1 | algo-2 | b\nalgo-1 | \n");
        Ok(())
    }

    fn shown(kind: Kind, message: &[u8]) -> Result<String> {
        let mut out = Vec::new();
        LogFormat { kind, stamp: None, prefix: None, colored: false }.write(&line(message), &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn a_progress_bar() -> Result<()> {
        assert_eq!(shown(Kind::Terminal, b" 5%\r")?, " 5%\x1b[K\r");
        assert_eq!(shown(Kind::Pipe, b" 5%\r")?, "");
        assert_eq!(shown(Kind::Pipe, b" 5%\r 6%")?, " 6%\n");
        assert!(shown(Kind::Json, b" 5%\r")?.contains(r#""message":" 5%","overwritten":true"#));
        Ok(())
    }

    #[test]
    fn only_a_terminal_gets_less_than_was_printed() -> Result<()> {
        assert_eq!(shown(Kind::Terminal, b"a\x1b[2Jb\x1b[31mred")?, "a\u{241b}[2Jb\x1b[31mred\x1b[0m\n");
        assert_eq!(shown(Kind::Pipe, b"a\x1b[2J\0\xff")?, "a\x1b[2J\0\u{fffd}\n");
        Ok(())
    }

    #[test]
    fn nodes_and_times_stand_before_the_text() -> Result<()> {
        let format = |stamp| LogFormat { kind: Kind::Pipe, stamp: Some(stamp), prefix: Some(7), colored: false };
        let mut out = Vec::new();
        format(Stamp::Utc).write(&line(b"text"), &mut out)?;
        let start = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_millis(3_723_004);
        format(Stamp::Since(start)).write(&LogLine { times: 64, ..line(b"text") }, &mut out)?;
        assert_eq!(
            String::from_utf8_lossy(&out),
            "1970-01-01T00:00:00.000Z algo-1  | text\n+01:02:03.004 [x64]   | text\n"
        );
        Ok(())
    }
}

//! Formats log events: for a terminal, for a pipe, or as JSON.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;
use crate::ui::{Style, Text, log_text};

/// Format of log lines.
#[derive(Clone, Debug)]
pub(crate) struct LogFormat {
    pub(crate) style: LogStyle,
    pub(crate) timestamps: Option<TimestampFormat>,
    /// Width of the node name before each line; `None` for no node names.
    pub(crate) prefix: Option<usize>,
    /// Colours the node names.
    pub(crate) colored: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogStyle {
    /// For a terminal: a progress bar overwrites its line.
    Terminal,
    /// For a pipe: lines that a progress bar overwrites are omitted.
    Pipe,
    /// JSON, one object per line, including overwritten lines.
    Json,
}

/// Format of the timestamp before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimestampFormat {
    Local,
    Utc,
    /// Since the job was created.
    Since(Timestamp),
}

/// A line to show.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) stream: LogStream,
    pub(crate) event: LogEvent,
    /// True if a newer line was shown before.
    pub(crate) late: bool,
    /// Number of nodes that printed it, if several lines are shown as one.
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
    /// Message; invalid UTF-8 is replaced. CloudWatch has control characters as text: `#015`.
    message: Cow<'a, str>,
    /// True if the node's next message overwrites this one, as a progress bar does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overwritten: bool,
    /// True for a mark that lines may be missing; the message says why.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gap: bool,
    /// True if a newer line was shown before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    late: bool,
    /// Number of nodes that printed it, with --fold.
    #[serde(skip_serializing_if = "is_one")]
    times: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(times: &usize) -> bool {
    *times == 1
}

impl LogFormat {
    /// Appends a line to `out`, with its line end; nothing if it is not shown.
    pub(crate) fn write(&self, line: &LogLine, out: &mut Vec<u8>) -> Result<()> {
        let (message, overwritten) = visible_part(&line.event);
        match self.style {
            LogStyle::Json => out.extend(json(line)?.as_bytes()),
            LogStyle::Pipe if overwritten => return Ok(()),
            LogStyle::Pipe => self.lines(line, &message, out, |text, out| out.extend_from_slice(text)),
            LogStyle::Terminal => self.lines(line, &message, out, log_text),
        }
        // The cursor returns to the start of the line, which the next line clears.
        out.extend_from_slice(if overwritten && self.style == LogStyle::Terminal { b"\x1b[K\r" } else { b"\n" });
        Ok(())
    }

    /// Appends each line of an event with node and timestamp, so that a line feed in an event cannot imitate a line of
    /// another node.
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

    /// Appends timestamp and node name.
    fn head(&self, line: &LogLine, out: &mut Vec<u8>) {
        if let Some(stamp) = self.timestamps {
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

impl TimestampFormat {
    fn text(self, at: Timestamp) -> String {
        match self {
            Self::Local => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            Self::Utc => format!("{at:.3}"),
            Self::Since(start) => {
                let millis = at.duration_since(start).as_millis();
                let sign = if millis < 0 { "-" } else { "+" };
                let millis = millis.unsigned_abs();
                let hours = millis / 3_600_000;
                let minutes = millis / 60_000 % 60;
                format!("{sign}{hours:02}:{minutes:02}:{:02}.{:03}", millis / 1000 % 60, millis % 1000)
            }
        }
    }
}

/// Returns the visible part of an event, and true if the next event overwrites it. After carriage returns within a
/// line, only the text after the last one is visible. An event of CloudWatch has a whole line with all of its states:
/// no other overwrites it, and a carriage return at its end is a part of its line end.
pub(crate) fn visible_part(event: &LogEvent) -> (Cow<'_, [u8]>, bool) {
    if !event.is_of_service() {
        let (seen, overwritten) = local_part(&event.message);
        return (Cow::Borrowed(seen), overwritten);
    }
    let decoded = event.decoded();
    if memchr::memchr(b'\r', &decoded).is_none() {
        return (decoded, false);
    }
    let lines = decoded.split(|byte| *byte == b'\n').map(last_state);
    (Cow::Owned(lines.collect::<Vec<_>>().join(&b'\n')), false)
}

fn local_part(message: &[u8]) -> (&[u8], bool) {
    let (message, overwritten) = match message.strip_suffix(b"\r") {
        Some(message) => (message, true),
        None => (message, false),
    };
    (after_last_return(message), overwritten)
}

/// Returns what stands in a line at its end: the last of the states that carriage returns separate.
fn last_state(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    after_last_return(line.get(..end).unwrap_or_default())
}

fn after_last_return(line: &[u8]) -> &[u8] {
    memchr::memrchr(b'\r', line).map_or(line, |at| line.get(at + 1..).unwrap_or_default())
}

/// Serializes an event. One of CloudWatch keeps its exact text, in which a progress bar has all of its states.
fn json(line: &LogLine) -> Result<String> {
    let event = &line.event;
    let (message, overwritten) =
        if event.is_of_service() { (event.message.as_slice(), false) } else { local_part(&event.message) };
    super::json_line(&EventJson {
        version: super::VERSION,
        timestamp: format!("{:.3}", event.timestamp),
        node: line.stream.node(),
        message: String::from_utf8_lossy(message),
        overwritten,
        gap: event.is_gap,
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
        let format = LogFormat { style: LogStyle::Pipe, timestamps: None, prefix: Some(6), colored: false };
        format.write(&line(b"a\nalgo-2 | b\n"), &mut out)?;
        assert_eq!(String::from_utf8_lossy(&out), "algo-1 | a\nalgo-1 | algo-2 | b\nalgo-1 | \n");
        Ok(())
    }

    fn shown(style: LogStyle, message: &[u8]) -> Result<String> {
        let mut out = Vec::new();
        LogFormat { style, timestamps: None, prefix: None, colored: false }.write(&line(message), &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn a_progress_bar() -> Result<()> {
        assert_eq!(shown(LogStyle::Terminal, b" 5%\r")?, " 5%\x1b[K\r");
        assert_eq!(shown(LogStyle::Pipe, b" 5%\r")?, "");
        assert_eq!(shown(LogStyle::Pipe, b" 5%\r 6%")?, " 6%\n");
        assert!(shown(LogStyle::Json, b" 5%\r")?.contains(r#""message":" 5%","overwritten":true"#));
        Ok(())
    }

    #[test]
    fn a_progress_bar_of_cloudwatch() -> Result<()> {
        let shown = |style, message: &str| -> Result<String> {
            let mut line = line(message.as_bytes());
            line.event.ingested = Some(Timestamp::UNIX_EPOCH);
            let mut out = Vec::new();
            LogFormat { style, timestamps: None, prefix: None, colored: false }.write(&line, &mut out)?;
            Ok(String::from_utf8_lossy(&out).into_owned())
        };
        for style in [LogStyle::Terminal, LogStyle::Pipe] {
            for (message, expected) in [
                ("#015  5%#015 50%#015100%", "100%\n"),
                ("#015 50%#015100%#015", "100%\n"),
                ("text#015", "text\n"),
                ("#015", "\n"),
                ("a#015b#012c#015", "b\nc\n"),
                ("#1 of #2\u{e9}#", "#1 of #2\u{e9}#\n"),
            ] {
                assert_eq!(shown(style, message)?, expected, "{message}");
            }
        }
        assert_eq!(shown(LogStyle::Terminal, "#033[31mred#033[2J#011b")?, "\x1b[31mred\u{241b}[2J\tb\x1b[0m\n");
        let json = shown(LogStyle::Json, "#015 5%#015100%#015")?;
        assert!(json.ends_with("\"message\":\"#015 5%#015100%#015\"}\n"), "{json}");
        Ok(())
    }

    #[test]
    fn only_a_terminal_gets_less_than_was_printed() -> Result<()> {
        assert_eq!(shown(LogStyle::Terminal, b"a\x1b[2Jb\x1b[31mred")?, "a\u{241b}[2Jb\x1b[31mred\x1b[0m\n");
        assert_eq!(shown(LogStyle::Pipe, b"a\x1b[2J\0\xff")?, "a\x1b[2J\0\u{fffd}\n");
        Ok(())
    }

    #[test]
    fn nodes_and_times_stand_before_the_text() -> Result<()> {
        let format =
            |stamp| LogFormat { style: LogStyle::Pipe, timestamps: Some(stamp), prefix: Some(7), colored: false };
        let mut out = Vec::new();
        format(TimestampFormat::Utc).write(&line(b"text"), &mut out)?;
        let start = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_millis(3_723_004);
        format(TimestampFormat::Since(start)).write(&LogLine { times: 64, ..line(b"text") }, &mut out)?;
        assert_eq!(
            String::from_utf8_lossy(&out),
            "1970-01-01T00:00:00.000Z algo-1  | text\n+01:02:03.004 [x64]   | text\n"
        );
        Ok(())
    }
}

//! Log events as lines: for a terminal, for a pipe, and as JSON.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::cloud::{LogEvent, LogStream};
use crate::error::Result;
use crate::ui::Style;

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
            Kind::Pipe => {
                self.head(line, out);
                out.extend_from_slice(message);
            }
            Kind::Terminal => {
                self.head(line, out);
                harmless(message, out);
            }
        }
        // A terminal goes back to the line's start; what comes next starts with clearing it.
        out.extend_from_slice(if overwritten && self.kind == Kind::Terminal { b"\x1b[K\r" } else { b"\n" });
        Ok(())
    }

    fn head(&self, line: &LogLine, out: &mut Vec<u8>) {
        if let Some(stamp) = self.stamp {
            out.extend(stamp.text(line.event.timestamp).into_bytes());
            out.push(b' ');
        }
        let Some(width) = self.prefix else { return };
        let node = if line.times > 1 { format!("[x{}]", line.times) } else { line.stream.node().to_owned() };
        let style = if self.colored { Style::of_node(line.stream.number()) } else { Style::Plain };
        out.extend(format!("{style}{node:<width$} |{style:#} ").into_bytes());
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

/// What a script prints must not steer the terminal: colours pass, any other control character becomes visible.
fn harmless(message: &[u8], out: &mut Vec<u8>) {
    if !message.iter().any(|byte| is_control(*byte) || *byte == 0xc2) {
        return out.extend_from_slice(message);
    }
    let text = String::from_utf8_lossy(message);
    let mut rest = &*text;
    while let Some(at) = rest.find(|c: char| c.is_control() && !matches!(c, '\t' | '\n')) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        // What is no colour is one character, made visible.
        let (shown, after) = color(from).map_or_else(|| first_visible(from), |length| split(from, length));
        out.extend_from_slice(shown.as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    if text.contains('\u{1b}') {
        out.extend_from_slice(b"\x1b[0m");
    }
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n')
}

/// The length of a colour (SGR: `ESC [ 1 ; 31 m`) at the start.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters.get(end..)?.starts_with('m').then_some(end + 3)
}

fn split(text: &str, at: usize) -> (Cow<'_, str>, &str) {
    let (before, after) = text.split_at(at);
    (before.into(), after)
}

fn first_visible(text: &str) -> (Cow<'_, str>, &str) {
    let mut chars = text.chars();
    let shown: String = chars.next().map(visible).into_iter().collect();
    (shown.into(), chars.as_str())
}

/// A control character's picture.
fn visible(c: char) -> char {
    match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
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
        late: line.late,
        times: line.times,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &[u8]) -> LogLine {
        let stream = LogStream { name: "job/algo-1-1".into() };
        let event = LogEvent { timestamp: Timestamp::UNIX_EPOCH, ingested: None, message: message.to_vec() };
        LogLine { stream, event, late: false, times: 1 }
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
    fn a_terminal_gets_colours_and_nothing_else_that_steers_it() -> Result<()> {
        assert_eq!(shown(Kind::Terminal, "gr\u{fc}n\t1\n2".as_bytes())?, "gr\u{fc}n\t1\n2\n");
        assert_eq!(shown(Kind::Terminal, b"\x1b[1;31mred\x1b[0m")?, "\x1b[1;31mred\x1b[0m\x1b[0m\n");
        assert_eq!(
            shown(Kind::Terminal, b"a\x1b[2Jb\x1b]0;title\x07")?,
            "a\u{241b}[2Jb\u{241b}]0;title\u{2407}\x1b[0m\n"
        );
        assert_eq!(shown(Kind::Terminal, "a\u{9b}2Jb\0".as_bytes())?, "a\u{fffd}2Jb\u{2400}\n");
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

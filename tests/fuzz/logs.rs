//! Rules of a log on its way to a terminal, and of text from outside on its way to people: nothing steers the terminal,
//! nothing printable is lost.

use arbitrary::{Arbitrary, Unstructured};
use jiff::Timestamp;
use regex::bytes::Regex;
use serde_json::{Map, Value};

use crate::cloud::LogStream;
use crate::contract::{ErrorCapture, ToolkitError, failure_reason, failure_text};
use crate::model::{LogEvent, one_line, printable, printable_offset, steers_terminals};
use crate::printer;
use crate::screen::{is_harmless, is_whole, style, without_styles};
use crate::ui::table::{Cell, Table};
use crate::ui::{Style, Text, filtered, log_text};
use crate::view::log_lines::{LogFormat, LogLine, LogStyle, TimestampFormat, visible_part};
use crate::view::{json, json_line};

const RESET: &str = "\u{1b}[0m";

/// How a log is shown, before the log itself.
#[derive(Arbitrary, Debug)]
struct Shown {
    stamp: u8,
    start: i64,
    step: i64,
    nodes: u8,
    prefix: Option<u8>,
    colored: bool,
    piece: u8,
    context: u8,
    invert: bool,
}

/// Some bytes say how the log is shown, the rest is the log, a line feed between its lines.
pub fn log(bytes: &[u8]) {
    const HEAD: usize = 32;
    let (head, log) = bytes.split_at(bytes.len().min(HEAD));
    let Ok(shown) = Shown::arbitrary(&mut Unstructured::new(head)) else { return };
    message(log);
    file(log, usize::from(shown.piece).max(1));
    text(&String::from_utf8_lossy(log));
    let lines = lines(log, &shown);
    lines.iter().for_each(|line| self::line(line, &shown));
    of_several_nodes(&lines, &shown);
    failure(log);
}

/// A log's message for a terminal: colours pass, and end with it.
fn message(message: &[u8]) {
    let lossy = String::from_utf8_lossy(message);
    let once = log_shown(message);
    is_harmless(&once);
    let has_style = once.contains('\u{1b}');
    let shown = if has_style { once.strip_suffix(RESET).expect("styles end with the message") } else { &once };
    // What is passed as a style is one by its grammar, and everything else is there character by character.
    let plain = without_styles(&lossy);
    is_whole(&without_styles(shown), &plain);
    assert_eq!(shown.chars().count(), lossy.chars().count());
    assert_eq!(log_shown(once.as_bytes()), if has_style { format!("{once}{RESET}") } else { once.clone() });
    assert!(has_style || lossy.match_indices('\u{1b}').all(|(at, _)| style(&lossy[at..]).is_none()));
}

fn log_shown(message: &[u8]) -> String {
    let mut out = Vec::new();
    log_text(message, &mut out);
    String::from_utf8(out).expect("a terminal gets text")
}

/// A file's bytes on their way to a terminal, however they are cut.
fn file(bytes: &[u8], piece: usize) {
    let whole = String::from_utf8(filtered(std::iter::once(bytes))).expect("a terminal gets text");
    is_harmless(&whole);
    assert!(!whole.contains('\u{1b}'), "{whole:?}");
    is_whole(&whole, &String::from_utf8_lossy(bytes));
    assert_eq!(String::from_utf8(filtered(bytes.chunks(piece))).expect("a terminal gets text"), whole);
}

/// Any text on its way to people.
fn text(text: &str) {
    let shown = printable(text);
    is_harmless(&shown);
    assert!(!shown.contains('\u{1b}'));
    is_whole(&shown.replace("\r\n", "\n"), &text.replace("\r\n", "\n"));
    assert_eq!(printable(&shown), shown);
    let line = one_line(text);
    assert!(!line.contains(|c: char| c.is_control()) && one_line(&line) == line, "{line:?}");
    let mut before = 0;
    let step = text.len() / 64 + 1;
    for at in (0..text.len()).step_by(step).chain([text.len()]) {
        let offset = printable_offset(text, at);
        assert!(offset >= before && shown.is_char_boundary(offset));
        before = offset;
    }
    assert_eq!(before, shown.len());
    styled(text, &shown);
    table(text, &line);
    in_json(text);
}

/// Escaped as JSON allows, so that a reader of it gets the text itself.
fn in_json(text: &str) {
    let names = Map::from_iter([(text.to_owned(), Value::from(text))]);
    for json in [json_line(&names), json(&names)] {
        let json = json.expect("a text can be written");
        assert!(!json.contains(steers_terminals), "{json:?}");
        assert_eq!(serde_json::from_str::<Map<String, Value>>(&json).expect("it is JSON"), names);
    }
}

fn styled(text: &str, shown: &str) {
    let mut styled = Text::styled(Style::Error, text);
    styled.push(text);
    assert_eq!(without_styles(&styled.shown(true)), format!("{shown}{shown}"));
    assert_eq!(styled.shown(false), format!("{shown}{shown}"));
    assert_eq!(Text::from(text).shown(true), Text::from(text).shown(false));
}

/// Cells of one line each; trailing blanks alone may be lost.
fn table(text: &str, line: &str) {
    let mut table = Table::new(vec!["A", "B"]);
    table.row(vec![Cell::styled(text, Style::Good), "b".into()]);
    table.row(vec!["a".into(), text.into()]);
    let rendered = table.render();
    is_harmless(&rendered.shown(true));
    let plain = rendered.shown(false).into_owned();
    assert_eq!(plain.lines().count(), 3, "{plain:?}");
    assert_eq!(plain.match_indices(line.trim_end()).count().min(2), 2, "{line:?} in {plain:?}");
}

fn lines(log: &[u8], shown: &Shown) -> Vec<LogLine> {
    let mut at = shown.start;
    let nodes = u32::from(shown.nodes % 4) + 1;
    let lines = log.split(|byte| *byte == b'\n').take(100).enumerate().filter_map(|(index, message)| {
        at = at.wrapping_add(shown.step);
        let timestamp = Timestamp::from_millisecond(at).ok()?;
        let name = format!("job/algo-{}-1", u32::try_from(index).unwrap_or(0) % nodes + 1).into();
        let event = LogEvent { timestamp, ingested: None, message: message.to_vec(), is_gap: false };
        Some(LogLine { stream: LogStream { name }, event, late: false, times: 1 })
    });
    lines.collect()
}

/// A line of a log in each form.
fn line(line: &LogLine, shown: &Shown) {
    let timestamps = match shown.stamp % 4 {
        0 => None,
        1 => Some(TimestampFormat::Local),
        2 => Some(TimestampFormat::Utc),
        _ => Some(TimestampFormat::Since(Timestamp::from_millisecond(shown.start).unwrap_or(Timestamp::MIN))),
    };
    let prefix = shown.prefix.map(usize::from);
    let written = |style, colored| {
        let mut out = Vec::new();
        LogFormat { style, timestamps, prefix, colored }.write(line, &mut out).expect("a line can be written");
        out
    };
    let (message, overwritten) = visible_part(&line.event);
    let terminal = String::from_utf8(written(LogStyle::Terminal, shown.colored)).expect("a terminal gets text");
    let end = if overwritten { "\u{1b}[K\r" } else { "\n" };
    let terminal = terminal.strip_suffix(end).expect("a line ends");
    is_harmless(terminal);
    assert!(terminal.ends_with(&log_shown(&message)) && !terminal.contains('\r'), "{terminal:?}");
    let pipe = written(LogStyle::Pipe, false);
    assert!(if overwritten { pipe.is_empty() } else { pipe.ends_with(&[&message, &b"\n"[..]].concat()) });
    let json = String::from_utf8(written(LogStyle::Json, false)).expect("JSON is text");
    let value: Value = serde_json::from_str(&json).expect("it is JSON");
    assert!(!json.trim_end_matches('\n').contains(steers_terminals));
    assert!(json.matches('\n').count() == 1 && value["message"] == *String::from_utf8_lossy(&message), "{json:?}");
}

/// Which lines are shown of several nodes'.
fn of_several_nodes(lines: &[LogLine], shown: &Shown) {
    let folded = printer::folded(lines);
    assert_eq!(folded.iter().map(|line| line.times).sum::<usize>(), lines.len());
    let expression = Regex::new("a|[0-9]").expect("it is one");
    let is_match = |line: &LogLine| expression.is_match(&visible_part(&line.event).0) != shown.invert;
    let grepped = printer::grepped(lines, expression.clone(), shown.invert, usize::from(shown.context % 4));
    let matching = |lines: &mut dyn Iterator<Item = &LogLine>| -> Vec<Vec<u8>> {
        lines.filter(|line| is_match(line)).map(|line| line.event.message.clone()).collect()
    };
    assert_eq!(matching(&mut grepped.iter().flatten()), matching(&mut lines.iter()));
    assert!(grepped.iter().flatten().count() <= lines.len());
}

/// What is kept of a failed script's output.
fn failure(log: &[u8]) {
    let mut capture = ErrorCapture::default();
    log.split_inclusive(|byte| *byte == b'\n').for_each(|line| capture.line(line));
    let message = capture.message();
    assert!(message.len() <= 3 * log.len() + 2 * 64 * 1024);
    let text = failure_text(ToolkitError::ExecuteUserScript, 1, &message, "python3 train.py");
    let reason = failure_reason(Some(&text), 1);
    assert!(reason.chars().count() <= 1024, "{reason}");
}

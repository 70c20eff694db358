//! Python's `str`, `repr` and `json.dumps` of values that `json.loads` can return.
//!
//! A training script must see the same characters here and on SageMaker, where Python formats its arguments and
//! variables: `1e-05`, not `1e-5`; `True`, not `true`; integers of any length. The tests compare with Python itself.

use std::fmt::Write as _;

use serde_json::Value;

/// A value that `json.loads` can return. A dictionary keeps its order, as Python's does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PyValue {
    None,
    Bool(bool),
    /// Decimal digits, since Python's integers are unbounded.
    Int(String),
    Float(f64),
    Str(String),
    List(Vec<PyValue>),
    Dict(Vec<(String, PyValue)>),
}

impl PyValue {
    /// A string.
    pub(crate) fn str(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }

    /// An integer.
    pub(crate) fn int(number: &impl ToString) -> Self {
        Self::Int(number.to_string())
    }

    /// A list of strings.
    pub(crate) fn strs<T: ToString>(texts: &[T]) -> Self {
        Self::List(texts.iter().map(|text| Self::Str(text.to_string())).collect())
    }

    /// Returns Python's `bool(object)`.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(digits) => digits != "0",
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Dict(entries) => !entries.is_empty(),
        }
    }

    /// Returns Python's `str(object)`: a string unchanged, everything else as `repr`.
    pub(crate) fn to_str(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            other => other.repr(),
        }
    }

    /// Returns Python's `repr(object)`.
    pub(crate) fn repr(&self) -> String {
        let mut out = String::new();
        self.write_repr(&mut out);
        out
    }

    fn write_repr(&self, out: &mut String) {
        match self {
            Self::None => out.push_str("None"),
            Self::Bool(true) => out.push_str("True"),
            Self::Bool(false) => out.push_str("False"),
            Self::Int(digits) => out.push_str(digits),
            Self::Float(value) => out.push_str(&float_repr(*value)),
            Self::Str(text) => write_str_repr(out, text),
            Self::List(items) => between(out, ('[', ']'), ", ", items.iter(), |out, item| item.write_repr(out)),
            Self::Dict(entries) => between(out, ('{', '}'), ", ", entries.iter(), |out, (key, value)| {
                write_str_repr(out, key);
                out.push_str(": ");
                value.write_repr(out);
            }),
        }
    }

    /// Returns Python's `json.dumps(object)`.
    pub(crate) fn dumps(&self) -> String {
        self.dumps_with(&DEFAULT)
    }

    /// Returns Python's `json.dumps(object, sort_keys=True, separators=(",", ":"))`, the format of the `SM_*`
    /// variables.
    pub(crate) fn dumps_compact(&self) -> String {
        self.dumps_with(&COMPACT)
    }

    fn dumps_with(&self, style: &JsonStyle) -> String {
        let mut out = String::new();
        self.write_json(&mut out, style);
        out
    }

    fn write_json(&self, out: &mut String, style: &JsonStyle) {
        match self {
            Self::None => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(digits) => out.push_str(digits),
            Self::Float(value) => out.push_str(&float_json(*value)),
            Self::Str(text) => write_json_str(out, text),
            Self::List(items) => between(out, ('[', ']'), style.item, items.iter(), |out, item| {
                item.write_json(out, style);
            }),
            Self::Dict(entries) => {
                between(out, ('{', '}'), style.item, style.ordered(entries).into_iter(), |out, (key, value)| {
                    write_json_str(out, key);
                    out.push_str(style.key);
                    value.write_json(out, style);
                });
            }
        }
    }
}

impl From<&Value> for PyValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) if number.is_f64() => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            Value::Number(number) => Self::int(number),
            Value::String(text) => Self::str(text),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(entries) => {
                Self::Dict(entries.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
        }
    }
}

/// Arguments of `json.dumps`: separators, and `sort_keys`.
struct JsonStyle {
    item: &'static str,
    key: &'static str,
    sorted: bool,
}

const DEFAULT: JsonStyle = JsonStyle { item: ", ", key: ": ", sorted: false };
const COMPACT: JsonStyle = JsonStyle { item: ",", key: ":", sorted: true };

impl JsonStyle {
    fn ordered<'a>(&self, entries: &'a [(String, PyValue)]) -> Vec<&'a (String, PyValue)> {
        let mut entries: Vec<_> = entries.iter().collect();
        if self.sorted {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        entries
    }
}

/// Writes items between brackets.
fn between<T>(
    out: &mut String,
    (open, close): (char, char),
    separator: &str,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        write(out, item);
    }
    out.push(close);
}

/// Decimal exponents that Python's `repr` writes without an `e`.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -4..16;

/// Returns `repr` of a float: the shortest digits that parse to the same number, in Python's layout.
fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if PLAIN_EXPONENTS.contains(&exponent) {
        // Rust never uses an exponent here, and leaves `.0` out.
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn float_json(value: f64) -> String {
    match float_repr(value).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        finite => finite.to_owned(),
    }
}

fn write_str_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => write_code_point(out, c),
        }
    }
    out.push(quote);
}

/// Returns Python's `str.isprintable` of a character. Rust's debug format escapes the same Unicode categories, but
/// keeps combining marks, as Python does, only behind another character.
fn is_printable(c: char) -> bool {
    let mut plain = String::from("a");
    let mut buffer = [0; 4];
    plain.push_str(c.encode_utf8(&mut buffer));
    matches!(c, '"' | '\'') || plain.escape_debug().eq(plain.chars())
}

fn write_code_point(out: &mut String, c: char) {
    let code = u32::from(c);
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Writes a JSON string in ASCII, as `ensure_ascii=True` does.
fn write_json_str(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => write_utf16(out, c),
        }
    }
    out.push('"');
}

fn write_utf16(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
pub(crate) mod tests;

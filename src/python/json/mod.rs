//! Python's `json.loads`, which accepts more than JSON: integers of any length, `NaN` and `Infinity`.

use super::repr::PyValue;

/// Maximum nesting. Python fails at a similar depth (its default recursion limit is 1000).
const MAX_DEPTH: usize = 900;

/// Returns the value of `json.loads(text)`, or `None` if that raises.
pub(crate) fn loads(text: &str) -> Option<PyValue> {
    let mut parser = JsonParser { rest: text };
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    parser.rest.is_empty().then_some(value)
}

/// A recursive descent parser.
struct JsonParser<'a> {
    rest: &'a str,
}

impl JsonParser<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Consumes `token` if it comes next.
    fn eat(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    fn value(&mut self, depth: usize) -> Option<PyValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.rest.chars().next()? {
            '"' => self.string().map(PyValue::Str),
            '[' => self.list(depth),
            '{' => self.dict(depth),
            _ => self.word().or_else(|| self.number()),
        }
    }

    fn word(&mut self) -> Option<PyValue> {
        let words = [
            ("null", PyValue::None),
            ("true", PyValue::Bool(true)),
            ("false", PyValue::Bool(false)),
            ("NaN", PyValue::Float(f64::NAN)),
            ("Infinity", PyValue::Float(f64::INFINITY)),
            ("-Infinity", PyValue::Float(f64::NEG_INFINITY)),
        ];
        words.into_iter().find_map(|(word, object)| self.eat(word).map(|()| object))
    }

    fn number(&mut self) -> Option<PyValue> {
        let start = self.rest;
        let _ = self.eat("-");
        self.eat("0").or_else(|| self.digits())?;
        let after_integer = self.rest;
        let fraction = self.optional(|parser| parser.eat(".").and_then(|()| parser.digits()));
        let exponent = self.optional(Self::exponent);
        if !fraction && !exponent {
            let digits = consumed(start, after_integer)?;
            return Some(PyValue::int(&if digits == "-0" { "0" } else { digits }));
        }
        consumed(start, self.rest)?.parse().ok().map(PyValue::Float)
    }

    fn exponent(&mut self) -> Option<()> {
        self.eat("e").or_else(|| self.eat("E"))?;
        let _ = self.eat("+").or_else(|| self.eat("-"));
        self.digits()
    }

    /// Consumes `part` if it comes next, and returns whether it did.
    fn optional(&mut self, part: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let before = self.rest;
        let found = part(self).is_some();
        if !found {
            self.rest = before;
        }
        found
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.code_point()?,
            _ => return None,
        })
    }

    /// Parses the digits of `\u`, and of a second one for a surrogate pair. A lone surrogate is refused: Python accepts
    /// it, but no argument or variable can contain it.
    fn code_point(&mut self) -> Option<char> {
        let first = self.four_hex_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(u32::from(first));
        }
        self.eat("\\u")?;
        let second = self.four_hex_digits()?;
        char::decode_utf16([first, second]).next()?.ok()
    }

    fn four_hex_digits(&mut self) -> Option<u16> {
        let digits = self.rest.get(..4)?;
        self.rest = self.rest.get(4..)?;
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        u16::from_str_radix(digits, 16).ok()
    }

    fn list(&mut self, depth: usize) -> Option<PyValue> {
        let mut items = Vec::new();
        self.between("[", "]", |parser| {
            items.push(parser.value(depth + 1)?);
            Some(())
        })?;
        Some(PyValue::List(items))
    }

    fn dict(&mut self, depth: usize) -> Option<PyValue> {
        let mut entries = Vec::new();
        self.between("{", "}", |parser| {
            let key = parser.string()?;
            parser.skip_space();
            parser.eat(":")?;
            parser.skip_space();
            insert(&mut entries, key, parser.value(depth + 1)?);
            Some(())
        })?;
        Some(PyValue::Dict(entries))
    }

    /// Parses items between brackets, separated by commas.
    fn between(&mut self, open: &str, close: &str, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.eat(open)?;
        self.skip_space();
        if self.eat(close).is_some() {
            return Some(());
        }
        loop {
            self.skip_space();
            item(self)?;
            self.skip_space();
            if self.eat(close).is_some() {
                return Some(());
            }
            self.eat(",")?;
        }
    }
}

/// Returns the text between two positions: `rest` is the end of `start`.
fn consumed<'a>(start: &'a str, rest: &str) -> Option<&'a str> {
    start.get(..start.len() - rest.len())
}

/// Inserts as a Python dictionary does: a repeated key keeps its first position and its last value.
fn insert(entries: &mut Vec<(String, PyValue)>, key: String, value: PyValue) {
    match entries.iter_mut().find(|(present, _)| *present == key) {
        Some((_, present)) => *present = value,
        None => entries.push((key, value)),
    }
}

#[cfg(test)]
mod tests;

//! The text between a name and its value, in programs, configuration and markup.

/// Maximum length, in bytes.
pub(super) const MAX_GLUE_BYTES: usize = 48;

/// Returns whether a text can join a name and its value: it ends no statement, contains no other value, and is no
/// sentence. `has_equals` says that the value itself begins with `=`.
pub(super) fn is_glue(glue: &[u8], has_equals: bool) -> bool {
    const MAX_LETTERS: usize = 30;
    let letters = glue.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    let lines = memchr::memchr_iter(b'\n', glue).count();
    // A line feed alone joins nothing: lines of encoded data end as names do.
    let joins = has_equals || glue.iter().any(|byte| b"=:,>\"' \t".contains(byte));
    joins
        && lines <= 1
        && letters <= MAX_LETTERS
        && !is_sentence(glue)
        && !glue.iter().any(|byte| b";{}".contains(byte))
        && !ends_call(glue)
        && !contains_value(glue)
}

/// Returns whether a text has too many words to be anything but prose or a command.
fn is_sentence(glue: &[u8]) -> bool {
    const MAX_WORDS: usize = 2;
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_word = |word: &&[u8]| word.iter().all(is_of_word) && word.iter().any(u8::is_ascii_alphabetic);
    glue.split(u8::is_ascii_whitespace).filter(is_word).count() > MAX_WORDS
}

/// Returns whether a call or a tuple is closed at the end of a line: the next line has nothing to do with it.
fn ends_call(glue: &[u8]) -> bool {
    let end = memchr::memchr(b'\n', glue).and_then(|end| glue.get(..end)).unwrap_or_default().trim_ascii_end();
    end.strip_suffix(b",").unwrap_or(end).ends_with(b")")
}

/// Returns whether the text contains a complete value of the name: `password="x", token_type="`.
fn contains_value(glue: &[u8]) -> bool {
    let trim = |text: &[u8], bytes: &[u8]| text.iter().take_while(|byte| bytes.contains(byte)).count();
    let behind_name = glue.get(trim(glue, b"\"'`]) \t")..).unwrap_or_default();
    let operator = trim(behind_name, b"=:>");
    let rest = behind_name.get(operator..).unwrap_or_default().trim_ascii_start();
    let Some((quote, text)) = rest.split_first().filter(|(quote, _)| b"\"'`".contains(quote)) else { return false };
    operator > 0 && memchr::memchr(*quote, text).is_some_and(|end| end > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_joined_to_its_own_value_only() {
        for glue in ["=", " = \"", "\": \"", "'] = '", ": str = \"", "\", \"value\": \"", " = (\n    \"", "=\"\"\""] {
            assert!(is_glue(glue.as_bytes(), false), "{glue}");
        }
        for glue in [
            "",
            "\n",
            ";",
            " = None\n\n\"",
            "\")\n        self.assertEqual(\"",
            "\"),\n    (\"",
            "=\"bar\", realm=\"",
            "\": 'x', \"",
            "\",\n \"hf webhooks update abc123 --job-id ",
            " is one of the many words of ",
        ] {
            assert!(!is_glue(glue.as_bytes(), false), "{glue}");
        }
    }
}

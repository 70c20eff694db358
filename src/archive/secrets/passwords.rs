//! Recognizes passwords that people choose: shorter than generated ones, with letters, digits and punctuation.
//!
//! Such a value is only found directly behind a password's name, as a whole string in quotes or as the rest of a line
//! of configuration. Prompts, prose, templates, hashes and expressions occur in the same places and are told apart by
//! shape.

use super::glue::{MAX_GLUE_BYTES, is_glue};
use super::shape::is_placeholder;
use super::text::unescaped;

/// Minimum length, in bytes.
const MIN_BYTES: usize = 8;
/// Maximum length, in bytes.
const MAX_BYTES: usize = 64;

/// Punctuation that passwords have, and names, versions, paths and numbers don't.
const PUNCTUATION: &[u8] = b"!@#$%^&*?~+=|";

/// Words in the passwords of tests and examples. Lower case.
const UNREAL: [&[u8]; 6] = [b"test", b"fake", b"mock", b"sample", b"demo", b"foobar"];

/// Ends of names whose values are passwords, in several languages. Lower case, letters and digits only.
pub(super) const NAME_ENDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "passwort",
    "kennwort",
    "mdp",
    "motdepasse",
    "contrasena",
    "senha",
    "wachtwoord",
];

/// Returns whether a name, in lower case, letters and digits only, is that of a password.
pub(super) fn is_password_name(id: &str) -> bool {
    NAME_ENDS.iter().any(|end| id.ends_with(end))
}

/// Returns whether the text behind a name assigns a password to it. Escapes in its strings may be undone already.
pub(super) fn is_assigned(after: &[u8]) -> bool {
    quoted(after).any(|text| is_made_up(&unescaped(text))) || unquoted(after).is_some_and(is_made_up)
}

/// Yields the strings in quotes behind `=` or `:`. A quote directly behind the name ends the string that is the name.
fn quoted(after: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_quote = |byte: &u8| b"\"'`".contains(byte);
    let mut at = usize::from(after.first().is_some_and(is_quote));
    let strings = std::iter::from_fn(move || {
        let start = at + after.get(at..)?.iter().position(is_quote)?;
        let rest = after.get(start + 1..)?;
        let length = closing(*after.get(start)?, rest)?;
        at = start + length + 2;
        Some((after.get(..start)?, rest.get(..length)?))
    });
    strings.take_while(|(glue, _)| glue.len() <= MAX_GLUE_BYTES).filter(|(glue, _)| assigns(glue)).map(|(_, text)| text)
}

/// Returns the place of the quote that ends a string, which is not behind a backslash.
fn closing(quote: u8, text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|byte| {
        let is_end = !is_escaped && *byte == quote;
        is_escaped = !is_escaped && *byte == b'\\';
        is_end
    })
}

/// Returns whether the text between a name and a string assigns the string to it, or says that they are equal. A
/// backslash is part of a quote within another string.
fn assigns(glue: &[u8]) -> bool {
    let is_unequal = memchr::memmem::find(glue, b"!=").is_some();
    let has = |bytes: &[u8]| glue.iter().any(|byte| bytes.contains(byte));
    has(b"=:") && !has(b"\\") && !is_unequal && is_glue(glue, false)
}

/// Returns a value that is the rest of its line, as in YAML and in files of variables, without a comment. In Markdown,
/// the name may be emphasized: `**password**: value`.
fn unquoted(after: &[u8]) -> Option<&[u8]> {
    const NEVER: &[u8] = b"\"'`()[]{}<>,;.=\\";
    let line = without_emphasis(after.split(|byte| *byte == b'\n').next()?.trim_ascii());
    let value = line.strip_prefix(b"=").or_else(|| line.strip_prefix(b":"))?;
    let value = without_emphasis(value).trim_ascii_start();
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (value, rest) = value.split_at_checked(end)?;
    let is_alone = rest.is_empty() || rest.trim_ascii_start().starts_with(b"#");
    (is_alone && !value.iter().any(|byte| NEVER.contains(byte))).then_some(value)
}

fn without_emphasis(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"**").or_else(|| text.strip_prefix(b"*")).unwrap_or(text)
}

/// Returns whether a value has the shape of a password that a person chose, and isn't an example.
pub(super) fn is_made_up(value: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    (MIN_BYTES..=MAX_BYTES).contains(&value.len())
        && is_of_password(value)
        && has(u8::is_ascii_digit)
        && has(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        && has(|byte| PUNCTUATION.contains(byte))
        && !is_placeholder(value)
        && !is_unreal(value)
        && !is_template(value)
        && !is_hash(value)
        && !is_address(value)
}

/// Returns whether a value has only visible ASCII and letters of Latin, Greek and Cyrillic. Scripts without spaces
/// between words have sentences that look like passwords.
fn is_of_password(value: &[u8]) -> bool {
    let is_letter = |c: char| matches!(c, '\u{c0}'..='\u{52f}');
    std::str::from_utf8(value).is_ok_and(|text| text.chars().all(|c| c.is_ascii_graphic() || is_letter(c)))
}

fn is_unreal(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    UNREAL.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// Returns whether a value is filled in later, or is an expression: `$NAME`, `%s`, `{0}`, `<password>`, `[^"]+`,
/// `a=b&c`.
fn is_template(value: &[u8]) -> bool {
    let is_pair = |(open, close): (u8, u8)| {
        memchr::memchr(open, value)
            .is_some_and(|at| memchr::memchr(close, value.get(at..).unwrap_or_default()).is_some())
    };
    let is_format = |pair: &[u8]| matches!(pair, [b'%', b's' | b'd' | b'r' | b'(']);
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let is_variable = matches!(value, [b'$' | b'@' | b'%', name @ ..] if name.iter().all(|b| is_word(b) || *b == b'%'));
    let is_pairs = value.contains(&b'=') && value.iter().all(|byte| is_word(byte) || b"=&;,?".contains(byte));
    is_variable
        || is_pairs
        || value.windows(2).any(is_format)
        || [(b'{', b'}'), (b'<', b'>'), (b'(', b')'), (b'[', b']')].into_iter().any(is_pair)
}

/// Returns whether a value is the hash of a password, as `crypt` and web frameworks write it: `$2b$12$..`,
/// `sha1$..$..`.
fn is_hash(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'$').collect();
    parts.len() > 2 && parts.iter().skip(1).all(|part| !part.is_empty())
}

/// Returns whether a value is a path, a URL, or an email address.
fn is_address(value: &[u8]) -> bool {
    let host = value.iter().position(|byte| *byte == b'@').and_then(|at| value.get(at + 1..)).unwrap_or_default();
    let is_of_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let is_mail = host.contains(&b'.') && host.iter().all(is_of_host);
    is_mail || value.starts_with(b"/") || value.starts_with(b"./") || memchr::memmem::find(value, b"://").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_from_what_stands_in_their_place() {
        for value in ["p@ss!w0rd#1", "Summer#2024", "x7(K!p2]", "pa$$w0rd!", "8ung!Baum", "a1|b2~c3^", "größe!12"] {
            assert!(is_made_up(value.as_bytes()), "{value}");
        }
        for value in [
            "password",
            "hunter2secret",
            "p@ss!1",
            "p@ss word1!",
            "%(password1)s",
            "a1!%s-suffix",
            "$DB_PASSWORD_1",
            "{password1}!",
            "<password-1!>",
            "[A-Za-z0-9!@#]+",
            "user1@example.org",
            "me2@mail.net",
            "$2b$12$abcdefgh",
            "pbkdf2_sha256$260000$abc$d=",
            "a1=b2&c3=d4",
            "https://h/?a=1",
            "/etc/p@ss1",
            "v1.0-rc_2",
            "Test@1234",
            "changeme!1",
            "your-p@ss1",
            "********",
            "密码长度8位a-z!",
        ] {
            assert!(!is_made_up(value.as_bytes()), "{value}");
        }
    }
}

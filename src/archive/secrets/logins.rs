//! Rules for passwords beside the user that they belong to: in commands, calls and password files. Each returns whether
//! the word at `at` leads to one.

use std::ops::Range;

use super::passwords::is_made_up;
use super::shape::{distinct, is_placeholder, is_random};
use super::text::{around, unescaped};

/// Commands with a password as their option `-p`: in the same word or the next, except those of
/// [`is_in_same_word`].
pub(super) const COMMANDS: [&str; 7] =
    ["sshpass", "mysql", "mariadb", "docker login", "podman login", "az login", "oc login"];

/// Starts of the arguments of calls, and of a pair, that are a user and a password.
pub(super) const CALLS: [&str; 3] = [".login(", "basicauth(", "auth=("];

/// The port of PostgreSQL between the host and the database, in a line of `.pgpass`.
pub(super) const POSTGRESQL_PORT: &str = ":5432:";

/// Maximum length of the text behind a word, in bytes.
const REACH: usize = 400;
const SHORTEST_DRAWN: usize = 8;

/// A command's password: `sshpass -p PASSWORD`, `mysql -pPASSWORD`.
pub(super) fn command(name: &str, text: &[u8], at: &Range<usize>) -> bool {
    let arguments = unescaped(around(text, at.end, at.end + REACH));
    let line = arguments.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = words(line);
    let values = std::iter::from_fn(|| words.next().map(|word| password_option(name, word, &mut words)));
    is_start_of_word(text, at) && values.flatten().any(is_password)
}

fn words(command: &[u8]) -> impl Iterator<Item = &[u8]> {
    command.split(u8::is_ascii_whitespace).map(without_quotes).filter(|word| !word.is_empty())
}

/// Returns the value of a command's option for a password.
fn password_option<'t>(name: &str, word: &'t [u8], next: &mut impl Iterator<Item = &'t [u8]>) -> Option<&'t [u8]> {
    match word.strip_prefix(b"-p")? {
        b"" if is_in_same_word(name) => None,
        b"" => next.next(),
        value => Some(without_quotes(value)),
    }
}

/// Returns whether the value of `-p` has to be in the same word; another word is the name of a database.
fn is_in_same_word(name: &str) -> bool {
    ["mysql", "mariadb"].contains(&name)
}

/// curl: `curl -u user:password`, or a token in place of the user.
pub(super) fn curl(text: &[u8], at: &Range<usize>) -> bool {
    let command = unescaped(around(text, at.end, at.end + REACH));
    let mut words = words(&command);
    let users = std::iter::from_fn(|| words.next().map(|word| user_option(word, &mut words)));
    is_start_of_word(text, at) && users.flatten().any(is_login)
}

/// Returns the value of curl's options for user and password: in the same word, or in the next.
fn user_option<'t>(word: &'t [u8], next: &mut impl Iterator<Item = &'t [u8]>) -> Option<&'t [u8]> {
    /// curl 8.14, manual page: options of one letter that have no value, so that others may follow in the same word.
    const FLAGS: &[u8] = b"#012346aBfgGiIjJklLMnNOpqRsSvVZ";
    if [&b"--user"[..], b"--proxy-user"].contains(&word) {
        return next.next();
    }
    if let Some(value) = word.strip_prefix(b"--user=").or_else(|| word.strip_prefix(b"--proxy-user=")) {
        return Some(value);
    }
    let letters = word.strip_prefix(b"-")?;
    let (flags, user) = letters.split_at(letters.iter().position(|byte| b"uU".contains(byte))?);
    let value = user.get(1..).unwrap_or_default();
    let is_option = flags.iter().all(|byte| FLAGS.contains(byte));
    is_option.then(|| if value.is_empty() { next.next() } else { Some(value) }).flatten()
}

/// Returns whether `user:password` contains a credential.
fn is_login(login: &[u8]) -> bool {
    const SHORTEST_TOKEN: usize = 16;
    let login = without_quotes(login);
    let Some(colon) = memchr::memchr(b':', login) else { return false };
    let (user, password) = login.split_at(colon);
    let password = password.strip_prefix(b":").unwrap_or_default();
    match password {
        b"" => user.len() >= SHORTEST_TOKEN && is_random(user),
        _ => is_password(password) || (!is_filled_in(password) && is_of_letters(password)),
    }
}

/// A call with a user and a password: `smtp.login("user", "password")`.
pub(super) fn call(text: &[u8], at: &Range<usize>) -> bool {
    let arguments = unescaped(around(text, at.end, at.end + REACH));
    let second =
        behind_argument(arguments.trim_ascii_start()).and_then(|rest| rest.trim_ascii_start().strip_prefix(b","));
    let Some((password, rest)) = second.and_then(|second| string(second.trim_ascii_start())) else { return false };
    rest.trim_ascii_start().first().is_some_and(|byte| b",)".contains(byte)) && is_password(password)
}

/// Returns what follows an argument that is a string or a variable.
fn behind_argument(text: &[u8]) -> Option<&[u8]> {
    let is_of_variable = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.[]\"'".contains(byte);
    string(text).map(|(_, rest)| rest).or_else(|| {
        let length = text.iter().take_while(|byte| is_of_variable(byte)).count();
        text.get(length..).filter(|_| length > 0)
    })
}

/// Returns the string in quotes at the start of a text, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (quote, rest) = text.split_first().filter(|(quote, _)| b"\"'`".contains(quote))?;
    let end = memchr::memchr(*quote, rest)?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

/// PostgreSQL: a line `host:port:database:user:password` of `.pgpass`.
pub(super) fn pgpass(text: &[u8], at: &Range<usize>) -> bool {
    const LONGEST_HOST: usize = 255;
    let before = around(text, at.start.saturating_sub(LONGEST_HOST), at.start);
    let host = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_host = !host.is_empty() && host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-*".contains(byte));
    let line = around(text, at.end, at.end + REACH).split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut fields = line.trim_ascii_end().splitn(3, |byte| *byte == b':');
    let is_name = |field: Option<&[u8]>| field.is_some_and(|field| !field.is_empty() && !field.contains(&b' '));
    is_host && is_name(fields.next()) && is_name(fields.next()) && fields.next().is_some_and(is_password)
}

/// Returns whether the word is not the end of a longer one.
fn is_start_of_word(text: &[u8], at: &Range<usize>) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    !at.start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(is_of_name)
}

/// Removes the quotes around a word of a command, also of a command as a list of strings.
fn without_quotes(word: &[u8]) -> &[u8] {
    let start = word.iter().take_while(|byte| b"\"'[".contains(byte)).count();
    let end = word.iter().rposition(|byte| !b"\"',)]".contains(byte)).map_or(0, |last| last + 1);
    word.get(start..end).unwrap_or_default()
}

/// Returns whether a value is a password that a person or a program chose.
fn is_password(value: &[u8]) -> bool {
    let is_drawn = value.len() >= SHORTEST_DRAWN && is_random(value) && !names_password(value);
    !is_filled_in(value) && (is_drawn || is_made_up(value))
}

/// Returns whether a value is filled in later: a variable, or a form of the documentation.
fn is_filled_in(value: &[u8]) -> bool {
    value.iter().any(|byte| b"$<{".contains(byte))
}

fn names_password(value: &[u8]) -> bool {
    memchr::memmem::find(&value.to_ascii_lowercase(), b"password").is_some()
}

/// Returns whether a value looks random, although it may have only letters.
fn is_of_letters(value: &[u8]) -> bool {
    const SHORTEST: usize = 12;
    value.len() >= SHORTEST
        && distinct(value) >= SHORTEST_DRAWN
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_uppercase)
        && !names_password(value)
        && !is_placeholder(value)
}

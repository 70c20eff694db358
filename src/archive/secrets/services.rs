//! Rules for the secrets of single services and formats. Each returns whether the word at `at` leads to a secret.

use std::ops::Range;

use super::passwords::is_made_up;
use super::shape::{distinct, has_aws_secret, is_placeholder, is_random, runs};
use super::text::{around, base64, unescaped, whole_words};

/// Maximum distance between a name and its value, in bytes.
const REACH: usize = 200;

/// AWS: an access key's id, and near it 40 characters of a secret's shape.
pub(super) fn access_key_id(prefix: &str, text: &[u8], at: &Range<usize>) -> bool {
    const LENGTH: usize = 20;
    let id = around(text, at.start, at.start + LENGTH);
    let is_id = id.len() == LENGTH
        && id.starts_with(prefix.as_bytes())
        && id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && !text.get(at.start + LENGTH).is_some_and(u8::is_ascii_alphanumeric)
        && !is_placeholder(id);
    let window = whole_words(text, at.start.saturating_sub(REACH), at.start + LENGTH + REACH);
    is_id && has_aws_secret(&unescaped(window))
}

/// PEM: the header of a private key, and the key's first line behind it.
pub(super) fn private_key(header: &str, text: &[u8], at: &Range<usize>) -> bool {
    const SHORTEST: usize = 32;
    let before = around(text, at.start.saturating_sub(40), at.start);
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_header = around(text, at.start, at.end) == header.as_bytes()
        && memchr::memmem::find(line, b"-----BEGIN ").is_some()
        && around(text, at.end, at.end + 11).windows(5).any(|part| part == b"-----");
    let is_of_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let is_key = |run: &[u8]| run.len() >= SHORTEST && run.iter().any(u8::is_ascii_uppercase) && !is_placeholder(run);
    let body = unescaped(around(text, at.end, at.end + 2 * REACH));
    let end = memchr::memmem::find(&body, b"-----END").unwrap_or(body.len());
    is_header && runs(around(&body, 0, end), is_of_key).any(|(_, run)| is_key(run))
}

/// The header of a private key in base64.
pub(super) fn encoded_pem(text: &[u8], at: &Range<usize>) -> bool {
    const LENGTH: usize = 64;
    let head = around(text, at.start, at.start + LENGTH);
    base64(head).is_some_and(|head| memchr::memmem::find(&head, b"PRIVATE KEY").is_some())
}

/// URLs: `://user:password@`, where the password looks random or chosen, or the URL is that of a package index.
pub(super) fn url(text: &[u8], at: &Range<usize>) -> bool {
    const LONGEST: usize = 256;
    const SHORTEST: usize = 12;
    let rest = around(text, at.end, at.end + LONGEST);
    let end = rest.iter().position(|byte| b"/ \t\r\n\"'<>`\\,;(){}[]$".contains(byte)).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let Some(login) = authority.iter().rposition(|byte| *byte == b'@').and_then(|at| authority.get(..at)) else {
        return false;
    };
    // The account of Oracle's and SQLAlchemy's documentation.
    if login.starts_with(b"scott:tiger") {
        return false;
    }
    let Some(password) = login.iter().position(|byte| *byte == b':').and_then(|at| login.get(at + 1..)) else {
        return is_token_as_user(login);
    };
    let before = around(text, at.start.saturating_sub(120), at.start).to_ascii_lowercase();
    let has = |word: &str| memchr::memmem::find(&before, word.as_bytes()).is_some();
    let is_index = ["index-url", "index_url", "find-links", "find_links"].into_iter().any(has);
    let is_example = [&b"password"[..], b"passwd", b"secret", b"<token>"].contains(&password);
    let is_password = |shortest| password.len() >= shortest && !is_example && !is_placeholder(password);
    let is_made_up = !is_example && is_made_up(&unescaped(password));
    (is_index && is_password(6)) || (is_password(SHORTEST) && is_random(password)) || is_made_up
}

/// Returns whether a user is a token: 40 hexadecimal digits, as git servers accept. A DSN of Sentry, which is public,
/// has 32.
fn is_token_as_user(user: &[u8]) -> bool {
    const LENGTH: usize = 40;
    user.len() == LENGTH && user.iter().all(u8::is_ascii_hexdigit) && is_random(user)
}

/// Weights & Biases: 40 hexadecimal digits behind the name and a word like `key`. A commit of the package's repository
/// has 40 as well.
pub(super) fn wandb(text: &[u8], at: &Range<usize>) -> bool {
    const LENGTH: usize = 40;
    let after = unescaped(around(text, at.end, at.end + REACH));
    runs(&after, u8::is_ascii_alphanumeric).any(|(start, run)| {
        let glue = after.get(..start).unwrap_or_default().to_ascii_lowercase();
        let has = |word: &[u8]| memchr::memmem::find(&glue, word).is_some();
        let is_key = has(b"key") || has(b"login") || has(b"password");
        run.len() == LENGTH && run.iter().all(u8::is_ascii_hexdigit) && is_key && is_random(run)
    })
}

/// Kaggle: 32 hexadecimal digits as `key` in the JSON of a user name.
pub(super) fn kaggle(text: &[u8], at: &Range<usize>) -> bool {
    const LENGTH: usize = 32;
    let after = unescaped(around(text, at.end, at.end + REACH));
    let Some(key) = memchr::memmem::find(&after, b"\"key\"") else { return false };
    let value = runs(after.get(key + 5..).unwrap_or_default(), u8::is_ascii_alphanumeric).next();
    value.is_some_and(|(_, value)| value.len() == LENGTH && value.iter().all(u8::is_ascii_hexdigit) && is_random(value))
}

/// Microsoft Entra: three characters, the word (`8Q~`), and 31 to 34 more.
pub(super) fn entra_secret(text: &[u8], at: &Range<usize>) -> bool {
    let is_of_secret = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_~.-".contains(byte);
    let before = around(text, at.start.saturating_sub(4), at.start);
    let lead = before.iter().rev().take_while(is_of_secret).count();
    let after = around(text, at.end, at.end + 40).iter().take_while(is_of_secret).count();
    around(text, at.start, at.end).ends_with(b"Q~") && lead == 3 && (31..=34).contains(&after)
}

/// Telegram: eight to ten digits, `:AA`, and 33 more characters.
pub(super) fn telegram(text: &[u8], at: &Range<usize>) -> bool {
    let digits = around(text, at.start.saturating_sub(12), at.start)
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let is_of_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let body = around(text, at.end, at.end + 40);
    let length = body.iter().take_while(is_of_token).count();
    around(text, at.start, at.end) == b":AA"
        && (8..=10).contains(&digits)
        && length == 33
        && is_random(body.get(..length).unwrap_or_default())
}

/// Azure: a shared access signature (32 bytes in base64), in a URL or alone, together with the version of the service
/// and an expiry or a stored policy.
pub(super) fn shared_access_signature(text: &[u8], at: &Range<usize>) -> bool {
    const LENGTH: usize = 43;
    const MIN_DISTINCT: usize = 16;
    const REACH: usize = 400;
    let is_of_query = |byte: &&u8| byte.is_ascii_graphic() && !b"\"'`<>".contains(byte);
    let before = around(text, at.start.saturating_sub(REACH), at.start);
    let before = before.iter().rev().take_while(is_of_query).count();
    let after = around(text, at.end, at.end + REACH).iter().take_while(is_of_query).count();
    // In JSON, `&` may be `\u0026`.
    let query = unescaped(around(text, at.start - before, at.end + after));
    let has = |key: &[u8]| query.split(|byte| b"?&;".contains(byte)).any(|parameter| parameter.starts_with(key));
    let signature = unescaped(around(text, at.end, at.end + after));
    let is_of_signature = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let length = signature.iter().take_while(is_of_signature).count();
    length == LENGTH
        && distinct(signature.get(..length).unwrap_or_default()) >= MIN_DISTINCT
        && has(b"sv=20")
        && (has(b"se=") || has(b"si="))
}

//! Judges the text around a word: returns the kind of the secret there, if there is one.

use std::ops::Range;

use super::glue::{MAX_GLUE_BYTES, is_glue};
use super::passwords::{NAME_ENDS, is_assigned, is_password_name};
use super::shape::{distinct, has_aws_secret, is_placeholder, is_random, is_uuid, runs};
use super::tables::heads_passwords;
use super::text::{around, base64, unescaped, whole_words};
use super::words::Word;
use super::{logins, services};

const AWS_SECRET: &str = "an AWS secret access key";
const PRIVATE_KEY: &str = "a private key";
const PASSWORD: &str = "a password or token";
const WANDB: &str = "a Weights & Biases key";
const KAGGLE: &str = "a Kaggle key";
const URL: &str = "a password in a URL";

/// Maximum distance between a name and its AWS secret, in bytes: in the console's CSV files, a row of headers and other
/// columns are between them.
const MAX_AWS_DISTANCE: usize = 160;
/// Maximum distance between any other name and its value, in bytes.
const MAX_DISTANCE: usize = 200;

/// Returns the kind of the secret that the word at `at` leads to.
pub(super) fn judge(word: &Word, text: &[u8], at: Range<usize>) -> Option<&'static str> {
    match word {
        Word::Token(form) => form.at(text, at.start).filter(|token| is_body(token.body)).map(|token| token.kind),
        Word::Name(_) => name(text, at),
        Word::AccessKeyId(prefix) => services::access_key_id(prefix, text, &at).then_some(AWS_SECRET),
        Word::PrivateKey(header) => services::private_key(header, text, &at).then_some(PRIVATE_KEY),
        Word::EncodedPem(_) => services::encoded_pem(text, &at).then_some(PRIVATE_KEY),
        Word::Url(_) => services::url(text, &at).then_some(URL),
        Word::Wandb(_) => services::wandb(text, &at).then_some(WANDB),
        Word::Username(_) => services::kaggle(text, &at).then_some(KAGGLE),
        Word::EntraSecret(_) => services::entra_secret(text, &at).then_some("a client secret of Microsoft Entra"),
        Word::TelegramToken(_) => services::telegram(text, &at).then_some("a Telegram bot token"),
        Word::SasSignature(_) => {
            services::shared_access_signature(text, &at).then_some("an Azure shared access signature")
        }
        Word::Curl(_) => logins::curl(text, &at).then_some("a password of curl's"),
        Word::Command(name) => logins::command(name, text, &at).then_some("a password in a command"),
        Word::Call(_) => logins::call(text, &at).then_some(PASSWORD),
        Word::PostgresqlPort(_) => logins::pgpass(text, &at).then_some("a password of PostgreSQL"),
    }
}

/// Returns whether the body of a token looks random; some have only letters.
fn is_body(body: &[u8]) -> bool {
    const MIN_DISTINCT: usize = 8;
    let has = |is: fn(&u8) -> bool| body.iter().any(is);
    distinct(body) >= MIN_DISTINCT
        && !is_placeholder(body)
        && !is_of_words(body)
        && (has(u8::is_ascii_digit) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)))
}

/// Returns whether a body is made of words with hyphens, as names are: `sk-ssh-ed25519-cert-v01`.
fn is_of_words(body: &[u8]) -> bool {
    const LONGEST: usize = 12;
    const MAX_DIGITS: usize = 5;
    let is_word = |part: &[u8]| {
        let letters = part.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        let digits = part.iter().skip(letters);
        letters > 0
            && part.len() <= LONGEST
            && part.len() - letters <= MAX_DIGITS
            && digits.copied().all(|byte| byte.is_ascii_digit())
    };
    body.split(|byte| *byte == b'-').all(is_word)
}

/// Parts of names that are public, or not those of credentials, although they end like one. Lower case, letters and
/// digits only.
const HARMLESS: [&str; 22] = [
    "public",
    "csrf",
    "xsrf",
    "hashed",
    "hashpass",
    "nexttoken",
    "pagetoken",
    "paginationtoken",
    "continuation",
    "clienttoken",
    "clientrequesttoken",
    "requesttoken",
    "idempot",
    "synctoken",
    "cursortoken",
    "checksum",
    "digest",
    "starttoken",
    "pagination",
    "cachekey",
    "sortkey",
    "granttoken",
];

/// Ends of names whose values are credentials, besides [`NAME_ENDS`] of passwords. Lower case, letters and digits only.
const ENDS: [&str; 20] = [
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "accountkey",
    "storagekey",
    "encryptionkey",
    "signingkey",
    "clientsecret",
    "auth",
    "authorization",
    "bearer",
    "subscriptionkey",
    "masterkey",
    "sharedkey",
    "servicekey",
    "openaikey",
];

/// Judges the value of the name that the word at `at` is part of.
fn name(text: &[u8], at: Range<usize>) -> Option<&'static str> {
    let whole = whole_name(text, at);
    let name = text.get(whole.clone())?;
    if is_in_base64(text, &whole) {
        return None;
    }
    let id = plain(name);
    if id.contains("secret") {
        let is_aws = ["access", "aws", "secretkey", "s3", "keysecret"].iter().any(|word| id.contains(word));
        let before = if is_aws { MAX_AWS_DISTANCE } else { 0 };
        let window = whole_words(text, whole.start.saturating_sub(before), whole.end + MAX_AWS_DISTANCE);
        if has_aws_secret(&unescaped(window)) {
            return Some(AWS_SECRET);
        }
    }
    let id = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_named = ENDS.iter().chain(&NAME_ENDS).any(|end| id.ends_with(end) && is_word(name, end.len()))
        && !HARMLESS.iter().any(|word| id.contains(word));
    (is_named && !is_in_arn(text, &whole)).then(|| password(text, &whole, id)).flatten()
}

/// Returns whether the last `length` letters and digits of a name are a word of their own in it: `db_pwd`, `dbPwd`; not
/// `x7Qpwd`. In a name of one case and without digits, words can't be told apart: `PGPASSWORD`, `authtoken`.
fn is_word(name: &[u8], length: usize) -> bool {
    let end = name.iter().rposition(u8::is_ascii_alphabetic).map_or(0, |last| last + 1);
    let name = name.get(..end).unwrap_or_default();
    let letters = name.iter().enumerate().rev().filter(|(_, byte)| byte.is_ascii_alphanumeric());
    let Some((start, first)) = letters.take(length).last() else { return false };
    let Some(before) = start.checked_sub(1).and_then(|at| name.get(at)) else { return true };
    let has = |is: fn(&u8) -> bool| name.iter().any(is);
    let is_mixed = has(u8::is_ascii_digit) || (has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase));
    !before.is_ascii_alphanumeric() || (!before.is_ascii_uppercase() && first.is_ascii_uppercase()) || !is_mixed
}

/// Returns whether a name is part of encoded data: a run of base64's characters that is longer than names and paths.
fn is_in_base64(text: &[u8], name: &Range<usize>) -> bool {
    const LONGEST_NAME: usize = 48;
    const REACH: usize = 64;
    let is_of_data = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let middle = name.start + name.len() / 2;
    let before = around(text, middle.saturating_sub(REACH), middle).iter().rev().take_while(is_of_data).count();
    let after = around(text, middle, middle + REACH).iter().take_while(is_of_data).count();
    let run = around(text, middle - before, middle + after);
    let has = |is: fn(&u8) -> bool| run.iter().any(is);
    run.len() > LONGEST_NAME && has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}

/// Returns whether a name is part of an ARN: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:NAME`.
fn is_in_arn(text: &[u8], name: &Range<usize>) -> bool {
    let before = around(text, name.start.saturating_sub(80), name.start);
    let word = before.rsplit(|byte| !(byte.is_ascii_alphanumeric() || b":-".contains(byte))).next();
    word.is_some_and(|word| word.starts_with(b"arn:") || memchr::memmem::find(word, b":secretsmanager:").is_some())
}

/// Returns the range of the name that a word is part of: letters, digits, `_`, `-` and dots.
fn whole_name(text: &[u8], at: Range<usize>) -> Range<usize> {
    const LONGEST: usize = 64;
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let before = around(text, at.start.saturating_sub(LONGEST), at.start);
    let start = at.start - before.iter().rev().take_while(is_of_name).count();
    // A word may end with what ends a name: `pass =`.
    let word = around(text, at.start, at.end);
    let inside = word.iter().take_while(is_of_name).count();
    let after = around(text, at.start + inside, at.start + inside + LONGEST);
    start..at.start + inside + after.iter().take_while(is_of_name).count()
}

/// Returns a name in lower case, letters and digits only.
fn plain(name: &[u8]) -> String {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// Judges the value behind a name like `api_key` or `password`.
fn password(text: &[u8], name: &Range<usize>, id: &str) -> Option<&'static str> {
    let escaped = around(text, name.end, name.end + MAX_DISTANCE);
    let after = unescaped(escaped);
    let before = around(text, name.start.saturating_sub(MAX_DISTANCE), name.start);
    let is_made_up =
        is_password_name(id) && (is_assigned(&after) || is_assigned(escaped) || heads_passwords(text, name));
    (has_credential(&after, id) || is_made_up || is_tools_password(before, &after, id)).then_some(PASSWORD)
}

/// Returns whether a credential follows a name, with nothing but glue between them.
fn has_credential(after: &[u8], id: &str) -> bool {
    let is_of_value = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+/=~.!@#%^*".contains(byte);
    for (start, run) in runs(after, is_of_value) {
        let glue = after.get(..start).unwrap_or_default();
        if glue.len() > MAX_GLUE_BYTES || !is_glue(glue, run.starts_with(b"=")) {
            return false;
        }
        let next = after.get(start + run.len()).copied();
        if is_value(glue, next) && is_credential(without_equals(run), id, glue) {
            return true;
        }
    }
    false
}

/// Returns whether a run is a whole value: the next byte ends it, and it isn't a variable or a class, which has no
/// quotes in the middle of an expression.
fn is_value(glue: &[u8], next: Option<u8>) -> bool {
    let is_quoted = glue.last().is_none_or(|byte| b"\"'`".contains(byte));
    next.is_none_or(|byte| b"\"'`\\ \t\r\n;<}&|".contains(&byte) || (is_quoted && b",)]".contains(&byte)))
}

fn without_equals(run: &[u8]) -> &[u8] {
    let start = run.iter().take_while(|byte| **byte == b'=').count();
    run.get(start..).unwrap_or_default()
}

fn is_credential(value: &[u8], id: &str, glue: &[u8]) -> bool {
    const SHORTEST: usize = 16;
    let is_basic = id == "authorization" && glue.trim_ascii_end().to_ascii_lowercase().ends_with(b"basic");
    if id == "auth" || is_basic {
        return is_basic_auth(value);
    }
    let slashes = memchr::memchr_iter(b'/', value).count();
    let is_path = slashes * 10 > value.len() || value.starts_with(b"/") || value.starts_with(b"./");
    let may_be_uuid = ["apikey", "secret"].iter().any(|end| id.ends_with(end));
    value.len() >= SHORTEST && is_random(value) && !is_path && (may_be_uuid || !is_uuid(value))
}

/// Recognizes the formats in which any value is a password: .netrc, .npmrc, .pypirc.
fn is_tools_password(before: &[u8], after: &[u8], id: &str) -> bool {
    const SHORTEST: usize = 6;
    let has = |word: &[u8]| memchr::memmem::find(before, word).is_some();
    let line = after.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let value = line.trim_ascii();
    let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
    let is_netrc = has(b"machine ") && has(b"login ") && !line.contains(&b'=');
    let is_pypirc = has(b"pypi]") && has(b"username") && before.ends_with(b"\n") && line.contains(&b'=');
    let is_npmrc = before.ends_with(b"/:") && line.starts_with(b"=");
    let is_named =
        (id == "password" && (is_netrc || is_pypirc)) || (is_npmrc && ["password", "auth", "authtoken"].contains(&id));
    is_named
        && value.len() >= SHORTEST
        && !is_placeholder(value)
        && !value.iter().any(|byte| b" \t$<{(\"'%".contains(byte))
}

/// Returns whether a value is `user:password` in base64, as in Docker's configuration and in HTTP's `Authorization`.
fn is_basic_auth(value: &[u8]) -> bool {
    const SHORTEST: usize = 5;
    let Some(decoded) = base64(value) else { return false };
    let password = memchr::memchr(b':', &decoded).filter(|colon| *colon > 0).and_then(|colon| decoded.get(colon + 1..));
    decoded.iter().all(u8::is_ascii_graphic) && password.is_some_and(|password| password.len() >= SHORTEST)
}

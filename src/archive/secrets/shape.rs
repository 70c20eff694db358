//! Judges values by their shape: an AWS secret access key, or another random credential.

/// Length of an AWS secret access key, in bytes: 30 random bytes in base64.
const AWS_SECRET_BYTES: usize = 40;

/// Words that documentation and forms have in place of a credential. Lower case.
const PLACEHOLDERS: [&[u8]; 16] = [
    b"example",
    b"placeholder",
    b"changeme",
    b"change-me",
    b"change_me",
    b"replace",
    b"insert",
    b"your",
    b"xxxx",
    b"****",
    b"0123456789",
    b"1234567890",
    b"abcdefgh",
    b"dummy",
    b"redacted",
    b"...",
];

/// Returns whether the text contains an AWS secret access key: a run of exactly 40 characters of its alphabet.
pub(super) fn has_aws_secret(text: &[u8]) -> bool {
    let is_of_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"/+".contains(byte);
    runs(text, is_of_key).any(|(start, run)| {
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        let after = text.get(start + run.len());
        let is_bounded =
            !before.is_some_and(|byte| b"_-.".contains(byte)) && !after.is_some_and(|byte| b"=_-.".contains(byte));
        is_bounded && is_aws_secret(run)
    })
}

/// Returns whether 40 characters look random: not a digest, a path, a name, or an example of documentation.
fn is_aws_secret(run: &[u8]) -> bool {
    const MIN_CHANGES: usize = 16;
    const MAX_SLASHES: usize = 5;
    let slashes = memchr::memchr_iter(b'/', run).count();
    run.len() == AWS_SECRET_BYTES
        && !run.iter().all(u8::is_ascii_hexdigit)
        && slashes <= MAX_SLASHES
        && [u8::is_ascii_uppercase, u8::is_ascii_lowercase].iter().all(|is| run.iter().any(is))
        && run.iter().any(|byte| !byte.is_ascii_alphabetic())
        && changes(run, class) >= MIN_CHANGES
        && entropy(run) > 4.0
        && !is_placeholder(run)
}

/// Returns whether a value looks random, as keys, tokens and generated passwords do.
pub(super) fn is_random(value: &[u8]) -> bool {
    const MIN_DISTINCT: usize = 8;
    const MIN_HEX: usize = 24;
    let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    count(u8::is_ascii_digit) >= 1
        && count(u8::is_ascii_alphabetic) >= 2
        && (!is_hex || value.len() >= MIN_HEX)
        && distinct(value) >= MIN_DISTINCT
        && entropy(value) > if is_hex { 2.8 } else { 3.2 }
        && is_restless(value, count(u8::is_ascii_digit))
        && !is_sequence(value)
        && !is_placeholder(value)
}

/// Returns whether digits alternate with letters, and capitals occur within words, much more often than in names that
/// people choose: in random text of base 62, at two of five positions.
fn is_restless(value: &[u8], digits: usize) -> bool {
    let is_change = |pair: &[u8]| match pair {
        [a, b] => {
            (a.is_ascii_digit() && b.is_ascii_alphabetic())
                || (a.is_ascii_alphabetic() && b.is_ascii_digit())
                || (a.is_ascii_lowercase() && b.is_ascii_uppercase())
        }
        _ => false,
    };
    let one_of = if digits == 1 { 3 } else { 4 };
    value.windows(2).filter(|pair| is_change(pair)).count() * one_of >= value.len()
}

/// Returns whether a value is a sequence: most bytes differ from the one before by the same step.
fn is_sequence(value: &[u8]) -> bool {
    let steps = |step: i16| value.windows(2).filter(|pair| i16::from(pair[1]) - i16::from(pair[0]) == step).count();
    [-1, 0, 1].into_iter().any(|step| steps(step) * 2 > value.len())
}

/// Returns whether a value contains a word of documentation or forms.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// Returns whether a value is a UUID: mostly a name, rarely a credential.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'-');
    let fits = |length: &usize| {
        parts.next().is_some_and(|part| part.len() == *length && part.iter().all(u8::is_ascii_hexdigit))
    };
    [8, 4, 4, 4, 12].iter().all(fits) && parts.next().is_none()
}

/// Yields the maximal runs of bytes that `is_of_run` accepts, each with its start.
pub(super) fn runs(text: &[u8], is_of_run: impl Fn(&u8) -> bool) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.iter().position(&is_of_run)?;
        let rest = text.get(start..)?;
        let length = rest.iter().take_while(|byte| is_of_run(byte)).count();
        at = start + length;
        Some((start, rest.get(..length)?))
    })
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

/// Returns the number of neighbours of different classes.
fn changes(value: &[u8], class: impl Fn(u8) -> u8) -> usize {
    value.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count()
}

/// Returns the number of distinct bytes.
pub(super) fn distinct(value: &[u8]) -> usize {
    counts(value).iter().filter(|count| **count > 0).count()
}

/// Returns the Shannon entropy, in bits per byte.
fn entropy(value: &[u8]) -> f64 {
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    counts(value).iter().filter(|count| **count > 0).map(share).map(|share| -share * share.log2()).sum()
}

fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

//! The forms in which secrets stand in files, as a text with placeholders, and what fills those: nothing here, and
//! nothing in `forms.txt`, has a secret's form before it is expanded.

use super::super::text::{around, base64};

/// Each starts with a line `=== TITLE`.
pub(super) const FORMS: &str = include_str!("forms.txt");

/// Numbers that look random, and are the same in every run: xorshift.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let count = letters.len() as u64;
        (0..length).map(|_| letters[usize::try_from((self.next() >> 11) % count).expect("it is small")]).collect()
    }
}

/// Returns random bytes in base64, of some `length`.
pub(super) fn base64_text(random: &mut Random, length: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sextet = |bits: u64| ALPHABET[usize::try_from(bits & 63).expect("it is small")];
    let ten = |number: u64| (0..10).map(move |place| sextet(number >> (4 + 6 * place)));
    std::iter::repeat_with(|| random.next()).flat_map(ten).take(length).collect()
}

const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

/// A form with its placeholders filled.
pub(super) fn expand(form: &str, random: &mut Random) -> Vec<u8> {
    let (mut text, mut rest) = (String::new(), form);
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let filled = after.split_once('>').and_then(|(name, after)| Some((fill(name, random)?, after)));
        let (value, after) = filled.unwrap_or_else(|| ("<".to_owned(), after));
        text.push_str(&value);
        rest = after;
    }
    encode(&(text + rest))
}

/// Ends and encodes a text by the marks that `fill` leaves.
fn encode(text: &str) -> Vec<u8> {
    let text = text.split_once("\u{1}end").map_or(text, |(text, _)| text);
    let Some((encoding, text)) = text.strip_prefix('\u{1}').and_then(|marked| marked.split_once('\u{2}')) else {
        return text.as_bytes().to_vec();
    };
    match encoding {
        "latin1" => text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        "utf16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "utf16le-bom" => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

/// Returns the text for a placeholder; `None` where it is a tag of XML.
fn fill(name: &str, random: &mut Random) -> Option<String> {
    let (kind, count) = name.split_once(':').unwrap_or((name, "0"));
    let count = count.parse().ok()?;
    let alphabet = |parts: &[&str]| parts.concat();
    Some(match kind {
        "aws" => random.text(&alphabet(&[CAPITALS, SMALL, DIGITS, "/+"]), 40),
        "awsesc" => fill("aws", random)?.replace('/', "\\/"),
        "awsuni" => fill("aws", random)?.replace('+', "\\u002B").replace('/', "\\u002F"),
        "awspct" => fill("aws", random)?.replace('+', "%2B").replace('/', "%2F"),
        "id" => format!("AKIA{}", random.text(&alphabet(&[CAPITALS, "234567"]), 16)),
        "sid" => format!("ASIA{}", random.text(&alphabet(&[CAPITALS, "234567"]), 16)),
        "word" => random.text(&alphabet(&[CAPITALS, SMALL, DIGITS]), count),
        "alpha" => random.text(&alphabet(&[CAPITALS, SMALL]), count),
        "url" => random.text(&alphabet(&[CAPITALS, SMALL, DIGITS, "_-"]), count - 1) + "x",
        "b64" => random.text(&alphabet(&[CAPITALS, SMALL, DIGITS, "+/"]), count),
        "upper" => random.text(&alphabet(&[CAPITALS, DIGITS]), count),
        "hex" => random.text("0123456789abcdef", count),
        "uphex" => random.text("0123456789ABCDEF", count),
        "digits" => format!("1{}", random.text(DIGITS, count - 1)),
        "made" => {
            let punctuation = random.text("!@#^&*?~+|", 1);
            let digit = random.text(DIGITS, 1);
            format!(
                "{}{punctuation}{digit}x",
                random.text(&alphabet(&[CAPITALS, SMALL, DIGITS, "!@#%^&*-_"]), count - 3)
            )
        }
        "sas" => format!("{}%3D", fill("b64:43", random)?.replace('+', "%2B").replace('/', "%2F")),
        "uuid" => [8, 4, 4, 4, 12].map(|length| random.text("0123456789abcdef", length)).join("-"),
        "jwt" => format!("eyJ{}.eyJ{}.{}", fill("url:40", random)?, fill("url:90", random)?, fill("url:43", random)?),
        "basic" => encode_base64(format!("user:{}", fill("word:12", random)?).as_bytes()),
        "b64pem" => encode_base64(format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n", fill("b64:64", random)?).as_bytes()),
        "lines" => lines(count),
        "comments" => "# profiles of the team\n".repeat(count),
        "cr" => "\r".to_owned(),
        "bom" => "\u{feff}".to_owned(),
        "end" => "\u{1}end".to_owned(),
        "latin1" | "utf16le" | "utf16be" | "utf16le-bom" | "utf16be-bom" => format!("\u{1}{kind}\u{2}"),
        _ => return None,
    })
}

fn lines(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|line| format!("value_{line} = compute({line})\n")).collect();
    lines.concat()
}

fn encode_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |group: &[u8]| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        let letter =
            move |place: usize| if place <= group.len() { ALPHABET[bits >> (18 - 6 * place) & 63] } else { b'=' };
        [0, 1, 2, 3].map(|place| char::from(letter(place)))
    };
    bytes.chunks(3).flat_map(encode).collect()
}

#[test]
fn what_is_encoded_can_be_decoded() {
    for text in ["a", "ab", "abc", "user:password"] {
        assert_eq!(base64(encode_base64(text.as_bytes()).as_bytes()).as_deref(), Some(text.as_bytes()));
    }
    assert_eq!(around(b"abc", 1, 9), b"bc");
}

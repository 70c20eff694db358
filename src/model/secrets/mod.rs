//! Recognizes values that look like secrets, which everyone who may describe a job would see.

pub(crate) mod tokens;

use std::sync::LazyLock;

use regex::Regex;

/// Text that is shown in place of a secret.
pub(crate) const HIDDEN: &str = "<hidden: it looks like a secret>";

/// Names whose values are secrets: the last word of the name counts.
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "passwords?|passwd|pwd|secrets?|tokens?|api_?keys?|access_?keys?|private_?keys?|credentials?";
    Regex::new(&format!("(?i)(^|[^a-z])({words})$")).ok()
});

/// Forms without a prefix of their own, beside those of [`tokens`]: AWS access keys, private keys, JSON web tokens,
/// passwords in URLs, and Azure's shared access signatures (32 bytes in base64).
static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = [
        r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
        r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@",
        r"(^|[?&;])sig=([A-Za-z0-9+/]|%2[BbFf]){43}(=|%3[Dd])",
    ];
    Regex::new(&forms.join("|")).ok()
});

/// Minimum length, in bytes, of a value that is called a secret for its name: `max_token = 512` and `use_token = true`
/// are none.
const MIN_SECRET_BYTES: usize = 8;

/// Returns whether a value looks like a secret, by its form or by its name.
pub(crate) fn looks_like_one(name: &str, value: &str) -> bool {
    let matches = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_some_and(|pattern| pattern.is_match(text));
    let value = value.trim_matches('"');
    let is_reference = value.starts_with("arn:") || value.starts_with("s3://") || value.starts_with('/');
    let is_named =
        value.len() >= MIN_SECRET_BYTES && !is_reference && value.parse::<f64>().is_err() && matches(&NAMES, name);
    is_named || matches(&FORMS, value) || tokens::find(value.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_or_form() {
        for (name, value) in [
            ("WANDB_API_KEY", "0123456789abcdef"),
            ("db_password", "correct horse"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("HF_TOKEN", "\"hf_something\""),
            ("note", "AKIAIOSFODNN7EXAMPLE"),
            ("key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
            ("url", "postgres://me:hunter2@host/db"),
            (
                "data",
                "https://a.blob.core.windows.net/c?sv=2024-11-04&sig=aB3%2Fabcdefghijklmnopqrstuvwxyz0123456789012%3D",
            ),
            ("x", "hf_abcdefghijklmnopqrstuvwxyz0123456789"),
        ] {
            assert!(looks_like_one(name, value), "{name}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_secret_is_none() {
        for (name, value) in [
            ("max_tokens", "1048576000"),
            ("tokenizer", "bert-base-uncased"),
            ("token", "true"),
            ("secret_arn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"),
            ("credentials", "/opt/ml/input/config/credentials"),
            ("optimizer", "adam"),
            ("url", "https://example.com/a@b"),
            ("signed", "https://example.com/a?sig=v4&design=x"),
            ("task", "risk-assessment-of-everything-at-all"),
        ] {
            assert!(!looks_like_one(name, value), "{name}");
        }
    }
}

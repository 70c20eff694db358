//! Quotes text for a POSIX shell.

/// Quotes a text unless a shell reads it as one word anyway. Names of files and objects may contain commands.
pub(crate) fn shell_quote(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        for (text, quoted) in [
            ("s3://b/key-1.txt", "s3://b/key-1.txt"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(id)`id`;\n", "'$(id)`id`;\n'"),
            ("it's", "'it'\"'\"'s'"),
        ] {
            assert_eq!(shell_quote(text), quoted);
        }
    }
}

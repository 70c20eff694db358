//! Keys and values of the tags.

/// Maximum length of a tag's value, in characters (botocore 1.44.8, shape `TagValue`).
pub(super) const MAX_VALUE: usize = 256;

/// Returns the key that smtrain's tag of this name has.
pub(super) fn key(name: &str) -> String {
    format!("smtrain:{name}")
}

/// Replaces characters that a tag's value may not have: at most 256 letters, digits, spaces and `_.:/=+-@` (botocore
/// 1.44.8, shape `TagValue`).
pub(super) fn value(text: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_.:/=+-@ ".contains(c);
    text.chars().take(MAX_VALUE).map(|c| if allowed(c) { c } else { '_' }).collect()
}

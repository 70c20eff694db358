//! Hints for a version that the catalog does not have.

use super::tables::ImageFamily;
use super::versions::key;

/// Suggests a version in place of one that the catalog doesn't have: a longer or shorter spelling, or the nearest ones.
pub(super) fn hint(images: &ImageFamily, wanted: &str) -> String {
    if let Some(only) = only(images) {
        return format!("there is only `{only}`");
    }
    let longer = newest(images.written().filter(|known| is_longer(known, wanted)));
    let shorter = newest(images.written().filter(|known| is_longer(wanted, known)));
    if let Some(known) = longer.or(shorter) {
        return format!("did you mean `{known}`?");
    }
    let older = newest(images.written().filter(|known| key(known) < key(wanted)));
    let newer = images.written().filter(|known| key(known) > key(wanted)).min_by_key(|known| key(known));
    match (older, newer) {
        (Some(older), Some(newer)) => format!("the nearest are `{older}` and `{newer}`"),
        (Some(older), None) => format!("the newest is `{older}`"),
        (None, Some(newer)) => format!("the oldest is `{newer}`"),
        (None, None) => "none is known".to_owned(),
    }
}

/// Returns the version of a family that has only one.
fn only(images: &ImageFamily) -> Option<&str> {
    let mut all = images.versions.keys();
    all.next().filter(|_| all.next().is_none()).map(String::as_str)
}

/// Returns the newest of some versions.
fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    versions.max_by_key(|version| key(version))
}

/// Returns whether `long` extends `short` by further components: `1.7-1` and `1.7.0` extend `1.7`, `1.70` does not.
fn is_longer(long: &str, short: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(['.', '-']))
}

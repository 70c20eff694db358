//! Orders versions, and finds names similar to a misspelled one.

/// Returns a key that orders versions by their numbers: `1.10` is newer than `1.9`, `1.7-1` than `1.7`.
pub(super) fn key(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// Returns a key that orders Python versions: `py312` is newer than `py39`, and that than `py3`.
pub(super) fn python_key(py_version: &str) -> (u64, u64) {
    let digits = py_version.trim_start_matches("py");
    let (major, minor) = digits.split_at_checked(1).unwrap_or((digits, ""));
    (major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

/// Returns the most similar name, if at most a third of its letters differ, or one contains the other.
pub(super) fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: String =
        word.to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(MAX_COMPARED_BYTES).collect();
    let scored = names.filter_map(|name| {
        let plain = name.replace('-', "");
        let distance = strsim::damerau_levenshtein(&word, &plain);
        let is_part = word.len() >= 3 && (plain.contains(&word) || word.contains(&plain));
        (is_part || distance * 3 <= plain.len()).then_some((distance, name))
    });
    scored.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Returns the most similar region, if at most two letters differ.
pub(super) fn near_region<'a>(word: &str, regions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.get(..MAX_COMPARED_BYTES).unwrap_or(word);
    let scored = regions.map(|region| (strsim::damerau_levenshtein(word, region), region));
    scored.filter(|(distance, _)| *distance <= 2).min().map(|(_, region)| region)
}

/// Limit of the words that are compared, in bytes: names are shorter, and the comparison takes quadratic time.
const MAX_COMPARED_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_come_later() {
        for (older, newer) in [("1.9", "1.10"), ("1.7", "1.7-1"), ("0.90-2", "1.0-1"), ("2.1.0", "2.1.2")] {
            assert!(key(older) < key(newer), "{older} {newer}");
        }
        for (older, newer) in [("py2", "py3"), ("py3", "py36"), ("py39", "py310"), ("py312", "py313")] {
            assert!(python_key(older) < python_key(newer), "{older} {newer}");
        }
    }

    #[test]
    fn names_are_near_without_their_dashes_and_by_their_parts() {
        let names = ["forecasting-deepar", "kmeans", "knn", "object2vec"];
        let cases = [("k-means", Some("kmeans")), ("DeepAR", Some("forecasting-deepar")), ("jax", None), ("", None)];
        for (word, name) in cases {
            assert_eq!(near(word, names.into_iter()), name, "{word}");
        }
    }
}

//! Suggests the most similar of some words: "did you mean".

/// Length limit of a word that is compared: longer ones are similar to no key, and comparing takes quadratic time.
const MAX_WORD_BYTES: usize = 64;

/// Returns the most similar candidate, the first of equally similar ones; `None` if none is similar enough.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_WORD_BYTES {
        return None;
    }
    let word = word.to_lowercase();
    let scored = candidates.into_iter().filter_map(|candidate| {
        let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
        is_near(&word, candidate, distance).then_some((distance, candidate))
    });
    scored.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Returns whether at most a third of the characters differ, or the word is a part of the candidate's name, as `count`
/// is of `instance_count`.
fn is_near(word: &str, candidate: &str, distance: usize) -> bool {
    let longest = word.chars().count().max(candidate.chars().count());
    distance * 3 <= longest || (word.len() >= 4 && candidate.split('_').any(|part| part == word))
}

/// Returns the hint `did you mean X?`, if a candidate is similar enough.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Joins words: `a, b or c`.
pub(crate) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_others_are_not() {
        let keys = ["max_run", "max_wait", "instance_count"];
        for (word, key) in [("max_runs", Some("max_run")), ("count", Some("instance_count")), ("zebra", None)] {
            assert_eq!(closest(word, keys), key, "{word}");
        }
        assert_eq!(closest(&"max_run".repeat(100), keys), None);
    }
}

//! Guards against paginated lists that never end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::{CloudError, CloudResult};

/// Page tokens of one list. A repeated token would lead through the same pages forever, and is an error.
#[derive(Debug, Default)]
pub(crate) struct PageTokens {
    hasher: RandomState,
    seen: HashSet<u64>,
    empty_pages: u32,
}

/// Maximum number of consecutive empty pages. Services that search in parts return empty pages in the middle of a list.
const MAX_EMPTY_PAGES: u32 = 1000;

impl PageTokens {
    /// Returns the next page's token. Fails if it repeats, or after too many empty pages. `list` names the list in the
    /// error.
    pub(crate) fn next(&mut self, token: Option<String>, list: &str) -> CloudResult<Option<String>> {
        token.as_deref().map_or(Ok(()), |token| self.check(token, list))?;
        Ok(token)
    }

    /// Counts a page that was read. After too many consecutive empty ones, the next token is refused.
    pub(crate) fn after(&mut self, is_empty: bool) -> &mut Self {
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        self
    }

    /// Fails if an earlier page had the token.
    pub(crate) fn check(&mut self, token: &str, list: &str) -> CloudResult<()> {
        if self.empty_pages > MAX_EMPTY_PAGES {
            return Err(endless(list, &format!("{MAX_EMPTY_PAGES} pages in a row are empty")));
        }
        if self.seen.insert(self.hasher.hash_one(token)) {
            return Ok(());
        }
        Err(endless(list, "a page leads back to an earlier one"))
    }
}

fn endless(list: &str, why: &str) -> CloudError {
    CloudError::Unusable {
        what: format!("{list} can't be listed to the end: {why}"),
        hint: "try again, and check AWS_ENDPOINT_URL if it is set".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_comes_again_ends_the_list() -> CloudResult<()> {
        let mut tokens = PageTokens::default();
        for token in ["a", "b", "c"] {
            assert_eq!(tokens.next(Some(token.to_owned()), "it")?.as_deref(), Some(token));
        }
        assert_eq!(tokens.next(None, "it")?, None);
        assert!(tokens.next(Some("a".to_owned()), "it").is_err());
        Ok(())
    }

    #[test]
    fn pages_that_stay_empty_end_the_list() -> CloudResult<()> {
        let mut tokens = PageTokens::default();
        for page in 0..MAX_EMPTY_PAGES {
            tokens.after(true).next(Some(page.to_string()), "it")?;
        }
        tokens.after(false).next(Some("full".to_owned()), "it")?;
        let pages = (0..=MAX_EMPTY_PAGES).map(|page| tokens.after(true).next(Some(format!("x{page}")), "it"));
        assert!(pages.last().is_some_and(|last| last.is_err()));
        Ok(())
    }
}

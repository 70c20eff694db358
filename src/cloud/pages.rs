//! Lists that come page by page, from services that may never end them.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::{CloudError, CloudResult};

/// The tokens of a list's pages. One that comes again would be followed by the same pages without end.
#[derive(Debug, Default)]
pub(crate) struct PageTokens {
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl PageTokens {
    /// Passes the next page's token on, or refuses it. `list` says what is listed.
    pub(crate) fn next(&mut self, token: Option<String>, list: &str) -> CloudResult<Option<String>> {
        token.as_deref().map_or(Ok(()), |token| self.check(token, list))?;
        Ok(token)
    }

    /// Refuses a token that an earlier page had.
    pub(crate) fn check(&mut self, token: &str, list: &str) -> CloudResult<()> {
        if self.seen.insert(self.hasher.hash_one(token)) {
            return Ok(());
        }
        Err(CloudError::Unusable {
            what: format!("{list} can't be listed to the end: a page leads back to an earlier one"),
            hint: "try again, and check AWS_ENDPOINT_URL if it is set".to_owned(),
        })
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
}

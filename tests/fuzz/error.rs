//! Stands in for `src/error.rs`: what is under test fails only where JSON can't be written.

pub(crate) type Result<T, E = serde_json::Error> = std::result::Result<T, E>;

pub(crate) trait WithContext<T> {
    fn context(self, what: impl ContextText) -> Result<T>;
}

impl<T> WithContext<T> for Result<T> {
    fn context(self, _: impl ContextText) -> Result<T> {
        self
    }
}

pub(crate) trait ContextText {}

impl ContextText for &'static str {}

impl<F: FnOnce() -> String> ContextText for F {}

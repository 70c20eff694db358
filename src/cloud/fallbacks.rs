//! Reports of failed calls that other calls replace, so that no fallback is silent.
//!
//! A service's client decides on the fallback, but only a command may print. [`Fallbacks`] passes reports from one to
//! the other, each consequence once per process.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::CloudError;
use crate::model::IgnorePoison;

/// Effect of a fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// The result lacks something.
    Result,
    /// The result is the same, and takes more calls.
    Calls,
}

/// Receives each report.
pub(crate) type OnFallback = Arc<dyn Fn(Cost, &str) + Send + Sync>;

/// Reports of one cloud. Clones share the set of reported consequences.
#[derive(Clone)]
pub(crate) struct Fallbacks {
    on_fallback: OnFallback,
    reported: Arc<Mutex<HashSet<String>>>,
}

impl Fallbacks {
    pub(crate) fn new(on_fallback: OnFallback) -> Self {
        Self { on_fallback, reported: Arc::default() }
    }

    /// Reports a failed call and the consequence of doing without it, unless that consequence has been reported before.
    pub(crate) fn report(&self, cost: Cost, error: &CloudError, consequence: &str) {
        if self.reported.lock().ignore_poison().insert(consequence.to_owned()) {
            let hint = first_hint(error).map(|hint| format!("; {hint}")).unwrap_or_default();
            (self.on_fallback)(cost, &format!("{error}; {consequence}{hint}"));
        }
    }
}

/// Discards all reports.
impl Default for Fallbacks {
    fn default() -> Self {
        Self::new(Arc::new(|_, _| {}))
    }
}

impl fmt::Debug for Fallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallbacks").field("reported", &self.reported).finish_non_exhaustive()
    }
}

fn first_hint(error: &CloudError) -> Option<&str> {
    match error {
        CloudError::Service(error) => error.hints.first().map(String::as_str),
        CloudError::Unusable { hint, .. } => Some(hint),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_consequence_is_reported_once() {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let kept = reports.clone();
        let fallbacks = Fallbacks::new(Arc::new(move |cost, text| {
            kept.lock().ignore_poison().push((cost, text.to_owned()));
        }));
        let error = CloudError::Unusable { what: "no".to_owned(), hint: "ask".to_owned() };
        fallbacks.report(Cost::Result, &error, "columns are empty");
        fallbacks.clone().report(Cost::Result, &error, "columns are empty");
        fallbacks.report(Cost::Calls, &CloudError::Other("gone".to_owned()), "jobs are described one by one");
        let expected = [
            (Cost::Result, "no; columns are empty; ask".to_owned()),
            (Cost::Calls, "gone; jobs are described one by one".to_owned()),
        ];
        assert_eq!(*reports.lock().ignore_poison(), expected);
    }
}

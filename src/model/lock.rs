//! Locks whose holder has panicked.

use std::sync::{LockResult, PoisonError};

/// Access to a lock although a thread panicked while it held it.
///
/// A poisoned lock says that its value may be half updated. Each value behind a lock of this crate is changed by single
/// calls that leave it whole, and a panic is reported by whoever joins the thread: a second panic of everyone who takes
/// the lock would only hide the first.
pub(crate) trait IgnorePoison<T> {
    /// Returns the guard, or the value itself, poisoned or not.
    fn ignore_poison(self) -> T;
}

impl<T> IgnorePoison<T> for LockResult<T> {
    fn ignore_poison(self) -> T {
        self.unwrap_or_else(PoisonError::into_inner)
    }
}

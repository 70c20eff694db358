//! Locks whose holder has panicked.

use std::sync::LockResult;

/// Access to a lock although a thread panicked while it held it.
///
/// A poisoned lock only says that its value may be half updated. Each value behind a lock of this crate is changed by
/// single calls that leave it whole, and a panic is reported by whoever joins the thread: a second panic of everyone who
/// takes the lock would hide the first.
pub(crate) trait IgnorePoison {
    /// The guard, or the value itself, as the lock returns it.
    type Locked;

    /// Returns what the lock gives, poisoned or not.
    fn ignore_poison(self) -> Self::Locked;
}

impl<T> IgnorePoison for LockResult<T> {
    type Locked = T;

    fn ignore_poison(self) -> T {
        self.unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

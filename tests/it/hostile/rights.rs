//! Missing rights: what goes on without them, and what is said of them.

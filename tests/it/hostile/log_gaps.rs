//! Gaps in a local job's log are marked.

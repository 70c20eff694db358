//! A stranger's settings files change nothing.

//! Stored objects and partial downloads are held against what they are called.

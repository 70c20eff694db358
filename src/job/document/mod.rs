//! Reads the text of a spec or of settings, and parses it into a tree.
//!
//! [`read`] reads a file within limits. [`nesting`] bounds the depth of the text before [`toml`] or [`yaml`] parses it
//! into a [`tree`], in which every key and value has its span in the text. [`overrides`] merges the command line's
//! values over the tree. This module doesn't know the keys of a spec.

pub(super) mod nesting;
pub(super) mod overrides;
pub(super) mod read;
pub(super) mod toml;
pub(super) mod tree;
pub(super) mod yaml;

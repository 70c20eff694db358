//! A spec or a settings file as text, and the tree that it is parsed into.
//!
//! [`read`] takes bytes from a file, [`toml`] and [`yaml`] parse them into one [`tree`] whose every node keeps its span in the
//! text, [`nesting`] bounds its depth first, and [`overrides`] lays `--set` and its kin over it. Nothing here knows the keys
//! of a spec.

pub(super) mod nesting;
pub(super) mod overrides;
pub(super) mod read;
pub(super) mod toml;
pub(super) mod tree;
pub(super) mod yaml;

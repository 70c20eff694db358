//! The catalog of training images: the built-in tables, which `make_catalog.py` generates, and a user's own images
//! merged over them. Both are parsed on first use.

use std::sync::{LazyLock, OnceLock};

use super::tables::Tables;
use super::user_catalog::{self, UserImages};

/// The generated tables.
const CATALOG_JSON: &str = include_str!("catalog.json");

static BUILT_IN: LazyLock<Tables> =
    LazyLock::new(|| serde_json::from_str(CATALOG_JSON).expect("a test parses the built-in catalog"));

/// All images that can be resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    own: Vec<UserImages>,
    /// The built-in tables with `own` merged over them.
    merged: OnceLock<Tables>,
}

impl Catalog {
    /// The built-in images alone.
    pub(crate) const fn built_in() -> Self {
        Self { own: Vec::new(), merged: OnceLock::new() }
    }

    /// The built-in images, and a user's own in place of those of the same name and version.
    pub(crate) fn with_own(own: Vec<UserImages>) -> Self {
        Self { own, ..Self::built_in() }
    }

    /// Returns the URI of the image that evaluates the debugger's and the profiler's built-in rules, or `None` if the
    /// region doesn't have it.
    pub(crate) fn rules_image(&self, region: &str) -> Option<String> {
        self.tables().rules_image(region)
    }

    pub(super) fn tables(&self) -> &Tables {
        if self.own.is_empty() {
            &BUILT_IN
        } else {
            self.merged.get_or_init(|| user_catalog::merge(&BUILT_IN, &self.own))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_can_be_read() -> Result<(), serde_json::Error> {
        let catalog: Tables = serde_json::from_str(CATALOG_JSON)?;
        assert!(catalog.images.len() > 35, "{}", catalog.images.len());
        for (name, images) in &catalog.images {
            for full in images.aliases.values() {
                assert!(images.versions.contains_key(full), "{name}: {full}");
            }
            for entry in images.versions.values().flatten() {
                assert!(entry.registry < catalog.registries.len(), "{name}: {entry:?}");
            }
        }
        Ok(())
    }
}

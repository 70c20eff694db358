//! The tables of training images: the built-in ones, as `make_catalog.py` wrote them, and a user's own on top. They are read
//! when they are first needed.

use std::sync::{LazyLock, OnceLock};

use super::tables::Tables;
use super::user_catalog::{self, UserImages};

const TEXT: &str = include_str!("catalog.json");

/// That it can be read is held by a test.
static BUILT_IN: LazyLock<Tables> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// All images that can be asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    own: Vec<UserImages>,
    whole: OnceLock<Tables>,
}

impl Catalog {
    pub(crate) const fn built_in() -> Self {
        Self { own: Vec::new(), whole: OnceLock::new() }
    }

    /// The built-in images, and more that come before them.
    pub(crate) fn with(own: Vec<UserImages>) -> Self {
        Self { own, ..Self::built_in() }
    }

    /// The image that evaluates the debugger's and the profiler's built-in rules, where the region has it.
    pub(crate) fn rules_image(&self, region: &str) -> Option<String> {
        self.tables().rules_image(region)
    }

    pub(super) fn tables(&self) -> &Tables {
        if self.own.is_empty() {
            &BUILT_IN
        } else {
            self.whole.get_or_init(|| user_catalog::merge(&BUILT_IN, &self.own))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_can_be_read() -> Result<(), serde_json::Error> {
        let catalog: Tables = serde_json::from_str(TEXT)?;
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

//! Stands in for `src/cloud`: the types of a log.

use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct LogStream {
    pub(crate) name: Arc<str>,
}

impl LogStream {
    pub(crate) fn node(&self) -> &str {
        let stream = self.name.split('/').nth(1).unwrap_or(&self.name);
        stream.rsplit_once('-').map_or(stream, |(node, _)| node)
    }

    pub(crate) fn number(&self) -> u32 {
        self.node().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

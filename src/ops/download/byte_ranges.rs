//! Which stretches of an object's bytes are there. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

/// Stretches that neither touch nor overlap, by their starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteRanges(BTreeMap<u64, u64>);

impl ByteRanges {
    pub(super) fn add(&mut self, Range { mut start, mut end }: Range<u64>) {
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.0.range(..=end).next_back().filter(|(_, to)| **to >= start) {
            (start, end) = (start.min(from), end.max(to));
            self.0.remove(&from);
        }
        self.0.insert(start, end);
    }

    /// Where the first byte is missing from `at` on.
    pub(super) fn end_from(&self, at: u64) -> u64 {
        self.0.range(..=at).next_back().map_or(at, |(_, end)| at.max(*end))
    }

    /// What is missing of so many bytes, in order.
    pub(super) fn missing(&self, size: u64) -> Vec<Range<u64>> {
        let ends = [0].into_iter().chain(self.0.values().copied());
        let starts = self.0.keys().copied().chain([size]);
        ends.zip(starts).map(|(start, end)| start..end.min(size)).filter(|range| !range.is_empty()).collect()
    }

    /// How many bytes are there.
    pub(super) fn total(&self) -> u64 {
        self.iter().map(|range| range.end - range.start).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.0.iter().map(|(start, end)| *start..*end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_the_bytes_that_were_added(ranges in prop::collection::vec((0_u64..60, 0_u64..12), 0..20)) {
            let (mut extents, mut there) = (ByteRanges::default(), [false; 80]);
            for (start, length) in ranges {
                extents.add(start..start + length);
                (start..start + length).for_each(|at| there[usize::try_from(at).unwrap_or(0)] = true);
            }
            prop_assert_eq!(extents.total(), there.iter().filter(|byte| **byte).count() as u64);
            for at in 0_u64..79 {
                let mut end = at;
                while there[usize::try_from(end).unwrap_or(0)] {
                    end += 1;
                }
                prop_assert_eq!(extents.end_from(at), end);
            }
            let missing: u64 = extents.missing(80).iter().map(|range| range.end - range.start).sum();
            prop_assert_eq!(extents.total() + missing, 80);
            prop_assert!(extents.missing(30).iter().all(|range| range.end <= 30));
        }
    }
}

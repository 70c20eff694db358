//! A set of byte ranges. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

/// Disjoint, non-adjacent byte ranges: end by start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteRanges(BTreeMap<u64, u64>);

impl ByteRanges {
    /// Returns the set `0..size`.
    pub(super) fn all(size: u64) -> Self {
        let mut ranges = Self::default();
        ranges.add(0..size);
        ranges
    }

    /// Adds a range, and merges it with those that it touches.
    pub(super) fn add(&mut self, Range { mut start, mut end }: Range<u64>) {
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.0.range(..=end).next_back().filter(|(_, to)| **to >= start) {
            start = start.min(from);
            end = end.max(to);
            self.0.remove(&from);
        }
        self.0.insert(start, end);
    }

    /// Returns the end of the range that holds `at`, or `at` if none does.
    pub(super) fn end_from(&self, at: u64) -> u64 {
        self.0.range(..=at).next_back().map_or(at, |(_, end)| at.max(*end))
    }

    /// Returns the ranges of `0..size` that are not in the set, in order.
    pub(super) fn missing(&self, size: u64) -> Vec<Range<u64>> {
        let ends = [0].into_iter().chain(self.0.values().copied());
        let starts = self.0.keys().copied().chain([size]);
        ends.zip(starts).map(|(start, end)| start..end.min(size)).filter(|range| !range.is_empty()).collect()
    }

    /// Returns the number of bytes in the set.
    pub(super) fn total(&self) -> u64 {
        self.iter().map(|range| range.end - range.start).sum()
    }

    /// Iterates over the ranges in order.
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
            let mut set = ByteRanges::default();
            let mut present = [false; 80];
            for (start, length) in ranges {
                set.add(start..start + length);
                (start..start + length).for_each(|at| present[usize::try_from(at).unwrap_or(0)] = true);
            }
            prop_assert_eq!(set.total(), present.iter().filter(|byte| **byte).count() as u64);
            for at in 0_u64..79 {
                let mut end = at;
                while present[usize::try_from(end).unwrap_or(0)] {
                    end += 1;
                }
                prop_assert_eq!(set.end_from(at), end);
            }
            let missing: u64 = set.missing(80).iter().map(|range| range.end - range.start).sum();
            prop_assert_eq!(set.total() + missing, 80);
            prop_assert!(set.missing(30).iter().all(|range| range.end <= 30));
        }
    }
}

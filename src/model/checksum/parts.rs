//! Cuts content into the parts of a multipart upload, whose digests S3 digests.
//!
//! Limits: Amazon S3 user guide, "Amazon S3 multipart upload limits": 10,000 parts, of 5 MiB to 5 GiB each.

const MIB: u64 = 1024 * 1024;
/// Files up to here go in one request, in bytes.
pub(crate) const SINGLE: u64 = 16 * MIB;
const PART: u64 = 8 * MIB;
const MAX_PARTS: u64 = 10_000;

/// The size of all parts but the last, in bytes: as small as may be, so that little is sent again after a failure.
fn part_size(size: u64) -> u64 {
    size.div_ceil(MAX_PARTS).next_multiple_of(MIB).max(PART)
}

/// [`part_size`]; none for content that goes in one request.
pub(crate) fn part_size_of(size: u64) -> Option<u64> {
    (size > SINGLE).then(|| part_size(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_are_enough() {
        let tib = MIB * MIB;
        for size in [SINGLE + 1, PART * MAX_PARTS, PART * MAX_PARTS + 1, 5 * tib - 1, 5 * tib] {
            let part = part_size(size);
            assert!(size.div_ceil(part) <= MAX_PARTS, "{size}");
            assert!((5 * MIB..=5 * 1024 * MIB).contains(&part), "{size}: {part}");
        }
        assert_eq!(part_size(PART * MAX_PARTS), PART);
        assert_eq!(part_size(PART * MAX_PARTS + 1), PART + MIB);
    }
}

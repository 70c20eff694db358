//! Sizes of the parts of a multipart upload, on which the digest of an object depends.
//!
//! Limits: Amazon S3 user guide, "Amazon S3 multipart upload limits": 10,000 parts, of 5 MiB to 5 GiB each.

const MIB: u64 = 1024 * 1024;
/// Maximum size of content that is uploaded in one request.
pub(crate) const MAX_SINGLE_UPLOAD_BYTES: u64 = 16 * MIB;
/// Minimum size of a part.
const MIN_PART_BYTES: u64 = 8 * MIB;
/// Maximum number of parts.
const MAX_PARTS: u64 = 10_000;

/// Returns the size of all parts but the last, in bytes: as small as the limits allow, so that little is sent again
/// after a failure.
fn part_size(size: u64) -> u64 {
    size.div_ceil(MAX_PARTS).next_multiple_of(MIB).max(MIN_PART_BYTES)
}

/// Returns the size of all parts but the last, in bytes, or `None` for content that is uploaded in one request.
pub(crate) fn part_size_of(size: u64) -> Option<u64> {
    (size > MAX_SINGLE_UPLOAD_BYTES).then(|| part_size(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_are_enough() {
        let tib = MIB * MIB;
        for size in [
            MAX_SINGLE_UPLOAD_BYTES + 1,
            MIN_PART_BYTES * MAX_PARTS,
            MIN_PART_BYTES * MAX_PARTS + 1,
            5 * tib - 1,
            5 * tib,
        ] {
            let part = part_size(size);
            assert!(size.div_ceil(part) <= MAX_PARTS, "{size}");
            assert!((5 * MIB..=5 * 1024 * MIB).contains(&part), "{size}: {part}");
        }
        assert_eq!(part_size(MIN_PART_BYTES * MAX_PARTS), MIN_PART_BYTES);
        assert_eq!(part_size(MIN_PART_BYTES * MAX_PARTS + 1), MIN_PART_BYTES + MIB);
    }
}

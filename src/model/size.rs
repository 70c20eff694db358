//! Parses sizes as people write them: `500MB`, `1.5 GiB`, `1048576`.

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Error for a text that is not a size.
#[derive(Debug, thiserror::Error)]
#[error("a size is a number of bytes, or one with a unit: 500MB, 1.5GiB")]
pub(crate) struct InvalidSize;

impl std::str::FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: f64 = number.parse().map_err(|_| InvalidSize)?;
        let bytes = number * unit_of(unit.trim()).ok_or(InvalidSize)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "digits alone are not negative; `as` saturates"
        )]
        Ok(Self(bytes as u64))
    }
}

/// Returns the bytes of a unit: decimal multiples (SI), or binary ones (IEC) with an `i`.
fn unit_of(unit: &str) -> Option<f64> {
    let unit = unit.to_ascii_lowercase();
    let prefix = unit.strip_suffix('b').unwrap_or(&unit);
    let (prefix, base) = prefix.strip_suffix('i').map_or((prefix, 1000.0), |prefix| (prefix, 1024.0_f64));
    let power = match prefix {
        "" if base > 1000.0 => return None,
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    Some(base.powi(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        for (text, bytes) in
            [("0", 0), ("1048576", 1 << 20), ("500MB", 500_000_000), ("1.5 GiB", 3 << 29), ("2k", 2000), ("7B", 7)]
        {
            assert_eq!(text.parse::<Size>().map(|size| size.0).ok(), Some(bytes), "{text}");
        }
        for text in ["", "MB", "-1", "1x", "1.2.3", "1 iB", "GB5"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}

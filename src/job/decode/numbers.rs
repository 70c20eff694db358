//! Formats numbers as they are sent in text fields of the request.

/// Formats a finite number without an exponent: `1e-3` is `0.001`. A whole number keeps its `.0`.
pub(crate) fn plain_decimal(number: f64) -> String {
    let text = number.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_exponents() {
        for (number, text) in [(1e-3, "0.001"), (1.0, "1.0"), (-2.5, "-2.5"), (1e21, "1000000000000000000000.0")] {
            assert_eq!(plain_decimal(number), text);
        }
    }
}

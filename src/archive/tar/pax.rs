//! Parses the records of a pax extended header (POSIX, "pax").
//!
//! A record is `LENGTH KEY=VALUE` and a line feed, where `LENGTH` counts the whole record and the value may be any
//! bytes.

use crate::archive::read_error::ReadError;

/// Prefix of the keys of sparse files, whose data begins with a map (GNU tar manual, "Storing Sparse Files").
const SPARSE_PREFIX: &[u8] = b"GNU.sparse.";

/// The records that describe an entry. The last record of a key counts; an empty value deletes the key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    /// Size of the stored data, in bytes.
    pub(crate) size: Option<u64>,
    pub(crate) is_sparse: bool,
}

impl Pax {
    /// Parses the data of a pax header. Fails with [`ReadError::Malformed`].
    pub(crate) fn parse(mut records: &[u8]) -> Result<Self, ReadError> {
        let mut pax = Self::default();
        let mut sparse_name = None;
        // Some writers pad the records to a whole block with zeros.
        while records.first().is_some_and(|byte| *byte != 0) {
            let (key, value, rest) = record(records).ok_or(ReadError::Malformed("a pax header is malformed"))?;
            let value = (!value.is_empty()).then_some(value);
            match key {
                b"path" => pax.path = value.map(<[u8]>::to_vec),
                b"linkpath" => pax.link = value.map(<[u8]>::to_vec),
                b"size" => pax.size = value.map(size).transpose()?,
                b"GNU.sparse.name" => sparse_name = value.map(<[u8]>::to_vec),
                _ => {}
            }
            pax.is_sparse |= key.starts_with(SPARSE_PREFIX);
            records = rest;
        }
        pax.path = sparse_name.or(pax.path);
        Ok(pax)
    }

    /// Fails if a global header has records that describe entries: some programs apply them to all that follow, others
    /// don't.
    pub(crate) fn check_global(&self) -> Result<(), ReadError> {
        if *self == Self::default() {
            Ok(())
        } else {
            Err(ReadError::Malformed("a global pax header names entries, or measures them"))
        }
    }
}

/// Splits the first record into its key and its value, and returns the other records as well.
fn record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let digits = records.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&records[..digits])?).ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let field = record.get(digits + 1..)?.strip_suffix(b"\n")?;
    let equals = field.iter().position(|byte| *byte == b'=')?;
    Some((&field[..equals], &field[equals + 1..], rest))
}

fn size(digits: &[u8]) -> Result<u64, ReadError> {
    number(digits).ok_or(ReadError::Malformed("a pax header has a size that no file has"))
}

/// Parses decimal digits, without a sign or spaces.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

//! The records of a pax header: `LENGTH KEY=VALUE` and a line feed, of which a value may be any bytes (POSIX, "pax").

use std::io;

use super::error::wrong;

/// What the keys of sparse files begin with, whose data begins with a map (GNU tar manual, "Storing Sparse Files").
const SPARSE: &[u8] = b"GNU.sparse.";

/// What a header says that matters here; the last one where it says it twice, and nothing where a value is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) is_sparse: bool,
}

impl Pax {
    pub(crate) fn read(mut records: &[u8]) -> io::Result<Self> {
        let (mut pax, mut sparse_name) = (Self::default(), None);
        // Some writers fill the last block up to its end.
        while records.iter().next().is_some_and(|byte| *byte != 0) {
            let (key, value, rest) = record(records).ok_or_else(|| wrong("a pax header is malformed"))?;
            let value = (!value.is_empty()).then_some(value);
            match key {
                b"path" => pax.path = value.map(<[u8]>::to_vec),
                b"linkpath" => pax.link = value.map(<[u8]>::to_vec),
                b"size" => pax.size = value.map(|size| number(size).ok_or_else(no_size)).transpose()?,
                b"GNU.sparse.name" => sparse_name = value.map(<[u8]>::to_vec),
                _ => {}
            }
            pax.is_sparse |= key.starts_with(SPARSE);
            records = rest;
        }
        pax.path = sparse_name.or(pax.path);
        Ok(pax)
    }

    /// A header for all entries that follow is read by some programs and not by others.
    pub(crate) fn refuse_for_all(&self) -> io::Result<()> {
        if *self == Self::default() {
            Ok(())
        } else {
            Err(wrong("a global pax header names entries, or measures them"))
        }
    }
}

/// The first record's key and value, and the other records.
fn record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let digits = records.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&records[..digits])?).ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let field = record.get(digits + 1..)?.strip_suffix(b"\n")?;
    let equals = field.iter().position(|byte| *byte == b'=')?;
    Some((&field[..equals], &field[equals + 1..], rest))
}

/// Digits alone: no sign, no spaces.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

fn no_size() -> io::Error {
    wrong("a pax header has a size that no file has")
}

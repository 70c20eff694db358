//! Sparse files of the old GNU format.
//!
//! Only the data between the holes is stored. A map in the header, and in extension blocks behind it, says where in the
//! file each piece of data belongs (GNU tar manual, "Storing Sparse Files").

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::block::BLOCK_BYTES;
use crate::archive::read_error::ReadError;

/// The rest of a file that is read from its beginning: holes, and the data between them.
#[derive(Debug, Default)]
pub(crate) struct DataRuns {
    /// Rest of the current hole, and of the data behind it, in bytes.
    hole: u64,
    data: u64,
    /// The holes and data behind these, the last pair first.
    rest: Vec<(u64, u64)>,
    size: u64,
    /// Stored bytes that are not yet read.
    stored: u64,
}

impl DataRuns {
    /// A file of `size` bytes without holes.
    pub(crate) fn without_holes(size: u64) -> Self {
        Self { data: size, size, stored: size, ..Self::default() }
    }

    /// Size of the whole file in bytes, holes included.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Stored bytes that are not yet read.
    pub(crate) fn stored(&self) -> u64 {
        self.stored
    }

    /// Consumes up to `most` bytes of a hole, and returns their number: 0 if data or the end comes next.
    pub(crate) fn take_hole(&mut self, most: usize) -> usize {
        while self.hole == 0 && self.data == 0 {
            let Some(next) = self.rest.pop() else { return 0 };
            (self.hole, self.data) = next;
        }
        let hole = at_most(self.hole, most);
        self.hole -= hole as u64;
        hole
    }

    /// Returns the number of data bytes before the next hole, up to `most`. To be called when no hole comes next.
    pub(crate) fn data(&self, most: usize) -> usize {
        at_most(self.data, most)
    }

    /// Marks `count` bytes of the data as read.
    pub(crate) fn take_data(&mut self, count: usize) {
        self.data -= count as u64;
        self.stored -= count as u64;
    }
}

fn at_most(length: u64, most: usize) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).min(most)
}

/// Reads the map of a sparse file of which `stored` bytes are in the archive. `next_block` reads the blocks behind the
/// header, one at a time. Fails with [`ReadError::Malformed`] if the map overlaps or doesn't add up.
pub(crate) fn read(
    header: &Header,
    stored: u64,
    mut next_block: impl FnMut() -> Result<[u8; BLOCK_BYTES], ReadError>,
) -> Result<DataRuns, ReadError> {
    let gnu = header.as_gnu().ok_or(ReadError::Malformed("a sparse file has a header of another kind"))?;
    let mut map = SparseMap { pieces: Vec::new(), end: 0, stored: 0 };
    map.add(&gnu.sparse)?;
    let mut is_extended = gnu.is_extended();
    let mut extension = GnuExtSparseHeader::new();
    while is_extended {
        extension.as_mut_bytes().copy_from_slice(&next_block()?);
        map.add(&extension.sparse)?;
        is_extended = extension.is_extended();
    }
    let size = gnu.real_size().map_err(|_| INCONSISTENT)?;
    if map.end != size || map.stored != stored {
        return Err(INCONSISTENT);
    }
    map.pieces.reverse();
    Ok(DataRuns { rest: map.pieces, size, stored, ..DataRuns::default() })
}

struct SparseMap {
    /// Length of each hole, and of the data behind it, in bytes.
    pieces: Vec<(u64, u64)>,
    /// End of the last piece in the file.
    end: u64,
    stored: u64,
}

impl SparseMap {
    fn add(&mut self, pieces: &[GnuSparseHeader]) -> Result<(), ReadError> {
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            let offset = piece.offset().map_err(|_| INCONSISTENT)?;
            let length = piece.length().map_err(|_| INCONSISTENT)?;
            let hole = offset.checked_sub(self.end).ok_or(INCONSISTENT)?;
            // Each piece of stored data begins with a block.
            if length > 0 && !self.stored.is_multiple_of(BLOCK_BYTES as u64) {
                return Err(INCONSISTENT);
            }
            self.pieces.push((hole, length));
            self.end = offset.checked_add(length).ok_or(INCONSISTENT)?;
            self.stored = self.stored.checked_add(length).ok_or(INCONSISTENT)?;
        }
        Ok(())
    }
}

const INCONSISTENT: ReadError = ReadError::Malformed("a sparse file's map is not that of its data");

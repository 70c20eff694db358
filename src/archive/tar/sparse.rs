//! Sparse files of the old GNU form: a map of what is stored, in the header and in blocks after it (GNU tar manual,
//! "Storing Sparse Files").

use std::io;

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::error::{BLOCK, wrong};

/// A file as it is read from its beginning: holes, and the data between them.
#[derive(Debug, Default)]
pub(crate) struct DataRuns {
    /// What comes next of each.
    hole: u64,
    data: u64,
    /// Then these, the last one first.
    rest: Vec<(u64, u64)>,
    size: u64,
    /// Of the data, how much is not yet read.
    stored: u64,
}

impl DataRuns {
    /// A file without holes.
    pub(crate) fn of(size: u64) -> Self {
        Self { data: size, size, stored: size, ..Self::default() }
    }

    /// In bytes, holes included.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn stored(&self) -> u64 {
        self.stored
    }

    /// How many zeros come next, and so many at most; they are then behind.
    pub(crate) fn take_hole(&mut self, most: usize) -> usize {
        while self.hole == 0 && self.data == 0 {
            let Some(next) = self.rest.pop() else { return 0 };
            (self.hole, self.data) = next;
        }
        let hole = at_most(self.hole, most);
        self.hole -= hole as u64;
        hole
    }

    /// How many bytes of data come next, where there is no hole before them.
    pub(crate) fn data(&self, most: usize) -> usize {
        at_most(self.data, most)
    }

    pub(crate) fn taken(&mut self, count: usize) {
        self.data -= count as u64;
        self.stored -= count as u64;
    }
}

fn at_most(length: u64, most: usize) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).min(most)
}

/// Reads the map: so many bytes are stored, and the blocks after the header are asked for one by one.
pub(crate) fn read(
    header: &Header,
    stored: u64,
    mut next: impl FnMut() -> io::Result<[u8; BLOCK]>,
) -> io::Result<DataRuns> {
    let gnu = header.as_gnu().ok_or_else(|| wrong("a sparse file has a header of another kind"))?;
    let mut map = SparseMap { pieces: Vec::new(), end: 0, stored: 0 };
    map.add(&gnu.sparse)?;
    let (mut is_extended, mut more) = (gnu.is_extended(), GnuExtSparseHeader::new());
    while is_extended {
        more.as_mut_bytes().copy_from_slice(&next()?);
        map.add(&more.sparse)?;
        is_extended = more.is_extended();
    }
    let size = gnu.real_size().map_err(|_| lies())?;
    if map.end != size || map.stored != stored {
        return Err(lies());
    }
    map.pieces.reverse();
    Ok(DataRuns { rest: map.pieces, size, stored, ..DataRuns::default() })
}

struct SparseMap {
    /// How long each hole is, and the data after it.
    pieces: Vec<(u64, u64)>,
    end: u64,
    stored: u64,
}

impl SparseMap {
    fn add(&mut self, pieces: &[GnuSparseHeader]) -> io::Result<()> {
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            let (offset, length) =
                piece.offset().and_then(|offset| Ok((offset, piece.length()?))).map_err(|_| lies())?;
            let hole = offset.checked_sub(self.end).ok_or_else(lies)?;
            // Data that is stored begins with a block.
            if length > 0 && !self.stored.is_multiple_of(BLOCK as u64) {
                return Err(lies());
            }
            self.pieces.push((hole, length));
            self.end = offset.checked_add(length).ok_or_else(lies)?;
            self.stored = self.stored.checked_add(length).ok_or_else(lies)?;
        }
        Ok(())
    }
}

fn lies() -> io::Error {
    wrong("a sparse file's map is not that of its data")
}
